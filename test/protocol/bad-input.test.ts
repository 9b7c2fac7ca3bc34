import assert from "node:assert/strict";
import test from "node:test";
import { MAX_DEPTH, MAX_FRAME_IN, MAX_FRAME_IN_ANONYMOUS } from "../../src/protocol/constants.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { ACCESS_TOKEN, errorOf, Harness, turnOfTheLoop } from "../support/gateway-harness.ts";

const ping = (id: unknown) => ({ jsonrpc: "2.0", id, method: "ping", params: {} });

const MALFORMED: readonly [what: string, frame: string, code: ErrorCode, id: string | number | null][] = [
  ["nothing", "", "PARSE_ERROR", null],
  ["half an object", '{"jsonrpc":"2.0","id":1', "PARSE_ERROR", null],
  ["words", "hello server", "PARSE_ERROR", null],
  ["two objects", '{"jsonrpc":"2.0"}{"jsonrpc":"2.0"}', "PARSE_ERROR", null],
  ["a U+0000", "\u0000", "PARSE_ERROR", null],
  ["null", "null", "INVALID_REQUEST", null],
  ["a string", '"ping"', "INVALID_REQUEST", null],
  ["a number", "1e999", "INVALID_REQUEST", null],
  ["a batch", JSON.stringify([ping(1), ping(2)]), "INVALID_REQUEST", null],
  ["an empty batch", "[]", "INVALID_REQUEST", null],
  ["another version", JSON.stringify({ ...ping(7), jsonrpc: "1.0" }), "INVALID_REQUEST", 7],
  ["no version", JSON.stringify({ id: 7, method: "ping" }), "INVALID_REQUEST", 7],
  ["a notification", JSON.stringify({ jsonrpc: "2.0", method: "ping" }), "INVALID_REQUEST", null],
  ["a null id", JSON.stringify(ping(null)), "INVALID_REQUEST", null],
  ["a fractional id", JSON.stringify(ping(1.5)), "INVALID_REQUEST", null],
  ["an unsafe id", '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', "INVALID_REQUEST", null],
  ["an object as id", JSON.stringify(ping({})), "INVALID_REQUEST", null],
  ["a long id", JSON.stringify(ping("x".repeat(65))), "INVALID_REQUEST", null],
  ["no method", JSON.stringify({ jsonrpc: "2.0", id: "a" }), "INVALID_REQUEST", "a"],
  ["a number as method", JSON.stringify({ ...ping("a"), method: 3 }), "INVALID_REQUEST", "a"],
  ["an array as params", JSON.stringify({ ...ping("a"), params: [] }), "INVALID_REQUEST", "a"],
  ["null as params", JSON.stringify({ ...ping("a"), params: null }), "INVALID_REQUEST", "a"],
  ["an unknown method", JSON.stringify({ ...ping(3), method: "pong" }), "METHOD_NOT_FOUND", 3],
  ["a method of every object", JSON.stringify({ ...ping(3), method: "toString" }), "METHOD_NOT_FOUND", 3],
  ["the prototype as method", JSON.stringify({ ...ping(3), method: "__proto__" }), "METHOD_NOT_FOUND", 3],
  ["an unknown field", JSON.stringify({ ...ping(3), params: { x: 1 } }), "INVALID_PARAMS", 3],
  ["a __proto__ field", '{"jsonrpc":"2.0","id":3,"method":"ping","params":{"__proto__":1}}', "INVALID_PARAMS", 3],
];

for (const [what, frame, code, id] of MALFORMED) {
  test(`[W7] bad input: ${what} is ${code}, and the connection goes on`, async () => {
    const peer = new Harness().connect();
    peer.raw(frame);
    await turnOfTheLoop();
    assert.equal(peer.frames.length, 2);
    errorOf(peer.answers(id)[0], code);
    await peer.ok("ping", {});
  });
}

test('[W3] a request without params, with members nobody knows, or with the id 0 or "", is answered', async () => {
  const peer = new Harness().connect();
  peer.raw(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "ping", meta: { trace: 1 } }));
  peer.raw(JSON.stringify({ jsonrpc: "2.0", id: "", method: "ping", params: {} }));
  assert.ok("result" in (await peer.answer(0)));
  assert.ok("result" in (await peer.answer("")));
});

test('[W3] an id comes back as it was: 1 is not "1", and a lone surrogate survives', async () => {
  const peer = new Harness().connect();
  for (const id of [1, "1", "\ud800", "\u0000"]) {
    peer.raw(JSON.stringify(ping(id)));
    assert.ok("result" in (await peer.answer(id)));
  }
});

test("[W8] a connection that goes on sending broken frames is closed 4501", async () => {
  const peer = new Harness().connect();
  for (let i = 0; i < 10; i++) peer.raw("{");
  await turnOfTheLoop();
  assert.equal(peer.closed, undefined);
  peer.raw("{");
  await peer.closedWith(4501);
  assert.equal(peer.answers(null).length, 11);
});

const padded = (bytes: number): string => {
  const frame = JSON.stringify({ ...ping(1), padding: "" });
  return frame.replace('"padding":""', `"padding":"${"x".repeat(bytes - frame.length)}"`);
};

test("[W11] before authentication a frame has 64 KiB: one more byte gets the error, then 4501", async () => {
  const harness = new Harness();
  const fits = harness.connect();
  fits.raw(padded(MAX_FRAME_IN_ANONYMOUS));
  assert.ok("result" in (await fits.answer(1)));
  const exceeds = harness.connect();
  exceeds.raw(padded(MAX_FRAME_IN_ANONYMOUS + 1));
  await exceeds.closedWith(4501);
  errorOf(exceeds.answers(null)[0], "FRAME_TOO_LARGE");
});

test("[W11] after authentication a frame has 256 KiB: one more byte gets the error, then 4501", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  peer.raw(padded(MAX_FRAME_IN).replace('"id":1', '"id":9'));
  assert.ok("result" in (await peer.answer(9)));
  peer.raw(padded(MAX_FRAME_IN + 1));
  await peer.closedWith(4501);
  errorOf(peer.answers(null)[0], "FRAME_TOO_LARGE");
});

test("[W11] a frame is measured in UTF-8 bytes, not in characters", async () => {
  const peer = new Harness().connect();
  peer.raw(JSON.stringify({ ...ping(1), padding: "€".repeat(MAX_FRAME_IN_ANONYMOUS / 2) }));
  await peer.closedWith(4501);
  errorOf(peer.answers(null)[0], "FRAME_TOO_LARGE");
});

/** A request that is `levels` deep: the request itself, its params, and arrays within. */
const nested = (levels: number) =>
  JSON.stringify({ ...ping(5), params: { x: 0 } }).replace(
    '"x":0',
    `"x":${"[".repeat(levels - 2)}${"]".repeat(levels - 2)}`,
  );

test("[W11] a request may be 32 levels deep; one more gets the error with its id, then 4501", async () => {
  const harness = new Harness();
  const fits = harness.connect();
  fits.raw(nested(MAX_DEPTH));
  errorOf(await fits.answer(5), "INVALID_PARAMS");
  const exceeds = harness.connect();
  exceeds.raw(nested(MAX_DEPTH + 1));
  await exceeds.closedWith(4501);
  errorOf(exceeds.answers(5)[0], "TOO_DEEP");
});

test("[W11] nesting of a hundred thousand levels is refused, not followed", async () => {
  const peer = await new Harness().user();
  peer.raw(nested(100_000));
  await peer.closedWith(4501);
  errorOf(peer.answers(5)[0], "TOO_DEEP");
});

const WRONG: readonly [method: string, params: object, path: string, expected: string | RegExp][] = [
  ["login", {}, "token", "a string"],
  ["login", { token: 5 }, "token", "a string"],
  ["login", { token: "" }, "token", "at least 1 character"],
  ["login", { token: "x".repeat(513) }, "token", "at most 512 characters"],
  ["login", { token: "x", password: "y" }, "password", "nothing: there is no such field"],
  ["request.cancel", { requestId: true }, "requestId", "a string, or a number"],
  ["conversation.list", { limit: 0 }, "limit", "at least 1"],
  ["conversation.list", { limit: 101 }, "limit", "at most 100"],
  ["conversation.list", { limit: 1.5 }, "limit", "a whole number"],
  ["conversation.rename", { conversationId: "c", title: "  " }, "title", "not blank"],
  [
    "chat.send",
    { conversationId: "c", text: "a\u0000b", idempotencyKey: "k".repeat(8) },
    "text",
    "text without U+0000",
  ],
  ["chat.send", { conversationId: "c", text: "a", idempotencyKey: "short" }, "idempotencyKey", "at least 8 characters"],
  [
    "chat.send",
    { conversationId: "c", text: "a", idempotencyKey: "k".repeat(8), whenBusy: "wait" },
    "whenBusy",
    '"queue" or "steer" or "interrupt" or "reject"',
  ],
  [
    "chat.send",
    { conversationId: "c", text: "a", idempotencyKey: "k".repeat(8), clientMessageId: "x" },
    "clientMessageId",
    "a UUID",
  ],
  [
    "chat.send",
    { conversationId: "c", text: "a", idempotencyKey: "key with \u0000" },
    "idempotencyKey",
    "well-formed text without U+0000",
  ],
  [
    // As U+FFFD it would be the key of another request.
    "conversation.create",
    { idempotencyKey: "half a pair \ud800" },
    "idempotencyKey",
    "well-formed text without U+0000",
  ],
  ["message.read", { messageId: "m", partIndex: 2 ** 31, offset: 0 }, "partIndex", "at most 65535"],
  ["chat.stop", {}, "", "conversationId: a string, or runId: a string"],
  ["topic.subscribe", { topic: "everything" }, "topic", "conversation:<id> or user:<id>"],
  ["topic.subscribe", { topic: "user:u", position: { epoch: "e", seq: -1 } }, "position.seq", "at least 0"],
];

for (const [method, params, path, expected] of WRONG) {
  test(`[W1] wrong params: ${method} ${JSON.stringify(params).slice(0, 60)} names ${path || "the params"}`, async () => {
    const harness = new Harness();
    const peer = method === "login" ? harness.connect() : await harness.user();
    const error = await peer.fails("INVALID_PARAMS", method, params);
    const issue = error.data.issues?.find((found) => found.path === path);
    assert.ok(issue, JSON.stringify(error));
    assert.equal(issue.expected, expected);
    assert.match(error.message, /^The params do not fit the method: /);
    assert.equal(peer.closed, undefined);
  });
}

test("[W7] at most ten issues, and never what was sent", async () => {
  const peer = new Harness().connect();
  const secret = "my-secret-token-of-many-characters";
  const wrong = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, secret]));
  const error = await peer.fails("INVALID_PARAMS", "login", { ...wrong, token: { secret } });
  assert.equal(error.data.issues?.length, 10);
  await peer.fails("INVALID_PARAMS", "login", { ["k".repeat(10_000)]: secret });
  assert.ok(!peer.pair.client.received.join("").includes(secret));
  assert.ok(peer.pair.client.received.every((frame) => frame.length < 4096));
});

test("[W7] neither the wire nor the log shows a credential that was refused or accepted", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  await peer.fails("AUTH_FAILED", "login", { token: "a-wrong-but-secret-token" });
  const good = harness.connect();
  const { sessionToken } = await good.ok("login", { token: ACCESS_TOKEN });
  const logged = JSON.stringify(harness.log.lines);
  for (const secret of ["a-wrong-but-secret-token", ACCESS_TOKEN, sessionToken]) assert.ok(!logged.includes(secret));
  assert.ok(!peer.pair.client.received.join("").includes("a-wrong-but-secret-token"));
});
