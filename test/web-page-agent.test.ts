import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { PlanTask } from "../src/protocol/shapes.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// What an agent does, as a person sees it: calls of tools, thoughts, plans. In Chromium, with the real headers.

const web = webTest();

const card = (page: Page, name: string) => page.locator("parley-tool", { hasText: name });
/** What a line says, without its icons and layout. */
const lineOf = async (page: Page, name: string): Promise<string> =>
  (await card(page, name).locator("summary").innerText()).replaceAll(/\s+/g, " ").trim();

async function begun(options: Parameters<typeof web.restart>[0] = {}) {
  if (Object.keys(options).length > 0) await web.restart(options);
  const { conversation } = web.server.thread("Agent");
  const page = await web.openConversation(conversation.id);
  return { page, run: await web.ask(page), conversation };
}

test("a call is one line: what it does, how long it has run, and its state in a word", async () => {
  const { page, run } = await begun();
  const call = web.server.call(run, "research", { topic: "otters" });
  await card(page, "Research otters").getByText("Up next").waitFor();
  const startedAt = new Date(Date.now() - 7_400).toISOString();
  web.server.tool(run, call, { status: "running", startedAt });
  await card(page, "Researching otters").getByText("Running").waitFor();
  await page.locator("parley-elapsed", { hasText: /^(7|8) s$/ }).waitFor();
  const { height } = (await card(page, "Researching otters").locator(".tool").boundingBox()) ?? { height: 0 };
  assert.equal(Math.round(height), 36);
  web.server.tool(run, call, { status: "completed", startedAt, result: "5 questions" });
  await card(page, "Researched otters").getByText("Done").waitFor();
  assert.match(await lineOf(page, "Researched otters"), /^Researched otters \d+ s Done$/);
  await page.reload();
  assert.match(await lineOf(page, "Researched otters"), /^Researched otters \d+ s Done$/);
});

test("a call that runs shows its newest word and how far it is, also after a reload", async () => {
  const { page, run } = await begun();
  const call = web.server.call(run, "research", { topic: "otters" });
  web.server.tool(run, call, { status: "running" });
  web.server.progress(run, call, "otters: where they live");
  const bar = page.getByRole("progressbar");
  await page.getByText("otters: where they live").waitFor();
  assert.equal(await bar.getAttribute("value"), null);
  web.server.progress(run, call, "otters: what they eat", 0.4);
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await page.getByText("otters: what they eat").waitFor();
    assert.equal(await bar.evaluate((element) => (element as HTMLProgressElement).value), 0.4);
  }
  web.server.tool(run, call, { status: "completed", result: null });
  await bar.waitFor({ state: "detached" });
});

test("a line opens to arguments and result: JSON in lines, text as it is, and what was said while it was written", async () => {
  const { page, run } = await begun();
  const half = web.server.call(run, "calculator", { expression: "2+3*4" }, false);
  const line = page.locator("parley-tool summary").first();
  await line.click();
  await page.getByRole("group", { name: "arguments" }).getByText('{"expressio').waitFor();
  web.server.tool(run, half, { status: "pending", args: { expression: "2+3*4" } });
  await page.getByRole("group", { name: "arguments" }).getByText('"expression": "2+3*4"').waitFor();
  web.server.tool(run, half, { status: "completed", result: { value: 14, steps: [12, 14] } });
  const result = page.getByRole("group", { name: "result" });
  await result.waitFor();
  assert.equal(await result.textContent(), JSON.stringify({ value: 14, steps: [12, 14] }, null, 2));
  const text = "First line\n<b>Second</b> line";
  const other = web.server.call(run, "note", {});
  web.server.tool(run, other, { status: "completed", result: text });
  await card(page, "Used note").locator("summary").click();
  assert.equal(await card(page, "Used note").getByRole("group", { name: "result" }).textContent(), text);
  await card(page, "Used note").getByText("None", { exact: true }).waitFor();
});

test("a long result scrolls in its own box, and can be seen and copied whole", async () => {
  const { page, run } = await begun();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const long = Array.from({ length: 3_000 }, (_, i) => `line ${i}`).join("\n");
  const call = web.server.call(run, "note", {});
  web.server.tool(run, call, { status: "completed", result: long });
  await card(page, "Used note").locator("summary").click();
  const result = page.getByRole("group", { name: "result" });
  await result.waitFor();
  const { height } = (await result.boundingBox()) ?? { height: Infinity };
  assert.ok(height <= 320, String(height));
  assert.equal((await result.textContent())?.length, 20_000);
  await page.getByRole("button", { name: "Copy result" }).click();
  await page.getByText("Copied").first().waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), long);
  await page.getByRole("button", { name: /Show all/ }).click();
  assert.equal(await result.textContent(), long);
});

test("[W6] a call that came without its result for its size is read when somebody opens it", async () => {
  const { page, run } = await begun({ cutAt: 400 });
  const call = web.server.call(run, "note", { about: "otters" });
  web.server.tool(run, call, { status: "completed", result: "x".repeat(600) });
  web.server.finish(run, "completed");
  await page.reload();
  await card(page, "Used note").waitFor();
  assert.equal(web.requests("message.read").length, 0);
  await card(page, "Used note").locator("summary").click();
  const result = page.getByRole("group", { name: "result" });
  await result.waitFor();
  assert.equal(await result.textContent(), "x".repeat(600));
});

test("a call that failed says why, one that was stopped says so", async () => {
  const { page, run } = await begun();
  const failed = web.server.call(run, "file_delete", { name: "notes.txt" });
  web.server.tool(run, failed, { status: "failed", error: "There is no such file." });
  web.server.say(run, "Well.");
  const running = web.server.call(run, "research", { topic: "otters" });
  web.server.tool(run, running, { status: "running" });
  await card(page, "Researching otters").waitFor();
  await page.keyboard.press("Escape");
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await card(page, "Research otters").getByText("Stopped").waitFor();
    await card(page, "Delete notes.txt").getByText("Failed").waitFor();
  }
  await card(page, "Delete notes.txt").locator("summary").click();
  await page.getByText("There is no such file.").waitFor();
});

test("three finished calls in a row become one line, and one that is open stays open in it", async () => {
  const { page, run } = await begun({ repeats: 2 });
  const calls = ["otters", "seals", "whales", "crabs"].map((topic) => web.server.call(run, "research", { topic }));
  const [first = "", second = "", third = "", fourth = ""] = calls;
  const finish = (call: string, result: string) => web.server.tool(run, call, { status: "completed", result });
  for (const call of calls) web.server.tool(run, call, { status: "running" });
  finish(first, "About otters");
  finish(second, "About seals");
  await card(page, "Researched seals").waitFor();
  assert.equal(await page.locator(".tool-group").count(), 0);
  await card(page, "Researched seals").locator("summary").click();
  await page.getByText("About seals").waitFor();
  web.server.tool(run, third, { status: "failed", error: "No." });
  const group = page.locator(".tool-group");
  await group.getByText("Ran 3 tools").waitFor();
  await group.getByText("1 failed").waitFor();
  await page.getByText("About seals").waitFor();
  assert.equal(await group.locator("parley-tool").count(), 3);
  await card(page, "Researching crabs").waitFor();
  finish(fourth, "About crabs");
  await group.getByText("Ran 4 tools").waitFor();
  web.server.finish(run, "completed");
  await page.reload();
  await group.getByText("Ran 4 tools").waitFor();
  assert.equal(await page.locator("parley-tool").count(), 0);
  await group.locator("summary").focus();
  await page.keyboard.press("Enter");
  await card(page, "Researched crabs").waitFor();
});

test("calls of several steps keep their places through duplicates, cut connections and a takeover", async () => {
  const { page, run, conversation } = await begun({ repeats: 2 });
  web.server.reason(run, "I think.");
  web.server.say(run, "I look at two things.");
  const one = web.server.call(run, "research", { topic: "otters" });
  const other = web.server.call(run, "research", { topic: "seals" });
  web.server.tool(run, one, { status: "running" });
  web.server.drop();
  web.server.tool(run, other, { status: "running" });
  web.server.tool(run, other, { status: "completed", result: "About seals" });
  web.server.tool(run, one, { status: "completed", result: "About otters" });
  web.server.say(run, "Half of what I");
  web.server.reset(run, 0, 4);
  web.server.forget(`conversation:${conversation.id}`);
  web.server.say(run, "Both are fine.");
  web.server.finish(run, "completed");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  const outline = () =>
    page
      .locator(".agent")
      .evaluate((answer) =>
        [...answer.querySelectorAll("parley-reasoning summary, parley-tool .phrase, :scope > parley-markdown")].map(
          (element) => element.textContent.replaceAll(/\s+/g, " ").trim(),
        ),
      );
  const shown = ["Thought", "I look at two things.", "Researched otters", "Researched seals", "Both are fine."];
  assert.deepEqual(await outline(), shown);
  await page.reload();
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  assert.deepEqual(await outline(), shown);
});

// ── thoughts ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("thoughts are a closed line, stream when it is open, and say how long they took", async () => {
  const { page, run } = await begun();
  web.server.reason(run, "First I ");
  const line = page.locator("parley-reasoning summary");
  await line.getByText("Thinking…").waitFor();
  assert.equal(await page.getByText("First I").count(), 0);
  await line.click();
  await page.locator(".thoughts", { hasText: "First I" }).waitFor();
  web.server.reason(run, "look at **all** of it.");
  await page.locator(".thoughts strong", { hasText: "all" }).waitFor();
  const began = Date.parse(web.server.threads.get(run.conversationId)?.answer(run).createdAt ?? "");
  await until(() => Date.now() - began > 1_100, "a second of thought");
  web.server.say(run, "Here is what I think.");
  await line.getByText(/^Thought for \d+ s$/).waitFor();
  const said = await line.innerText();
  web.server.finish(run, "completed");
  await page.reload();
  await line.getByText(said.trim()).waitFor();
  await page.locator(".thoughts").waitFor({ state: "detached" });
});

test("thoughts are no part of the answer that is copied or read out", async () => {
  const { page, run } = await begun();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  web.server.reason(run, "Secretly I count.");
  await page.locator("parley-reasoning summary").click();
  web.server.say(run, "One, two.");
  web.server.finish(run, "completed");
  await page.getByRole("button", { name: "Copy answer" }).click();
  await page.getByText("Copied").first().waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "One, two.");
  assert.equal(await page.locator("parley-conversation > [role=status]").textContent(), "One, two.");
});

// ── plans ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const plan = (...states: PlanTask["status"][]): PlanTask[] =>
  states.map((status, i) => ({ id: String(i + 1), title: `Task ${i + 1}`, status }));

test("a plan stands above the text, ticks its tasks, and closes when all are done", async () => {
  const { page, run } = await begun({ repeats: 2 });
  web.server.say(run, "I plan.");
  const call = web.server.call(run, "plan", { tasks: [] });
  web.server.tool(run, call, { status: "completed", result: {} });
  web.server.plan(run, plan("running", "pending"));
  const states = page.locator("parley-plan li .word");
  await page.getByText("0 of 2 done").waitFor();
  assert.deepEqual(await states.allTextContents(), ["Now", "To do"]);
  assert.equal(await page.locator("parley-tool").count(), 0, "its calls are the checklist");
  const top = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? 0;
  assert.ok((await top("parley-plan")) < (await top(".agent > parley-markdown")));
  web.server.plan(run, plan("completed", "running"));
  await page.getByText("1 of 2 done").waitFor();
  await page.reload();
  await page.getByText("1 of 2 done").waitFor();
  assert.deepEqual(await states.allTextContents(), ["Done", "Now"]);
  web.server.plan(run, plan("completed", "completed"));
  await states.first().waitFor({ state: "hidden" });
  await page.locator("parley-plan summary").click();
  await states.first().waitFor();
  web.server.say(run, " All done.");
  web.server.finish(run, "completed");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  assert.ok(await states.first().isVisible(), "whoever opens it keeps it open");
  await page.reload();
  await page.getByText("2 of 2 done").waitFor();
  assert.equal(await states.first().isVisible(), false);
});

test("a plan that was stopped says what is not finished", async () => {
  const { page, run } = await begun();
  web.server.plan(run, plan("completed", "running", "pending"));
  web.server.finish(run, "stopped");
  await page.locator(".word", { hasText: "Stopped" }).waitFor();
  assert.deepEqual(await page.locator("parley-plan li .word").allTextContents(), ["Done", "Not finished", "To do"]);
});

// ── what a run says of itself ───────────────────────────────────────────────────────────────────────────────────────

test("a model that can't be reached is mentioned quietly, until it answers", async () => {
  const { page, run } = await begun();
  web.server.notice(run, "The demo model is overloaded. It is asked again in 3 s.");
  const notice = page.getByRole("status").filter({ hasText: "It is asked again in 3 s." });
  await notice.waitFor();
  web.server.say(run, "Here I am.");
  await notice.waitFor({ state: "detached" });
});

test("between two steps, the answer shows that it goes on", async () => {
  const { page, run } = await begun();
  const working = page.locator(".thinking");
  await working.waitFor();
  const call = web.server.call(run, "clock", {});
  await working.waitFor({ state: "detached" });
  web.server.tool(run, call, { status: "completed", result: "09:03" });
  await working.waitFor();
  web.server.say(run, "It is 09:03.");
  await working.waitFor({ state: "detached" });
});

test("what tools and models write never becomes markup that acts", async () => {
  const { page, run } = await begun();
  const evil = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>';
  web.server.plan(run, [{ id: "1", title: evil, status: "running" }]);
  web.server.reason(run, evil);
  await page.locator("parley-reasoning summary").click();
  const call = web.server.call(run, evil, { topic: evil, [evil]: evil });
  web.server.ask(run, call, { summary: evil, tool: evil, args: { topic: evil, [evil]: evil } });
  await page.getByRole("button", { name: "Approve" }).waitFor();
  web.server.threads
    .get(run.conversationId)
    ?.decide(web.server.threads.get(run.conversationId)!.approvals[0]!.id, "approve");
  web.server.progress(run, call, evil);
  await page.locator("parley-tool summary").click();
  web.server.tool(run, call, { status: "completed", result: evil });
  await page.getByRole("group", { name: "result" }).waitFor();
  web.server.notice(run, evil);
  web.server.finish(run, "failed", evil);
  await page.locator(".failure").waitFor();
  const found = await page.evaluate(() => ({
    hacked: "hacked" in window,
    acting: document.querySelectorAll(".transcript :is(img, script, iframe)").length,
  }));
  assert.deepEqual(found, { hacked: false, acting: 0 });
});
