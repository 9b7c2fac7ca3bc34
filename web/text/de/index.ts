import type { Text } from "../text.ts";
import { code } from "./code.ts";
import { common } from "./common.ts";
import { embed } from "./embed.ts";
import { errors } from "./errors.ts";
import { message } from "./message.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";
import { time } from "./time.ts";
import { usage } from "./usage.ts";

export const de: Text = { code, common, embed, errors, message, sidebar, signIn, time, usage };
