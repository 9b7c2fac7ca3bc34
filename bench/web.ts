/**
 * `node bench/web.ts`: the gates of the web app, in real Chromium against the built program. CPU is slowed four times
 * and the network to 1.6 Mbit/s with 150 ms, by the browser's own means. Build first. `--seconds 60` of streaming,
 * `--exchanges 500` in the long conversation; medians of `--rounds 3` of what depends on the clock.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { createClient } from "../src/client/client.ts";
import { openConversation } from "../src/client/conversation.ts";
import { messagesOf } from "../src/client/transcript.ts";
import { launchChromium } from "../test/support/chromium.ts";
import { PageServer } from "../test/support/page-server.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../test/support/parley.ts";
import { until } from "../test/support/until.ts";
import { median } from "./table.ts";
import { composer, opening, slowPage } from "./web-pages.ts";
import { prose, table, tokensOf } from "./web-prose.ts";
import { sizes } from "./web-sizes.ts";
import { LONG_MS, percentile, type Thread, traced } from "./web-trace.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    exchanges: { type: "string", default: "500" },
    rounds: { type: "string", default: "3" },
  },
});
const STREAM_SECONDS = Number(flags.seconds);
const EXCHANGES = Number(flags.exchanges);
const ROUNDS = Number(flags.rounds);
const TOKENS_PER_SECOND = 200;
/** Tokens leave in bursts of this many: timers are not finer. */
const BURST = 4;

const rows: string[] = [];
/** A budget that is undefined: there is none, the figure is told for its own sake. */
function tell(what: string, value: number, unit: string, budget?: number): void {
  const measured = `${Math.round(value * 10) / 10} ${unit}`.trim();
  const verdict = budget === undefined ? ["", ""] : [`≤ ${budget} ${unit}`.trim(), value <= budget ? "within" : "over"];
  rows.push(`| ${what} | ${measured} | ${verdict.join(" | ")} |`);
}

const longTasks = ({ tasks }: Thread): number => tasks.filter((ms) => ms > LONG_MS).length;

function tellThread(what: string, thread: Thread, gates: boolean): void {
  tell(`${what}: long tasks`, longTasks(thread), "", gates ? 0 : undefined);
  tell(`${what}: longest task`, Math.max(...thread.tasks), "ms");
  tell(`${what}: flush p95`, percentile(thread.flushes, 0.95), "ms", gates ? 8 : undefined);
}

async function firstLoad(browser: Browser, parley: Parley): Promise<void> {
  const usable: number[] = [];
  const paints: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await parley.stop();
    await parley.start();
    const { page } = await slowPage(browser, true);
    const began = performance.now();
    await page.goto(parley.link);
    await composer(page).waitFor();
    usable.push(performance.now() - began);
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
    await page.context().close();
  }
  tell("first paint, slow network and CPU", median(paints), "ms", 1200);
  tell("usable (composer there), slow network and CPU", median(usable), "ms", 1800);
}

/** The demo model counts: one paragraph that grows and grows. */
async function counting(browser: Browser, parley: Parley): Promise<void> {
  await parley.stop();
  await parley.start();
  const { page } = await slowPage(browser);
  await page.goto(parley.link);
  await composer(page).waitFor();
  await composer(page).fill("count to 1000000");
  const thread = await traced(browser, page, async () => {
    await page.keyboard.press("Enter");
    await page.waitForTimeout(STREAM_SECONDS * 1000);
  });
  tellThread(`${TOKENS_PER_SECOND} tokens/s for ${STREAM_SECONDS} s, a single paragraph`, thread, false);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.context().close();
}

/** The long conversation is made once; opened from another one, each time by a page that has shown messages already. */
async function thousand(browser: Browser, parley: Parley): Promise<void> {
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  const { conversation } = await client.call("conversation.create", { title: "A long one" });
  const long = openConversation(client, conversation.id);
  for (let i = 0; i < EXCHANGES; i++) {
    long.send(`count to ${1 + (i % 20)}`);
    const ended = () =>
      messagesOf(long.state.transcript).filter(({ status }) => status === "complete").length >= 2 * i + 2;
    await until(ended, `answer ${i + 1}`, 30_000);
  }
  long.close();
  client.close();
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await parley.stop();
    await parley.start();
    const { page } = await slowPage(browser);
    await page.goto(parley.link);
    await page.getByRole("link", { name: "A long one" }).waitFor();
    await calm(page);
    took.push(await opening(page, "A long one"));
    await page.context().close();
  }
  tell(`a conversation of ${2 * EXCHANGES} messages opens`, median(took), "ms", 300);
}

/** What a page fetches when it has nothing else to do is there. */
const calm = (page: Page): Promise<void> => page.waitForLoadState("networkidle");

async function signedIn(browser: Browser, server: PageServer): Promise<Page> {
  const { page } = await slowPage(browser);
  await page.goto(`${server.url}/#login=${server.code}`);
  await composer(page).waitFor();
  await calm(page);
  return page;
}

/** Answers as models write them, from a server that says what it is told. */
async function writing(browser: Browser): Promise<void> {
  const server = await new PageServer({ onMessage: (run, _, to) => void to.begin(run) }).start();
  server.thread("Prose");
  const page = await signedIn(browser, server);
  await page.getByRole("link", { name: "Prose" }).click();
  await composer(page).fill("Go on");
  await page.keyboard.press("Enter");
  await page.locator("article.agent").waitFor();
  const run = server.lastRun();
  const tokens = tokensOf(prose(TOKENS_PER_SECOND * STREAM_SECONDS * 4));
  const thread = await traced(browser, page, async () => {
    const began = performance.now();
    for (let at = 0; at < TOKENS_PER_SECOND * STREAM_SECONDS; at += BURST) {
      for (const token of tokens.slice(at, at + BURST)) server.say(run, token);
      await sleep(Math.max(0, began + ((at + BURST) * 1000) / TOKENS_PER_SECOND - performance.now()));
    }
  });
  tellThread(`${TOKENS_PER_SECOND} tokens/s for ${STREAM_SECONDS} s`, thread, true);
  await page.context().close();
  await server.stop();
}

/** Opens what is large, and scrolls to its beginning. */
async function large(browser: Browser): Promise<void> {
  const server = await new PageServer().start();
  const exchanges = Array.from(
    { length: 5000 },
    (_, i) => [i % 2 === 0 ? "user" : "assistant", `Message ${i}`] as const,
  );
  const threads: readonly (readonly [string, readonly (readonly ["user" | "assistant", string])[]])[] = [
    ["5,000 messages", exchanges],
    [
      "An answer of 300 KB",
      [
        ["user", "Everything, please"],
        ["assistant", prose(300_000)],
      ],
    ],
    [
      "A table of 2,000 rows of 8",
      [
        ["user", "All rows"],
        ["assistant", table(2000, 8)],
      ],
    ],
  ];
  for (const [title, messages] of threads) server.thread(title, messages);
  const page = await signedIn(browser, server);
  for (const [title] of threads) {
    let took = 0;
    const thread = await traced(browser, page, async () => {
      took = await opening(page, title);
      for (let i = 0; i < 20; i++) {
        await page.locator(".scroller").evaluate((view) => view.scrollBy(0, -3000));
        await page.waitForTimeout(100);
      }
    });
    tell(`${title}: opens`, took, "ms");
    tell(`${title}: long tasks, opened and scrolled through`, longTasks(thread), "");
    tell(`${title}: longest task`, Math.max(...thread.tasks), "ms");
  }
  await page.context().close();
  await server.stop();
}

const { app, embed, admin } = sizes();
tell("app entry, gzip", app, "KB", 80);
tell("embed, gzip", embed, "KB", 60);
if (admin !== undefined) tell("the owner's figures, beyond the app, gzip", admin, "KB", 60);

const parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: String(TOKENS_PER_SECOND) });
const browser = await launchChromium();
try {
  await firstLoad(browser, parley);
  await writing(browser);
  await counting(browser, parley);
  await thousand(browser, parley);
  await large(browser);
} finally {
  await browser.close();
  await parley.remove();
}
console.log(`| web gate | measured | budget | |\n|---|---|---|---|\n${rows.join("\n")}`);
