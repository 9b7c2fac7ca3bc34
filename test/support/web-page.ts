/** The web app in a real browser, against a server that says what the test wants. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { PageServer } from "./page-server.ts";

export interface OpenPage {
  readonly page: Page;
  /** Errors that the page threw, logged or reported as violations of its policy. */
  readonly problems: string[];
  readonly close: () => Promise<void>;
}

/** Expected where a test cuts connections or signs out. */
const EXPECTED = /WebSocket connection to|Failed to load resource/;

/** A browser of its own, signed in by a login link unless `path` says otherwise. */
export async function openPage(
  browser: Browser,
  server: PageServer,
  options: BrowserContextOptions & { readonly path?: string } = {},
): Promise<OpenPage> {
  const { path = `/#login=${server.code}`, ...contextOptions } = options;
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...contextOptions });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => undefined);
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) problems.push(message.text());
  });
  page.setDefaultTimeout(10_000);
  await page.goto(server.url + path);
  return { page, problems, close: () => context.close() };
}

/** Signed in, and in a conversation of the server. */
export async function openThread(
  browser: Browser,
  server: PageServer,
  id: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const opened = await openPage(browser, server, options);
  await opened.page.locator(".suggestion").first().waitFor();
  await opened.page.goto(`${server.url}/c/${id}`);
  await opened.page.locator("parley-composer textarea").waitFor();
  return opened;
}

/** Writes into the composer and sends with Enter. */
export async function say(page: Page, text: string): Promise<void> {
  await page.locator("parley-composer textarea").fill(text);
  await page.keyboard.press("Enter");
}

/** The rendered markup of the answers, without what Lit leaves between. */
export const answerMarkup = (page: Page): Promise<string> =>
  page.locator(".transcript").evaluate((transcript) =>
    [...transcript.querySelectorAll(".agent .markdown")]
      .map((element) => {
        const copy = element.cloneNode(true) as Element;
        // Colours come when the page is idle.
        for (const code of copy.querySelectorAll("pre code")) code.replaceChildren(code.textContent);
        return copy.innerHTML.replace(/<!--.*?-->/gs, "").replace(/\s+/g, " ");
      })
      .join("\n"),
  );
