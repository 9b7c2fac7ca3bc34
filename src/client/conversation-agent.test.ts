/** What an open conversation lets a person do with an agent that acts, and that each of it happens once. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ScriptedServer } from "../../test/support/scripted-server.ts";
import { aConversation, aMessage, aRun, TIME } from "../../test/support/shapes.fake.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Approval, ConversationSnapshot, FilePart, Message, ToolPart } from "../protocol/shapes.ts";
import { createClient } from "./client.ts";
import { openConversation } from "./conversation.ts";
import type { StoredMessage } from "./outbox-message.ts";
import { readWhole } from "./read-rest.ts";
import { messageOf, pendingApprovals } from "./transcript.ts";

const file: FilePart = { type: "file", fileId: "f1", name: "plan.txt", mediaType: "text/plain", size: 3 };
const approval: Approval = {
  id: "p1",
  conversationId: "c",
  runId: "r",
  messageId: "a1",
  partIndex: 0,
  toolCallId: "t1",
  tool: "delete-file",
  args: { name: "a" },
  reason: "call",
  summary: "It deletes a file.",
  status: "pending",
  requestedAt: TIME,
  expiresAt: TIME,
  decidedAt: null,
  decidedBy: null,
};

const talk: ConversationSnapshot = {
  conversation: aConversation({ headMessageId: "a2" }),
  messages: [
    aMessage({ id: "q1", role: "user" }),
    aMessage({ id: "a1", parentId: "q1", runId: "r" }),
    aMessage({ id: "q2", role: "user", parentId: "a1" }),
    aMessage({ id: "a2", parentId: "q2", runId: "r2", status: "failed" }),
  ],
  hasMore: false,
  queuedRuns: [],
  approvals: [approval],
};

async function setUp(snapshot: ConversationSnapshot = talk) {
  const server = new ScriptedServer();
  server.on("topic.subscribe", () => ({ mode: "snapshot", position: { epoch: "e", seq: 1 }, snapshot }));
  const kept = new Map<string, StoredMessage>();
  const storage = {
    load: () => [...kept.values()],
    save: (message: StoredMessage) => void kept.set(message.clientMessageId, structuredClone(message)),
    remove: (id: string) => void kept.delete(id),
  };
  const make = () => {
    const client = createClient({ auth: { kind: "cookie" }, ...server.platform, outbox: storage });
    return { client, conversation: openConversation(client, "c") };
  };
  const made = make();
  await server.settle();
  return { server, kept, make, ...made };
}

const accept = (params: Record<string, unknown>) => ({
  runId: "r9",
  userMessageId: params["clientMessageId"] ?? "q2",
  state: "running",
});

describe("an open conversation", () => {
  it("[W10] sends files, steers, edits, regenerates and retries, each under its own key, in order", async () => {
    const { server, conversation } = await setUp();
    for (const method of ["chat.send", "chat.edit", "chat.regenerate", "run.retry"] as const) server.on(method, accept);
    const sent = [
      conversation.send("hello", { files: [file], model: "demo" }),
      conversation.steer("wait", { files: [file] }),
      conversation.edit("q2", "better", { files: [file] }),
      conversation.regenerate("a1", { model: "demo" }),
      conversation.retryRun("r2"),
    ];
    await server.settle();
    const parts = [{ type: "file", fileId: "f1" }];
    const asked = server.asked.filter(({ method }) => /^(chat|run)\./.test(method));
    const ids = (i: number) => ({
      idempotencyKey: sent[i]?.idempotencyKey,
      clientMessageId: sent[i]?.clientMessageId,
    });
    assert.deepEqual(
      asked.map(({ method, params }) => [method, params]),
      [
        ["chat.send", { conversationId: "c", text: "hello", parts, model: "demo", ...ids(0) }],
        ["chat.send", { conversationId: "c", text: "wait", parts, whenBusy: "steer", ...ids(1) }],
        ["chat.edit", { conversationId: "c", messageId: "q2", text: "better", parts, ...ids(2) }],
        [
          "chat.regenerate",
          { conversationId: "c", messageId: "a1", model: "demo", idempotencyKey: sent[3]?.idempotencyKey },
        ],
        ["run.retry", { runId: "r2", idempotencyKey: sent[4]?.idempotencyKey }],
      ],
    );
  });

  it("[W10] what was asked for before a reload is asked for again, with the same key", async () => {
    const { server, kept, make, client, conversation } = await setUp();
    const edit = conversation.edit("q2", "better", { files: [file] });
    const again = conversation.regenerate("a1");
    await server.settle();
    assert.equal(kept.size, 2);
    client.close();
    for (const method of ["chat.edit", "chat.regenerate"] as const) server.on(method, accept);
    const reloaded = make();
    assert.deepEqual(reloaded.conversation.state.transcript.pending[0]?.files, [file]);
    await server.settle();
    assert.equal(kept.size, 0);
    const keys = (method: "chat.edit" | "chat.regenerate") =>
      server.requests(method).map(({ params }) => params["idempotencyKey"]);
    assert.deepEqual(keys("chat.edit"), [edit.idempotencyKey, edit.idempotencyKey]);
    assert.deepEqual(keys("chat.regenerate"), [again.idempotencyKey]);
  });

  it("[W10] a connection that is lost in the middle changes nothing of it", async () => {
    const { server, conversation } = await setUp();
    const { idempotencyKey } = conversation.regenerate("a2");
    await server.settle();
    server.on("chat.regenerate", accept);
    server.pair.cut();
    await server.pass(2_000);
    assert.deepEqual(
      server.requests("chat.regenerate").map(({ params }) => params["idempotencyKey"]),
      [idempotencyKey, idempotencyKey],
    );
    assert.equal(conversation.state.transcript.pendingAnswers[0]?.delivery.state, "accepted");
  });

  it("shows at once what a person is about to change", async () => {
    const { server, conversation } = await setUp();
    const shown = () => conversation.state.transcript.order;
    assert.deepEqual(shown(), ["q1", "a1", "q2", "a2"]);
    conversation.retryRun("r2");
    assert.deepEqual(shown(), ["q1", "a1", "q2"]);
    const { clientMessageId } = conversation.edit("q2", "better");
    assert.deepEqual(shown(), ["q1", "a1"]);
    const steer = conversation.steer("and quick");
    assert.deepEqual(
      conversation.state.transcript.pending.map(({ id, editOf, steers }) => [id, editOf, steers]),
      [
        [clientMessageId, "q2", false],
        [steer.clientMessageId, undefined, true],
      ],
    );
    server.on("run.retry", () => new ParleyError("NOT_FOUND"));
    server.on("chat.edit", () => new ParleyError("NOT_FOUND"));
    server.pair.cut();
    await server.pass(2_000);
    assert.deepEqual(shown(), ["q1", "a1", "q2", "a2"]);
    assert.deepEqual(
      conversation.state.transcript.pending.map(({ delivery }) => delivery.state),
      ["refused", "sending"],
    );
  });

  it("[R7] decides, also when the connection is lost meanwhile, and shows what was decided", async () => {
    const { server, conversation } = await setUp();
    const deciding = conversation.decide("p1", "approve", { args: { name: "b" }, remember: true });
    await server.settle();
    const decided: Approval = { ...approval, status: "approved", decidedAt: TIME, decidedBy: "u1" };
    server.on("approval.decide", () => ({ approval: decided }));
    server.pair.cut();
    await server.pass(2_000);
    assert.deepEqual(await deciding, decided);
    const params = { approvalId: "p1", decision: "approve", args: { name: "b" }, remember: true };
    assert.deepEqual(
      server.requests("approval.decide").map((asked) => asked.params),
      [params, params],
    );
    assert.deepEqual(pendingApprovals(conversation.state.transcript), []);
    assert.deepEqual(conversation.state.transcript.approvals.get("p1"), decided);
  });

  it("[R7] somebody else was first", async () => {
    const { server, conversation } = await setUp();
    server.on("approval.decide", () => new ParleyError("ALREADY_DECIDED"));
    const deciding = conversation.decide("p1", "deny");
    deciding.catch(() => {});
    await server.settle();
    await assert.rejects(deciding, { code: "ALREADY_DECIDED" });
  });

  it("asks for another branch, and shows it when the server says so", async () => {
    const { server, conversation } = await setUp();
    server.on("conversation.selectBranch", () => ({ conversation: talk.conversation }));
    const selecting = conversation.selectBranch("a1");
    await server.settle();
    await selecting;
    assert.deepEqual(server.requests("conversation.selectBranch")[0]?.params, { conversationId: "c", messageId: "a1" });
    const value = { conversationId: "c", headMessageId: "a1" };
    server.event("conversation:c", "e", { seq: 2, event: { type: "CUSTOM", name: "branch.selected", value } });
    await server.settle();
    assert.deepEqual(conversation.state.transcript.order, ["q1", "a1"]);
  });
});

describe("a tool call that came cut", () => {
  const whole: ToolPart = {
    type: "tool",
    toolCallId: "t1",
    name: "research",
    args: { about: "x".repeat(50) },
    status: "completed",
    result: { words: "y".repeat(50) },
  };
  const cut: ToolPart = { ...whole, args: {}, length: 1_000 };
  delete cut.result;
  const message: Message = aMessage({ id: "a1", parts: [{ type: "text", text: "so" }, cut], runId: "r" });
  const reading = (server: ScriptedServer, part: () => ToolPart, units = 40) =>
    server.on("message.read", ({ offset }) => {
      const json = JSON.stringify(part());
      return { text: json.slice(Number(offset), Number(offset) + units), length: json.length };
    });

  it("is read piece by piece and put together", async () => {
    const server = new ScriptedServer();
    reading(server, () => whole);
    const client = createClient({ auth: { kind: "cookie" }, ...server.platform });
    const read = readWhole(client, message);
    await server.settle();
    assert.deepEqual((await read).parts, [{ type: "text", text: "so" }, whole]);
  });

  it("is read anew when it changes meanwhile", async () => {
    const snapshot: ConversationSnapshot = {
      ...talk,
      conversation: aConversation({ headMessageId: "a1" }),
      messages: [message],
      approvals: [],
    };
    const { server, conversation } = await setUp(snapshot);
    let reads = 0;
    reading(server, () => (++reads === 1 ? { ...whole, result: "shorter" } : whole));
    const reading_ = conversation.readRest("a1");
    await server.settle();
    await reading_;
    assert.deepEqual(messageOf(conversation.state.transcript, "a1")?.parts[1], whole);
  });

  it("a server that gives nothing more is not asked for ever", async () => {
    const server = new ScriptedServer();
    server.on("message.read", () => ({ text: "", length: 500 }));
    const client = createClient({ auth: { kind: "cookie" }, ...server.platform });
    const read = readWhole(client, message);
    read.catch(() => {});
    await server.settle();
    await assert.rejects(read, { code: "UNAVAILABLE" });
    assert.equal(server.requests("message.read").length, 1);
  });
});

it("[R2] the run that a steer joined is the one that stop names", async () => {
  const run = aRun({ userMessageId: "q1", assistantMessageId: "a1" });
  const messages = [
    aMessage({ id: "q1", role: "user" }),
    aMessage({ id: "a1", parentId: "q1", status: "streaming", runId: "r" }),
  ];
  const conversation = aConversation({ headMessageId: "a1" });
  const all = await setUp({ ...talk, conversation, messages, approvals: [], activeRun: run });
  all.server.on("chat.stop", () => ({ stopped: true }));
  const stopping = all.conversation.stop();
  await all.server.settle();
  assert.equal(await stopping, true);
  assert.deepEqual(all.server.requests("chat.stop")[0]?.params, { runId: "r" });
});
