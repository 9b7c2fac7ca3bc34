import { app } from "./app.ts";
import { approval } from "./approval.ts";
import { chat } from "./chat.ts";
import { code } from "./code.ts";
import { commands } from "./commands.ts";
import { common } from "./common.ts";
import { composer } from "./composer.ts";
import { conversations } from "./conversations.ts";
import { embed } from "./embed.ts";
import { errors } from "./errors.ts";
import { insights } from "./insights.ts";
import { inspector } from "./inspector.ts";
import { message } from "./message.ts";
import { notifications } from "./notifications.ts";
import { plan } from "./plan.ts";
import { presence } from "./presence.ts";
import { prompts } from "./prompts.ts";
import { reasoning } from "./reasoning.ts";
import { settings } from "./settings.ts";
import { shortcuts } from "./shortcuts.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";
import { suggestions } from "./suggestions.ts";
import { time } from "./time.ts";
import { tool } from "./tool.ts";
import { trash } from "./trash.ts";
import { usage } from "./usage.ts";

export const en = {
  app,
  approval,
  chat,
  code,
  commands,
  common,
  composer,
  conversations,
  embed,
  errors,
  insights,
  inspector,
  message,
  notifications,
  plan,
  presence,
  prompts,
  reasoning,
  settings,
  shortcuts,
  sidebar,
  signIn,
  suggestions,
  time,
  tool,
  trash,
  usage,
};
