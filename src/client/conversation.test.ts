import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  commands,
  CONVERSATION_ID,
  script,
  type Script,
  snapshotAt,
  wordsOf,
} from "../../test/support/conversation-script.ts";
import { ScriptedServer } from "../../test/support/scripted-server.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Message, Position } from "../protocol/shapes.ts";
import { type Client, createClient } from "./client.ts";
import { openConversation } from "./conversation.ts";
import { readWhole } from "./read-rest.ts";
import { reduce } from "./transcript-reduce.ts";
import { EMPTY, messageOf, messagesOf, pendingApprovals, type Transcript } from "./transcript.ts";

const TOPIC = `conversation:${CONVERSATION_ID}`;

/** Serves a script up to `head`, as a server's log and store would. */
function serve(server: ScriptedServer, s: Script, log: { head: number; epoch: string }): void {
  server.on("topic.subscribe", (params) => {
    const position = params["position"] as Position | undefined;
    if (position?.epoch !== log.epoch || position.seq > log.head) {
      return { mode: "snapshot", position: { epoch: log.epoch, seq: log.head }, snapshot: snapshotAt(s, log.head) };
    }
    const head = log.head;
    queueMicrotask(() => {
      for (let seq = position.seq + 1; seq <= head; seq++) publish(server, s, log.epoch, seq);
    });
    return { mode: "replay", position };
  });
}

function publish(server: ScriptedServer, s: Script, epoch: string, seq: number): void {
  const event = s.events[seq - 1];
  if (event !== undefined) server.event(TOPIC, epoch, { seq, event });
}

async function setUp(s: Script) {
  const server = new ScriptedServer();
  const log = { head: 0, epoch: "e1" };
  serve(server, s, log);
  const client = createClient({ auth: { kind: "cookie" }, ...server.platform });
  const conversation = openConversation(client, CONVERSATION_ID);
  await server.settle();
  return { server, log, client, conversation };
}

const answer = script([
  { type: "send", steer: false },
  { type: "delta", part: 0, text: "one " },
  { type: "delta", part: 0, text: "two " },
  { type: "delta", part: 0, text: "three" },
  { type: "finish", status: "completed" },
]);
const textOf = (messages: readonly Message[]) => messages.map(({ parts }) => parts.map(wordsOf).join("|"));

describe("conversation", () => {
  it("[W6] a reader that reconnects in the middle of an answer reads on", async () => {
    const { server, log, conversation } = await setUp(answer);
    assert.equal(conversation.state.status, "open");
    const publishUpTo = (seq: number) => {
      while (log.head < seq) publish(server, answer, "e1", ++log.head);
    };
    publishUpTo(4);
    await server.settle();
    assert.deepEqual(textOf(messagesOf(conversation.state.transcript)), ["question 3", "one "]);
    server.pair.cut();
    log.head = answer.events.length;
    await server.pass(1_000);
    const { transcript } = conversation.state;
    assert.deepEqual(textOf(messagesOf(transcript)), ["question 3", "one two three"]);
    assert.equal(transcript.activeRun, undefined);
    assert.deepEqual(server.requests("topic.subscribe").at(-1)?.params["position"], { epoch: "e1", seq: 4 });
  });

  it("[W5] text that does not join is replaced by a snapshot", async () => {
    const { server, log, conversation } = await setUp(answer);
    for (const seq of [1, 2, 3]) publish(server, answer, "e1", seq);
    // The seqs are in order, the text is not: event 5 under the number of event 4.
    const event = answer.events[4];
    assert.ok(event);
    server.event(TOPIC, "e1", { seq: 4, event });
    log.head = 6;
    await server.pass(2_000);
    assert.deepEqual(textOf(messagesOf(conversation.state.transcript)), ["question 3", "one two three"]);
    assert.equal(server.requests("topic.subscribe").at(-1)?.params["position"], undefined);
  });

  it("shows a sent message at once, under the id that its echo has", async () => {
    const { server, conversation } = await setUp(script([{ type: "send", steer: false }]));
    server.on("chat.send", ({ clientMessageId }) => ({ runId: "r", userMessageId: clientMessageId, state: "running" }));
    const changes: string[][] = [];
    conversation.subscribe(({ transcript }) =>
      changes.push([...transcript.order, ...transcript.pending.map(({ id }) => id)]),
    );
    const { clientMessageId } = conversation.send("hello");
    assert.deepEqual(changes.at(-1), [clientMessageId]);
    await server.settle();
    assert.equal(conversation.state.transcript.pending[0]?.delivery.state, "accepted");
    const [event] = answer.events;
    assert.ok(event?.type === "CUSTOM" && event.name === "message.created");
    const message = { ...event.value.message, id: clientMessageId };
    server.event(TOPIC, "e1", { seq: 1, event: { ...event, value: { message } } });
    await server.settle();
    assert.deepEqual(conversation.state.transcript.order, [clientMessageId]);
    assert.deepEqual(conversation.state.transcript.pending, []);
  });

  it("stops the run that it shows, also when the connection is lost meanwhile", async () => {
    const { server, log, conversation } = await setUp(answer);
    for (; log.head < 3;) publish(server, answer, "e1", ++log.head);
    await server.settle();
    const stopping = conversation.stop();
    await server.settle();
    server.on("chat.stop", () => ({ stopped: true }));
    server.pair.cut();
    await server.pass(1_000);
    assert.equal(await stopping, true);
    assert.deepEqual(
      server.requests("chat.stop").map(({ params }) => params),
      [{ runId: "run-2" }, { runId: "run-2" }],
    );
  });

  it("fails, and opens when asked again", async () => {
    const { server, log, client } = await setUp(answer);
    server.on("topic.subscribe", () => new ParleyError("NOT_FOUND"));
    const other = openConversation(client, "c2");
    await server.settle();
    assert.equal(other.state.status, "failed");
    assert.equal(other.state.error?.code, "NOT_FOUND");
    serve(server, answer, log);
    other.retry();
    assert.equal(other.state.status, "loading");
    await server.pass(1_000);
    assert.equal(other.state.status, "open");
    other.close();
    assert.equal(other.state.status, "closed");
  });

  it("reads older pages until there are none", async () => {
    const { server, conversation } = await setUp(answer);
    const page = (id: string): Message => ({
      id,
      conversationId: CONVERSATION_ID,
      parentId: null,
      role: "user",
      author: "u1",
      parts: [{ type: "text", text: id }],
      status: "complete",
      createdAt: "2025-01-01T00:00:00.000Z",
      runId: null,
    });
    assert.equal(await conversation.loadOlder(), false);
    const first = snapshotAt(answer, 1);
    const messages = first.messages.map((message) => ({ ...message, parentId: "older" }));
    const newest = { ...first, messages, hasMore: true };
    server.on("topic.subscribe", () => ({ mode: "snapshot", position: { epoch: "e2", seq: 1 }, snapshot: newest }));
    server.notify("resync", { topic: TOPIC });
    await server.pass(1_000);
    server.on("conversation.get", ({ before }) => ({ messages: [page("older")], hasMore: before === "older" }));
    const loading = conversation.loadOlder(1);
    await server.settle();
    assert.equal(await loading, true);
    assert.deepEqual(server.requests("conversation.get")[0]?.params, {
      conversationId: CONVERSATION_ID,
      before: "user-1",
      limit: 1,
    });
    assert.deepEqual(conversation.state.transcript.order, ["older", "user-1"]);
    assert.equal(await conversation.loadOlder(), false);
  });

  it("a listener is not called after it unsubscribed, nor anyone after close", async () => {
    const { server, log, conversation } = await setUp(answer);
    let calls = 0;
    conversation.subscribe(() => calls++)();
    conversation.close();
    for (; log.head < 3;) publish(server, answer, "e1", ++log.head);
    await server.settle();
    assert.equal(calls, 0);
    assert.deepEqual(conversation.state.transcript.order, []);
  });
});

describe("a message that came cut", () => {
  const whole = "0123456789".repeat(5);
  const cut: Message = {
    id: "m1",
    conversationId: CONVERSATION_ID,
    parentId: null,
    role: "assistant",
    author: "demo",
    parts: [
      { type: "text", text: whole.slice(0, 7), length: whole.length },
      { type: "text", text: "short" },
      { type: "text", text: "", length: whole.length },
    ],
    status: "complete",
    createdAt: "2026-01-01T00:00:00.000Z",
    runId: null,
  };
  const reading = (server: ScriptedServer) =>
    server.on("message.read", ({ offset }) => ({
      text: whole.slice(Number(offset), Number(offset) + 20),
      length: whole.length,
    }));

  const client = (server: ScriptedServer): Client => createClient({ auth: { kind: "cookie" }, ...server.platform });

  it("is read piece by piece until nothing is missing", async () => {
    const server = new ScriptedServer();
    reading(server);
    const read = readWhole(client(server), cut);
    await server.settle();
    assert.deepEqual(
      (await read).parts.map((part) => [wordsOf(part), "length" in part ? part.length : undefined]),
      [
        [whole, undefined],
        ["short", undefined],
        [whole, undefined],
      ],
    );
    assert.equal(server.requests("message.read").length, 6);
  });

  it("is read into the transcript", async () => {
    const { server, conversation } = await setUp(answer);
    reading(server);
    const snapshot = { ...snapshotAt(answer, 0), messages: [cut] };
    server.on("topic.subscribe", () => ({ mode: "snapshot", position: { epoch: "e2", seq: 1 }, snapshot }));
    server.notify("resync", { topic: TOPIC });
    await server.pass(1_000);
    const reads = conversation.readRest("m1");
    await server.settle();
    await reads;
    assert.deepEqual(textOf(messagesOf(conversation.state.transcript)), [`${whole}|short|${whole}`]);
  });

  it("a server that gives nothing more is not asked for ever", async () => {
    const server = new ScriptedServer();
    server.on("message.read", () => ({ text: "", length: whole.length }));
    const read = readWhole(client(server), cut);
    await server.settle();
    assert.deepEqual(await read, cut);
    assert.equal(server.requests("message.read").length, 1);
  });
});

/** Its attempts are told when another process takes over, and not when a finished step resets them [R6]. */
const activeOf = ({ activeRun }: Transcript) => activeRun && { ...activeRun, attempt: 0 };

/** Every message, without what is told in passing. */
const allOf = (transcript: Transcript) =>
  transcript.loaded
    .flatMap((id) => messageOf(transcript, id) ?? [])
    .map((message) => ({
      ...message,
      parts: message.parts.map((part) => (part.type === "tool" ? { ...part, progress: undefined } : part)),
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

it("[W6] any answer over any connection: cuts, losses and new epochs end in the text that the server stores", async () => {
  const step = fc.constantFrom("publish", "publish", "publish", "publish", "lose", "cut", "epoch", "wait");
  await fc.assert(
    fc.asyncProperty(commands(30), fc.array(step, { maxLength: 40 }), async (written, steps) => {
      const s = script(written);
      const { server, log, client, conversation } = await setUp(s);
      for (const action of steps) {
        if (action === "publish" && log.head < s.events.length) publish(server, s, log.epoch, ++log.head);
        else if (action === "lose" && log.head < s.events.length) log.head++;
        else if (action === "cut") server.pair.cut();
        else if (action === "epoch") log.epoch += "x";
        else if (action === "wait") await server.pass(300);
      }
      while (log.head < s.events.length) publish(server, s, log.epoch, ++log.head);
      await server.pass(2_000, 200);
      server.notify("heartbeat", { time: "", positions: { [TOPIC]: { epoch: log.epoch, seq: log.head } } });
      await server.pass(20_000, 1_000);
      const stored = reduce(EMPTY, { type: "snapshot", snapshot: snapshotAt(s, s.events.length) }).state;
      const { transcript } = conversation.state;
      assert.deepEqual(allOf(transcript), allOf(stored));
      assert.deepEqual(transcript.order, stored.order);
      assert.deepEqual(activeOf(transcript), activeOf(stored));
      assert.deepEqual(pendingApprovals(transcript), pendingApprovals(stored));
      client.close();
    }),
    { numRuns: 500 },
  );
});
