import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";
import { until } from "./support/until.ts";
import { openPage, openThread, say } from "./support/web-page.ts";

// Who can use the page: axe in every state and scheme, the keyboard alone, large text, small and touched screens.

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
let axe: string;

before(async () => {
  browser = await launchChromium();
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});
after(() => browser.close());

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(async () => {
    const runner = (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe;
    return await runner.run({ resultTypes: ["violations"] });
  });
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${String(target)} ${failureSummary ?? ""}`).join("; ")}`,
  );
}

interface State {
  readonly name: string;
  /** Undefined: not signed in. */
  readonly thread?: readonly (readonly ["user" | "assistant", string])[];
  /** What is at `path` when nobody opens a thread. */
  readonly path?: string;
  readonly reach: (page: Page, server: PageServer) => Promise<void>;
}

const answering = async (page: Page, server: PageServer): Promise<void> => {
  await say(page, "A question");
  await until(() => server.requests.some(({ method }) => method === "chat.send"), "the message");
  server.say(server.lastRun(), TEXT);
  await page.locator(".agent table").last().waitFor();
};

const STATES: readonly State[] = [
  { name: "sign-in", path: "/", reach: (page) => page.getByRole("heading", { name: "Sign in to Parley" }).waitFor() },
  { name: "link refused", path: "/#login=used", reach: (page) => page.getByRole("alert").waitFor() },
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
      await page.getByText("The model is overloaded.").waitFor();
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
      await page.getByRole("button", { name: "More ways to send" }).waitFor();
    },
  },
  {
    name: "refused",
    thread: [],
    async reach(page, server) {
      server.refusals.set("chat.send", "FORBIDDEN");
      await say(page, "Please");
      await page.getByRole("alert").waitFor();
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
      await page.getByRole("button", { name: "Rename A conversation" }).click();
      await page.getByRole("textbox", { name: "Title" }).waitFor();
    },
  },
];

async function withState(
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

for (const colorScheme of ["light", "dark"] as const) {
  for (const state of STATES) {
    test(`axe finds nothing: ${state.name}, ${colorScheme}`, () =>
      withState(state, { colorScheme, reducedMotion: "reduce" }, async (page) => {
        assert.deepEqual(await violations(page), []);
      }));
  }
}

test("axe finds nothing on a phone, with the drawer open", () =>
  withState(
    {
      name: "drawer",
      thread: [["user", "Hi"]],
      async reach(page) {
        await page.getByRole("button", { name: "Conversations" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" },
    async (page) => assert.deepEqual(await violations(page), []),
  ));

const size = (page: Page, least: number) =>
  page.evaluate((pixels) => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>(
        "button, a[href]:not(.markdown a, .skip), input:not([type=checkbox]), textarea",
      ),
    ];
    return controls
      .filter((control) => control.checkVisibility())
      .map((control) => ({
        name: control.getAttribute("aria-label") ?? control.textContent.trim(),
        box: control.getBoundingClientRect(),
      }))
      .filter(({ box }) => box.width < pixels || box.height < pixels)
      .map(({ name, box }) => `${name} ${Math.round(box.width)}×${Math.round(box.height)}`);
  }, least);

const queued = STATES.find(({ name }) => name === "queued");
assert.ok(queued);

test("targets are at least 24 px, and 44 where fingers are", async () => {
  await withState(queued, {}, async (page) => assert.deepEqual(await size(page, 24), []));
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  await withState(queued, phone, async (page) => assert.deepEqual(await size(page, 44), []));
});

for (const [name, viewport] of [
  ["a phone", { width: 390, height: 844 }],
  ["400 % zoom", { width: 320, height: 256 }],
] as const) {
  test(`nothing needs sideways scrolling on ${name}, and the message field stays in reach`, () =>
    withState(queued, { viewport }, async (page) => {
      const { scrollWidth, clientWidth } = await page.evaluate(() => ({
        scrollWidth: Math.max(document.body.scrollWidth, document.querySelector(".scroller")?.scrollWidth ?? 0),
        clientWidth: document.documentElement.clientWidth,
      }));
      assert.ok(scrollWidth <= clientWidth, `${scrollWidth} in ${clientWidth}`);
      const field = await page.locator("textarea").boundingBox();
      assert.ok(field !== null && field.y >= 0 && field.y + field.height <= viewport.height, JSON.stringify(field));
    }));
}

test("everything can be done with the keyboard alone", async () => {
  const server = await new PageServer({ onMessage: (run, _, to) => void to.begin(run) }).start();
  const { page, close, problems } = await openPage(browser, server, { path: "/" });
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return "";
      return element.getAttribute("aria-label") ?? element.textContent.trim();
    });
  const tabTo = async (name: string | RegExp): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const here = await focused();
      if (typeof name === "string" ? here === name : name.test(here)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${String(name)} cannot be reached with Tab`);
  };
  try {
    await page.getByRole("heading", { name: "Sign in to Parley" }).waitFor();
    for (let i = 0; i < 10 && (await page.evaluate(() => document.activeElement?.id)) !== "access-token"; i++)
      await page.keyboard.press("Tab");
    await page.keyboard.type(server.token);
    await page.keyboard.press("Enter");
    await page.locator(".suggestion").first().waitFor();

    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the message field");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "Message");
    await page.keyboard.type("First");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    assert.equal(await focused(), "Message", "the focus stays in the field");
    await page.keyboard.type("Second");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Cancel queued message: Second", disabled: false }).waitFor();
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), "Cancel queued message: Second");
    await page.keyboard.press("Enter");
    await page.locator(".queue").waitFor({ state: "detached" });
    await tabTo("Stop");
    await page.keyboard.press("Enter");
    await page.locator(".word", { hasText: "Stopped" }).waitFor();

    await tabTo(/account and theme/);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.textContent.trim() === "System");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "dark");
    await page.keyboard.press("Escape");
    assert.match(await focused(), /account and theme/, "the focus returns to the opener");

    await page.keyboard.press("Control+Shift+O");
    await page.locator(".suggestion").first().waitFor();
    assert.equal(await focused(), "Message");
    assert.deepEqual(problems, []);
  } finally {
    await close();
    await server.stop();
  }
});
