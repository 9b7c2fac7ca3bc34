import { signIn } from "./sign-in.ts";

export const en = { signIn };
