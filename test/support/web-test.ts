/** What tests of pages share: a browser for the file, a server for each test, and no error that nobody expected. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Run } from "../../src/protocol/shapes.ts";
import { launchChromium } from "./chromium.ts";
import { PageServer, type PageServerOptions } from "./page-server.ts";
import { until } from "./until.ts";
import { type OpenPage, openPage, openThread, say } from "./web-page.ts";

export interface WebTest {
  /** Of the test that runs; an answer begins when a message came. */
  readonly server: PageServer;
  /** Another server in its place. */
  restart(options: PageServerOptions): Promise<void>;
  open(options?: { readonly path?: string }): Promise<Page>;
  openConversation(id: string, options?: BrowserContextOptions): Promise<Page>;
  /** Another tab of the same browser. */
  openTab(page: Page): Promise<Page>;
  /** Sends a message in a conversation that is open, and gives the run that answers it. */
  ask(page: Page, text?: string): Promise<Run>;
  requests(method: string): readonly Readonly<Record<string, unknown>>[];
}

/** Registers the hooks of a test file. `switches`: more of the browser's. */
export function webTest(switches: readonly string[] = []): WebTest {
  let browser: Browser;
  let server: PageServer;
  let opened: OpenPage[] = [];
  const begins: PageServerOptions = { onMessage: (run, _, to) => void to.begin(run) };

  before(async () => {
    browser = await launchChromium(switches);
  });
  after(() => browser.close());
  beforeEach(async () => {
    server = await new PageServer(begins).start();
  });
  afterEach(async () => {
    const problems = opened.flatMap((page) => page.problems);
    await Promise.all(opened.map((page) => page.close()));
    opened = [];
    await server.stop();
    assert.deepEqual(problems, []);
  });

  const requests = (method: string) =>
    server.requests.filter((request) => request.method === method).map(({ params }) => params);
  return {
    get server() {
      return server;
    },
    requests,
    async restart(options) {
      await server.stop();
      server = await new PageServer({ ...begins, ...options }).start();
    },
    async open(options) {
      const page = await openPage(browser, server, options);
      opened.push(page);
      return page.page;
    },
    async openConversation(id, options) {
      const page = await openThread(browser, server, id, options);
      opened.push(page);
      return page.page;
    },
    async openTab(page) {
      const tab = await page.context().newPage();
      await tab.goto(page.url());
      await tab.locator("parley-composer textarea").waitFor();
      return tab;
    },
    async ask(page, text = "Go") {
      const before = requests("chat.send").length;
      await say(page, text);
      await until(() => requests("chat.send").length > before, "the message");
      return server.lastRun();
    },
  };
}
