import { common } from "./common.ts";
import { sidebar } from "./sidebar.ts";
import { signIn } from "./sign-in.ts";

export const en = { common, sidebar, signIn };
