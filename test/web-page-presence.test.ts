import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { uuidv7 } from "../src/protocol/id.ts";
import type { PresenceMember } from "../src/protocol/shapes.ts";
import { violations } from "./support/axe.ts";
import { USER } from "./support/page-thread.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// Who else is in the conversation that is open.

const web = webTest();

const line = (page: Page) => page.locator("header.bar").locator("parley-presence");
const says = (page: Page, words: string) => line(page).getByText(words, { exact: true }).waitFor();
const silent = (page: Page) => until(async () => (await line(page).textContent())?.trim() === "", "nobody");

function somebody(name: string, state: PresenceMember["state"] = "active"): PresenceMember {
  return { memberId: uuidv7(), user: name === "" ? USER : { id: name, name }, state };
}

/** A page that shows a conversation. */
async function opened() {
  const { conversation } = web.server.thread("Otters", [
    ["user", "Hi"],
    ["assistant", "Hello."],
  ]);
  return { conversation, topic: `conversation:${conversation.id}`, page: await web.openConversation(conversation.id) };
}

test("[L10] who else is there is said in the bar, in every language, and nobody is interrupted", async () => {
  const { server } = web;
  const { topic, page } = await opened();
  await until(() => server.presence.of(topic).length === 1, "the page itself");
  await silent(page);

  const phone = somebody("");
  server.presence.put(topic, phone);
  await says(page, "Also open on another device");
  assert.deepEqual(await violations(page), []);
  server.presence.put(topic, { ...phone, state: "typing" });
  await says(page, "Typing on another device…");
  const ann = somebody("Ann");
  server.presence.put(topic, { ...phone, state: "away" });
  server.presence.put(topic, ann);
  await says(page, "Ann is here");
  server.presence.put(topic, somebody("Ben"));
  await says(page, "Ann and 1 other are here");
  server.presence.put(topic, { ...ann, state: "typing" });
  await says(page, "Ann is typing…");
  assert.equal(
    await line(page).evaluate((element) => element.closest("[aria-live], [role=status], [role=alert]")),
    null,
  );
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("العربية");
  await page.keyboard.press("Enter");
  await says(page, "Ann يكتب…");
  assert.deepEqual(await violations(page), []);
  const bar = page.locator("header.bar");
  await page.setViewportSize({ width: 320, height: 500 });
  const box = await line(page).locator("p").boundingBox();
  const around = await bar.boundingBox();
  assert.ok(box !== null && around !== null && box.x >= around.x && box.x + box.width <= around.x + around.width);
  for (const { memberId } of [phone, ann, ...server.presence.of(topic)]) server.presence.remove(topic, memberId);
  await silent(page);
});

test("[L10] other tabs of this browser are nobody else; another browser is another device, and its writing is told", async () => {
  const { server } = web;
  const { conversation, topic, page } = await opened();
  const tab = await web.openTab(page);
  await until(() => server.presence.of(topic).length === 2, "both tabs");
  const device = await web.openConversation(conversation.id);
  await says(page, "Also open on another device");
  await says(device, "Also open on another device");
  await device.close();
  await silent(page);
  await silent(tab);
  assert.equal(server.presence.of(topic).length, 2);

  const other = await web.openConversation(conversation.id);
  const field = page.locator("parley-composer textarea");
  const before = web.requests("presence.update").length;
  await field.pressSequentially("A sentence of many letters");
  await says(other, "Typing on another device…");
  const told = web.requests("presence.update").slice(before);
  assert.ok(told.length <= 4, `${told.length} were sent for 26 letters`);
  await page.keyboard.press("Enter");
  await says(other, "Also open on another device");
  await field.fill("x");
  await says(other, "Typing on another device…");
  // Nothing more is written.
  await says(other, "Also open on another device");
  await page.getByRole("link", { name: "New conversation" }).click();
  await tab.close();
  await silent(other);
});
