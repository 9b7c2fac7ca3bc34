import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// Somebody who was told nothing: what the page calls things, and the keys that every page has, must lead there.
// `docs/web.md` says in words how each is found.

const web = webTest();
const DAY = 86_400_000;

/** Role and name of what has the focus, as a screen reader says them. */
const here = async (page: Page): Promise<string> => {
  const focus = page.locator(":focus");
  return (await focus.count()) === 0 ? "" : ((await focus.first().ariaSnapshot()).split("\n", 1)[0] ?? "");
};

/** Presses a key until the focus is on what is looked for; at most `within` times. */
async function walk(page: Page, to: RegExp, within: number, key = "Tab"): Promise<void> {
  const passed: string[] = [];
  for (let i = 0; i <= within; i++) {
    const at = await here(page);
    if (to.test(at)) return;
    passed.push(at);
    await page.keyboard.press(key);
  }
  assert.fail(`${String(to)} is not within ${within} × ${key}: ${passed.join(" → ")}`);
}

const inMenu = async (page: Page, to: RegExp) => {
  await until(async () => /menuitem/.test(await here(page)), "the focus in the menu");
  await walk(page, to, 12, "ArrowDown");
  await page.keyboard.press("Enter");
};

test("stop, edit, switch branch and approve are found from the field where one writes", async () => {
  const { server } = web;
  const page = await web.open();
  await page.locator(".suggestion").first().waitFor();
  await walk(page, /textbox "Message"/, 12);
  await page.keyboard.type("Tell me of otters");
  await page.keyboard.press("Enter");
  await until(() => web.requests("chat.send").length === 1, "the message");
  server.say(server.lastRun(), "They hold hands");
  await page.locator(".transcript").getByText("They hold hands").waitFor();

  await walk(page, /button "Stop"/, 4);
  await page.keyboard.press("Enter");
  await page.getByText("Stopped", { exact: true }).waitFor();

  await walk(page, /textbox "Message"/, 6, "Shift+Tab");
  await walk(page, /button "Edit message"/, 12, "Shift+Tab");
  await page.keyboard.press("Enter");
  await until(async () => (await here(page)).includes('textbox "Edit message"'), "the focus in the editor");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Tell me of seals");
  await page.keyboard.press("Enter");
  await until(() => web.requests("chat.edit").length === 1, "the edit");
  server.say(server.lastRun(), "They bark");
  server.finish(server.lastRun(), "completed");
  await page.getByRole("button", { name: "Regenerate answer" }).waitFor();

  await page.getByRole("textbox", { name: "Message", exact: true }).focus();
  await walk(page, /button "Previous version"/, 12, "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.locator(".transcript").getByText("They hold hands").waitFor();

  const field = page.getByRole("textbox", { name: "Message", exact: true });
  await field.fill("Delete my notes");
  await field.press("Enter");
  await until(() => web.requests("chat.send").length === 2, "the message");
  const run = server.lastRun();
  const call = server.call(run, "file_delete", { name: "notes.txt" });
  server.ask(run, call, { summary: "Delete the file notes.txt." });
  await page.getByRole("alert").filter({ hasText: "Delete the file notes.txt." }).waitFor({ state: "attached" });
  await walk(page, /button "Approve"/, 12, "Shift+Tab");
  await page.keyboard.press("Enter");
  await until(() => web.requests("approval.decide").at(-1)?.["decision"] === "approve", "the decision");
});

test("an old conversation, the theme and a device are found in the sidebar", async () => {
  const { server } = web;
  for (let i = 0; i < 5; i++) server.thread(`Other ${i}`, [["user", "Hay"]], i * DAY);
  const messages = [
    ["user", "Where is the colander?"],
    ["assistant", "In the cupboard."],
  ] as const;
  server.thread("Kitchen", messages, 200 * DAY);
  const now = new Date().toISOString();
  const ended: unknown[] = [];
  const device = { id: "s2", expiresAt: now, createdAt: now, lastSeenAt: now, current: false };
  const sessions = [{ ...device, device: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" }];
  server.answers.set("session.list", () => ({ sessions }));
  server.answers.set("memory.list", () => ({ memories: [], nextCursor: null }));
  server.answers.set("prompt.list", () => ({ prompts: [], nextCursor: null }));
  server.answers.set("session.revoke", (params) => (ended.push(params), {}));
  const page = await web.open();
  await page.locator(".suggestion").first().waitFor();

  await walk(page, /searchbox "Search conversations"/, 8);
  await page.keyboard.type("cupboard");
  await page.getByRole("status").filter({ hasText: "1 conversation found" }).waitFor();
  await walk(page, /link "?Kitchen/, 4);
  await page.keyboard.press("Enter");
  await page.locator("article.found", { hasText: "In the cupboard." }).waitFor();

  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Kitchen" }).waitFor();
  const account = /button ".*account and theme"/;
  await page.locator("body").press("Tab");
  await walk(page, account, 40);
  await page.keyboard.press("Enter");
  await inMenu(page, /menuitemradio "Dark"/);
  await page.locator("html[data-theme=dark]").waitFor();
  await page.keyboard.press("Escape");

  await walk(page, account, 40);
  await page.keyboard.press("Enter");
  await inMenu(page, /menuitem "Settings…"/);
  await page.getByRole("dialog", { name: "Settings" }).waitFor();
  await walk(page, /tab "General"/, 8);
  await walk(page, /tab "Devices"/, 8, "ArrowDown");
  await walk(page, /button "End session: Firefox on Linux"/, 8);
  await page.keyboard.press("Enter");
  await until(() => ended.length === 1, "the session to be ended");
});
