import type { Reader, Scope } from "../ports/store.ts";
import { hashSecret } from "./secrets.ts";

/** Who asks, with the token of a link if there is one: then it is what the link opens that is read. */
export const readerOf = (scope: Scope, shareToken: string | undefined): Reader =>
  shareToken === undefined ? scope : { ...scope, shareHash: hashSecret(shareToken) };
