/**
 * The whole story in real Chromium: log in by the printed link, ask, reload, lose the network, open a second tab, kill
 * the server with -9 in mid-answer and start it again. Every tab ends with the answer whole, to the byte, and the run
 * happened once.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { type Parley, startParley } from "../support/parley.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const NUMBERS = 400;
const EXPECTED = Array.from({ length: NUMBERS }, (_, i) => i + 1).join(" ");

let parley: Parley;
let browser: Browser;
/** What the pages connect through. */
let network: TcpProxy;
before(async () => {
  [parley, browser] = await Promise.all([startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "40" }), launchChromium()]);
  network = await tcpProxy(parley.port);
});
after(async () => {
  await browser?.close();
  await network?.close();
  await parley?.remove();
});

/** The text of the newest answer, as the page has it; without one, "". */
const shown = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const parts = [...document.querySelectorAll("article.agent parley-markdown")];
    const answer = parts.at(-1)?.closest("article");
    return parts
      .filter((part) => part.closest("article") === answer)
      .map((part) => part.textContent.trim())
      .join("");
  });

/** Until the page shows such a text. A page that is loading can't be asked. */
const shows = (page: Page, wanted: (text: string) => boolean | Promise<boolean>, what: string, ms = 60_000) =>
  until(() => shown(page).then(wanted, () => false), what, ms);

const streams = (page: Page, atLeast: number) =>
  shows(page, (text) => text.length >= atLeast, `at least ${atLeast} characters`);

/** The beginning of the answer and nothing else, at every look. */
async function assertPrefix(page: Page): Promise<void> {
  const text = await shown(page);
  assert.ok(EXPECTED.startsWith(text), `not the beginning of the answer: …${text.slice(-60)}`);
}

async function logIn(context: BrowserContext): Promise<{ page: Page; problems: string[] }> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    const expected = /ERR_CONNECTION_RE(FUSED|SET)|WebSocket connection/.test(message.text());
    if (message.type() === "error" && !expected) problems.push(message.text());
  });
  await page.goto(parley.link.replace(`:${parley.port}/`, `:${network.port}/`));
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  assert.doesNotMatch(page.url(), /login=/, "the code is gone from the address");
  return { page, problems };
}

test(
  "[W6][R1][R5] the story: reload, lost network, second tab, kill -9, and the answer is whole on every tab",
  { timeout: 170_000 },
  async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    const { page, problems } = await logIn(context);

    await page.getByRole("textbox", { name: "Message" }).fill(`count to ${NUMBERS}`);
    await page.keyboard.press("Enter");
    await streams(page, 40);
    await assertPrefix(page);

    await page.reload();
    await streams(page, 100);
    await assertPrefix(page);

    network.cut();
    await page.getByText("Reconnecting").waitFor();
    await assertPrefix(page);
    network.mend();
    await streams(page, 200);
    await assertPrefix(page);

    const second = await context.newPage();
    await second.goto(page.url());
    await streams(second, 250);
    await assertPrefix(second);

    await streams(page, 400);
    await parley.kill();
    await assertPrefix(page);
    await parley.start();

    for (const tab of [page, second]) {
      await shows(tab, (text) => text === EXPECTED, "the whole answer", 90_000).catch(async (error: unknown) => {
        throw new Error(`the tab shows …${(await shown(tab)).slice(-80)}`, { cause: error });
      });
      await tab.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "detached" });
      assert.equal(await tab.locator("article.agent").count(), 1);
      assert.equal(await tab.locator("article.person").count(), 1);
    }
    await second.reload();
    await shows(second, (text) => text === EXPECTED, "the whole answer after a reload");
    assert.deepEqual(problems, []);
  },
);

test("[R11] stop in one tab ends the answer in both, with what was said so far", { timeout: 90_000 }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  // The link of the newest start is used up; a new start prints a new one.
  await parley.stop();
  await parley.start();
  const { page } = await logIn(context);
  await page.getByRole("textbox", { name: "Message" }).fill("count to 1000000");
  await page.keyboard.press("Enter");
  await streams(page, 30);
  const second = await context.newPage();
  await second.goto(page.url());
  await streams(second, 60);
  await second.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "detached" });
  await shows(page, async (text) => text === (await shown(second)), "the same text on both tabs");
  const text = await shown(page);
  const count = text.split(" ").length;
  assert.equal(text, Array.from({ length: count }, (_, i) => i + 1).join(" "));
});
