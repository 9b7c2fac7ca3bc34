import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { DEMO } from "./support/page-server.ts";
import { until } from "./support/until.ts";
import { say } from "./support/web-page.ts";
import { webTest } from "./support/web-test.ts";

// While an answer is being written, and after it: ways to send, branches, retries, models, usage.

const web = webTest();

async function opened(title = "Busy") {
  const { conversation } = web.server.thread(title);
  return { page: await web.openConversation(conversation.id), conversation };
}

const sent = () => web.requests("chat.send");
const queue = (page: Page) => page.getByRole("list", { name: "Queued messages" });
const answer = (page: Page, text: string) => page.locator(".agent", { hasText: text });
const field = (page: Page) => page.locator("parley-composer textarea");

async function choose(page: Page, name: RegExp): Promise<void> {
  await page.getByRole("button", { name: /^When sent:/ }).click();
  await page.getByRole("menuitemradio", { name }).click();
}

test("[R2] Enter queues; the choice to steer is visible, and kept on this device", async () => {
  const { page } = await opened();
  await web.ask(page, "First");
  await say(page, "Second");
  await until(() => sent().length === 2, "the second message");
  assert.equal(sent()[1]?.["whenBusy"], undefined);
  await field(page).fill("Faster, please");
  await page.getByRole("button", { name: "When sent: Queue. Choose another way" }).waitFor();
  await choose(page, /Steer/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
  await page.keyboard.press("Enter");
  await until(() => sent().length === 3, "the third message");
  assert.equal(sent()[2]?.["whenBusy"], "steer");
  assert.deepEqual(await queue(page).locator(".word").allTextContents(), ["Joins at the next step", "Queued"]);
  await page.reload();
  await queue(page).getByText("Faster, please").waitFor();
  await field(page).fill("More");
  await page.getByRole("button", { name: /^When sent: Steer/ }).waitFor();
});

test("[R2] a message that steers joins the answer: what was said so far stays, a new answer follows", async () => {
  await web.restart({ repeats: 2 });
  const { page } = await opened();
  const run = await web.ask(page, "Plan a picnic");
  web.server.say(run, "First, the food.");
  await field(page).fill("No cheese");
  await choose(page, /Steer/);
  await page.keyboard.press("Enter");
  await queue(page).getByText("No cheese").waitFor();
  await until(async () => (await queue(page).getByRole("button").count()) === 0, "what joins can't be taken back");
  web.server.join(run);
  await page.locator(".person", { hasText: "No cheese" }).waitFor();
  await queue(page).waitFor({ state: "detached" });
  web.server.say(run, "Then without cheese.");
  web.server.finish(run, "completed");
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await answer(page, "Then without cheese.").waitFor();
    assert.deepEqual(
      (await page.locator(".pill, .agent > parley-markdown").allTextContents()).map((text) => text.trim()),
      ["Plan a picnic", "First, the food.", "No cheese", "Then without cheese."],
    );
  }
});

test("[R2] a queued message can be stopped by itself, also after a reload", async () => {
  const { page } = await opened();
  await web.ask(page, "First");
  await say(page, "Second");
  await say(page, "Third");
  await queue(page).getByText("Third").waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Cancel queued message: Second" }).click();
  await queue(page).getByText("Second").waitFor({ state: "detached" });
  assert.deepEqual(await queue(page).locator(".text").allTextContents(), ["Third"]);
  await page.reload();
  await queue(page).getByText("Third").waitFor();
  assert.equal(await page.getByText("Second").count(), 0);
});

// ── branches ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function answered(page: Page, question: string, answer: string): Promise<void> {
  const run = await web.ask(page, question);
  web.server.say(run, answer);
  web.server.finish(run, "completed", undefined, { inputTokens: 1_000, outputTokens: 234, costMicros: 3_420 });
  await page.locator(".agent", { hasText: answer }).getByRole("button", { name: "Copy answer" }).waitFor();
}

const regenerate = (page: Page) => page.getByRole("button", { name: "Regenerate answer" });

test("another answer stands beside the first, and the switcher leads to each", async () => {
  await web.restart({ repeats: 2 });
  const { page } = await opened();
  await answered(page, "Say something", "First answer.");
  assert.equal(await page.getByRole("group", { name: "Versions" }).count(), 0);
  await regenerate(page).click();
  await until(() => web.requests("chat.regenerate").length === 1, "the wish");
  await answer(page, "First answer.").waitFor({ state: "detached" });
  const again = web.server.lastRun();
  web.server.say(again, "Second answer.");
  web.server.finish(again, "completed");
  const versions = page.getByRole("group", { name: "Versions" });
  await versions.getByText("2/2").waitFor();
  const other = await web.openTab(page);
  const previous = page.getByRole("button", { name: "Previous version" });
  await previous.focus();
  await page.keyboard.press("Enter");
  for (const tab of [page, other]) {
    await answer(tab, "First answer.").waitFor();
    await tab.getByText("1/2").waitFor();
  }
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  await until(async () => (await focused()) === "Previous version", "the focus where it was");
  assert.equal(await previous.getAttribute("aria-disabled"), "true");
  await page.reload();
  await answer(page, "First answer.").waitFor();
  await page.getByRole("button", { name: "Next version" }).click();
  await answer(page, "Second answer.").waitFor();
  await other.close();
});

test("a message is edited in place: Escape leaves it, Enter asks on a branch of its own", async () => {
  const { page } = await opened();
  await answered(page, "Say something", "First answer.");
  const edit = page.getByRole("button", { name: "Edit message" });
  await edit.focus();
  await page.keyboard.press("Enter");
  const editor = page.getByRole("textbox", { name: "Edit message" });
  await editor.waitFor();
  assert.equal(await editor.inputValue(), "Say something");
  await page.keyboard.type(" else");
  await page.keyboard.press("Escape");
  await editor.waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Edit message");
  assert.equal(web.requests("chat.stop").length, 0);

  await page.keyboard.press("Enter");
  await editor.fill("にほん");
  await editor.evaluate((element) => {
    const init = { key: "Enter", bubbles: true, cancelable: true, isComposing: true, keyCode: 13 };
    element.dispatchEvent(new KeyboardEvent("keydown", init));
  });
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second line");
  assert.equal(web.requests("chat.edit").length, 0);
  await page.keyboard.press("Enter");
  await until(() => web.requests("chat.edit").length === 1, "the edit");
  assert.equal(web.requests("chat.edit")[0]?.["text"], "にほん\nsecond line");
  const run = web.server.lastRun();
  web.server.say(run, "Another answer.");
  web.server.finish(run, "completed");
  await answer(page, "Another answer.").waitFor();
  await answer(page, "First answer.").waitFor({ state: "detached" });
  await page.getByText("2/2").waitFor();
  await page.reload();
  await answer(page, "Another answer.").waitFor();
  await page.getByRole("button", { name: "Previous version" }).click();
  await answer(page, "First answer.").waitFor();
  await page.locator(".pill", { hasText: "Say something" }).waitFor();
});

test("no other branch is begun or shown while an answer is being written", async () => {
  const { page } = await opened();
  await answered(page, "Say something", "First answer.");
  await web.ask(page, "And more");
  await regenerate(page).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Edit message" }).first().waitFor({ state: "hidden" });
  web.server.finish(web.server.lastRun(), "stopped");
  await regenerate(page).first().waitFor();
});

test("a wish that is refused brings the first answer back and says why", async () => {
  const { page } = await opened();
  await answered(page, "Say something", "First answer.");
  web.server.refusals.set("chat.regenerate", "MODEL_UNAVAILABLE");
  await regenerate(page).click();
  await page.getByRole("alert").filter({ hasText: "No such model here." }).waitFor();
  await answer(page, "First answer.").waitFor();
  assert.equal(await page.locator(".thinking").count(), 0);
});

test("an answer that failed or was stopped is asked for again, beside it", async () => {
  const { page } = await opened();
  const failed = await web.ask(page, "Try");
  web.server.say(failed, "It began");
  web.server.finish(failed, "failed", "The model's provider is overloaded.");
  await page.locator(".failure", { hasText: "The model's provider is overloaded." }).waitFor();
  await page.reload();
  await page.locator(".failure", { hasText: "The model's provider is overloaded." }).waitFor();
  await page.getByRole("button", { name: "Retry" }).click();
  await until(() => web.requests("run.retry").length === 1, "the retry");
  assert.equal(web.requests("run.retry")[0]?.["runId"], failed.id);
  const second = web.server.lastRun();
  web.server.say(second, "Better");
  await answer(page, "Better").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".word", { hasText: "Stopped" }).waitFor();
  await page.getByText("2/2").waitFor();
  await page.getByRole("button", { name: "Retry" }).click();
  await until(() => web.requests("run.retry").length === 2, "another retry");
  assert.equal(web.requests("run.retry")[1]?.["runId"], second.id);
});

// ── models ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const MODELS = [
  { id: "anthropic/big", provider: "anthropic", name: "Big", available: true },
  { id: "anthropic/small", provider: "anthropic", name: "Small", available: true },
  { id: "openai/off", provider: "openai", name: "Off", available: false, hint: "Set OPENAI_API_KEY to use it" },
  DEMO,
];

test("a model is chosen by provider, kept for the conversation, and asked for with each message", async () => {
  await web.restart({ models: MODELS });
  const { page } = await opened();
  const picker = page.getByRole("button", { name: /^Model:/ });
  assert.equal(await picker.innerText(), "Big");
  await picker.click();
  assert.deepEqual(await page.locator(".models .heading").allTextContents(), ["Anthropic", "OpenAI", "Built in"]);
  const off = page.getByRole("menuitemradio", { name: /Off/ });
  assert.equal(await off.getAttribute("aria-disabled"), "true");
  await off.getByText("Set OPENAI_API_KEY to use it").waitFor();
  await page
    .getByRole("menuitemradio", { name: /Demo/ })
    .getByText(DEMO.hint ?? "")
    .waitFor();
  await off.click({ force: true });
  assert.equal(await picker.innerText(), "Big");
  await page.keyboard.press("s");
  assert.match((await page.evaluate(() => document.activeElement?.textContent.trim())) ?? "", /^Small/);
  await page.keyboard.press("Enter");
  assert.equal(await picker.innerText(), "Small");
  await page.reload();
  await page.getByRole("button", { name: "Model: Small" }).waitFor();
  await answered(page, "Say something", "First answer.");
  assert.equal(sent()[0]?.["model"], "anthropic/small");
  await page.reload();
  await page.getByRole("button", { name: "Model: Small" }).waitFor();
  await answered(page, "And more", "Second answer.");
  assert.equal(sent()[1]?.["model"], "anthropic/small");
});

test("without a choice the server chooses; a new conversation takes the model that was chosen for it", async () => {
  await web.restart({ models: MODELS });
  const page = await web.open();
  await page.getByRole("button", { name: "Model: Big" }).click();
  await page.keyboard.press("Escape");
  await say(page, "Hello");
  await until(() => sent().length === 1, "the message");
  assert.equal("model" in (sent()[0] ?? {}), false);
  web.server.finish(web.server.lastRun(), "completed");
  await page.keyboard.press("Control+Shift+O");
  await page.getByRole("button", { name: "Model: Big" }).click();
  await page.getByRole("menuitemradio", { name: "Small" }).click();
  await say(page, "Hello again");
  await until(() => sent().length === 2, "the other message");
  assert.equal(sent()[1]?.["model"], "anthropic/small");
});

// ── usage ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test("an answer says what it took, and all of it to whoever points or tabs to it", async () => {
  const { page } = await opened();
  await answered(page, "Say something", "First answer.");
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    const usage = page.getByRole("button", { name: "1.2k tokens · $0.0034" });
    await usage.focus();
    const details = page.getByRole("tooltip");
    await details.getByText("1,000").waitFor();
    assert.equal((await details.innerText()).replaceAll(/\s+/g, " "), "Demo Read 1,000 Written 234 Cost $0.0034");
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "detached" });
    await usage.blur();
    await usage.hover();
    await details.waitFor();
    await details.hover();
    await page.waitForTimeout(300);
    assert.ok(await details.isVisible(), "it may be pointed at itself");
    await page.mouse.move(0, 0);
    await details.waitFor({ state: "detached" });
  }
});
