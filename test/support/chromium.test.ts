import assert from "node:assert/strict";
import { test } from "node:test";
import { launchChromium } from "./chromium.ts";

test("a page runs its script", async () => {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.setContent("<button>one</button>");
    await page.getByRole("button", { name: "one" }).evaluate((button) => (button.textContent = "two"));
    assert.equal(await page.getByRole("button").textContent(), "two");
  } finally {
    await browser.close();
  }
});
