import type { Text } from "../text.ts";
import { common } from "./common.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";

export const de: Text = { common, sidebar, signIn };
