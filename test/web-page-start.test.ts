import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { webTest } from "./support/web-test.ts";

// The page connects while the larger part of it is still on its way: whatever comes of that is known before the app is.

const web = webTest();

/** Opens `hash` without the app, until the server has answered `until`; then the app comes. */
async function startWithoutApp(page: Page, hash: string, until: (page: Page) => Promise<unknown>): Promise<void> {
  let arrive: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (arrive = resolve));
  await page.goto("about:blank");
  await page.route(/\/assets\/app-/, (route) => held.then(() => route.continue()));
  const answered = until(page);
  await page.goto(`${web.server.url}/${hash}`, { waitUntil: "commit" });
  await answered;
  assert.equal(await page.locator("parley-app").count(), 0);
  arrive();
}

const greeted = async (page: Page): Promise<void> => {
  const socket = await page.waitForEvent("websocket");
  await socket.waitForEvent("framereceived", ({ payload }) => String(payload).includes('"hello"'));
};
const refused = (page: Page): Promise<unknown> =>
  page.waitForEvent("websocket").then((socket) => socket.waitForEvent("close"));

test("a login link signs in before the app is there", async () => {
  const page = await web.open({ path: "/none" });
  await startWithoutApp(page, `#login=${web.server.code}`, greeted);
  await page.locator(".suggestion").first().waitFor();
  assert.equal(page.url(), `${web.server.url}/`);
});

test("whoever is signed in is connected before the app is there, with a used link too", async () => {
  const page = await web.open();
  await page.locator(".suggestion").first().waitFor();
  await startWithoutApp(page, "", greeted);
  await page.locator(".suggestion").first().waitFor();
  await startWithoutApp(page, "#login=used", greeted);
  await page.locator(".suggestion").first().waitFor();
});

test("nobody is signed in, which is known before the app is there", async () => {
  const page = await web.open({ path: "/none" });
  await startWithoutApp(page, "", refused);
  await page.getByRole("heading", { name: "Sign in to Parley" }).waitFor();
  await startWithoutApp(page, "#login=used", refused);
  await page.getByRole("heading", { name: "That link did not work" }).waitFor();
});
