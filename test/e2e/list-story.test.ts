/** What a person does with many conversations, on the real program with the real page: two tabs, and a kill -9. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { type Parley, startParley } from "../support/parley.ts";
import { say } from "../support/web-page.ts";

let parley: Parley;
let browser: Browser;

before(async () => {
  parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "20" });
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
  await parley.remove();
});

const row = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name, exact: true });

async function choose(page: Page, title: string, name: string): Promise<void> {
  await row(page, title).hover();
  await page.getByRole("button", { name: `Actions for ${title}` }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
}

test("[R11] a running answer is shared live, revoked, searched for, deleted in one tab and restored in it after a kill", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(parley.link);
  await page.locator(".suggestion").first().waitFor();
  await say(page, "count to 2000");
  await row(page, "count to 2000").waitFor();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";

  // Somebody reads along, for as long as the link is good.
  await choose(page, "count to 2000", "Share…");
  await page.getByRole("button", { name: "Create a link" }).click();
  const address = await page.getByRole("textbox", { name: "Link" }).inputValue();
  const reader = await context.newPage();
  reader.setDefaultTimeout(60_000);
  await reader.goto(address);
  await reader.getByText("You can read it, not write in it.").waitFor();
  await reader.getByText(/^1 2 3 4 5 6/).waitFor();
  await page.getByRole("button", { name: "Stop sharing" }).click();
  await reader.getByRole("heading", { name: "This link does not work" }).waitFor();
  await page.keyboard.press("Escape");

  // Deleted while it is written: stopped, and gone in the other tab too.
  await reader.goto(`${parley.url}/c/${id}`);
  await reader.getByText(/^1 2 3 4 5 6/).waitFor();
  await row(page, "count to 2000").focus();
  await page.keyboard.press("Delete");
  await reader.locator(".suggestion").first().waitFor();
  await row(reader, "count to 2000").waitFor({ state: "detached" });

  // The server dies. What was deleted stays so, and comes back from the tab that still offers it.
  await parley.kill();
  await parley.start();
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "count to 2000").waitFor();
  await row(reader, "count to 2000").waitFor();
  await page.getByRole("heading", { level: 1, name: "count to 2000" }).waitFor();
  await page.getByText("Stopped").waitFor();

  // It is found by what was said, also in the archive.
  await say(page, "What is a colander?");
  await page.getByRole("button", { name: "Regenerate" }).last().waitFor();
  await choose(page, "count to 2000", "Archive");
  await row(reader, "count to 2000").waitFor({ state: "detached" });
  await reader.getByRole("searchbox").fill("colander nowhere");
  await reader.getByText("Nothing was found.").waitFor();
  await reader.getByRole("searchbox").fill("COLANDER");
  await reader.getByText("in the archive").waitFor();
  assert.equal(parley.errors.includes(address.split("#")[1] ?? "#"), false, "the log has the token");
});
