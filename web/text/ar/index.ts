import type { Text } from "../text.ts";
import { common } from "./common.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";

export const ar: Text = { common, sidebar, signIn };
