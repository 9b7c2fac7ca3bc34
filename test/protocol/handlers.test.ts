/** The handlers over the real store: what they ask of the agent, what they map, and what they never tell. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import type { AgentService } from "../../src/ports/services.ts";
import type { Announcement } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { Harness, type Peer } from "../support/gateway-harness.ts";
import { connectAs, topicsOf } from "../support/handlers-world.ts";
import { openTestPglite } from "../support/pglite.ts";
import { newUser, turn, worldOf } from "../support/store-world.ts";
import { until } from "../support/until.ts";

/** Remembers what handlers asked for, in order. Nothing runs. */
class RecordingAgent implements AgentService {
  offer(): undefined {
    return undefined;
  }
  calls: string[] = [];
  announced: Announcement[] = [];
  async announce(rows: readonly Announcement[]): Promise<void> {
    this.calls.push("announce");
    this.announced.push(...rows);
  }
  wake(): void {
    this.calls.push("wake");
  }
  stopRequested(runId: string): void {
    this.calls.push(`stop ${runId}`);
  }
  /** What was asked since the last look. */
  take(): string[] {
    return this.calls.splice(0);
  }
}

const agent = new RecordingAgent();
const world = worldOf(await openTestPglite());
const { store } = world;
const topics = topicsOf(store);
const { hub, reads } = topics;
const harness = new Harness({ store, agent, hub, reads });

const { tenant, user } = await store.sessions.owner();
const ownerScope = { tenantId: tenant.id, userId: user.id };
const owner = await harness.user();
const stranger = await connectAs(harness, store, await newUser(world, tenant.id));

after(async () => {
  harness.gateway.close();
  await topics.close();
  await store.close();
});

const key = () => uuidv7();
const create = async (peer: Peer, title = "") => (await peer.ok("conversation.create", { title })).conversation;
const say = (conversationId: string, text = "count to 3") => ({ conversationId, text, idempotencyKey: key() });

test("[R1] chat.send is accepted, announced before the answer, and the agent is woken", async () => {
  const conversation = await create(owner);
  agent.take();
  const sent = await owner.ok("chat.send", say(conversation.id));
  assert.equal(sent.state, "running");
  assert.deepEqual(agent.take(), ["announce", "wake"]);
  const { run } = await owner.ok("run.get", { runId: sent.runId });
  assert.deepEqual([run.status, run.model, run.userMessageId], ["queued", "demo", sent.userMessageId]);
  const { messages } = await owner.ok("conversation.get", { conversationId: conversation.id });
  assert.deepEqual(messages[0]?.parts, [{ type: "text", text: "count to 3" }]);
});

test("[W10] a repeated chat.send has one effect and one answer; other params under its key are an error", async () => {
  const { id } = await create(owner);
  const params = say(id);
  const first = await owner.ok("chat.send", params);
  assert.deepEqual(await owner.ok("chat.send", params), first);
  // Members in another order are the same params.
  const { conversationId, text, idempotencyKey } = params;
  assert.deepEqual(await owner.ok("chat.send", { idempotencyKey, text, conversationId }), first);
  await owner.fails("IDEMPOTENCY_MISMATCH", "chat.send", { ...params, text: "count to 4" });
  await owner.fails("IDEMPOTENCY_MISMATCH", "conversation.create", { idempotencyKey });
  assert.equal((await owner.ok("conversation.get", { conversationId: id })).messages.length, 1);
});

test("[W10] the same key of another user is another key", async () => {
  const params = { title: "Mine", idempotencyKey: key() };
  const mine = await owner.ok("conversation.create", params);
  const theirs = await stranger.ok("conversation.create", params);
  assert.notEqual(mine.conversation.id, theirs.conversation.id);
});

test("[W10] conversation.create with a key makes one conversation, without a key one each time", async () => {
  const params = { title: "Once", idempotencyKey: key() };
  const first = await owner.ok("conversation.create", params);
  assert.deepEqual(await owner.ok("conversation.create", params), first);
  const ids = new Set([(await create(owner)).id, (await create(owner)).id]);
  assert.equal(ids.size, 2);
});

test("[R2] a busy conversation queues, refuses or interrupts, as its sender asks", async () => {
  const { id } = await create(owner);
  const first = await owner.ok("chat.send", say(id));
  agent.take();
  const second = await owner.ok("chat.send", { ...say(id), whenBusy: "queue" });
  assert.equal(second.state, "queued");
  assert.deepEqual(agent.take(), ["announce"]);
  const { data } = await owner.fails("BUSY", "chat.send", { ...say(id), whenBusy: "reject" });
  assert.equal(data.retryable, true);
  const [claimed] = (
    await store.runs.claim("test", { limit: 100, leaseMs: 60_000, held: [], transcriptBytes: 1000 })
  ).runs.filter(({ run }) => run.id === first.runId);
  assert.ok(claimed);
  agent.take();
  await owner.ok("chat.send", { ...say(id), whenBusy: "interrupt" });
  assert.deepEqual(agent.take(), ["announce", "wake", `stop ${first.runId}`]);
});

test("[R2] the queue of a conversation is bounded", async () => {
  const { id } = await create(owner);
  for (let i = 0; i < 21; i++) await owner.ok("chat.send", say(id));
  await owner.fails("QUEUE_FULL", "chat.send", say(id));
});

test("[R11] chat.stop ends a queued run at once, and stops nothing where nothing runs", async () => {
  const { id } = await create(owner);
  assert.deepEqual(await owner.ok("chat.stop", { conversationId: id }), { stopped: false });
  const { runId } = await owner.ok("chat.send", say(id));
  agent.take();
  assert.deepEqual(await owner.ok("chat.stop", { runId }), { stopped: true });
  assert.deepEqual(agent.take(), ["announce", "wake"]);
  assert.equal((await owner.ok("run.get", { runId })).run.status, "stopped");
  assert.deepEqual(await owner.ok("chat.stop", { runId }), { stopped: false });
});

test("[W12] a sender who goes away stops no run; chat.stop of another connection does", async () => {
  const { id } = await create(owner);
  const sender = await harness.user();
  const { runId } = await sender.ok("chat.send", say(id));
  await store.runs.claim("test", { limit: 100, leaseMs: 60_000, held: [], transcriptBytes: 1000 });
  agent.take();
  sender.pair.client.close();
  await until(() => sender.closed !== undefined, "the close");
  const { run } = await owner.ok("run.get", { runId });
  assert.deepEqual([run.status, run.stopRequested], ["running", false]);
  assert.deepEqual(agent.take(), []);
  assert.deepEqual(await owner.ok("chat.stop", { conversationId: id }), { stopped: true });
  assert.deepEqual(agent.take(), ["announce", `stop ${runId}`, "wake"]);
  assert.equal((await owner.ok("run.get", { runId })).run.stopRequested, true);
});

test("the message keeps the id under which its sender shows it, and an id that is taken is refused", async () => {
  const { id } = await create(owner);
  const clientMessageId = uuidv7();
  const sent = await owner.ok("chat.send", { ...say(id), clientMessageId });
  assert.equal(sent.userMessageId, clientMessageId);
  const theirs = await create(stranger);
  for (const [peer, conversationId] of [
    [owner, id],
    [stranger, theirs.id],
  ] as const) {
    const error = await peer.fails("INVALID_PARAMS", "chat.send", { ...say(conversationId), clientMessageId });
    assert.equal(error.data.issues?.[0]?.path, "clientMessageId");
  }
});

test("the model: the one asked for, else the conversation's, else the server's; one that nobody serves is refused", async () => {
  const { id } = await create(owner);
  await owner.fails("MODEL_UNAVAILABLE", "chat.send", { ...say(id), model: "openai/unknown" });
  await owner.fails("MODEL_UNAVAILABLE", "conversation.create", { model: "\u0000" });
  const { conversation } = await owner.ok("conversation.create", { model: "demo" });
  const { runId } = await owner.ok("chat.send", say(conversation.id));
  assert.equal((await owner.ok("run.get", { runId })).run.model, "demo");
});

const TITLES: readonly [text: string, title: string][] = [
  ["count to 3", "count to 3"],
  ["  \n\n first line \r\n second", "first line"],
  ["x".repeat(60), "x".repeat(60)],
  ["x".repeat(61), `${"x".repeat(59)}…`],
  [`${"x".repeat(58)}😀😀`, `${"x".repeat(58)}…`],
];

for (const [text, title] of TITLES) {
  test(`an untitled conversation is called after ${JSON.stringify(text.slice(0, 20))}`, async () => {
    const { id } = await create(owner);
    await owner.ok("chat.send", say(id, text));
    const { conversation } = await owner.ok("conversation.get", { conversationId: id });
    assert.equal(conversation.title, title);
  });
}

test("a title that was given stays, and is one line", async () => {
  const conversation = await create(owner, "  A\u0001title\n of mine ");
  assert.equal(conversation.title, "A title of mine");
  await owner.ok("chat.send", say(conversation.id));
  const renamed = await owner.ok("conversation.rename", { conversationId: conversation.id, title: " Another\ttitle " });
  assert.equal(renamed.conversation.title, "Another title");
});

test("texts are stored as they were sent: all of Unicode, a lone surrogate as U+FFFD", async () => {
  const { id } = await create(owner);
  for (const [text, stored] of [
    ["👨‍👩‍👧 Ünïcödé ﷽ \u2028 \u0001 \\u0000", "👨‍👩‍👧 Ünïcödé ﷽ \u2028 \u0001 \\u0000"],
    ["half \ud83d of a pair", "half \ufffd of a pair"],
  ] as const) {
    const { userMessageId } = await owner.ok("chat.send", say(id, text));
    const { text: read } = await owner.ok("message.read", { messageId: userMessageId, partIndex: 0, offset: 0 });
    assert.equal(read, stored);
  }
});

/** Ids nobody has, in every form that a client can send. */
const NOBODYS = [uuidv7(), "no-uuid", "\u0000", "\ud800", "'; drop table runs; --", "x".repeat(64)];

test("[W7] what belongs to another user and what does not exist can't be told apart", async () => {
  const conversation = await create(owner, "Secret plans");
  const { runId, userMessageId } = await turn(world, ownerScope, conversation.id, "secret text");
  const sessionId = (await owner.ok("session.get", {})).session.id;
  const asked = (ids: { conversation: string; run: string; message: string; session: string }) =>
    [
      ["conversation.get", { conversationId: ids.conversation }],
      ["conversation.rename", { conversationId: ids.conversation, title: "Mine now" }],
      ["chat.send", { ...say(ids.conversation), idempotencyKey: key() }],
      ["chat.send", { ...say(ids.conversation), model: "demo" }],
      ["topic.subscribe", { topic: `conversation:${ids.conversation}` }],
      ["run.get", { runId: ids.run }],
      ["message.read", { messageId: ids.message, partIndex: 0, offset: 0 }],
      ["session.revoke", { sessionId: ids.session }],
    ] as const;
  const errors = async (ids: Parameters<typeof asked>[0]) => {
    const seen: unknown[] = [];
    for (const [method, params] of asked(ids)) {
      const frame = await stranger.answer(stranger.request(method, params));
      assert.ok("error" in frame, `${method}: ${JSON.stringify(frame)}`);
      seen.push(frame.error);
    }
    return seen;
  };
  const theirs = await errors({
    conversation: conversation.id,
    run: runId,
    message: userMessageId,
    session: sessionId,
  });
  assert.deepEqual(
    new Set(theirs.map((error) => (error as { data: { code: string } }).data.code)),
    new Set(["NOT_FOUND"]),
  );
  const unknown = uuidv7();
  assert.deepEqual(await errors({ conversation: unknown, run: unknown, message: unknown, session: unknown }), theirs);
  for (const target of [{ runId }, { conversationId: conversation.id }, { runId: unknown }]) {
    assert.deepEqual(await stranger.ok("chat.stop", target), { stopped: false });
  }
  assert.equal(
    (await owner.ok("conversation.get", { conversationId: conversation.id })).conversation.title,
    "Secret plans",
  );
});

test("[W7] an id of any form is NOT_FOUND or INVALID_PARAMS, never INTERNAL", async () => {
  const { lines } = harness.log;
  lines.length = 0;
  const { id } = await create(owner);
  for (const odd of NOBODYS) {
    const requests: [string, object][] = [
      ["conversation.get", { conversationId: odd }],
      ["conversation.get", { conversationId: id, before: odd }],
      ["conversation.rename", { conversationId: odd, title: "t" }],
      ["conversation.list", { cursor: odd }],
      ["conversation.list", { query: odd }],
      ["chat.send", say(odd)],
      ["chat.send", { ...say(id), model: odd }],
      ["chat.send", { ...say(id), idempotencyKey: odd.padEnd(8) }],
      ["chat.stop", { conversationId: odd }],
      ["chat.stop", { runId: odd }],
      ["run.get", { runId: odd }],
      ["message.read", { messageId: odd, partIndex: 0, offset: 0 }],
      ["session.revoke", { sessionId: odd }],
      ["session.resume", { sessionToken: odd }],
      ["topic.subscribe", { topic: `conversation:${odd}` }],
      ["topic.subscribe", { topic: `conversation:${id}`, position: { epoch: odd, seq: 5 } }],
      ["topic.unsubscribe", { topic: `user:${odd}` }],
      ["request.cancel", { requestId: odd }],
    ];
    for (const [method, params] of requests) {
      const frame = await owner.answer(owner.request(method, params));
      const code = "error" in frame ? frame.error.data.code : "";
      const where = `${method} ${JSON.stringify(params)}: ${JSON.stringify(frame).slice(0, 200)}`;
      assert.ok(
        ["", "NOT_FOUND", "INVALID_PARAMS", "MODEL_UNAVAILABLE", "ALREADY_AUTHENTICATED"].includes(code),
        where,
      );
    }
  }
  assert.deepEqual(
    lines.filter(({ level }) => level === "error"),
    [],
  );
});

test("every result of the real services fits its schema", async () => {
  const { id } = await create(owner, "A full one");
  const { runId, userMessageId } = await turn(world, ownerScope, id, "Hello", "World");
  const { messages, hasMore } = await owner.ok("conversation.get", { conversationId: id, limit: 1 });
  assert.deepEqual([messages.length, hasMore], [1, true]);
  const { conversations } = await owner.ok("conversation.list", { limit: 1 });
  assert.equal(conversations[0]?.id, id);
  assert.equal((await owner.ok("run.get", { runId })).run.status, "completed");
  assert.deepEqual(await owner.ok("message.read", { messageId: userMessageId, partIndex: 0, offset: 2 }), {
    text: "llo",
    length: 5,
  });
  assert.equal((await owner.ok("session.list", {})).sessions.filter(({ current }) => current).length, 1);
  assert.equal((await owner.ok("model.list", {})).models[0]?.id, "demo");
});

test("[W6] topic.subscribe answers with a snapshot, then replays from a position", async () => {
  const { id } = await create(owner, "Watched");
  const topic = `conversation:${id}`;
  const fresh = await owner.ok("topic.subscribe", { topic });
  assert.ok(fresh.mode === "snapshot" && "conversation" in fresh.snapshot);
  assert.equal(fresh.snapshot.conversation.title, "Watched");
  const again = await owner.ok("topic.subscribe", { topic, position: fresh.position });
  assert.deepEqual(again, { mode: "replay", position: fresh.position });
  const { mode } = await owner.ok("topic.subscribe", { topic, position: { epoch: "another", seq: 1 } });
  assert.equal(mode, "snapshot");
  await owner.ok("topic.unsubscribe", { topic });
});

test("[W11] subscriptions of a connection are limited, and to end one makes room", async () => {
  const peer = await harness.user();
  const topics: string[] = [];
  for (let i = 0; i < 6; i++) topics.push(`conversation:${(await create(owner)).id}`);
  const [first = "", ...others] = topics;
  const last = others.pop() ?? "";
  for (const topic of [first, ...others]) await peer.ok("topic.subscribe", { topic });
  await peer.fails("TOO_MANY_SUBSCRIPTIONS", "topic.subscribe", { topic: last });
  await peer.ok("topic.unsubscribe", { topic: first });
  await peer.ok("topic.subscribe", { topic: last });
});

test("[L1] what a handler did reaches a subscriber through the log, and no other way", async () => {
  const { id } = await create(owner, "Seen by two");
  const [reader, sender] = [await harness.user(), owner];
  const topic = `conversation:${id}`;
  await reader.ok("topic.subscribe", { topic });
  await sender.ok("topic.subscribe", { topic });
  agent.announced.length = 0;
  // The agent of this test keeps what it is to append: so nobody, not even the sender, sees anything.
  await sender.ok("chat.send", say(id));
  for (const peer of [reader, sender]) {
    await peer.ok("ping", {});
    assert.deepEqual(seen(peer, topic), []);
  }
  const rows = agent.announced.filter((row) => row.topic === topic);
  const append = (row: Announcement) => ({
    topic,
    epoch: null,
    identity: { eventId: row.id },
    event: JSON.stringify(row.event),
  });
  await topics.log.append(rows.map(append));
  for (const peer of [reader, sender]) {
    await until(() => seen(peer, topic).length === rows.length, "the announced events");
    assert.deepEqual(
      seen(peer, topic),
      rows.map(({ event }) => event),
    );
  }
});

/** The events that a connection was sent of a topic. */
function seen(peer: Peer, topic: string): unknown[] {
  const single = peer.notifications("event").filter((params) => params.topic === topic);
  const several = peer.notifications("events").filter((params) => params.topic === topic);
  return [...single, ...several.flatMap(({ events }) => events)].map(({ event }) => event);
}
