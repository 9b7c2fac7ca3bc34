import { app } from "./app.ts";
import { approval } from "./approval.ts";
import { chat } from "./chat.ts";
import { code } from "./code.ts";
import { common } from "./common.ts";
import { composer } from "./composer.ts";
import { conversations } from "./conversations.ts";
import { embed } from "./embed.ts";
import { errors } from "./errors.ts";
import { message } from "./message.ts";
import { plan } from "./plan.ts";
import { reasoning } from "./reasoning.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";
import { suggestions } from "./suggestions.ts";
import { time } from "./time.ts";
import { tool } from "./tool.ts";
import { usage } from "./usage.ts";

export const en = {
  app,
  approval,
  chat,
  code,
  common,
  composer,
  conversations,
  embed,
  errors,
  message,
  plan,
  reasoning,
  sidebar,
  signIn,
  suggestions,
  time,
  tool,
  usage,
};
