import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { uuidv7 } from "../src/protocol/id.ts";
import type { FilePart } from "../src/protocol/shapes.ts";
import { violations } from "./support/axe.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// The list of conversations: order, folders, archive, deletion and its way back, search, links and files.

const web = webTest();
const DAY = 86_400_000;
/** A picture of one point. */
const DOT = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  "base64",
);

const list = (page: Page) => page.getByRole("navigation", { name: "Conversations" });
const row = (page: Page, name: string) => list(page).getByRole("link", { name });
const toast = (page: Page, name: RegExp | string) => page.getByRole("region", { name });

/** Opens the menu of a row with the pointer and chooses. */
async function choose(page: Page, title: string, ...items: readonly string[]): Promise<void> {
  await row(page, title).hover();
  await list(page)
    .getByRole("button", { name: `Actions for ${title}` })
    .click();
  for (const name of items) await page.getByRole("menuitem", { name, exact: true }).click();
}

const clean = async (page: Page, state: string) => assert.deepEqual(await violations(page), [], state);

test("a conversation is pinned, moved into a new folder, and archived; other tabs see it at once", async () => {
  const { server } = web;
  const { conversation } = server.thread("Trip", [["user", "Hi"]], 3 * DAY);
  server.thread("Taxes", [["user", "Hi"]]);
  const page = await web.openConversation(conversation.id);
  const other = await web.open();
  await row(other, "Trip").waitFor();

  await choose(page, "Trip", "Pin");
  await list(other).getByRole("heading", { name: "Pinned" }).waitFor();
  assert.equal(await list(page).getByRole("link").first().textContent(), "Trip");
  await choose(page, "Trip", "Unpin");
  await list(other).getByRole("heading", { name: "Pinned" }).waitFor({ state: "detached" });

  await choose(page, "Trip", "Move to a folder", "New folder");
  const dialog = page.getByRole("dialog", { name: "New folder" });
  await dialog.getByRole("textbox", { name: "Name of the folder" }).waitFor();
  await clean(page, "the dialog of a folder");
  await page.keyboard.type("Travel");
  await page.keyboard.press("Enter");
  const folder = (on: Page, name: string) => list(on).getByRole("button", { name, exact: true });
  await folder(other, "Travel").waitFor();
  await row(other, "Trip").waitFor({ state: "detached" });
  await folder(page, "Travel").click();
  await row(page, "Trip").waitFor();
  await clean(page, "an open folder");

  await folder(page, "Travel").hover();
  await list(page).getByRole("button", { name: "Actions for the folder Travel" }).click();
  await page.getByRole("menuitem", { name: "Rename folder" }).click();
  await page.getByRole("textbox", { name: "Name of the folder" }).fill("Journeys");
  await page.getByRole("button", { name: "Save" }).click();
  await folder(other, "Journeys").waitFor();
  await folder(page, "Journeys").hover();
  await list(page).getByRole("button", { name: "Actions for the folder Journeys" }).click();
  await page.getByRole("menuitem", { name: "Delete folder" }).click();
  await row(other, "Trip").waitFor();

  await choose(page, "Trip", "Archive");
  await row(other, "Trip").waitFor({ state: "detached" });
  await toast(page, /is in the archive/).waitFor();
  await clean(page, "a toast");
  await list(other).getByRole("button", { name: "Archived" }).click();
  await row(other, "Trip").waitFor();
  await clean(other, "the archive");
  await choose(other, "Trip", "Move out of the archive");
  await row(page, "Trip").waitFor();
  await list(other).getByRole("button", { name: "Back to all conversations" }).click();
  await row(other, "Trip").waitFor();
});

test("the keyboard alone finds an old conversation, pins it, archives it, deletes it and takes that back", async () => {
  const { server } = web;
  for (let i = 0; i < 4; i++) server.thread(`Other ${i}`, [["user", "Hay"]], i * DAY);
  server.thread(
    "Kitchen",
    [
      ["user", "Where is the colander?"],
      ["assistant", "In the cupboard."],
    ],
    200 * DAY,
  );
  const page = await web.open();
  await row(page, "Kitchen").waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.replaceAll(/\s+/g, " ").trim() ?? "");
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };

  await page.getByRole("searchbox", { name: "Search conversations" }).focus();
  await page.keyboard.type("CUPBOARD");
  await page.getByRole("status").filter({ hasText: "1 conversation found" }).waitFor();
  await clean(page, "search results");
  assert.equal(web.requests("conversation.search").at(-1)?.["query"], "CUPBOARD");
  assert.ok(web.requests("conversation.search").length < 8, "each key asked the server");
  await press("ArrowDown");
  assert.match(await focused(), /^Kitchen.*In the cupboard\.$/);
  assert.equal(await page.locator("mark").textContent(), "cupboard");
  await press("Enter");
  await page.getByRole("heading", { level: 1, name: "Kitchen" }).waitFor();
  await page.locator("article.found").waitFor();
  await until(
    () => page.evaluate(() => document.activeElement?.matches("article.found") === true),
    "the focus on the message",
  );
  await page.getByRole("link", { name: /Kitchen.*cupboard/s }).focus();
  await press("ArrowUp", "Escape");
  await row(page, "Other 1").waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), "");

  const menu = page.getByRole("menu", { name: "Actions for Kitchen" });
  const openMenu = async () => {
    await row(page, "Kitchen").focus();
    await press("Tab", "Enter");
    await menu.getByRole("menuitem", { name: "Rename" }).waitFor();
    await until(async () => (await focused()) === "Rename", "the focus in the menu");
  };
  await openMenu();
  await clean(page, "the menu of a row");
  await press("p", "Enter");
  await list(page).getByRole("heading", { name: "Pinned" }).waitFor();
  await until(async () => (await focused()) === "Kitchen", "the focus on the row");
  await openMenu();
  await press("Escape");
  await until(
    async () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") === "Actions for Kitchen"),
    "the focus on the opener",
  );

  await openMenu();
  await press("a", "Enter");
  await toast(page, "The conversation is in the archive.").waitFor();
  await until(async () => (await focused()) === "Undo", "the focus on the way back");
  await press("Enter");
  await until(async () => (await focused()) === "Kitchen", "the focus on the row that came back");

  await press("Delete");
  await row(page, "Kitchen").waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/");
  await until(async () => (await focused()) === "Undo", "the focus on the way back");
  await press("Enter");
  await page.getByRole("heading", { level: 1, name: "Kitchen" }).waitFor();
  await until(async () => (await focused()) === "Kitchen", "the focus on the row that came back");
});

test("what is deleted in one tab is gone in the others, and each may take it back; a refusal brings it back", async () => {
  const { server } = web;
  const { conversation } = server.thread("Notes", [["user", "Hi"]]);
  const page = await web.openConversation(conversation.id);
  const other = await web.openConversation(conversation.id);
  await choose(page, "Notes", "Delete");
  await other.locator(".suggestion").first().waitFor();
  await row(other, "Notes").waitFor({ state: "detached" });
  await toast(other, /deleted/)
    .getByRole("button", { name: "Undo" })
    .click();
  await other.getByRole("heading", { level: 1, name: "Notes" }).waitFor();
  await row(page, "Notes").waitFor();

  server.refusals.set("conversation.delete", "UNAVAILABLE");
  server.refusals.set("conversation.update", "FORBIDDEN");
  await choose(page, "Notes", "Archive");
  await page.getByRole("alert").filter({ hasText: "may not do that" }).waitFor();
  await row(page, "Notes").waitFor();
});

test("on a phone, Escape leaves the search and then the drawer, and the way back lies over it", async () => {
  const { conversation } = web.server.thread("Notes", [["user", "Hi"]]);
  const page = await web.openConversation(conversation.id, { viewport: { width: 390, height: 780 } });
  const drawer = page.getByRole("dialog", { name: "Sidebar" });
  await page.getByRole("button", { name: "Conversations" }).click();
  await drawer.getByRole("searchbox").fill("no");
  await page.getByRole("status").filter({ hasText: "1 conversation found" }).waitFor();
  await page.keyboard.press("Escape");
  await row(page, "Notes").focus();
  await page.keyboard.press("Delete");
  await toast(page, /deleted/)
    .getByRole("button", { name: "Undo" })
    .click();
  await row(page, "Notes").waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
});

test("a long list comes in pages as it is scrolled, and so do a folder and the archive", async () => {
  const { server } = web;
  const folder = { id: "f", name: "Old things", createdAt: new Date().toISOString() };
  server.list.folders = [folder];
  for (let i = 0; i < 130; i++) {
    const thread = server.thread(`Nr ${i}`, [], (i + 1) * 3_600_000);
    if (i === 129) thread.conversation = { ...thread.conversation, folderId: folder.id };
  }
  const page = await web.open();
  await row(page, "Nr 0").waitFor();
  assert.equal(await row(page, "Nr 128").count(), 0);
  await list(page).getByRole("button", { name: "Old things", exact: true }).click();
  await row(page, "Nr 129").waitFor();
  await until(async () => {
    await list(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    return (await row(page, "Nr 128").count()) === 1;
  }, "the last page");
  assert.deepEqual(
    web.requests("conversation.list").map(({ cursor, folderId }) => folderId ?? cursor),
    ["f", "50", "100"],
  );
});

test("a link is made, shown once, and replaced; whoever has it reads, and nobody when it is revoked", async () => {
  const { server } = web;
  const thread = server.thread("Plans", [
    ["user", "What is the plan?"],
    ["assistant", "To go north."],
  ]);
  const page = await web.openConversation(thread.conversation.id);
  await choose(page, "Plans", "Share…");
  const dialog = page.getByRole("dialog", { name: "Share by link" });
  await dialog.getByText("There is no link yet.").waitFor();
  await clean(page, "the dialog of a link");
  await dialog.getByRole("button", { name: "Create a link" }).click();
  const address = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  assert.match(address, new RegExp(`^${server.url}/s#[A-Za-z0-9_-]{43}$`));
  await page.keyboard.press("Escape");
  await choose(page, "Plans", "Share…");
  await dialog.getByText(/There is a link since/).waitFor();
  assert.equal(await dialog.getByRole("textbox").count(), 0);

  const reader = await web.open();
  await reader.locator(".suggestion").first().waitFor();
  await reader.goto(address);
  await reader.getByText("Shared by Robin. You can read it, not write in it.").waitFor();
  await reader.getByText("To go north.").waitFor();
  await reader.getByText("What is the plan?").waitFor();
  assert.equal(await reader.getByRole("textbox", { name: /Message/ }).count(), 0);
  assert.equal(await reader.getByRole("button", { name: "Edit message" }).count(), 0);
  await clean(reader, "a conversation that is read by a link");
  for (const params of web.requests("topic.subscribe").slice(-1))
    assert.equal(params["shareToken"], address.split("#")[1]);

  await dialog.getByRole("button", { name: "Stop sharing" }).click();
  await dialog.getByText("The link does not work any more.").waitFor();
  server.forget(`conversation:${thread.conversation.id}`);
  await reader.getByRole("heading", { name: "This link does not work" }).waitFor();
  await clean(reader, "a link that does not work");
  assert.equal(await reader.getByText("To go north.").count(), 0);
  await reader.getByRole("button", { name: "New conversation" }).click();
  await reader.locator(".suggestion").first().waitFor();
});

test("whoever reads by a link sees its pictures and gets its files, by that link alone", async () => {
  const { server } = web;
  const put = (name: string, mediaType: string, bytes: Uint8Array): FilePart => {
    const part: FilePart = { type: "file", fileId: uuidv7(), name, mediaType, size: bytes.length };
    server.files.set(part.fileId, { part, bytes });
    return part;
  };
  const picture = put("otter.png", "image/png", DOT);
  const notes = put("notes.txt", "text/plain", Buffer.from("Milk and bread"));
  const lost = { ...picture, fileId: uuidv7(), name: "lost.png" };
  const thread = server.thread("Otters", [
    ["user", [{ type: "text", text: "Look" }, picture, notes, lost]],
    ["assistant", "An otter."],
  ]);
  const page = await web.openConversation(thread.conversation.id);
  await choose(page, "Otters", "Share…");
  const dialog = page.getByRole("dialog", { name: "Share by link" });
  await dialog.getByRole("button", { name: "Create a link" }).click();
  const address = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  const before = server.downloads.length;

  const reader = await web.open();
  await reader.locator(".suggestion").first().waitFor();
  await reader.goto(address);
  const image = reader.getByRole("img", { name: "otter.png" });
  await until(() => image.evaluate((img) => img instanceof HTMLImageElement && img.naturalWidth > 0), "the picture");
  assert.match((await image.getAttribute("src")) ?? "", /^blob:/);
  await reader.getByText("not available").waitFor();
  const button = reader.getByRole("button", { name: "notes.txt" });
  const [download] = await Promise.all([reader.waitForEvent("download"), button.press("Enter")]);
  assert.equal(download.suggestedFilename(), "notes.txt");
  assert.equal(await readFile(await download.path(), "utf8"), "Milk and bread");
  const token = address.split("#")[1];
  assert.deepEqual(
    server.downloads.slice(before).map((one) => one.token),
    [token, token, token],
  );
  await clean(reader, "files that are read by a link");
});

test("what was deleted a while ago is found and restored, by the keyboard, and other tabs see it", async () => {
  const { server } = web;
  server.thread("Keep", [["user", "Hi"]]);
  const trip = server.thread("Trip", [["user", "To the sea"]], DAY);
  const taxes = server.thread("Taxes", [["user", "Hi"]], 2 * DAY);
  for (const { conversation } of [taxes, trip]) server.list.delete(conversation.id, []);
  const page = await web.open();
  const other = await web.openTab(page);
  const focused = () => page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent);
  const trash = (on: Page) => list(on).getByRole("button", { name: "Recently deleted" });
  await row(page, "Keep").waitFor();
  await trash(other).click();
  await other.getByText("Gone in 7 days").first().waitFor();

  await trash(page).focus();
  await page.keyboard.press("Enter");
  const restore = (on: Page, name: string) => list(on).getByRole("button", { name: `Restore ${name}`, exact: true });
  await restore(page, "Trip").waitFor();
  assert.equal(await focused(), "Recently deleted");
  await clean(page, "what was deleted");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Restore Trip");
  await page.keyboard.press("Enter");
  await restore(page, "Trip").waitFor({ state: "detached" });
  await until(async () => (await focused()) === "Restore Taxes", "the focus on the next one");
  await restore(other, "Trip").waitFor({ state: "detached" });
  await toast(page, "The conversation is back in the list.").getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { level: 1, name: "Trip" }).waitFor();

  await list(other).getByRole("button", { name: "Back to all conversations" }).click();
  await row(other, "Keep").focus();
  await other.keyboard.press("Delete");
  await restore(page, "Keep").waitFor();
  server.refusals.set("conversation.restore", "NOT_FOUND");
  await restore(page, "Keep").click();
  await list(page).getByRole("alert").waitFor();
  await clean(page, "what could not be restored");
  await page.getByRole("button", { name: "Back to all conversations" }).focus();
  await page.keyboard.press("Enter");
  await until(async () => (await focused())?.trim() === "Recently deleted", "the focus on the opener");
});

test("what was deleted is deleted for good, after a second press, and is gone in other tabs too", async () => {
  const { server } = web;
  for (const title of ["Diary", "Trip"]) server.list.delete(server.thread(title, [["user", "Hi"]]).conversation.id, []);
  const page = await web.open();
  const other = await web.openTab(page);
  for (const one of [page, other]) await list(one).getByRole("button", { name: "Recently deleted" }).click();
  const named = (on: Page, name: string) => list(on).getByRole("button", { name, exact: true });
  await named(other, "Delete Diary for good").waitFor();

  await named(page, "Delete Diary for good").focus();
  await page.keyboard.press("Enter");
  await named(page, "Really delete? Delete Diary for good").waitFor();
  await clean(page, "the question whether to delete for good");
  await page.keyboard.press("Tab");
  await named(page, "Delete Diary for good").waitFor();

  server.refusals.set("conversation.purge", "BUSY");
  await named(page, "Delete Diary for good").click();
  await named(page, "Really delete? Delete Diary for good").click();
  await list(page).getByRole("alert").waitFor();
  server.refusals.clear();
  await named(page, "Delete Diary for good").click();
  await named(page, "Really delete? Delete Diary for good").click();
  await toast(page, "The conversation is deleted for good.").waitFor();
  for (const one of [page, other]) await named(one, "Restore Diary").waitFor({ state: "detached" });
  await named(page, "Restore Trip").waitFor();
});

test("a conversation is downloaded as Markdown and as JSON, whole", async () => {
  await web.restart({ cutAt: 50 });
  const { server } = web;
  const long = `Long ${"word ".repeat(40)}end`;
  const { conversation } = server.thread('A "title": with / signs', [
    ["user", "Go"],
    ["assistant", [{ type: "text", text: long }]],
  ]);
  const page = await web.openConversation(conversation.id);
  const file = async (item: string) => {
    const [download] = await Promise.all([page.waitForEvent("download"), choose(page, conversation.title, item)]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  const markdown = await file("Export as Markdown");
  assert.match(markdown.name, /^A title with signs\.md$/);
  assert.equal(markdown.text, `# ${conversation.title}\n\n## You\n\nGo\n\n## demo\n\n${long}\n`);
  const json = await file("Export as JSON");
  const { format, version, messages } = JSON.parse(json.text) as {
    format: string;
    version: number;
    messages: { parts: { text: string }[] }[];
  };
  assert.deepEqual(
    [format, version, messages.length, messages[1]?.parts[0]?.text],
    ["parley.conversation", 1, 2, long],
  );
});
