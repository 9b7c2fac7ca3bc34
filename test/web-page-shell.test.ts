import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { violations } from "./support/axe.ts";
import { launchChromium } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";
import { until } from "./support/until.ts";
import { type OpenPage, openPage, openThread, say } from "./support/web-page.ts";

// What lies around the conversation: languages, palette, shortcuts, prompts, settings, notifications. All by keyboard.

let browser: Browser;
let server: PageServer;
let opened: OpenPage[] = [];

before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());
beforeEach(async () => {
  server = await new PageServer({ onMessage: (run, _, to) => void to.begin(run) }).start();
});
afterEach(async () => {
  const problems = opened.flatMap((page) => page.problems);
  await Promise.all(opened.map((page) => page.close()));
  opened = [];
  await server.stop();
  assert.deepEqual(problems, []);
});

const field = (page: Page) => page.locator("parley-composer textarea");

async function open(options: BrowserContextOptions = {}) {
  const page = await openPage(browser, server, options);
  opened.push(page);
  await field(page.page).waitFor();
  await page.page.locator("parley-composer .model").waitFor();
  return page.page;
}

async function openConversation(id: string, options: BrowserContextOptions = {}) {
  const page = await openThread(browser, server, id, options);
  opened.push(page);
  return page.page;
}

const asked = (method: string) => server.requests.filter((request) => request.method === method);
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.localName ?? "");

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
const FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0";

/** Opens the palette, finds a command, and runs it. */
async function command(page: Page, name: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a command or a conversation" }).fill(name);
  await page.keyboard.press("Enter");
}

test("the page speaks the reader's language, another one at once when chosen, and keeps it", async () => {
  server.thread("Otters", [["user", "Hi"]]);
  const page = await open({ locale: "de-DE" });
  const root = page.locator("html");
  assert.equal(await root.getAttribute("lang"), "de");
  assert.equal(await field(page).getAttribute("placeholder"), "Nachricht an Parley");
  await page.getByRole("link", { name: "Neue Unterhaltung" }).waitFor();

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Befehl oder Unterhaltung suchen" }).fill("Einstellungen");
  await page.keyboard.press("Enter");
  await page.getByLabel("Sprache").selectOption({ label: "العربية" });
  await page.getByRole("dialog", { name: "الإعدادات" }).waitFor();
  assert.deepEqual([await root.getAttribute("lang"), await root.getAttribute("dir")], ["ar", "rtl"]);
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");

  await page.reload();
  await field(page).waitFor();
  assert.equal(await root.getAttribute("dir"), "rtl");
  assert.equal(await field(page).getAttribute("placeholder"), "اكتب رسالة إلى Parley");
  const box = async (selector: string) => (await page.locator(selector).boundingBox())?.x ?? -1;
  assert.ok((await box("parley-sidebar")) > (await box("parley-composer")), "the sidebar is on the right");
  assert.ok((await box(".composer .send")) < (await box(".composer .model")), "sending is on the left");
  assert.deepEqual(await violations(page), []);

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("English");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "New conversation" }).waitFor();
  assert.deepEqual([await root.getAttribute("lang"), await root.getAttribute("dir")], ["en", "ltr"]);
});

test("theme and language that are chosen in one tab are those of the others too, and nothing there is lost", async () => {
  const page = await open();
  const other = await page.context().newPage();
  await other.goto(server.url);
  await field(other).fill("Half a sentence");
  await command(other, "Settings…");
  const dialog = other.getByRole("dialog");
  await dialog.waitFor();

  await command(page, "Theme: Dark");
  await other.locator("html[data-theme=dark]").waitFor();
  await command(page, "Language: العربية");
  await other.getByRole("dialog", { name: "الإعدادات" }).waitFor();
  const root = other.locator("html");
  assert.deepEqual([await root.getAttribute("lang"), await root.getAttribute("dir")], ["ar", "rtl"]);
  assert.deepEqual(await violations(other), []);
  assert.equal(await field(other).inputValue(), "Half a sentence");

  await other.getByLabel("اللغة").selectOption("en");
  await page.getByRole("link", { name: "New conversation" }).waitFor();
  await command(page, "Theme: System");
  await other.locator("html:not([data-theme])").waitFor();
  await other.close();
});

test("the palette finds commands and conversations, also those that only the server knows", async () => {
  const near = server.thread("Otters and seals", [["user", "Hi"]]);
  const page = await open();
  // Nobody told the page of it.
  const far = server.thread("Tax return", [["user", "Hi"]], 1_000);
  const palette = page.getByRole("dialog", { name: "Commands" });
  const input = page.getByRole("combobox", { name: "Find a command or a conversation" });
  const chosen = palette.getByRole("option", { selected: true });

  await field(page).focus();
  await page.keyboard.press("Control+k");
  await input.waitFor();
  assert.deepEqual(await violations(page), []);
  await palette.getByRole("option", { name: "Otters and seals" }).waitFor();
  await page.keyboard.press("ArrowUp");
  assert.equal((await chosen.textContent())?.trim(), "Otters and seals", "up from the first is the last");
  await page.keyboard.press("Escape");
  await palette.waitFor({ state: "detached" });
  assert.equal(await focused(page), "Message", "the focus is where it was");

  await page.keyboard.press("Control+k");
  await input.fill("otse");
  assert.match((await chosen.textContent()) ?? "", /Otters and seals/);
  assert.equal(await input.getAttribute("aria-activedescendant"), await chosen.getAttribute("id"));
  await page.getByRole("status").filter({ hasText: "1 result" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/c/${near.conversation.id}`);
  await command(page, "pin");
  await until(
    () => asked("conversation.update").some(({ params }) => params["conversationId"] === near.conversation.id),
    "the open conversation is pinned",
  );

  await page.keyboard.press("Control+k");
  await input.fill("no such thing");
  await palette.getByText("Nothing of that name").waitFor();
  await input.fill("tax");
  await until(
    () => asked("conversation.search").some(({ params }) => params["query"] === "tax"),
    "the server is asked",
  );
  await palette.getByRole("option", { name: "Tax return" }).click();
  await page.waitForURL(`**/c/${far.conversation.id}`);

  await command(page, "theme dark");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await command(page, "choose a model");
  await page.getByRole("menuitemradio", { name: /Demo/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Shift+O");
  await page.waitForURL(`${server.url}/`);
  await until(async () => (await focused(page)) === "Message", "the field has the focus");
});

test("keys are listed under their names, and one that is only a character can be switched off", async () => {
  const page = await open();
  const sheet = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await field(page).pressSequentially("why?");
  assert.equal(await field(page).inputValue(), "why?");
  assert.equal(await sheet.count(), 0, "where somebody writes, it is a character");
  await field(page).fill("");

  await page.keyboard.press("Control+/");
  await sheet.waitFor();
  assert.match(await sheet.innerText(), /New conversation\s+Ctrl\s+Shift\s+O/);
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Commands" }).waitFor();
  assert.equal(await sheet.count(), 0, "one panel takes the place of the other");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "Message", "the focus is where it was before both");

  const outside = page.getByRole("link", { name: "New conversation" });
  await outside.focus();
  await page.keyboard.press("?");
  await sheet.waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await outside.evaluate((link) => link === document.activeElement), true);

  await command(page, "settings");
  await page.getByLabel("Open the list of shortcuts with ?").uncheck();
  await page.keyboard.press("Escape");
  await page.reload();
  await outside.focus();
  await page.keyboard.press("?");
  await page.keyboard.press("Control+/");
  await sheet.getByText("The key ? is switched off in the settings.").waitFor();
});

test("a slash offers prompts and commands, and leaves the keys of an input method and other texts alone", async () => {
  server.answers.set("prompt.list", () => ({
    prompts: [{ id: "p1", name: "Summarise", text: "Summarise {{this text}} briefly.", createdAt: ago(1) }],
    nextCursor: null,
  }));
  const { conversation } = server.thread("Notes", [["user", "Hi"]]);
  const page = await openConversation(conversation.id);
  const list = page.getByRole("listbox", { name: "Commands and prompts" });
  const chosen = list.getByRole("option", { selected: true });

  await field(page).pressSequentially("/");
  await list.getByRole("option", { name: /Summarise/ }).waitFor();
  assert.equal(await field(page).getAttribute("aria-activedescendant"), await chosen.getAttribute("id"));
  assert.deepEqual(await violations(page), []);
  await field(page).pressSequentially("su");
  await until(async () => /Summarise/.test((await chosen.textContent()) ?? ""), "the prompt is chosen");

  // An input method confirms its letters with Enter, and moves in its own list with arrows.
  for (const key of ["Enter", "ArrowDown", "Escape", "Tab"]) {
    await field(page).evaluate(
      (target, name) =>
        target.dispatchEvent(
          new KeyboardEvent("keydown", { key: name, isComposing: true, bubbles: true, cancelable: true }),
        ),
      key,
    );
  }
  assert.match((await chosen.textContent()) ?? "", /Summarise/);
  assert.equal(await field(page).inputValue(), "/su");
  assert.equal(asked("chat.send").length, 0);

  await page.keyboard.press("Enter");
  assert.equal(await field(page).inputValue(), "Summarise {{this text}} briefly.");
  await until(
    () =>
      field(page).evaluate(
        (area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd) === "{{this text}}",
      ),
    "what is to be filled in is selected",
  );
  await page.keyboard.type("a book");
  assert.equal(await field(page).inputValue(), "Summarise a book briefly.");
  assert.equal(await field(page).getAttribute("aria-activedescendant"), null);

  await say(page, "Tell me more");
  await until(() => asked("chat.send").length === 1, "the message");
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
  await field(page).fill("/");
  await list.waitFor();
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "detached" });
  assert.equal(asked("chat.stop").length, 0, "Escape closed the list, and stopped nothing");
  await field(page).fill("");
  await field(page).pressSequentially("/stop");
  await list.waitFor();
  await page.keyboard.press("Enter");
  await until(() => asked("chat.stop").length === 1, "the answer is stopped");
  assert.equal(await field(page).inputValue(), "");
  await page.locator(".agent .word").filter({ hasText: "Stopped" }).waitFor();

  await field(page).fill("/etc/hosts is what?");
  assert.equal(await list.count(), 0);
  await page.keyboard.press("Enter");
  await until(() => asked("chat.send").some(({ params }) => params["text"] === "/etc/hosts is what?"), "it is a text");
});

test("devices, memories and prompts are shown, changed and removed", async () => {
  let sessions = [
    { id: "s1", expiresAt: ago(-60), createdAt: ago(90), lastSeenAt: ago(0), device: "", current: true },
    { id: "s2", expiresAt: ago(-60), createdAt: ago(90), lastSeenAt: ago(125), device: FIREFOX, current: false },
  ];
  let memories = [{ id: "m1", text: "Likes tea", createdAt: ago(9) }];
  const prompts: { id: string; name: string; text: string; createdAt: string }[] = [];
  server.answers.set("session.list", () => ({ sessions }));
  server.answers.set("session.revoke", ({ sessionId }) => {
    sessions = sessions.filter(({ id }) => id !== sessionId);
    return {};
  });
  server.answers.set("memory.list", () => ({ memories, nextCursor: null }));
  server.answers.set("memory.update", ({ text }) => ({ memory: { ...memories[0], text } }));
  server.answers.set("memory.delete", () => ((memories = []), {}));
  server.answers.set("prompt.list", () => ({ prompts, nextCursor: null }));
  server.answers.set("prompt.save", ({ name, text }) => ({ prompt: { id: "p1", name, text, createdAt: ago(0) } }));
  const page = await open({ colorScheme: "dark" });
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await page.getByRole("button", { name: /account and theme/ }).click();
  await page.getByRole("menuitem", { name: "Settings…" }).click();
  await dialog.waitFor();

  const tab = (name: string) => dialog.getByRole("tab", { name, exact: true });
  const walked: string[] = [];
  for (let i = 0; i < 6; i++) {
    walked.push((await dialog.getByRole("tab", { selected: true }).textContent())?.trim() ?? "");
    assert.deepEqual(await violations(page), [], walked.at(-1) ?? "");
    await page.keyboard.press("ArrowDown");
  }
  assert.deepEqual(walked, ["General", "Notifications", "Prompts", "Memory", "Devices", "Account"]);

  await tab("Devices").click();
  await dialog.getByText("This device").waitFor();
  assert.match(await dialog.getByRole("listitem").nth(1).innerText(), /Firefox on macOS[^]*Last active 2 hours ago/);
  await dialog.getByRole("button", { name: "End session: Firefox on macOS" }).click();
  await dialog.getByText("Firefox on macOS").waitFor({ state: "detached" });

  await tab("Memory").click();
  await dialog.getByRole("button", { name: "Edit memory: Likes tea" }).click();
  await dialog.getByRole("textbox", { name: "Memory" }).fill("Likes coffee");
  await page.keyboard.press("Escape");
  await dialog.getByText("Likes tea").waitFor();
  await dialog.getByRole("button", { name: "Edit memory: Likes tea" }).click();
  await dialog.getByRole("textbox", { name: "Memory" }).fill("Likes coffee");
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Likes coffee").waitFor();
  await dialog.getByRole("button", { name: "Delete memory: Likes coffee" }).click();
  await dialog.getByRole("button", { name: /Really delete/ }).click();
  await dialog.getByText("Nothing is remembered yet.").waitFor();

  await tab("Prompts").click();
  await dialog.getByRole("button", { name: "New prompt" }).click();
  await dialog.getByLabel("Name").fill("Greeting");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").filter({ hasText: "Give it a name and a text." }).waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel("Text").fill("Dear {{name}}");
  server.refusals.set("prompt.save", "TOO_MANY");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").filter({ hasText: "Remove one of them first." }).waitFor();
  server.refusals.clear();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Dear {{name}}").waitFor();
  await dialog.getByRole("button", { name: "Delete prompt: Greeting" }).click();
  await page.keyboard.press("Enter");
  await dialog.getByText("No prompts yet.").waitFor();

  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement?.className ?? ""), /who/, "back at the menu's button");
});

interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly click: () => void;
}

/** The browser's own would be shown where no test can see it. */
const recordNotifications = (context: OpenPage["page"]) =>
  context.addInitScript(() => {
    const shown: Shown[] = [];
    class Recorded extends EventTarget {
      static permission = "default";
      static requestPermission(): Promise<string> {
        Recorded.permission = "granted";
        return Promise.resolve("granted");
      }
      constructor(title: string, { body, tag }: { body: string; tag: string }) {
        super();
        shown.push({ title, body, tag, click: () => this.dispatchEvent(new Event("click")) });
      }
      close(): void {
        this.dispatchEvent(new Event("close"));
      }
    }
    Object.assign(globalThis, { Notification: Recorded, shown, hiddenNow: false });
    Object.defineProperty(document, "visibilityState", {
      get: () => ((globalThis as { hiddenNow?: boolean }).hiddenNow === true ? "hidden" : "visible"),
    });
  });

/** Until other tabs know too: the browser tells them, by a lock, in its own time. */
const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate(async (now) => {
    const held = async () => (await navigator.locks.query()).held?.length;
    const before = await held();
    const was = document.visibilityState === "hidden";
    Object.assign(globalThis, { hiddenNow: now });
    document.dispatchEvent(new Event("visibilitychange"));
    const end = performance.now() + 5_000;
    while (was !== now && (await held()) === before && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }, hidden);
const notifications = (page: Page): Promise<readonly Omit<Shown, "click">[]> =>
  page.evaluate(() =>
    (globalThis as unknown as { shown: Shown[] }).shown.map(({ title, body, tag }) => ({ title, body, tag })),
  );

test("who asked for it is told of answers and decisions while the page is hidden, once, and without their words", async () => {
  const { conversation } = server.thread("Otters", [["user", "Hi"]]);
  const other = server.thread("Seals", [["user", "Hi"]]);
  const page = await openConversation(conversation.id);
  await recordNotifications(page);
  await page.reload();
  await field(page).waitFor();
  const answer = async (id: string, words: string) => {
    await say(page, "Go on");
    await until(() => server.threads.get(id)?.active !== undefined, "the run");
    const run = server.lastRun(id);
    server.say(run, words);
    await page.getByText(words).waitFor();
    return run;
  };

  const first = await answer(conversation.id, "Nobody asked yet.");
  await hide(page, true);
  server.finish(first, "completed");
  await until(async () => (await page.title()) === "(1) Otters · Parley", "the title tells");
  assert.deepEqual(await notifications(page), []);
  await hide(page, false);
  await until(async () => (await page.title()) === "Otters · Parley", "looked at");

  await command(page, "notifications");
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await dialog.getByRole("button", { name: "Allow notifications…" }).click();
  await until(() => dialog.getByLabel(/Tell me when/).isChecked(), "it is on");
  await page.keyboard.press("Escape");

  const second = await answer(conversation.id, "A secret answer.");
  await hide(page, true);
  server.ask(second, server.call(second, "file_delete", { name: "a.txt" }), { summary: "Delete a.txt." });
  await until(async () => (await notifications(page)).length === 1, "the decision");
  await hide(page, false);
  await page.getByRole("button", { name: "Deny" }).click();
  await hide(page, true);
  server.finish(second, "completed");
  await until(async () => (await notifications(page)).length === 2, "the answer");
  const [decision, finished] = await notifications(page);
  assert.deepEqual([decision?.title, decision?.body], ["Otters", "Your decision is needed."]);
  assert.deepEqual(finished, { title: "Otters", body: "The answer is finished.", tag: `parley ${second.id}` });
  await hide(page, false);

  // Whoever looks at another tab sees it there.
  const tab = await page.context().newPage();
  await recordNotifications(tab);
  await tab.goto(page.url());
  await field(tab).waitFor();
  for (const looked of [true, false]) {
    const run = await answer(conversation.id, looked ? "Seen over there." : "Seen by nobody.");
    await tab.getByText(looked ? "Seen over there." : "Seen by nobody.").waitFor();
    await hide(page, true);
    await hide(tab, !looked);
    server.finish(run, "completed");
    await until(async () => (await page.title()) === "(1) Otters · Parley", "the title tells in any case");
    if (!looked) await until(async () => (await notifications(page)).length === 3, "nobody looks at any tab");
    assert.equal((await notifications(page)).at(-1)?.tag === `parley ${run.id}`, !looked);
  }
  await hide(page, false);
  await tab.close();

  // In a conversation that was left meanwhile, and with its words, as the person wants it now.
  await command(page, "notifications");
  await dialog.getByLabel("Show what it says").check();
  await page.keyboard.press("Escape");
  const third = await answer(conversation.id, "Long and winding.");
  const listening = () =>
    asked("topic.subscribe").filter(({ params }) => params["topic"] === `conversation:${conversation.id}`).length;
  const before = listening();
  await page.getByRole("link", { name: "Seals" }).click();
  await page.waitForURL(`**/c/${other.conversation.id}`);
  await until(() => listening() > before, "it is listened to");
  await hide(page, true);
  server.finish(third, "completed");
  await until(async () => (await notifications(page)).length === 4, "the one that was left");
  await page.evaluate(() => (globalThis as unknown as { shown: Shown[] }).shown.at(-1)?.click());
  await page.waitForURL(`**/c/${conversation.id}`);
  const fourth = await answer(conversation.id, "Said aloud.");
  server.finish(fourth, "completed");
  await until(async () => (await notifications(page)).at(-1)?.body === "Said aloud.", "its words");
});
