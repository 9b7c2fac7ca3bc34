/**
 * `node bench/web.ts`: the gates of the web app, in real Chromium against the built program. CPU is slowed four times
 * and the network to 1.6 Mbit/s with 150 ms, by the browser's own means. Build first.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Browser, CDPSession, Page } from "playwright-core";
import { createClient } from "../src/client/client.ts";
import { openConversation } from "../src/client/conversation.ts";
import { messagesOf } from "../src/client/transcript.ts";
import { launchChromium } from "../test/support/chromium.ts";
import { ACCESS_TOKEN, startParley } from "../test/support/parley.ts";
import { until } from "../test/support/until.ts";

const STREAM_SECONDS = 60;
const EXCHANGES = 500;

const gates: { what: string; value: string; budget: string; within: boolean }[] = [];
const gate = (what: string, value: number, unit: string, budget: number): void => {
  gates.push({
    what,
    value: `${Math.round(value * 10) / 10} ${unit}`,
    budget: `≤ ${budget} ${unit}`,
    within: value <= budget,
  });
};

const dist = new URL("../dist/web/", import.meta.url).pathname;
const html = readFileSync(`${dist}index.html`, "utf8");
// The script and what it can't begin without.
const entry = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file = ""]) => file);
if (entry.length === 0) throw new Error("dist/web/index.html names no script: run the build first");
const gzipped = (file: string): number => gzipSync(readFileSync(dist + file), { level: 9 }).length / 1024;
gate(
  "app entry, gzip",
  entry.reduce((sum, file) => sum + gzipped(file), 0),
  "KB",
  80,
);

async function throttled(browser: Browser, network: boolean): Promise<{ page: Page; cdp: CDPSession }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  if (network) {
    const bytes = (1.6 * 1024 * 1024) / 8;
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 150,
      downloadThroughput: bytes,
      uploadThroughput: bytes,
    });
  }
  return { page, cdp };
}

/** From the click on its title to the frame with its last answer, by the page's own clock. */
async function opening(page: Page, title: string): Promise<number> {
  const opened = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        addEventListener(
          "click",
          ({ timeStamp }) => {
            const gone = new Set(document.querySelectorAll("article.agent"));
            const look = (): void => {
              const there = [...document.querySelectorAll("article.agent")].some((article) => !gone.has(article));
              // What a frame drew is on the screen when the one after it begins.
              requestAnimationFrame(there ? () => resolve(performance.now() - timeStamp) : look);
            };
            look();
          },
          { capture: true, once: true },
        );
      }),
  );
  await page.getByRole("link", { name: title }).click();
  return opened;
}

const composer = (page: Page) => page.getByRole("textbox", { name: "Message" });

const parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "200" });
const browser = await launchChromium();
try {
  {
    const { page } = await throttled(browser, true);
    const began = performance.now();
    await page.goto(parley.link);
    await composer(page).waitFor();
    gate("usable (composer there), slow network and CPU", performance.now() - began, "ms", 1800);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    gate("first paint, slow network and CPU", paint, "ms", 1200);
    await page.context().close();
  }
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  {
    await parley.stop();
    await parley.start();
    const { page } = await throttled(browser, false);
    await page.goto(parley.link);
    await composer(page).waitFor();
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, { longTasks: tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: "longtask",
      });
    });
    await composer(page).fill("count to 1000000");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(STREAM_SECONDS * 1000);
    const tasks = await page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks);
    gate(`long tasks in ${STREAM_SECONDS} s at 200 tokens/s, 4 × CPU`, tasks.length, "", 0);
    if (tasks.length > 0) console.log(`longest task ${Math.max(...tasks)} ms`);
    await page.getByRole("button", { name: "Stop", exact: true }).click();

    const { conversation } = await client.call("conversation.create", { title: "A long one" });
    const long = openConversation(client, conversation.id);
    for (let i = 0; i < EXCHANGES; i++) {
      long.send(`count to ${1 + (i % 20)}`);
      const ended = () =>
        messagesOf(long.state.transcript).filter(({ status }) => status === "complete").length >= 2 * i + 2;
      await until(ended, `answer ${i + 1}`, 30_000);
    }
    long.close();
    await page.getByRole("link", { name: "A long one" }).waitFor();
    gate("a conversation of 1,000 messages opens, 4 × CPU", await opening(page, "A long one"), "ms", 300);
    await page.context().close();
  }
  client.close();
} finally {
  await browser.close();
  await parley.remove();
}

console.log("| web gate | measured | budget | |\n|---|---|---|---|");
for (const { what, value, budget, within } of gates) {
  console.log(`| ${what} | ${value} | ${budget} | ${within ? "within" : "over"} |`);
}
