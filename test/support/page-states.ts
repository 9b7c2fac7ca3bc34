import { after, before } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Run } from "../../src/protocol/shapes.ts";
import { launchChromium } from "./chromium.ts";
import { PageServer } from "./page-server.ts";
import { until } from "./until.ts";
import { openPage, openThread, say } from "./web-page.ts";

/** The states of the page that are looked at by whoever asks who can use it. */

const TEXT = `## Findings

Some *emphasis*, \`code\`, and [a link](https://example.com).

\`\`\`ts
const a = 1;
\`\`\`

- [x] done
- [ ] not done

| a | b |
|---|--:|
| 1 | 2 |

> quoted

![picture](https://example.com/x.png)`;

let browser: Browser;

before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

export const chromium = (): Browser => browser;

export interface State {
  readonly name: string;
  /** Undefined: not signed in. */
  readonly thread?: readonly (readonly ["user" | "assistant", string])[];
  /** What is at `path` when nobody opens a thread. */
  readonly path?: string;
  readonly reach: (page: Page, server: PageServer) => Promise<void>;
}

const asking = async (page: Page, server: PageServer): Promise<Run> => {
  await say(page, "A question");
  await until(() => server.requests.some(({ method }) => method === "chat.send"), "the message");
  return server.lastRun();
};

const answering = async (page: Page, server: PageServer): Promise<void> => {
  server.say(await asking(page, server), TEXT);
  await page.locator(".agent table").last().waitFor();
};

/** Everything that an agent does, at once: each kind of part in each of its states. */
export const acting = async (page: Page, server: PageServer): Promise<Run> => {
  const run = await asking(page, server);
  server.plan(run, [
    { id: "1", title: "First this", status: "completed" },
    { id: "2", title: "Then that", status: "running" },
    { id: "3", title: "At last the rest", status: "pending" },
  ]);
  server.reason(run, "I think about **it**.");
  await page.locator("parley-reasoning summary").click();
  for (const topic of ["otters", "seals", "crabs"]) {
    server.tool(run, server.call(run, "research", { topic }), { status: "completed", result: { about: topic } });
  }
  server.tool(run, server.call(run, "clock", {}), { status: "failed", error: "It stands still." });
  await page.locator(".tool-group summary").click();
  await page.locator(".tool-group parley-tool summary").first().click();
  await page.getByRole("group", { name: "result" }).waitFor();
  const running = server.call(run, "research", { topic: "whales" });
  server.tool(run, running, { status: "running" });
  server.progress(run, running, "whales: what they eat", 0.4);
  server.call(run, "clock", {});
  server.call(run, "calculator", { expression: "1+1" }, false);
  server.notice(run, "The demo model is overloaded. It is asked again in 3 s.");
  await page.getByText("It is asked again in 3 s.").waitFor();
  return run;
};

export const approving = async (page: Page, server: PageServer): Promise<Run> => {
  const run = await asking(page, server);
  const args = { to: "a@example.org", copies: 1, urgent: true, body: "One\nTwo", labels: ["x"] };
  server.ask(run, server.call(run, "send_mail", args), { summary: "Send a mail to a@example.org." });
  await page.getByRole("button", { name: "Approve" }).waitFor();
  return run;
};

const ended = async (page: Page, server: PageServer): Promise<void> => {
  const run = await asking(page, server);
  server.say(run, "Answer");
  server.finish(run, "completed", undefined, { inputTokens: 1_000, outputTokens: 20, costMicros: 1_234 });
  await page.getByRole("button", { name: "Regenerate answer" }).waitFor();
};

/** One pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const attaching = async (page: Page, server: PageServer): Promise<void> => {
  const files = page.locator("input[type=file]");
  await files.setInputFiles([
    { name: "photo.png", mimeType: "image/png", buffer: PNG },
    { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# Notes") },
  ]);
  await page.getByText("7 B").waitFor();
  await page.getByText("70 B").waitFor();
  await asking(page, server);
  await page.locator(".person .file-chip").waitFor();
  server.uploads = new Promise(() => {});
  await files.setInputFiles([
    { name: "photo.png", mimeType: "image/png", buffer: PNG },
    { name: "film.mp4", mimeType: "video/mp4", buffer: PNG },
  ]);
  await page.getByRole("progressbar").waitFor();
};

export const STATES: readonly State[] = [
  { name: "sign-in", path: "/", reach: (page) => page.getByRole("heading", { name: "Sign in to Parley" }).waitFor() },
  {
    name: "link refused",
    path: "/#login=used",
    reach: (page) => page.getByRole("alert").filter({ hasText: /./ }).waitFor(),
  },
  {
    name: "empty",
    reach: (page) => page.locator(".suggestion").first().waitFor(),
  },
  {
    name: "menu open",
    async reach(page) {
      await page.getByRole("button", { name: /account and theme/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    },
  },
  { name: "streaming", thread: [], reach: answering },
  {
    name: "complete, with older turns",
    thread: [
      ["user", "Hi"],
      ["assistant", TEXT],
      ["user", "More"],
      ["assistant", TEXT],
    ],
    reach: (page) => page.locator(".agent table").nth(1).waitFor(),
  },
  {
    name: "stopped",
    thread: [],
    async reach(page, server) {
      await answering(page, server);
      await page.keyboard.press("Escape");
      await page.locator(".word", { hasText: "Stopped" }).waitFor();
    },
  },
  {
    name: "failed",
    thread: [],
    async reach(page, server) {
      await answering(page, server);
      server.finish(server.lastRun(), "failed", "The model is overloaded.");
      await page.locator(".failure", { hasText: "The model is overloaded." }).waitFor();
    },
  },
  {
    name: "queued",
    thread: [],
    async reach(page, server) {
      await answering(page, server);
      await say(page, "Next");
      await page.locator(".queue").getByText("Next").waitFor();
      await page.locator("textarea").fill("After that");
      await page.getByRole("button", { name: /^When sent:/ }).waitFor();
    },
  },
  {
    name: "ways to send, with what steers",
    thread: [],
    async reach(page, server) {
      await answering(page, server);
      await page.locator("textarea").fill("Faster");
      await page.getByRole("button", { name: /^When sent:/ }).click();
      await page.getByRole("menuitemradio", { name: /Steer/ }).click();
      await page.keyboard.press("Enter");
      await page.getByText("Joins at the next step").waitFor();
      await page.locator("textarea").fill("Faster still");
      await page.getByRole("button", { name: /^When sent:/ }).click();
      await page.getByRole("menuitemradio", { name: /Queue/ }).waitFor();
    },
  },
  {
    name: "acting",
    thread: [],
    reach: async (page, server) => void (await acting(page, server)),
  },
  {
    name: "acted",
    thread: [],
    async reach(page, server) {
      server.finish(await acting(page, server), "stopped");
      await page.locator(".word", { hasText: "Stopped" }).last().waitFor();
    },
  },
  { name: "asking for a decision", thread: [], reach: async (page, server) => void (await approving(page, server)) },
  {
    name: "a decision with wrong arguments",
    thread: [],
    async reach(page, server) {
      await approving(page, server);
      await page.getByLabel("copies").fill("many");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.getByText("A number, for example").waitFor();
    },
  },
  {
    name: "a decision as JSON, and its menu",
    thread: [],
    async reach(page, server) {
      await approving(page, server);
      await page.getByRole("button", { name: "Edit as JSON" }).click();
      await page.locator("textarea.json").fill("{");
      await page.getByRole("button", { name: "Approve" }).click();
      await page.getByText("This is no JSON").waitFor();
      await page.getByRole("button", { name: "Other answers" }).click();
      await page.getByRole("menuitem").waitFor();
    },
  },
  {
    name: "decided elsewhere",
    thread: [],
    async reach(page, server) {
      const { conversationId } = await approving(page, server);
      const thread = server.threads.get(conversationId);
      thread?.decide(thread.approvals[0]?.id ?? "", "deny");
      await page.getByText(/in another window/).waitFor();
    },
  },
  {
    name: "usage open",
    thread: [],
    async reach(page, server) {
      await ended(page, server);
      await page.getByRole("button", { name: /tokens/ }).focus();
      await page.getByRole("tooltip").waitFor();
    },
  },
  {
    name: "versions",
    thread: [],
    async reach(page, server) {
      await ended(page, server);
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await until(() => [...server.threads.values()].some(({ runs }) => runs.length === 2), "the other answer");
      const run = server.lastRun();
      server.say(run, "Another");
      server.finish(run, "failed", "The model is overloaded.");
      await page.getByText("2/2").waitFor();
    },
  },
  {
    name: "editing",
    thread: [],
    async reach(page, server) {
      await ended(page, server);
      await page.getByRole("button", { name: "Edit message" }).click();
      await page.getByRole("textbox", { name: "Edit message" }).waitFor();
    },
  },
  { name: "files", thread: [], reach: attaching },
  {
    name: "models",
    thread: [],
    async reach(page) {
      await page.getByRole("button", { name: /^Model:/ }).click();
      await page.getByRole("menuitemradio").first().waitFor();
    },
  },
  {
    name: "refused",
    thread: [],
    async reach(page, server) {
      server.refusals.set("chat.send", "FORBIDDEN");
      await say(page, "Please");
      await page.getByRole("alert").filter({ hasText: "Not sent" }).waitFor();
    },
  },
  {
    name: "disconnected",
    thread: [["user", "Hi"]],
    async reach(page, server) {
      server.down = true;
      server.drop();
      await say(page, "From the train");
      await page.getByText(/1 queued/).waitFor();
    },
  },
  {
    name: "renaming",
    thread: [["user", "Hi"]],
    async reach(page) {
      await page.getByRole("navigation").getByRole("link", { name: "A conversation" }).focus();
      await page.keyboard.press("F2");
      await page.getByRole("textbox", { name: "Title" }).waitFor();
    },
  },
];

export async function withState(
  { thread, path, reach }: State,
  options: BrowserContextOptions,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const server = await new PageServer({ onMessage: (run, _, to) => void to.begin(run) }).start();
  server.thread("Earlier conversation", [["user", "Hi"]], 86_400_000);
  const opened =
    thread === undefined
      ? await openPage(browser, server, { ...options, ...(path === undefined ? {} : { path }) })
      : await openThread(browser, server, server.thread("A conversation", thread).conversation.id, options);
  try {
    await reach(opened.page, server);
    await look(opened.page);
  } finally {
    await opened.close();
    await server.stop();
  }
}

/** Those with many controls. */
export const BUSY_STATES = STATES.filter(({ name }) =>
  ["queued", "acted", "a decision with wrong arguments", "versions", "editing", "files"].includes(name),
);
