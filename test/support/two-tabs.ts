/** One conversation of the built program in two tabs of Chromium, which must show the same whatever happens. */
import type { TestContext } from "node:test";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { until } from "./until.ts";

export interface Tabs {
  readonly first: Page;
  readonly second: Page;
  /** What went wrong on a page, other than that its server was away. */
  readonly problems: string[];
}

function watch(page: Page, problems: string[]): void {
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    const expected = /ERR_CONNECTION_RE(FUSED|SET)|WebSocket connection/.test(message.text());
    if (message.type() === "error" && !expected) problems.push(message.text());
  });
}

/**
 * Signed in by the link of the newest start, which is good once, and `text` sent with those files; the second tab shows
 * the same conversation.
 */
export async function beginInTwoTabs(
  t: TestContext,
  browser: Browser,
  link: string,
  text: string,
  files: readonly string[] = [],
): Promise<Tabs> {
  const context: BrowserContext = await browser.newContext();
  t.after(() => context.close());
  const problems: string[] = [];
  const first = await context.newPage();
  watch(first, problems);
  await first.goto(link);
  await composer(first).waitFor();
  if (files.length > 0) {
    const chosen = files.map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`The text of ${name}.`) }));
    await first.locator("input[type=file]").setInputFiles(chosen);
    for (const name of files) await first.getByRole("button", { name: `Remove ${name}` }).waitFor();
    await first.getByText("Uploading").first().waitFor({ state: "detached" });
  }
  await say(first, text);
  await first.waitForURL(/\/c\//);
  const second = await context.newPage();
  watch(second, problems);
  await second.goto(first.url());
  await composer(second).waitFor();
  return { first, second, problems };
}

export const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Message", exact: true });
export const stopButton = (page: Page): Locator => page.getByRole("button", { name: "Stop", exact: true });
export const answers = (page: Page): Locator => page.locator("article.agent");
export const ready = (page: Page): Promise<void> => stopButton(page).waitFor({ state: "detached", timeout: 60_000 });

export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.keyboard.press("Enter");
}

/** All that the conversation says, without times that go on. */
export const transcript = (page: Page): Promise<string> =>
  page.getByRole("log", { name: "Conversation" }).evaluate((log) => {
    const copy = log.cloneNode(true) as Element;
    for (const element of copy.querySelectorAll("parley-elapsed, .spent, .deadline, [role=status]")) element.remove();
    for (const field of copy.querySelectorAll("input")) field.replaceWith(` [${field.value}] `);
    const text: string[] = [];
    const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() !== null) text.push(walker.currentNode.textContent ?? "");
    return text.join(" ").replace(/\s+/g, " ").trim();
  });

/** Until both tabs say the same, and it is as `wanted`. */
export async function alike({ first, second }: Tabs, what: string, wanted: RegExp): Promise<string> {
  let last: readonly string[] = [];
  await until(
    async () => {
      last = await Promise.all([transcript(first), transcript(second)]);
      return last[0] === last[1] && wanted.test(last[0] ?? "");
    },
    what,
    30_000,
  ).catch((error: unknown) => {
    throw new Error(`${what}: the tabs show\n${last.join("\n")}`, { cause: error });
  });
  return last[0] ?? "";
}

/** Each tab in turn begins anew, and shows what the other shows. */
export async function reloads(tabs: Tabs, what: string, wanted: RegExp): Promise<string> {
  for (const page of [tabs.first, tabs.second]) {
    await page.reload();
    await composer(page).waitFor();
    await alike(tabs, `${what}, after a reload`, wanted);
  }
  return alike(tabs, what, wanted);
}
