/** What an answer took, on the built program: its steps in the inspector, and the sum of all on the owner's page. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { type Parley, startParley } from "../support/parley.ts";

let parley: Parley;
let browser: Browser;
before(async () => {
  [parley, browser] = await Promise.all([startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "2000" }), launchChromium()]);
});
after(async () => {
  await browser?.close();
  await parley?.remove();
});

test("an owner inspects an answer with a tool and finds it in the insights", { timeout: 120_000 }, async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(parley.link);
  await page.locator("parley-composer textarea").fill("use the calculator: 6 * 7");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Inspect this answer" }).click();
  const pane = page.getByRole("complementary", { name: "Inspector" });
  await pane.getByRole("listitem").filter({ hasText: "calculator" }).waitFor();
  assert.equal(await pane.getByRole("listitem").filter({ hasText: "demo" }).count(), 2);
  await pane.getByText("Completed").waitFor();

  await page.getByRole("button", { name: /account/ }).click();
  await page.getByRole("menuitem", { name: "Insights" }).click();
  await page.locator(".uplot canvas").first().waitFor();
  assert.match(
    (await page.locator(".tiles").innerText()).replace(/\s+/g, " "),
    /Answers 1 of 1 person Failed 0 0% of all/,
  );
  await page.getByRole("rowheader", { name: "calculator" }).waitFor();
  await page.reload();
  await page.getByRole("rowheader", { name: "demo", exact: true }).waitFor();
  await page.goBack();
  await page.locator("parley-composer textarea").waitFor();
  assert.deepEqual(problems, []);
});
