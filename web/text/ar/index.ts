import type { Text } from "../text.ts";
import { signIn } from "./sign-in.ts";

export const ar: Text = { signIn };
