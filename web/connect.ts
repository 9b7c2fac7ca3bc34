/** What the page begins with, while the rest of it is still on its way: who is there, and the connection. */
import { createClient } from "../src/client/client.ts";
import { outboxStorage } from "./store/outbox-storage.ts";
import { loginCode } from "./store/route.ts";
import { signIn, type SignInFailure } from "./store/sign-in.ts";
import { browserStorage } from "./store/storage.ts";

// A code works once; it must not stay in the address, the history, or what is shared of them.
const code = loginCode(location.hash);
if (location.hash.startsWith("#login=")) history.replaceState(null, "", location.pathname);

export const storage = browserStorage();
export const client = createClient({
  url: new URL("/ws", location.href).href,
  auth: { kind: "cookie" },
  outbox: outboxStorage(storage),
  autoConnect: code === undefined,
});
/** What came of the login link that the page was opened with. */
export const login = code === undefined ? undefined : follow(code);

async function follow(code: string): Promise<SignInFailure | undefined> {
  const failure = await signIn({ code });
  // A refused one tells nothing of whether somebody is signed in already: the connection does.
  if (failure === undefined || failure.kind === "refused") client.connectNow();
  return failure;
}
