import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { violations } from "./support/axe.ts";
import { PageServer } from "./support/page-server.ts";
import { acting, approving, BUSY_STATES, chromium, withState } from "./support/page-states.ts";
import { openPage } from "./support/web-page.ts";

// Who can use the page: the keyboard alone, large text, small and touched screens.

test("axe finds nothing on a phone, with the drawer open", () =>
  withState(
    {
      name: "drawer",
      thread: [["user", "Hi"]],
      async reach(page) {
        await page.getByRole("button", { name: "Conversations" }).click();
        await page.getByRole("dialog").waitFor();
      },
    },
    { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" },
    async (page) => assert.deepEqual(await violations(page), []),
  ));

const size = (page: Page, least: number) =>
  page.evaluate((pixels) => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>(
        "button, summary, a[href]:not(.markdown a, .skip), input:not([type=checkbox]), label:has([type=checkbox]), textarea",
      ),
    ];
    return controls
      .filter((control) => control.checkVisibility({ visibilityProperty: true }))
      .map((control) => ({
        name: control.getAttribute("aria-label") ?? control.textContent.trim(),
        box: control.getBoundingClientRect(),
      }))
      .filter(({ box }) => box.width < pixels || box.height < pixels)
      .map(({ name, box }) => `${name} ${Math.round(box.width)}×${Math.round(box.height)}`);
  }, least);

for (const state of BUSY_STATES) {
  test(`targets are at least 24 px, and 44 where fingers are: ${state.name}`, async () => {
    await withState(state, {}, async (page) => assert.deepEqual(await size(page, 24), []));
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    await withState(state, phone, async (page) => assert.deepEqual(await size(page, 44), []));
  });
}

test("nothing moves for whoever asked for that", () =>
  withState(
    { name: "acting", thread: [], reach: async (page, server) => void (await acting(page, server)) },
    { reducedMotion: "reduce" },
    async (page) => assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0),
  ));

test("forced colours leave every control an edge, and every state its word", () =>
  withState(
    { name: "asking", thread: [], reach: async (page, server) => void (await approving(page, server)) },
    { forcedColors: "active" },
    async (page) => {
      const edges = await page.evaluate(() =>
        [...document.querySelectorAll(".approval .button, .composer .round, .composer .model")].map(
          (control) => getComputedStyle(control).borderTopWidth,
        ),
      );
      assert.ok(edges.length >= 4 && edges.every((width) => width !== "0px"), edges.join());
      await page.getByText("Waits for you").waitFor();
    },
  ));

for (const [name, viewport] of [
  ["a phone", { width: 390, height: 844 }],
  ["400 % zoom", { width: 320, height: 256 }],
] as const) {
  test(`nothing needs sideways scrolling on ${name}, and the message field stays in reach`, async () => {
    for (const state of BUSY_STATES) await withState(state, { viewport }, (page) => fits(page, state.name));
  });

  async function fits(page: Page, state: string): Promise<void> {
    const { scrollWidth, clientWidth } = await page.evaluate(() => ({
      scrollWidth: Math.max(document.body.scrollWidth, document.querySelector(".scroller")?.scrollWidth ?? 0),
      clientWidth: document.documentElement.clientWidth,
    }));
    assert.ok(scrollWidth <= clientWidth, `${state}: ${scrollWidth} in ${clientWidth}`);
    const field = page.locator("parley-composer textarea");
    await field.scrollIntoViewIfNeeded();
    const box = await field.boundingBox();
    assert.ok(box !== null && box.y >= 0 && box.y + box.height <= viewport.height, `${state}: ${JSON.stringify(box)}`);
  }
}

test("everything can be done with the keyboard alone", async () => {
  const server = await new PageServer({ onMessage: (run, _, to) => void to.begin(run) }).start();
  const { page, close, problems } = await openPage(chromium(), server, { path: "/" });
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return "";
      return element.getAttribute("aria-label") ?? element.textContent.trim();
    });
  const tabTo = async (name: string | RegExp): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const here = await focused();
      if (typeof name === "string" ? here === name : name.test(here)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${String(name)} cannot be reached with Tab`);
  };
  try {
    await page.getByRole("heading", { name: "Sign in to Parley" }).waitFor();
    for (let i = 0; i < 10 && (await page.evaluate(() => document.activeElement?.id)) !== "access-token"; i++)
      await page.keyboard.press("Tab");
    await page.keyboard.type(server.token);
    await page.keyboard.press("Enter");
    await page.locator(".suggestion").first().waitFor();

    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the message field");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "Message");
    await page.keyboard.type("First");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    assert.equal(await focused(), "Message", "the focus stays in the field");
    await page.keyboard.type("Second");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Cancel queued message: Second", disabled: false }).waitFor();
    await page.keyboard.press("Shift+Tab");
    assert.equal(await focused(), "Cancel queued message: Second");
    await page.keyboard.press("Enter");
    await page.locator(".queue").waitFor({ state: "detached" });
    await tabTo("Stop");
    await page.keyboard.press("Enter");
    await page.locator(".word", { hasText: "Stopped" }).waitFor();

    await tabTo(/account and theme/);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.textContent.trim() === "System");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.documentElement.dataset["theme"]), "dark");
    await page.keyboard.press("Escape");
    assert.match(await focused(), /account and theme/, "the focus returns to the opener");

    await page.keyboard.press("Control+Shift+O");
    await page.locator(".suggestion").first().waitFor();
    assert.equal(await focused(), "Message");
    assert.deepEqual(problems, []);
  } finally {
    await close();
    await server.stop();
  }
});
