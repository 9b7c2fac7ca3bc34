/**
 * Research in real Chromium on the built program: stopped, steered, regenerated, asked differently, its branches gone
 * back and forth. Whatever happens in one tab, the other shows the same, and so does each after a reload.
 */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { type Parley, startParley } from "../support/parley.ts";
import {
  alike,
  answers,
  beginInTwoTabs,
  composer,
  ready,
  reloads,
  say,
  stopButton,
  transcript,
} from "../support/two-tabs.ts";
import { until } from "../support/until.ts";

const LIMIT = { timeout: 170_000 };

let parley: Parley;
let browser: Browser;
before(async () => {
  [parley, browser] = await Promise.all([startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "30" }), launchChromium()]);
});
after(async () => {
  await browser?.close();
  await parley?.remove();
});

test(
  "[R2][R11] research is stopped, steered, regenerated and asked differently; both tabs agree after every reload",
  LIMIT,
  async (t) => {
    const tabs = await beginInTwoTabs(t, browser, parley.link, "research otters");
    const { first, second } = tabs;

    // ── a tool that runs, and its stop ──
    await first.getByRole("progressbar", { name: /otters: / }).waitFor();
    // It takes four seconds; the other tab has its turn with the seals.
    await second.reload();
    await alike(tabs, "a tool that runs, after a reload", /otters: /);
    await stopButton(second).click();
    for (const page of [first, second]) await ready(page);
    await reloads(tabs, "a stopped answer", /Stopped/);
    assert.equal(await first.getByRole("progressbar").count(), 0);

    // ── again, steered in the middle ──
    await say(first, "research seals");
    await first.getByRole("progressbar", { name: /seals: / }).waitFor();
    await composer(second).fill("tell me of whales too");
    await second.getByRole("button", { name: /^When sent: / }).click();
    await second.getByRole("menuitemradio", { name: /^Steer/ }).click();
    await second.getByRole("button", { name: "Steer message" }).click();
    await first.getByRole("list", { name: "Queued messages" }).getByText("Joins at the next step").waitFor();
    await first.reload();
    await alike(tabs, "a steer that waits", /seals/);
    await first
      .locator(".transcript")
      .getByText(/Then you said: “tell me of whales too”/)
      .waitFor();
    for (const page of [first, second]) await ready(page);
    const steered = await reloads(tabs, "a steered answer", /research seals .* tell me of whales too .*Then you said/);
    assert.equal(await first.locator("article.person").count(), 3);
    assert.equal(await first.getByRole("list", { name: "Queued messages" }).count(), 0);

    // ── the answer once more ──
    await answers(first).last().hover();
    await answers(first).last().getByRole("button", { name: "Regenerate answer" }).click();
    await alike(tabs, "two versions of the answer", /2 \/ 2/);
    for (const page of [first, second]) await ready(page);
    await reloads(tabs, "a regenerated answer", /tell me of whales too .*2 \/ 2/);

    // ── the question in other words, while both look ──
    const question = first.locator("article.person").last();
    await question.hover();
    await question.getByRole("button", { name: "Edit message" }).click();
    await first.getByRole("textbox", { name: "Edit message" }).fill("count to 300");
    await first.keyboard.press("Enter");
    await until(async () => /15 16 17/.test(await transcript(first)), "some numbers", 30_000);
    for (const page of [first, second]) {
      await page.reload();
      await until(async () => /15 16 17/.test(await transcript(page)), "the numbers after a reload", 30_000);
      assert.equal(await stopButton(page).count(), 1, "it streams");
    }
    for (const page of [first, second]) await ready(page);
    const counted = await reloads(tabs, "the other question", /count to 300 .*2 \/ 2.* 298 299 300/);
    assert.doesNotMatch(counted, /whales/);

    // ── back and forth between the branches ──
    for (const [page, direction, wanted, unwanted] of [
      [second, "Previous version", /whales/, /298 299 300/],
      [first, "Next version", /298 299 300/, /whales/],
      [first, "Previous version", /whales/, /298 299 300/],
    ] as const) {
      await page.locator("article.person").last().getByRole("button", { name: direction }).click();
      const shown = await reloads(tabs, direction, wanted);
      assert.doesNotMatch(shown, unwanted);
    }
    // Of the answer that was steered first there is its own version still.
    await answers(second).last().getByRole("button", { name: "Previous version" }).click();
    await reloads(tabs, "the first version of the answer", /whales .*1 \/ 2/);
    assert.ok(steered.includes("tell me of whales too"));
    assert.deepEqual(tabs.problems, []);
  },
);
