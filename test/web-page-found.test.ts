import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { violations } from "./support/axe.ts";
import type { PageThread } from "./support/page-thread.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// A message that was looked for: the conversation opens where it stands.

const web = webTest();
const DAY = 86_400_000;

/** Long, and what is looked for is far above its end. */
function longThread(): PageThread {
  const messages = Array.from({ length: 260 }, (_, i): ["user" | "assistant", string] =>
    i % 2 === 0
      ? ["user", `Question ${i}`]
      : ["assistant", `Answer ${i}. ${"Words that fill a line or two. ".repeat(8)}`],
  );
  messages[21] = ["assistant", `${"Before it stands a lot. ".repeat(300)}\n\nThe colander is in the cupboard.`];
  return web.server.thread("Kitchen", messages, DAY);
}

const said = (page: Page, words: string) => page.locator(".transcript").getByText(words);
const found = (page: Page) => page.locator("article.found");
/** Does what is marked, or the words in it, stand in the view? */
const inView = (page: Page) =>
  page.evaluate(() => {
    const view = document.querySelector(".scroller")?.getBoundingClientRect();
    const [range] = CSS.highlights.get("found") ?? [];
    const box = (range as Range | undefined)?.getBoundingClientRect();
    return (
      view !== undefined && box !== undefined && box.height > 0 && box.top >= view.top && box.bottom <= view.bottom
    );
  });
const focusIsThere = (page: Page) => page.evaluate(() => document.activeElement?.matches("article.found") === true);
const atEnd = (page: Page) =>
  page.locator(".scroller").evaluate((view) => view.scrollTop >= view.scrollHeight - view.clientHeight - 2);

test("a message that was found is gone to, through older pages, marked for a moment, and has the focus", async () => {
  const { conversation } = longThread();
  const page = await web.open();
  await page.getByRole("searchbox", { name: "Search conversations" }).focus();
  await page.keyboard.type("colander");
  await page.getByRole("link", { name: /Kitchen.*cupboard/s }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await found(page).waitFor();
  await until(() => inView(page), "the words in the view");
  assert.equal(await focusIsThere(page), true);
  assert.match((await found(page).textContent()) ?? "", /The colander is in the cupboard/);
  assert.ok(web.requests("conversation.get").length >= 4, "older pages were read");
  assert.match(page.url(), new RegExp(`/c/${conversation.id}#[0-9a-f-]{36}$`));
  assert.deepEqual(await violations(page), []);
  await found(page).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => CSS.highlights.has("found")), false);

  await page.getByRole("button", { name: "Jump to latest" }).click();
  await until(() => atEnd(page), "the end");
  await page.getByRole("link", { name: /Kitchen.*cupboard/s }).click();
  await until(() => inView(page), "the words again");

  await page.reload();
  await found(page).waitFor();
  await said(page, "The colander is in the cupboard.").waitFor();
  assert.equal(await focusIsThere(page), true);
});

test("what stands at the beginning of a very long answer is gone to when that has come", async () => {
  const paragraphs = Array.from(
    { length: 1_500 },
    (_, i) => `Paragraph ${i} has *some* words that fill a good part of a line.`,
  );
  const thread = web.server.thread("Pantry", [
    ["user", "Where is everything?"],
    ["assistant", `The colander is in the cupboard.\n\n${paragraphs.join("\n\n")}`],
  ]);
  const page = await web.openConversation(thread.conversation.id);
  await said(page, "Paragraph 1499 has").waitFor();
  await page.getByRole("searchbox", { name: "Search conversations" }).fill("colander");
  await page.getByRole("link", { name: /Pantry.*cupboard/s }).click();
  await until(() => inView(page), "the words in the view");
});

test("the palette finds what was said, and leads to it; nothing moves for whoever asked for that", async () => {
  longThread();
  const page = await web.open();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.locator(".suggestion").first().waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("colander cupboard");
  const option = page.getByRole("group", { name: "In messages" }).getByRole("option");
  await option.waitFor();
  assert.match((await option.textContent()) ?? "", /Kitchen.*colander/s);
  assert.equal(await option.getAttribute("aria-selected"), "true");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Enter");
  await until(() => inView(page), "the words in the view");
  assert.equal(await focusIsThere(page), true);
  assert.equal(await found(page).evaluate((article) => getComputedStyle(article).animationName), "none");
});

test("a message of another branch is shown on its branch; one that is gone is told of", async () => {
  const thread = web.server.thread("Trip", [
    ["user", "North?"],
    ["assistant", "Then by train."],
  ]);
  const { conversation, messages } = thread;
  const page = await web.openConversation(conversation.id);
  await said(page, "Then by train.").waitFor();
  await page.locator("article.person").hover();
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.getByRole("textbox", { name: "Edit message" }).fill("South?");
  await page.keyboard.press("Enter");
  await until(() => thread.runs.length > 0, "the run");
  web.server.say(web.server.lastRun(), "Then by boat.");
  web.server.finish(web.server.lastRun(), "completed");
  await said(page, "Then by boat.").waitFor();

  await page.getByRole("searchbox").fill("train");
  await page.getByRole("link", { name: /Trip.*by train/s }).click();
  await said(page, "Then by train.").waitFor();
  await until(() => inView(page), "the words in the view");
  assert.equal(web.requests("conversation.selectBranch").at(-1)?.["messageId"], messages[1]?.id);
  assert.equal(await said(page, "Then by boat.").count(), 0);

  await page.goto(`${web.server.url}/c/${conversation.id}#0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f`);
  await page.getByRole("alert").filter({ hasText: "This message is not in the conversation any more." }).waitFor();
  await said(page, "Then by train.").waitFor();
});
