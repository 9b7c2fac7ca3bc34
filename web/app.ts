import { effect } from "@preact/signals-core";
import type { ParleyApp } from "./components/app/app.ts";
import { adopt } from "./components/element.ts";
import "./components/app/app.ts";
import { client, login, storage } from "./connect.ts";
import { watchAnswers } from "./store/answer-watch.ts";
import { AppStore } from "./store/app.ts";
import { createRouter } from "./store/route.ts";
import { Shell } from "./store/shell.ts";
import { createTheme } from "./store/theme.ts";
import { base } from "./styles/base.ts";
import { tokens } from "./styles/tokens.ts";
import { createLanguages } from "./text/languages.ts";
import { text } from "./text/text.ts";

adopt(document, [tokens, base]);

const languages = createLanguages(storage, document.documentElement);
const theme = createTheme(storage, document.documentElement);
const store = new AppStore(client, createRouter(), storage);
const shell = new Shell({ client, storage, theme, languages });
store.shell.value = shell;
shell.notifier.go = (id) => store.router.go({ kind: "conversation", id });
watchAnswers(store, client, (news) => shell.notifier.tell(news));
effect(() => {
  if (shell.panel.value !== undefined) load(() => import("./panels.ts"));
});
// A message that the address names is gone to once its conversation is open.
effect(() => {
  const route = store.router.route.value;
  if (route.kind !== "conversation" || route.messageId === undefined) return;
  const left = new AbortController();
  load(async () => {
    const { reveal } = await import("./components/chat/reveal.ts");
    await reveal(store, route, left.signal).catch(() => undefined);
  });
  return () => left.abort();
});
// Another person's prompts are none of the next one's.
effect(() => {
  if (store.user.value === undefined) {
    shell.close();
    shell.prompts.clear();
  }
});

document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && store.probe());
addEventListener("online", () => store.probe());
addEventListener("pageshow", ({ persisted }) => persisted && store.probe());

const app: ParleyApp = Object.assign(document.createElement("parley-app") as ParleyApp, { app: store, theme });
const begun = store.begin(login);
// Nobody is shown a language first that they did not choose; English is here already.
await languages.ready;
document.body.replaceChildren(app);
// While the server is asked.
load(async () => {
  const { warmUp } = await import("./answers.ts");
  setTimeout(warmUp);
  whenIdle(() =>
    load(async () => {
      const [{ rehearse }] = await Promise.all([import("./components/message/rehearsal.ts"), later()]);
      await rehearse(store);
    }),
  );
});
whenIdle(() => load(later));
whenIdle(() => load(() => import("./panels.ts")));
await begun;

function later(): Promise<unknown> {
  return import("./later.ts");
}

/** Elements come to life where they stand already. */
function load(chunk: () => Promise<unknown>): void {
  chunk().catch(() => (store.notice.value = text().errors.pageIncomplete));
}

function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: 1_000 });
  else setTimeout(work, 200);
}
