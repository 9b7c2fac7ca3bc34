import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import type { Run } from "../src/protocol/shapes.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// What is long is laid out only where somebody looks, and is there for those who listen to it: in the tree that Chromium
// makes while a screen reader runs. (What it shows to developers without one leaves out all that is not laid out.)

const web = webTest(["--force-renderer-accessibility"]);

interface Counted {
  readonly roles: ReadonlyMap<string, number>;
  /** What stands in texts. */
  readonly words: ReadonlySet<string>;
}

async function accessible(page: Page): Promise<Counted> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const roles = new Map<string, number>();
  const words = new Set<string>();
  for (const { ignored, role, name } of nodes) {
    if (ignored) continue;
    const kind = String(role?.value);
    roles.set(kind, (roles.get(kind) ?? 0) + 1);
    if (kind === "StaticText") words.add(String(name?.value));
  }
  return { roles, words };
}

/** Not while it is off the screen. */
const isLaidOut = (element: Locator): Promise<boolean> =>
  element.evaluate((node) => node.checkVisibility({ contentVisibilityAuto: true }));

test("every row and cell of a long table can be heard, and only those near the screen are laid out", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `| name ${i} | **value** ${i} | ${i * 7} |`);
  const table = `| Name | Value | Number |\n|---|---|--:|\n${rows.join("\n")}\n`;
  const { conversation } = web.server.thread("Rows", [
    ["user", "All rows"],
    ["assistant", table],
  ]);
  const page = await web.openConversation(conversation.id);
  await until(async () => (await page.locator("parley-table tbody tr").count()) === 300, "all rows");
  assert.equal(await isLaidOut(page.locator("tbody tr").first()), true);
  assert.equal(await isLaidOut(page.locator("tbody tr").last()), false);
  await until(async () => {
    const { roles, words } = await accessible(page);
    return roles.get("row") === 301 && roles.get("cell") === 900 && words.has("name 299") && words.has("2093");
  }, "all rows in the tree");
});

const part = (n: number): string => `## Part ${n}\n\n${`Words of part ${n}. `.repeat(8)}\n\n- [ ] one\n- [x] two\n\n`;

test("a long answer begins with its end, and all of it can be heard soon", async () => {
  const answer = Array.from({ length: 150 }, (_, n) => part(n)).join("");
  const { conversation } = web.server.thread("Parts", [
    ["user", "All parts"],
    ["assistant", answer],
  ]);
  const page = await web.openConversation(conversation.id);
  await page.getByText("Words of part 149.").waitFor();
  const end = await page.locator(".agent .h2", { hasText: "Part 149" }).elementHandle();
  await until(async () => (await page.locator(".agent .h2").count()) === 150, "all parts");
  assert.equal(await page.locator(".chunk.place").count(), 0);
  assert.equal(await end?.evaluate((heading) => heading.isConnected), true, "the end is not made again");
  assert.equal(await isLaidOut(page.locator(".agent .h2").first()), false);
  assert.equal(await isLaidOut(page.locator(".agent .h2").last()), true);
  assert.equal(await page.locator(".agent .h2").first().textContent(), "Part 0");
  await until(async () => {
    const { words } = await accessible(page);
    return ["Part 0", "Part 75", "Part 149"].every((heading) => words.has(heading));
  }, "all parts in the tree");
  // Whoever goes there reads it.
  await page.locator(".agent .h2").first().scrollIntoViewIfNeeded();
  await until(() => isLaidOut(page.locator(".agent .h2").first()), "the beginning is laid out");
});

test("messages above the screen can be heard too", async () => {
  const said = Array.from({ length: 40 }, (_, i) => [i % 2 === 0 ? "user" : "assistant", `Message ${i}`] as const);
  const { conversation } = web.server.thread("Messages", said);
  const page = await web.openConversation(conversation.id);
  await until(async () => (await page.locator("article").count()) === 40, "all messages");
  await until(async () => !(await isLaidOut(page.locator("article").first())), "the first is off the screen");
  await until(async () => {
    const { words } = await accessible(page);
    return said.every(([, text]) => words.has(text));
  }, "all messages in the tree");
});

/** As a model does: bit by bit, and the page shows what it has between two of them. */
async function write(page: Page, run: Run, text: string): Promise<void> {
  for (const piece of text.match(/[\s\S]{1,80}/g) ?? []) {
    web.server.say(run, piece);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

test("what is read of a growing answer stays in place and selected, and is skipped when it is far from the end", async () => {
  const { conversation } = web.server.thread("Growing");
  const page = await web.openConversation(conversation.id);
  const run = await web.ask(page);
  const parts = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => part(from + i)).join("");
  await write(page, run, parts(0, 20));
  const heading = page.locator(".agent .h2", { hasText: "Part 10" });
  await page.getByText("Words of part 19.").waitFor();
  assert.equal(await isLaidOut(page.locator(".agent .h2", { hasText: "Part 19" })), true);
  await page.mouse.move(640, 300);
  await page.mouse.wheel(0, -200);
  await page.getByRole("button", { name: "Jump to latest" }).waitFor();
  await heading.evaluate((node) => {
    node.scrollIntoView({ block: "center" });
    getSelection()?.selectAllChildren(node);
  });
  const top = await heading.evaluate((node) => node.getBoundingClientRect().top);
  await write(page, run, parts(20, 45));
  await until(async () => (await page.locator(".agent .h2").count()) === 45, "all parts");
  assert.ok(Math.abs((await heading.evaluate((node) => node.getBoundingClientRect().top)) - top) < 1);
  assert.equal(await page.evaluate(() => getSelection()?.toString()), "Part 10");
  assert.equal(await isLaidOut(heading), true);
  assert.equal(await isLaidOut(page.locator(".agent .h2", { hasText: "Part 0" }).first()), false);
  assert.equal(await isLaidOut(page.locator(".agent .h2", { hasText: "Part 30" })), false);
  assert.equal(await isLaidOut(page.locator(".agent .h2", { hasText: "Part 44" })), true);
});

test("a long paragraph grows in pieces, and reads as one", async () => {
  const { conversation } = web.server.thread("Counting");
  const page = await web.openConversation(conversation.id);
  const run = await web.ask(page);
  const said = Array.from({ length: 2_000 }, (_, i) => `word${i}`).join(" ");
  await write(page, run, said);
  const paragraph = page.locator(".agent p");
  await until(async () => (await paragraph.textContent()) === said, "all of it");
  assert.equal(await paragraph.count(), 1);
  const lengths = await paragraph.evaluate((node) =>
    [...node.childNodes].flatMap((child) => (child instanceof Text && child.length > 0 ? [child.length] : [])),
  );
  assert.ok(lengths.length > 3 && Math.max(...lengths) < 3_000, `nodes of ${lengths.join(", ")}`);
});
