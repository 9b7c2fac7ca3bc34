import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { Approval, ToolArgs } from "../src/protocol/shapes.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// A call that waits for a person: the question, its arguments, both answers, and what others decided meanwhile.

const web = webTest();

async function asked(args: ToolArgs = { name: "notes.txt" }, fields: Partial<Approval> = {}, tool = "file_delete") {
  const { conversation } = web.server.thread("Approval");
  const page = await web.openConversation(conversation.id);
  const run = await web.ask(page, "Delete the notes");
  const call = web.server.call(run, tool, args);
  const summary = 'Delete the file "notes.txt" of this conversation, for good.';
  const approval = web.server.ask(run, call, { summary, ...fields });
  await approve(page).waitFor();
  return { page, run, call, approval, conversation };
}

const approve = (page: Page) => page.getByRole("button", { name: "Approve" });
const deny = (page: Page) => page.getByRole("button", { name: "Deny" });
const decisions = () => web.requests("approval.decide");
const decision = async () => {
  await until(() => decisions().length === 1, "the decision");
  return decisions()[0];
};
const thread = (conversationId: string) => {
  const found = web.server.threads.get(conversationId);
  assert.ok(found);
  return found;
};

test("[R7] a question says what would happen, of which tool, with what, and by when; the run waits", async () => {
  const { page } = await asked();
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    const form = page.getByRole("form", { name: /Delete the file "notes.txt"/ });
    await form.getByText('Delete the file "notes.txt" of this conversation, for good.').waitFor();
    await form.locator("code", { hasText: "file_delete" }).waitFor();
    assert.equal(await form.getByLabel("name", { exact: true }).inputValue(), "notes.txt");
    await form.getByText("Denied automatically in 10 min").waitFor();
    const sizes = [await approve(page).boundingBox(), await deny(page).boundingBox()];
    assert.deepEqual(sizes[0]?.height, sizes[1]?.height);
    assert.ok(Math.abs((sizes[0]?.width ?? 0) - (sizes[1]?.width ?? 0)) < 1, "both answers are equally easy");
    await page.getByText("Waits for you").waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    await page.locator(".thinking").waitFor({ state: "detached" });
  }
});

test("[R7] it is approved as it stands, and the call goes on", async () => {
  const { page, run, call, approval } = await asked();
  await approve(page).click();
  assert.deepEqual(await decision(), { approvalId: approval.id, decision: "approve" });
  await page.getByText("Deleting notes.txt").waitFor();
  await approve(page).waitFor({ state: "detached" });
  web.server.tool(run, call, { status: "completed", result: "gone" });
  await page.getByText("Deleted notes.txt").waitFor();
});

test("[R7] it is denied, and the answer goes on without it", async () => {
  const { page, run, approval } = await asked();
  await deny(page).click();
  assert.deepEqual(await decision(), { approvalId: approval.id, decision: "deny" });
  await page.locator("parley-tool", { hasText: "Delete notes.txt" }).getByText("Denied", { exact: true }).waitFor();
  web.server.say(run, "Then it stays.");
  await page.getByText("Then it stays.").waitFor();
});

test("[R7] arguments are edited in their fields, each in its type", async () => {
  const { page } = await asked({ to: "a@example.org", copies: 1, urgent: true, labels: ["x"], body: "One\nTwo" });
  await page.getByLabel("to", { exact: true }).fill("b@example.org");
  await page.getByLabel("copies").fill("2.5");
  await page.getByLabel("urgent").uncheck();
  await page.getByLabel("body").fill("Three");
  await page.getByText("labels").waitFor();
  await approve(page).click();
  assert.deepEqual((await decision())?.["args"], {
    to: "b@example.org",
    copies: 2.5,
    urgent: false,
    labels: ["x"],
    body: "Three",
  });
  await page.locator("parley-tool summary").click();
  await page.getByRole("group", { name: "arguments" }).getByText("b@example.org").waitFor();
});

test("[R7] what is no number, no JSON or no object is said in its place, and not sent", async () => {
  const { page } = await asked({ copies: 1, labels: ["x"] });
  await page.getByLabel("copies").fill("many");
  await approve(page).click();
  await page.getByText("A number, for example 12 or 0.5").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")), "true");
  await page.getByLabel("copies").fill("3");
  await page.getByText("A number, for example 12 or 0.5").waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Edit as JSON" }).click();
  const json = page.getByLabel("Arguments, as JSON");
  assert.deepEqual(JSON.parse(await json.inputValue()), { copies: 3, labels: ["x"] });
  for (const [text, issue] of [
    ["{ not json", /This is no JSON/],
    ["[1]", /The arguments are a JSON object/],
  ] as const) {
    await json.fill(text);
    await approve(page).click();
    await page.getByRole("alert").filter({ hasText: issue }).waitFor();
  }
  assert.equal(decisions().length, 0);
  await json.fill('{"copies": 4, "labels": []}');
  await page.getByRole("button", { name: "Edit as a form" }).click();
  await page.getByText(/The form has no place for these changes/).waitFor();
  await approve(page).click();
  assert.deepEqual((await decision())?.["args"], { copies: 4, labels: [] });
});

test("[R7] what the server finds wrong stands at its field, and the question stays open", async () => {
  const { page } = await asked();
  web.server.issues = [{ path: "args.name", expected: "the name of a file of this conversation" }];
  await page.getByLabel("name", { exact: true }).fill("other.txt");
  await approve(page).click();
  await page.getByText("the name of a file of this conversation").waitFor();
  assert.equal(await page.getByLabel("name", { exact: true }).getAttribute("aria-invalid"), "true");
  await page.getByLabel("name", { exact: true }).fill("todo.txt");
  await approve(page).click();
  await until(() => decisions().length === 2, "the second try");
  assert.deepEqual(decisions()[1]?.["args"], { name: "todo.txt" });
});

test("[R7] a tool is always allowed from its menu", async () => {
  const { page } = await asked();
  await page.getByRole("button", { name: "Other answers" }).click();
  await page.getByRole("menuitem", { name: "Always allow file_delete" }).click();
  const { decision: answer, remember } = (await decision()) ?? {};
  assert.deepEqual([answer, remember], ["approve", true]);
});

test("[R7] a decision of another tab closes the question, and says who made it and when", async () => {
  const { page } = await asked();
  const other = await web.openTab(page);
  await approve(other).waitFor();
  await approve(page).click();
  await approve(other).waitFor({ state: "detached" });
  await other.getByText(/^Approved by you, in another window, at /).waitFor();
  assert.equal(await page.getByText(/in another window/).count(), 0);
  await other.close();
});

test("[R7] whoever answers second hears that it is decided, and the first answer stands", async () => {
  const { page, approval, conversation } = await asked();
  // This tab does not hear of it before it answers.
  await page.evaluate(() => {
    const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, "send")?.value as WebSocket["send"];
    WebSocket.prototype.send = function (data): void {
      const held = typeof data === "string" && data.includes("approval.decide");
      if (held) Object.assign(globalThis, { release: () => send.call(this, data) });
      else send.call(this, data);
    };
  });
  await deny(page).click();
  await page.getByRole("button", { name: "Denying…" }).waitFor();
  thread(conversation.id).decide(approval.id, "approve");
  await page.evaluate(() => (globalThis as unknown as { release: () => void }).release());
  await page.getByText(/^Approved by you, in another window, at /).waitFor();
  await page.getByText("Deleting notes.txt").waitFor();
  assert.equal(thread(conversation.id).approvals[0]?.status, "approved");
});

test("[R7] nobody decides in time: the question closes and says so", async () => {
  const { page, approval, conversation } = await asked();
  thread(conversation.id).expire(approval);
  await page.getByText(/^Denied automatically at .*: nobody decided in time$/).waitFor();
  await approve(page).waitFor({ state: "detached" });
});

test("[R5] [R7] a call that may have taken effect asks again, with the reason", async () => {
  const { page } = await asked({ name: "notes.txt" }, { reason: "repeat" });
  await page.getByText(/It was interrupted, and nobody knows whether it took effect/).waitFor();
  await approve(page).click();
  await decision();
});

test("Stop ends a run that waits, and its question with it", async () => {
  const { page } = await asked();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await approve(page).waitFor({ state: "detached" });
  await page.locator(".word", { hasText: "Stopped" }).waitFor();
});

test("a question is said at once to who listens, and takes the focus from nobody", async () => {
  const { conversation } = web.server.thread("Approval");
  const page = await web.openConversation(conversation.id);
  const run = await web.ask(page);
  await page.locator("parley-composer textarea").pressSequentially("half a th");
  const call = web.server.call(run, "file_delete", { name: "notes.txt" });
  web.server.ask(run, call, { summary: "Delete notes.txt for good." });
  await approve(page).waitFor();
  await page.keyboard.type("ought");
  assert.equal(await page.locator("parley-composer textarea").inputValue(), "half a thought");
  const alert = page.locator("parley-conversation > [role=alert]");
  assert.equal(await alert.textContent(), "Your decision is needed. Delete notes.txt for good.");
  await deny(page).click();
  await until(async () => (await alert.textContent()) === "", "nothing to decide");
});

test("it is answered with the keyboard alone, and the focus is on the line of the call then", async () => {
  const { page } = await asked();
  const focused = () => page.evaluate(() => document.activeElement?.textContent.replaceAll(/\s+/g, " ").trim() ?? "");
  await page.getByLabel("name", { exact: true }).focus();
  await page.keyboard.press("Enter");
  assert.equal(decisions().length, 0, "Enter in a field decides nothing");
  for (let i = 0; i < 5 && (await focused()) !== "Deny"; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await decision();
  await deny(page).waitFor({ state: "detached" });
  assert.match(await focused(), /^Delete notes.txt/);
});

test("arguments that did not fit beside the question are those of the call", async () => {
  const { page } = await asked({ name: "a".repeat(60) }, { args: {} });
  assert.equal(await page.getByLabel("name", { exact: true }).inputValue(), "a".repeat(60));
  await approve(page).click();
  assert.equal((await decision())?.["args"], undefined);
});

test("whoever reads above is told, and led to the question", async () => {
  const long = Array.from({ length: 60 }, (_, i) => `Paragraph ${i}.`).join("\n\n");
  const { conversation } = web.server.thread("Long", [
    ["user", "Tell me"],
    ["assistant", long],
  ]);
  const page = await web.openConversation(conversation.id);
  await page.getByText("Paragraph 59.").waitFor();
  const run = await web.ask(page, "Delete the notes");
  web.server.say(run, long);
  await page.locator(".agent").nth(1).getByText("Paragraph 59.").waitFor();
  await page.locator(".scroller").hover();
  await page.mouse.wheel(0, -900);
  await page.getByRole("button", { name: "Jump to latest" }).waitFor();
  web.server.ask(run, web.server.call(run, "file_delete", { name: "notes.txt" }), { summary: "Delete notes.txt." });
  await page.getByRole("button", { name: "Your decision is needed" }).click();
  await until(() => page.evaluate(() => document.activeElement?.textContent.trim() === "Approve"), "the focus");
  assert.ok(await approve(page).isVisible());
});

test("Escape in a field of the question does not stop the run", async () => {
  const { page } = await asked({ body: "One\nTwo", name: "x" });
  for (const name of ["body", "name"]) {
    await page.getByLabel(name, { exact: true }).focus();
    await page.keyboard.press("Escape");
  }
  await page.locator("parley-composer textarea").focus();
  assert.equal(web.requests("chat.stop").length, 0);
  await page.keyboard.press("Escape");
  await until(() => web.requests("chat.stop").length === 1, "the stop");
});

test("two questions of one step are answered each by itself", async () => {
  const { page, run } = await asked();
  const second = web.server.call(run, "file_delete", { name: "todo.txt" });
  web.server.ask(run, second, { summary: "Delete the file todo.txt." });
  const form = page.getByRole("form", { name: "Decision: Delete the file todo.txt." });
  await form.getByRole("button", { name: "Deny" }).click();
  await form.waitFor({ state: "detached" });
  await approve(page).waitFor();
  assert.equal(decisions().length, 1);
});
