/**
 * An agent that acts, in real Chromium on the built program: an approval through restarts, and a plan. Whatever happens
 * in one tab, the other shows the same, and so does each after a reload.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { type Parley, startParley } from "../support/parley.ts";
import { alike, answers, beginInTwoTabs, ready, reloads } from "../support/two-tabs.ts";
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

/** What stands out of the page on its right. */
const tooWide = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("header, header *, article, article *, .composer")]
      .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
      .map(({ localName, className }) => `${localName}.${className}`),
  );

const storedFiles = (): string[] =>
  readdirSync(join(parley.dataDir, "data/files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

test(
  "[R7][R5] a deletion is asked for, survives two restarts, and is done as the second tab changed it",
  LIMIT,
  async (t) => {
    const tabs = await beginInTwoTabs(t, browser, parley.link, "delete the file notes.txt", [
      "notes.txt",
      "drafts.txt",
    ]);
    const { first, second } = tabs;
    const question = (page: Page) => page.getByRole("form", { name: 'Decision: Delete the file "notes.txt"' });
    await question(first).waitFor();
    await question(second).waitFor();
    await reloads(tabs, "the question", /Your decision.*\[notes\.txt\]/);
    const address = (name: string) =>
      first.getByRole("link", { name: new RegExp(`^${name} \\d+ B$`) }).getAttribute("href");
    const [notes, drafts] = [await address("notes.txt"), await address("drafts.txt")];
    assert.ok(notes !== null && drafts !== null && notes !== drafts);
    assert.equal(storedFiles().length, 2);

    for (const end of ["SIGTERM", "kill -9"] as const) {
      if (end === "SIGTERM") assert.equal(await parley.stop(), 0);
      else await parley.kill();
      await first.getByText("Reconnecting").waitFor();
      await parley.start();
      for (const page of [first, second]) await page.getByText("Reconnecting").waitFor({ state: "detached" });
      await alike(tabs, `the question after ${end}`, /Your decision.*\[notes\.txt\]/);
      assert.equal(storedFiles().length, 2);
    }

    await question(second).getByRole("textbox", { name: "name" }).fill("drafts.txt");
    await question(second).getByRole("button", { name: "Approve", exact: true }).click();
    for (const page of [first, second]) {
      await question(page).waitFor({ state: "detached" });
      await ready(page);
    }
    const said = await reloads(tabs, "the deletion", /drafts\.txt/);
    assert.doesNotMatch(said, /Your decision/);
    const status = async (path: string): Promise<number> =>
      (await first.request.get(new URL(path, parley.url).href)).status();
    assert.deepEqual([await status(notes), await status(drafts)], [200, 404]);
    assert.deepEqual(storedFiles(), [notes.split("/").at(-1)]);
    assert.equal(await answers(first).count(), 1);
    assert.deepEqual(
      tabs.problems.filter((problem) => !/404/.test(problem)),
      [],
    );
  },
);

test("a plan is a checklist that both tabs see done, task by task", LIMIT, async (t) => {
  // The link of the newest start is used up; a new start prints a new one.
  await parley.stop();
  await parley.start();
  const tabs = await beginInTwoTabs(
    t,
    browser,
    parley.link,
    "plan a picnic by the lake for the whole family and all of its friends",
  );
  const { first, second } = tabs;
  const tasks = (page: Page) => page.locator("parley-plan li");
  await first.locator("parley-plan li[aria-current=step]").waitFor();
  assert.equal(await tasks(first).count(), 4);
  await second.getByText(/[12] of 4 done/).waitFor();
  for (const page of [first, second]) {
    await page.reload();
    await page.getByText(/[0-4] of 4 done/).waitFor();
    assert.equal(await tasks(page).count(), 4);
  }
  await first.setViewportSize({ width: 390, height: 844 });
  await until(async () => (await tooWide(first)).length === 0, "all of it to have room on a phone");
  for (const page of [first, second]) await ready(page);
  const said = await reloads(tabs, "the plan that is done", /4 of 4 done .*All 4 tasks of the plan are done\./);
  assert.equal(said.match(/Done/g)?.length, 4, said);
  assert.equal(await answers(first).count(), 1);
  assert.deepEqual(tabs.problems, []);
});
