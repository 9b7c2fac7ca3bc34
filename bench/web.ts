/**
 * `node bench/web.ts [gate ...]`: the gates of the web app, in real Chromium against the built program. CPU is slowed four
 * times and the network to 1.6 Mbit/s with 150 ms, by the browser's own means. Build first. Without names all of them, one
 * after the other; each has a browser, pages and a server of its own. `--seconds 60` of streaming, `--exchanges 500` in
 * the long conversation; medians of `--rounds 3` of what depends on the clock. `--trace DIR` keeps Chromium's traces,
 * with samples of what ran, which costs the page something itself.
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
import { median, percentile } from "./table.ts";
import { composer, opener, slowPage } from "./web-pages.ts";
import { prose, table, tokensOf } from "./web-prose.ts";
import { sizes } from "./web-sizes.ts";
import { LONG_MS, type Thread, traced } from "./web-trace.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    exchanges: { type: "string", default: "500" },
    rounds: { type: "string", default: "3" },
    trace: { type: "string" },
  },
});
const STREAM_SECONDS = Number(flags.seconds);
const EXCHANGES = Number(flags.exchanges);
const ROUNDS = Number(flags.rounds);
const TOKENS_PER_SECOND = 200;
/** Tokens leave in bursts of this many: timers are not finer. */
const BURST = 4;
/** What opened is looked at so long after it was scrolled through: the rest of it comes when the page is idle. */
const AFTER_MS = 3_000;

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
  tell(`${what}: the page's thread works`, thread.tasks.reduce((sum, ms) => sum + ms, 0) / 1000, "s");
}

const traceFile = (gate: string): string | undefined =>
  flags.trace === undefined ? undefined : `${flags.trace}/${gate}.json`;

async function withParley(tokensPerSecond: number, work: (parley: Parley) => Promise<void>): Promise<void> {
  const parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: String(tokensPerSecond) });
  try {
    await work(parley);
  } finally {
    await parley.remove();
  }
}

function bytes(): Promise<void> {
  const { app, embed, admin } = sizes();
  tell("app entry, gzip", app, "KB", 80);
  tell("embed, gzip", embed, "KB", 60);
  if (admin !== undefined) tell("the owner's figures, beyond the app, gzip", admin, "KB", 60);
  return Promise.resolve();
}

const firstLoad = (browser: Browser): Promise<void> =>
  withParley(TOKENS_PER_SECOND, async (parley) => {
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
  });

/** The demo model counts: one paragraph that grows and grows. */
const counting = (browser: Browser): Promise<void> =>
  withParley(TOKENS_PER_SECOND, async (parley) => {
    const { page } = await slowPage(browser);
    await page.goto(parley.link);
    await composer(page).waitFor();
    await composer(page).fill("count to 1000000");
    const thread = await traced(
      browser,
      page,
      async () => {
        await page.keyboard.press("Enter");
        await page.waitForTimeout(STREAM_SECONDS * 1000);
      },
      traceFile("paragraph"),
    );
    tellThread(`${TOKENS_PER_SECOND} tokens/s for ${STREAM_SECONDS} s, a single paragraph`, thread, false);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.context().close();
  });

async function fill(parley: Parley, title: string): Promise<void> {
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  const { conversation } = await client.call("conversation.create", { title });
  const long = openConversation(client, conversation.id);
  for (let i = 0; i < EXCHANGES; i++) {
    long.send(`count to ${1 + (i % 20)}`);
    const ended = () =>
      messagesOf(long.state.transcript).filter(({ status }) => status === "complete").length >= 2 * i + 2;
    await until(ended, `answer ${i + 1}`, 30_000);
  }
  long.close();
  client.close();
}

/** The long conversation is made once; opened from another one, each time by a page that has shown messages already. */
const thousand = (browser: Browser): Promise<void> =>
  withParley(10_000, async (parley) => {
    await fill(parley, "A long one");
    const took: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await parley.stop();
      await parley.start();
      const { page } = await slowPage(browser);
      await page.goto(parley.link);
      await page.getByRole("link", { name: "A long one" }).waitFor();
      await calm(page);
      const open = await opener(page, "A long one");
      const opened = async () => void took.push(await open());
      if (round === ROUNDS - 1 && flags.trace !== undefined) await traced(browser, page, opened, traceFile("thousand"));
      else await opened();
      await page.context().close();
    }
    tell(`a conversation of ${2 * EXCHANGES} messages opens`, median(took), "ms", 300);
  });

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
  const thread = await traced(
    browser,
    page,
    async () => {
      const began = performance.now();
      for (let at = 0; at < TOKENS_PER_SECOND * STREAM_SECONDS; at += BURST) {
        for (const token of tokens.slice(at, at + BURST)) server.say(run, token);
        await sleep(Math.max(0, began + ((at + BURST) * 1000) / TOKENS_PER_SECOND - performance.now()));
      }
    },
    traceFile("prose"),
  );
  tellThread(`${TOKENS_PER_SECOND} tokens/s for ${STREAM_SECONDS} s`, thread, true);
  await page.context().close();
  await server.stop();
}

type Said = readonly (readonly ["user" | "assistant", string])[];

/** Opens what is large, and scrolls towards its beginning. */
const large =
  (gate: string, title: string, messages: () => Said) =>
  async (browser: Browser): Promise<void> => {
    const server = await new PageServer().start();
    server.thread(title, messages());
    const took: number[] = [];
    const threads: Thread[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const page = await signedIn(browser, server);
      const open = await opener(page, title);
      const through = async (): Promise<void> => {
        took.push(await open());
        for (let i = 0; i < 20; i++) {
          await page.evaluate(() => document.querySelector(".scroller")?.scrollBy(0, -3000));
          await page.waitForTimeout(100);
        }
        await page.waitForTimeout(AFTER_MS);
      };
      threads.push(await traced(browser, page, through, traceFile(gate)));
      await page.context().close();
    }
    await server.stop();
    tell(`${title}: opens`, median(took), "ms", 300);
    tell(`${title}: long tasks, opened and scrolled through`, median(threads.map(longTasks)), "");
    tell(`${title}: longest task`, median(threads.map(({ tasks }) => Math.max(...tasks))), "ms");
    const busy = threads.map(({ tasks }) => tasks.reduce((sum, ms) => sum + ms, 0) / 1000);
    tell(`${title}: the page's thread works`, median(busy), "s");
  };

const GATES: Readonly<Record<string, (browser: Browser) => Promise<void>>> = {
  bytes,
  first: firstLoad,
  prose: writing,
  paragraph: counting,
  thousand,
  messages: large("messages", "5,000 messages", () =>
    Array.from({ length: 5000 }, (_, i) => [i % 2 === 0 ? "user" : "assistant", `Message ${i}`] as const),
  ),
  answer: large("answer", "An answer of 300 KB", () => [
    ["user", "Everything, please"],
    ["assistant", prose(300_000)],
  ]),
  table: large("table", "A table of 2,000 rows of 8", () => [
    ["user", "All rows"],
    ["assistant", table(2000, 8)],
  ]),
};

const unknown = positionals.filter((name) => !Object.hasOwn(GATES, name));
if (unknown.length > 0) throw new Error(`no gate ${unknown.join(", ")}; there are ${Object.keys(GATES).join(", ")}`);
for (const [name, gate] of Object.entries(GATES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const browser = await launchChromium();
  try {
    await gate(browser);
  } finally {
    await browser.close();
  }
}
console.log(`| web gate | measured | budget | |\n|---|---|---|---|\n${rows.join("\n")}`);
