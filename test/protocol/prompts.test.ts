/** The prompt library over the real store. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { MAX_FRAME_OUT } from "../../src/protocol/constants.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { MAX_PROMPTS } from "../../src/protocol/shapes.ts";
import { hashSecret, newSecret } from "../../src/sessions/secrets.ts";
import { Harness, type Peer } from "../support/gateway-harness.ts";
import { openTestPglite } from "../support/pglite.ts";
import { newUser, worldOf } from "../support/store-world.ts";

const world = worldOf(await openTestPglite());
const { store } = world;
const harness = new Harness({ store });
const { tenant } = await store.sessions.owner();
const owner = await harness.user();

/** Somebody else of the same tenant. */
async function another(): Promise<Peer> {
  const sessionToken = newSecret();
  const session = { tokenHash: hashSecret(sessionToken), device: "", lifetimeMs: 3_600_000, method: "test" };
  await store.sessions.create({ ...(await newUser(world, tenant.id)), ...session, id: uuidv7() });
  const peer = harness.connect();
  await peer.ok("session.resume", { sessionToken });
  return peer;
}

after(async () => {
  harness.gateway.close();
  await store.close();
});

const key = (): string => uuidv7();

test("prompts are saved, changed, listed and deleted by their user alone", async () => {
  const stranger = await another();
  const { prompt } = await owner.ok("prompt.save", {
    name: " Short\nletter ",
    text: " To {{name}} ",
    idempotencyKey: key(),
  });
  assert.deepEqual([prompt.name, prompt.text], ["Short letter", "To {{name}}"]);
  const { prompt: changed } = await owner.ok("prompt.save", {
    promptId: prompt.id,
    name: "Letter",
    text: "Dear {{name}}",
    idempotencyKey: key(),
  });
  assert.deepEqual(changed, { ...prompt, name: "Letter", text: "Dear {{name}}" });
  assert.deepEqual((await owner.ok("prompt.list", {})).prompts, [changed]);
  assert.deepEqual((await stranger.ok("prompt.list", {})).prompts, []);
  for (const promptId of [prompt.id, uuidv7(), "nonsense"]) {
    await stranger.fails("NOT_FOUND", "prompt.save", { promptId, name: "Mine", text: "x", idempotencyKey: key() });
    await stranger.fails("NOT_FOUND", "prompt.delete", { promptId });
  }
  await owner.ok("prompt.delete", { promptId: prompt.id });
  await owner.fails("NOT_FOUND", "prompt.delete", { promptId: prompt.id });
  assert.deepEqual((await owner.ok("prompt.list", {})).prompts, []);
});

test("[W10] prompt.save with the same key has one effect, new or changed, also after its prompt is gone", async () => {
  const idempotencyKey = key();
  const first = await owner.ok("prompt.save", { name: "Once", text: "One", idempotencyKey });
  assert.deepEqual(await owner.ok("prompt.save", { name: "Once", text: "One", idempotencyKey }), first);
  await owner.fails("IDEMPOTENCY_MISMATCH", "prompt.save", { name: "Once", text: "Two", idempotencyKey });
  const change = { promptId: first.prompt.id, name: "Once", text: "Three", idempotencyKey: key() };
  const second = await owner.ok("prompt.save", change);
  await owner.ok("prompt.save", { ...change, text: "Four", idempotencyKey: key() });
  assert.deepEqual(await owner.ok("prompt.save", change), second);
  assert.deepEqual(
    (await owner.ok("prompt.list", {})).prompts.map(({ text }) => text),
    ["Four"],
  );
  await owner.ok("prompt.delete", { promptId: first.prompt.id });
  assert.deepEqual(await owner.ok("prompt.save", change), second);
  assert.deepEqual((await owner.ok("prompt.list", {})).prompts, []);
});

test("[W11] a page of the longest prompts fits a frame, pages hold each once, and there is an end to them", async () => {
  const writer = await another();
  const text = '\u4e16\u0007"'.repeat(4_000).slice(0, 4_000);
  for (let i = 0; i < MAX_PROMPTS; i++) await writer.ok("prompt.save", { name: `P${i}`, text, idempotencyKey: key() });
  await writer.fails("TOO_MANY", "prompt.save", { name: "More", text, idempotencyKey: key() });
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { prompts: { id: string; name: string }[]; nextCursor: string | null } = await writer.ok(
      "prompt.list",
      cursor === null ? {} : { cursor },
    );
    assert.ok(Buffer.byteLength(JSON.stringify(page)) < MAX_FRAME_OUT - 1024);
    names.push(...page.prompts.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(names, Array.from({ length: MAX_PROMPTS }, (_, i) => `P${i}`).toReversed());
});

test("[W1] blank, endless and broken prompts are refused", async () => {
  for (const params of [
    { name: "", text: "x" },
    { name: " \n", text: "x" },
    { name: "x".repeat(61), text: "x" },
    { name: "x", text: " " },
    { name: "x", text: "x".repeat(4_001) },
    { name: "x", text: "a\0b" },
  ]) {
    await owner.fails("INVALID_PARAMS", "prompt.save", { ...params, idempotencyKey: key() });
  }
  await owner.fails("INVALID_PARAMS", "prompt.list", { cursor: "nonsense" });
});
