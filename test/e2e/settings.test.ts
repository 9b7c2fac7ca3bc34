/** What is set around the conversation, in real Chromium on the built program: it is kept, also by kill -9. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { composer, say } from "../support/two-tabs.ts";

const LIMIT = { timeout: 170_000 };

let parley: Parley;
let browser: Browser;
let contexts: BrowserContext[] = [];
before(async () => {
  const env = { PARLEY_DEMO_TOKENS_PER_SECOND: "200" };
  [parley, browser] = await Promise.all([startParley(env), launchChromium()]);
});
after(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  await browser?.close();
  await parley?.remove();
});

async function device(address: string): Promise<Page> {
  const context = await browser.newContext();
  contexts = [...contexts, context];
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

const settings = (page: Page) => page.getByRole("dialog", { name: "Settings" });

async function openSettings(page: Page, section: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a command or a conversation" }).fill("settings");
  await page.keyboard.press("Enter");
  await settings(page).getByRole("tab", { name: section, exact: true }).click();
}

test("a prompt, a memory, a device and a language, through a kill of the server", LIMIT, async () => {
  const first = await device(parley.link);
  await composer(first).waitFor();
  const second = await device(parley.url);
  await second.getByLabel("With an access token").fill(ACCESS_TOKEN);
  await second.keyboard.press("Enter");
  await composer(second).waitFor();

  await openSettings(first, "Prompts");
  await settings(first).getByRole("button", { name: "New prompt" }).click();
  await settings(first).getByLabel("Name").fill("Counting");
  await settings(first).getByLabel("Text").fill("count to {{how far}}");
  await settings(first).getByRole("button", { name: "Save" }).click();
  await settings(first).getByText("count to {{how far}}").waitFor();
  await first.keyboard.press("Escape");

  await parley.kill();
  await parley.start();

  await composer(second).fill("");
  await composer(second).pressSequentially("/coun");
  await second.getByRole("option", { name: /Counting/ }).waitFor();
  await second.keyboard.press("Enter");
  await second.keyboard.type("7");
  await second.keyboard.press("Enter");
  await second.locator("article.agent").getByText("1 2 3 4 5 6 7", { exact: true }).waitFor();
  await second.getByRole("button", { name: "Regenerate answer" }).waitFor();

  await say(second, "remember that I like tea");
  await second.getByText("Remembered").first().waitFor();
  await openSettings(second, "Memory");
  await settings(second)
    .getByRole("button", { name: /^Edit memory: .*tea/ })
    .click();
  await settings(second).getByRole("textbox", { name: "Memory" }).fill("I like coffee");
  await settings(second).getByRole("button", { name: "Save" }).click();
  await settings(second).getByRole("button", { name: "Edit memory: I like coffee" }).waitFor();
  await settings(second).getByRole("tab", { name: "Devices" }).click();
  await settings(second)
    .getByRole("button", { name: /^End session/ })
    .click();
  await first.getByRole("heading", { name: "Your session has ended" }).waitFor();
  await settings(second)
    .getByRole("button", { name: /^End session/ })
    .waitFor({ state: "detached" });

  await settings(second).getByRole("tab", { name: "General" }).click();
  await settings(second).getByLabel("Language").selectOption({ label: "Deutsch" });
  await second.getByRole("dialog", { name: "Einstellungen" }).waitFor();
  await second.reload();
  await second.getByRole("link", { name: "Neue Unterhaltung" }).waitFor();
  assert.equal(await second.locator("html").getAttribute("lang"), "de");
});
