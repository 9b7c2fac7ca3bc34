import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { until } from "./support/until.ts";
import { say } from "./support/web-page.ts";
import { webTest } from "./support/web-test.ts";

// Files of a message: chosen, pasted, dropped; on their way, refused, taken back, sent, shown.

const web = webTest();

/** One pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const picture = (name = "photo.png") => ({ name, mimeType: "image/png", buffer: PNG });
const notes = (name = "notes.md") => ({ name, mimeType: "text/markdown", buffer: Buffer.from("# Notes") });

async function opened(): Promise<Page> {
  return web.openConversation(web.server.thread("Files").conversation.id);
}

const attached = (page: Page) => page.getByRole("list", { name: "Attached files" }).getByRole("listitem");
const choose = (page: Page, ...files: ReturnType<typeof notes>[]) =>
  page.locator("input[type=file]").setInputFiles(files);
const sent = () => web.requests("chat.send");

test("files that are chosen are uploaded, sent with the message, and shown in it", async () => {
  const page = await opened();
  await choose(page, picture(), notes());
  await attached(page).filter({ hasText: "7 B" }).waitFor();
  await until(() => web.server.files.size === 2, "the uploads");
  await page.locator(".attachments img.thumb").waitFor();
  assert.equal(await page.locator(".send").getAttribute("aria-disabled"), "true", "a message needs words");
  const [photo, text] = [...web.server.files.keys()];
  await web.ask(page, "What is this?");
  assert.deepEqual(sent()[0]?.["parts"], [
    { type: "file", fileId: photo },
    { type: "file", fileId: text },
  ]);
  assert.equal(await attached(page).count(), 0);
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    const shown = page.locator(".person .files");
    const image = shown.getByRole("img", { name: "photo.png" });
    await until(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth === 1), "the picture");
    const { width = 0, height = 1 } = (await image.boundingBox()) ?? {};
    assert.ok(Math.abs(width / height - 4 / 3) < 0.02, "its box is known before it is there");
    const chip = shown.getByRole("link", { name: /notes\.md/ });
    assert.deepEqual(
      [await chip.getAttribute("href"), await chip.getAttribute("download")],
      [`/files/${text}`, "notes.md"],
    );
  }
});

test("what is on its way is shown, keeps the message back, and can be given up", async () => {
  const page = await opened();
  let release = (): void => {};
  web.server.uploads = new Promise((resolve) => (release = resolve));
  await choose(page, picture());
  await page.getByRole("progressbar", { name: "Uploading photo.png" }).waitFor();
  await say(page, "What is this?");
  await page.getByRole("alert").filter({ hasText: "The files are still on their way." }).waitFor();
  assert.equal(sent().length, 0);
  await page.getByRole("button", { name: "Remove photo.png" }).click();
  await attached(page).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
  await page.keyboard.press("Enter");
  await until(() => sent().length === 1, "the message");
  assert.equal(sent()[0]?.["parts"], undefined);
  release();
});

test("a file that the server will not take says why, before or after it was asked", async () => {
  const page = await opened();
  await choose(page, { name: "film.mp4", mimeType: "video/mp4", buffer: Buffer.from("film") });
  await attached(page)
    .getByText(/this is something else/)
    .waitFor();
  web.server.refusals.set("files", "FILE_REFUSED");
  await choose(page, notes());
  await attached(page)
    .getByText(/Send one file with its name/)
    .waitFor();
  web.server.refusals.set("files", "UNAVAILABLE");
  await choose(page, notes("other.md"));
  await attached(page).getByText("It could not be sent.").waitFor();
  web.server.refusals.clear();
  await page.getByRole("button", { name: "Upload other.md again" }).click();
  await attached(page).filter({ hasText: "other.md" }).getByText("7 B").waitFor();
  await web.ask(page, "Read it");
  assert.equal((sent()[0]?.["parts"] as unknown[] | undefined)?.length, 1, "refused ones are not sent");
});

test("files are pasted and dropped; text with a picture of itself stays text", async () => {
  const page = await opened();
  const give = (kind: "paste" | "drop", withText: boolean) =>
    page.evaluate(
      ([type, text]) => {
        const data = new DataTransfer();
        data.items.add(new File(["hello"], `${type}.txt`, { type: "text/plain" }));
        if (text) data.setData("text/plain", "a table");
        const target = document.querySelector(type === "paste" ? "parley-composer textarea" : ".transcript");
        const init = { bubbles: true, cancelable: true };
        target?.dispatchEvent(
          type === "paste"
            ? new ClipboardEvent("paste", { ...init, clipboardData: data })
            : new DragEvent("drop", { ...init, dataTransfer: data }),
        );
      },
      [kind, withText] as const,
    );
  await give("paste", true);
  await give("paste", false);
  await give("drop", false);
  await until(async () => (await attached(page).count()) === 2, "both files");
  assert.deepEqual(await attached(page).locator(".name").allTextContents(), ["paste.txt", "drop.txt"]);
});

test("while files are held over the page, it says where they would go", async () => {
  const page = await opened();
  const hold = (type: "dragover" | "dragleave") =>
    page.evaluate((name) => {
      const data = new DataTransfer();
      data.items.add(new File(["hello"], "a.txt"));
      const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data });
      document.querySelector(".scroller")?.dispatchEvent(event);
    }, type);
  await hold("dragover");
  await page.getByText("Drop files to attach them").waitFor();
  await hold("dragleave");
  await page.getByText("Drop files to attach them").waitFor({ state: "detached" });
});

test("what was uploaded and not sent is there after a reload, and in no other conversation", async () => {
  const page = await opened();
  await choose(page, notes());
  await attached(page).getByText("7 B").waitFor();
  await page.reload();
  await attached(page).getByText("notes.md").waitFor();
  await page.getByRole("link", { name: "New conversation" }).click();
  await page.locator(".suggestion").first().waitFor();
  assert.equal(await attached(page).count(), 0);
  await page.goBack();
  await attached(page).getByText("notes.md").waitFor();
  await web.ask(page, "Read it");
  assert.equal((sent()[0]?.["parts"] as unknown[] | undefined)?.length, 1);
  await page.reload();
  await page.locator(".person", { hasText: "Read it" }).waitFor();
  assert.equal(await attached(page).count(), 0);
});

test("the first message of a conversation takes its files along, and an edit keeps them", async () => {
  const page = await web.open();
  await choose(page, notes());
  await attached(page).getByText("7 B").waitFor();
  await web.ask(page, "Read it");
  await page.waitForURL(/\/c\//);
  const chip = page.locator(".person .file-chip");
  await chip.waitFor();
  assert.equal(await attached(page).count(), 0);
  web.server.finish(web.server.lastRun(), "completed");
  await page.getByRole("button", { name: "Edit message" }).click();
  await page.getByRole("textbox", { name: "Edit message" }).fill("Read it twice");
  await page.keyboard.press("Enter");
  await until(() => web.requests("chat.edit").length === 1, "the edit");
  assert.deepEqual(web.requests("chat.edit")[0]?.["parts"], sent()[0]?.["parts"]);
  await page.locator(".person", { hasText: "Read it twice" }).locator(".file-chip").waitFor();
});

test("a picture that is gone leaves its name", async () => {
  const page = await opened();
  await choose(page, picture());
  await attached(page).getByText("70 B").waitFor();
  await web.ask(page, "What is this?");
  web.server.files.clear();
  await page.reload();
  await page.locator(".person .files").getByText("not available").waitFor();
});
