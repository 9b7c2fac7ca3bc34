/** What a transcript makes of an agent that acts: one event at a time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aMessage, aRun, TIME } from "../../test/support/shapes.fake.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { Approval, FilePart, Message, Part, Run, Step, ToolPart } from "../protocol/shapes.ts";
import type { Delivery } from "./outbox.ts";
import { reduce, type TranscriptInput } from "./transcript-reduce.ts";
import {
  EMPTY,
  isCut,
  messageOf,
  messagesOf,
  pendingApprovals,
  type PendingMessage,
  siblingsOf,
  type Transcript,
} from "./transcript.ts";

const later = (seconds: number): string => new Date(Date.parse(TIME) + seconds * 1000).toISOString();

const message = (id: string, parentId: string | null, fields: Partial<Message> = {}): Message =>
  aMessage({ id, parentId, role: id.startsWith("q") ? "user" : "assistant", ...fields });
const run = (fields: Partial<Run> = {}): Run => aRun({ userMessageId: "q1", assistantMessageId: "a1", ...fields });
const call = (fields: Partial<ToolPart> = {}): ToolPart => ({
  type: "tool",
  toolCallId: "t1",
  name: "clock",
  args: {},
  status: "pending",
  ...fields,
});
const file: FilePart = { type: "file", fileId: "f1", name: "plan.txt", mediaType: "text/plain", size: 3 };

interface Seen {
  readonly head?: string | null;
  readonly activeRun?: Run;
  readonly queuedRuns?: Run[];
  readonly approvals?: Approval[];
  readonly hasMore?: boolean;
}

const see = (messages: readonly Message[], { head = null, ...fields }: Seen = {}, state = EMPTY): Transcript =>
  reduce(state, {
    type: "snapshot",
    snapshot: {
      conversation: { id: "c", title: "", model: null, headMessageId: head, createdAt: TIME, updatedAt: TIME },
      messages: [...messages],
      hasMore: false,
      queuedRuns: [],
      approvals: [],
      ...fields,
    },
  }).state;

/** An answer that streams, with these parts. */
const streaming = (...parts: Part[]): Transcript =>
  see([message("q1", null), message("a1", "q1", { status: "streaming", runId: "r", parts })], {
    head: "a1",
    activeRun: run(),
  });

const apply = (state: Transcript, ...events: readonly ParleyEvent[]): Transcript =>
  events.reduce((before, event) => {
    const { state: after, gap } = reduce(before, { type: "event", event });
    assert.equal(gap, false, JSON.stringify(event));
    return after;
  }, state);
const isGap = (state: Transcript, event: ParleyEvent): boolean => {
  const { state: after, gap } = reduce(state, { type: "event", event });
  if (gap) assert.equal(after, state);
  return gap;
};
const partsOf = (state: Transcript, id = "a1"): readonly Part[] => messageOf(state, id)?.parts ?? [];

const place = { messageId: "a1", partIndex: 0 };
const toolStart = (fields: { toolCallId?: string; partIndex?: number } = {}): ParleyEvent => ({
  type: "TOOL_CALL_START",
  toolCallId: "t1",
  toolCallName: "clock",
  parentMessageId: "a1",
  runId: "r",
  ...place,
  ...fields,
});
const args = (
  offset: number,
  delta: string,
  fields: { toolCallId?: string; partIndex?: number } = {},
): ParleyEvent => ({ type: "TOOL_CALL_ARGS", toolCallId: "t1", offset, delta, ...place, ...fields });
const toolEnd = (length: number): ParleyEvent => ({ type: "TOOL_CALL_END", toolCallId: "t1", length, ...place });
const updated = (part: ToolPart, partIndex = 0): ParleyEvent => ({
  type: "CUSTOM",
  name: "tool.updated",
  value: { messageId: "a1", partIndex, part },
});
const result = (part: ToolPart, partIndex = 0): ParleyEvent => ({
  type: "TOOL_CALL_RESULT",
  messageId: "a1",
  toolCallId: part.toolCallId,
  role: "tool",
  content: "1",
  partIndex,
  part,
});
const reset = (partIndex: number, length: number): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.reset",
  value: { messageId: "a1", partIndex, length, attempt: 2, runId: "r" },
});
const reasoningStart: ParleyEvent = { type: "REASONING_MESSAGE_START", role: "reasoning", runId: "r", ...place };
const textStart: ParleyEvent = { type: "TEXT_MESSAGE_START", role: "assistant", runId: "r", ...place };
const reasoning = (offset: number, delta: string): ParleyEvent => ({
  type: "REASONING_MESSAGE_CONTENT",
  offset,
  delta,
  ...place,
});
const text = (offset: number, delta: string): ParleyEvent => ({
  type: "TEXT_MESSAGE_CONTENT",
  offset,
  delta,
  ...place,
});

describe("transcript, parts of each kind", () => {
  it("[W5] reasoning grows by offset, and its end checks its length", () => {
    const state = apply(streaming(), reasoningStart, reasoning(0, "let me "), reasoning(4, "me see"));
    assert.deepEqual(partsOf(state), [{ type: "reasoning", text: "let me see" }]);
    assert.equal(apply(state, reasoning(0, "let")), state);
    assert.equal(apply(state, { type: "REASONING_MESSAGE_END", length: 10, ...place }), state);
    assert.ok(isGap(state, { type: "REASONING_MESSAGE_END", length: 9, ...place }));
    assert.ok(isGap(state, reasoning(11, "x")));
  });

  it("[W5] the arguments of parallel calls grow side by side", () => {
    const second = { toolCallId: "t2", partIndex: 1 };
    const state = apply(
      streaming(),
      toolStart(),
      args(0, '{"a'),
      toolStart(second),
      args(0, "{", second),
      args(3, '":1}'),
      args(1, "}", second),
    );
    assert.deepEqual(partsOf(state), [
      call({ argsText: '{"a":1}', status: "streaming" }),
      call({ toolCallId: "t2", argsText: "{}", status: "streaming" }),
    ]);
    assert.equal(apply(state, toolEnd(7), args(0, '{"a'), toolStart()), state);
    for (const event of [args(8, "x"), toolEnd(8), args(0, "x", { partIndex: 1 }), args(0, "x", { partIndex: 2 })]) {
      assert.ok(isGap(state, event), JSON.stringify(event));
    }
  });

  it("[W5] a delta of another kind than its part is a gap", () => {
    assert.ok(isGap(streaming({ type: "text", text: "a" }), reasoning(1, "b")));
    assert.ok(isGap(streaming({ type: "reasoning", text: "a" }), text(1, "b")));
    assert.ok(isGap(streaming({ type: "text", text: "a" }), args(1, "b")));
    assert.ok(isGap(streaming(call()), text(0, "b")));
  });

  it("[R5] after a reset to nothing the part begins again, maybe as another kind", () => {
    const before = apply(streaming(), reasoningStart, reasoning(0, "hm"), toolStart({ partIndex: 1 }));
    const cut = apply(before, reset(0, 0));
    assert.deepEqual(partsOf(cut), []);
    assert.deepEqual(partsOf(apply(cut, textStart, text(0, "so"))), [{ type: "text", text: "so" }]);
    // A reader whose snapshot was newer than the reset.
    assert.deepEqual(partsOf(apply(before, textStart)).length, 2);
    assert.deepEqual(partsOf(apply(before, textStart))[0], { type: "text", text: "" });
  });

  it("[R5] a reset keeps what stands before it, of any kind", () => {
    const grown = apply(streaming(), toolStart(), args(0, '{"a":1}'));
    assert.deepEqual(partsOf(apply(grown, reset(0, 2))), [call({ argsText: '{"', status: "streaming" })]);
    assert.ok(isGap(grown, reset(0, 9)));
    const journaled = streaming(call(), { type: "text", text: "abc" });
    assert.deepEqual(partsOf(apply(journaled, reset(1, 0))), [call()]);
    assert.ok(isGap(journaled, reset(0, 1)), "a journaled call does not grow");
  });
});

describe("transcript, tool calls", () => {
  it("[W4] a call goes forward only: what comes late changes nothing", () => {
    const states: readonly ToolPart[] = [
      call({ status: "streaming", argsText: "{}" }),
      call({ status: "pending" }),
      call({ status: "waiting", approvalId: "p1" }),
      call({ status: "running", approvalId: "p1" }),
      call({ status: "completed", result: { at: 1 } }),
    ];
    let state = streaming();
    for (const [i, part] of states.entries()) {
      state = apply(state, i === states.length - 1 ? result(part) : updated(part));
      assert.deepEqual(partsOf(state), [part]);
      assert.equal(apply(state, updated(structuredClone(part))), state);
    }
    for (const part of states.slice(0, -1)) assert.equal(apply(state, updated(part)), state);
    assert.equal(apply(state, toolStart(), args(0, "late"), toolEnd(3)), state);
  });

  it("[R5] a call that was interrupted may go back and wait for a person", () => {
    const state = apply(streaming(call({ status: "running" })), updated(call({ status: "waiting" })));
    assert.deepEqual(partsOf(state), [call({ status: "waiting" })]);
  });

  it("the newest word of a call that runs counts, until its result", () => {
    const word = (text: string, fraction?: number): ParleyEvent => ({
      type: "CUSTOM",
      name: "tool.progress",
      value: { ...place, toolCallId: "t1", message: text, ...(fraction === undefined ? {} : { fraction }) },
    });
    const running = call({ status: "running" });
    let state = apply(streaming(running), word("one"), word("two", 0.5));
    assert.deepEqual(partsOf(state), [{ ...running, progress: { message: "two", fraction: 0.5 } }]);
    state = apply(state, updated(running));
    assert.deepEqual(partsOf(state)[0], { ...running, progress: { message: "two", fraction: 0.5 } });
    const done = call({ status: "completed", result: 1 });
    state = apply(state, result(done), word("late"));
    assert.deepEqual(partsOf(state), [done]);
  });

  it("[W4] a result that comes after its message has ended is taken; one of a part that is not there is not", () => {
    const ended = see([message("q1", null), message("a1", "q1", { parts: [call({ status: "running" })] })]);
    assert.deepEqual(partsOf(apply(ended, result(call({ status: "stopped" })))), [call({ status: "stopped" })]);
    assert.equal(apply(ended, result(call({ status: "stopped" }), 3)), ended);
  });

  it("a run that ends stops the calls that have not ended", () => {
    const done = call({ status: "completed", result: 1 });
    const state = apply(streaming(done, call({ toolCallId: "t2", status: "running" })), {
      type: "RUN_FINISHED",
      threadId: "c",
      runId: "r",
      outcome: { type: "cancelled" },
      usage: [],
      run: run({ status: "stopped" }),
    });
    assert.deepEqual(partsOf(state), [done, call({ toolCallId: "t2", status: "stopped" })]);
  });

  it("[W11] a call that came cut is replaced by the whole, unless it went on meanwhile", () => {
    const cut = call({ status: "completed", length: 90_000 });
    const whole = call({ status: "completed", args: { long: "x" }, result: "y" });
    const state = streaming(cut);
    assert.ok(isCut(cut) && !isCut(whole));
    const put = (part: ToolPart, before = state) =>
      partsOf(reduce(before, { type: "whole", messageId: "a1", partIndex: 0, part }).state);
    assert.deepEqual(put(whole), [whole]);
    assert.deepEqual(put(call({ status: "running" })), [cut]);
    assert.deepEqual(put(call({ ...whole, toolCallId: "t2" })), [cut]);
    // The whole is not lost to the same call, cut.
    assert.deepEqual(partsOf(apply(streaming(whole), result(cut))), [whole]);
  });
});

describe("transcript, approvals, plan, steps, notices", () => {
  const approval = (fields: Partial<Approval> = {}): Approval => ({
    id: "p1",
    conversationId: "c",
    runId: "r",
    messageId: "a1",
    partIndex: 0,
    toolCallId: "t1",
    tool: "clock",
    args: {},
    reason: "call",
    summary: "It tells the time.",
    status: "pending",
    requestedAt: TIME,
    expiresAt: later(60),
    decidedAt: null,
    decidedBy: null,
    ...fields,
  });
  const told = (name: "approval.requested" | "approval.decided", fields: Partial<Approval> = {}): ParleyEvent => ({
    type: "CUSTOM",
    name,
    value: { approval: approval(fields) },
  });

  it("[R7] those that wait are oldest first, and a decision is final", () => {
    let state = apply(
      streaming(call()),
      told("approval.requested", { id: "p2", requestedAt: later(1) }),
      told("approval.requested"),
    );
    assert.deepEqual(
      pendingApprovals(state).map(({ id }) => id),
      ["p1", "p2"],
    );
    state = apply(state, told("approval.decided", { status: "denied" }));
    assert.equal(apply(state, told("approval.requested"), told("approval.decided", { status: "approved" })), state);
    assert.equal(state.approvals.get("p1")?.status, "denied");
    assert.deepEqual(
      pendingApprovals(state).map(({ id }) => id),
      ["p2"],
    );
  });

  it("[R7] a snapshot says which wait; decisions that were seen stay", () => {
    const before = apply(
      streaming(),
      told("approval.decided", { status: "approved" }),
      told("approval.requested", { id: "p2" }),
    );
    const state = see([], { approvals: [approval(), approval({ id: "p3" })] }, before);
    assert.deepEqual(
      [...state.approvals.values()].map(({ id, status }) => [id, status]),
      [
        ["p1", "approved"],
        ["p3", "pending"],
      ],
    );
  });

  it("remembers a bounded number of decisions, and every question", () => {
    let state = streaming();
    for (let i = 0; i < 130; i++) state = apply(state, told("approval.requested", { id: `p${i}` }));
    assert.equal(state.approvals.size, 130);
    for (let i = 0; i < 130; i++) state = apply(state, told("approval.decided", { id: `p${i}`, status: "expired" }));
    assert.equal(state.approvals.size, 100);
    assert.ok(state.approvals.has("p129"));
  });

  it("a plan is replaced, and the same again is the same", () => {
    const plan = [{ id: "1", title: "look", status: "running" as const }];
    const event: ParleyEvent = { type: "CUSTOM", name: "plan.updated", value: { messageId: "a1", runId: "r", plan } };
    const state = apply(streaming(), event);
    assert.deepEqual(messageOf(state, "a1")?.plan, plan);
    assert.equal(apply(state, structuredClone(event)), state);
  });

  it("steps of the latest run are kept by index; one that ended does not run again", () => {
    const step = (fields: Partial<Step>): Step => ({
      id: "s1",
      runId: "r",
      index: 0,
      kind: "model",
      name: "demo",
      attempt: 1,
      status: "running",
      usage: { inputTokens: 0, outputTokens: 0 },
      startedAt: TIME,
      finishedAt: null,
      ...fields,
    });
    const event = (type: "STEP_STARTED" | "STEP_FINISHED", fields: Partial<Step> = {}): ParleyEvent => ({
      type,
      stepName: "demo",
      runId: "r",
      step: step(fields),
    });
    const ended = { status: "completed" as const, finishedAt: TIME };
    const other = event("STEP_STARTED", { id: "s2", index: 1, kind: "tool" });
    let state = apply(streaming(), other, event("STEP_STARTED"), event("STEP_FINISHED", ended));
    assert.deepEqual(
      state.steps.map(({ id, status }) => [id, status]),
      [
        ["s1", "completed"],
        ["s2", "running"],
      ],
    );
    assert.equal(apply(state, event("STEP_STARTED")), state);
    state = apply(state, event("STEP_STARTED", { attempt: 2 }));
    assert.equal(state.steps[0]?.status, "running");
    state = apply(state, event("STEP_STARTED", { id: "s9", runId: "next" }));
    assert.deepEqual(
      state.steps.map(({ id }) => id),
      ["s9"],
    );
  });

  it("a notice stands until the answer goes on, or the run ends", () => {
    const notice: ParleyEvent = {
      type: "CUSTOM",
      name: "run.notice",
      value: { runId: "r", kind: "retrying", message: "The provider is busy.", retryAt: later(5) },
    };
    const state = apply(streaming(), notice);
    assert.equal(state.notice?.message, "The provider is busy.");
    assert.equal(apply(state, textStart).notice, undefined);
    assert.equal(apply(state, text(0, "so")).notice, undefined);
    const finished: ParleyEvent = { type: "CUSTOM", name: "run.updated", value: { run: run({ status: "stopped" }) } };
    assert.equal(apply(state, finished).notice, undefined);
    assert.equal(apply(streaming(), { ...notice, value: { ...notice.value, runId: "other" } }).notice, undefined);
  });

  it("[W4] what a newer server says is ignored", () => {
    const state = streaming({ type: "text", text: "a" });
    for (const event of [
      { type: "CUSTOM", name: "message.sung", value: {} },
      { type: "ACTIVITY_SNAPSHOT", messageId: "a1" },
    ]) {
      assert.equal(apply(state, event as unknown as ParleyEvent), state);
    }
    const unknown = { type: "hologram", depth: 3 } as unknown as Part;
    const shown = streaming(unknown, { type: "text", text: "a" });
    assert.deepEqual(partsOf(shown)[0], unknown);
    assert.equal(isCut(unknown), false);
    const after = apply(shown, { ...place, type: "TEXT_MESSAGE_CONTENT", partIndex: 1, offset: 1, delta: "b" });
    assert.deepEqual(partsOf(after), [unknown, { type: "text", text: "ab" }]);
  });
});

describe("transcript, branches", () => {
  const tree = [
    message("q1", null),
    message("a1", "q1", { createdAt: later(1) }),
    message("q2", "a1", { createdAt: later(2) }),
    message("a2", "q2", { createdAt: later(3) }),
    message("q3", "a1", { createdAt: later(4) }),
    message("a3", "q3", { createdAt: later(5) }),
    message("a4", "q3", { createdAt: later(6) }),
  ];
  const selected = (headMessageId: string): ParleyEvent => ({
    type: "CUSTOM",
    name: "branch.selected",
    value: { conversationId: "c", headMessageId },
  });
  const created = (said: Message): ParleyEvent => ({
    type: "CUSTOM",
    name: "message.created",
    value: { message: said },
  });

  it("the branch of the head is shown, and siblings stand beside each other", () => {
    const state = see(tree, { head: "a4" });
    assert.deepEqual(state.order, ["q1", "a1", "q3", "a4"]);
    assert.deepEqual(siblingsOf(state, "q3"), ["q2", "q3"]);
    assert.deepEqual(siblingsOf(state, "a4"), ["a3", "a4"]);
    assert.deepEqual(siblingsOf(state, "a1"), ["a1"]);
    assert.deepEqual(state.children.get("a1"), ["q2", "q3"]);
    assert.deepEqual(apply(state, selected("a2")).order, ["q1", "a1", "q2", "a2"]);
    assert.equal(apply(state, selected("a4")), state);
  });

  it("a message that follows the head is shown; one on another branch is not, until it is selected", () => {
    let state = see(tree, { head: "a4" });
    state = apply(state, created(message("q5", "a4", { createdAt: later(7) })));
    assert.deepEqual(state.order, ["q1", "a1", "q3", "a4", "q5"]);
    state = apply(state, created(message("q6", "a2", { createdAt: later(8) })));
    assert.equal(state.head, "q5");
    assert.deepEqual(apply(state, selected("q6")).order, ["q1", "a1", "q2", "a2", "q6"]);
  });

  it("a branch that is selected before its message is heard of is shown when it comes", () => {
    const state = apply(
      see(tree, { head: "a4" }),
      selected("q9"),
      created(message("q9", "a2", { createdAt: later(9) })),
    );
    assert.deepEqual(state.order, ["q1", "a1", "q2", "a2", "q9"]);
  });

  it("[R2] what waits in the queue, or to join the answer, stands after the branch", () => {
    const queued = run({ id: "r3", status: "queued", userMessageId: "q3", assistantMessageId: "a3", position: 3 });
    let state = see(
      [
        message("q1", null),
        message("a1", "q1", { status: "streaming", runId: "r", createdAt: later(1) }),
        message("q3", null, { runId: "r3", createdAt: later(2) }),
        message("q2", null, { runId: "r", createdAt: later(3) }),
      ],
      { head: "a1", activeRun: run(), queuedRuns: [queued] },
    );
    assert.deepEqual(
      [state.order, state.waiting],
      [
        ["q1", "a1", "q2", "q3"],
        ["q2", "q3"],
      ],
    );
    assert.deepEqual(siblingsOf(state, "q3"), ["q3"]);
    assert.deepEqual(siblingsOf(state, "q1"), ["q1"]);
    // The message joins: the answer so far is complete, and the run goes on with another.
    state = apply(
      state,
      {
        type: "CUSTOM",
        name: "message.updated",
        value: { message: message("a1", "q1", { runId: "r", createdAt: later(1) }) },
      },
      {
        type: "CUSTOM",
        name: "message.updated",
        value: { message: message("q2", "a1", { runId: "r", createdAt: later(3) }) },
      },
      created(message("a2", "q2", { status: "streaming", runId: "r", createdAt: later(4) })),
      { type: "CUSTOM", name: "run.updated", value: { run: run({ userMessageId: "q2", assistantMessageId: "a2" }) } },
    );
    assert.deepEqual([state.order, state.waiting], [["q1", "a1", "q2", "a2", "q3"], ["q3"]]);
    assert.equal(state.activeRun?.assistantMessageId, "a2");
  });

  it("[R2] a run of several answers ends with the usage of the last one", () => {
    const usage = { inputTokens: 10, outputTokens: 4 };
    const state = see(
      [
        message("q1", null),
        message("a1", "q1", { runId: "r", usage, createdAt: later(1) }),
        message("q2", "a1", { runId: "r", createdAt: later(2) }),
        message("a2", "q2", { runId: "r", status: "streaming", createdAt: later(3) }),
      ],
      { head: "a2", activeRun: run({ userMessageId: "q2", assistantMessageId: "a2" }) },
    );
    const total = { inputTokens: 25, outputTokens: 6, costMicros: 7 };
    const ended = apply(state, {
      type: "RUN_FINISHED",
      threadId: "c",
      runId: "r",
      outcome: { type: "success" },
      usage: [],
      run: run({ status: "completed", userMessageId: "q2", assistantMessageId: "a2", usage: total }),
    });
    assert.deepEqual(messageOf(ended, "a2")?.usage, { inputTokens: 15, outputTokens: 2, costMicros: 7 });
    assert.deepEqual(messageOf(ended, "a1")?.usage, usage);
  });

  it("a message that left the queue unanswered stays in sight", () => {
    const state = see([message("q1", null), message("a1", "q1"), message("q2", null, { createdAt: later(2) })], {
      head: "a1",
    });
    assert.deepEqual(state.order, ["q1", "a1", "q2"]);
  });

  it("older pages bring branches too; the first message that is here is the one to read before", () => {
    const state = see(tree.slice(4), { head: "a4", hasMore: true });
    assert.deepEqual(state.order, ["q3", "a4"]);
    const whole = reduce(state, { type: "older", messages: tree.slice(0, 4), hasMore: false }).state;
    assert.equal(whole.loaded[0], "q1");
    assert.deepEqual(whole.order, ["q1", "a1", "q3", "a4"]);
    assert.deepEqual(siblingsOf(whole, "q3"), ["q2", "q3"]);
  });

  it("[W6] an older message that was not at its end is read anew when a snapshot begins after it", () => {
    const before = see(
      [
        message("q0", null),
        message("a0", "q0", { createdAt: later(1) }),
        message("q1", "a0", { createdAt: later(2) }),
        message("a1", "q1", { status: "streaming", createdAt: later(3) }),
        message("q2", null, { createdAt: later(4) }),
        message("q3", null, { createdAt: later(5) }),
      ],
      { head: "a1", activeRun: run() },
    );
    const rest = [message("q3", "a2", { createdAt: later(5) }), message("a3", "q3", { createdAt: later(6) })];
    const state = see(rest, { head: "a3", hasMore: true }, before);
    assert.deepEqual([state.loaded, state.hasMore], [["q3", "a3"], true]);
    const complete = see([...before.loaded.slice(0, 3).flatMap((id) => messageOf(before, id) ?? []), ...rest], {
      head: "a3",
    });
    assert.deepEqual(see(rest, { head: "a3", hasMore: true }, complete).loaded, ["q0", "a0", "q1", "q3", "a3"]);
  });

  it("parents that name each other do not hang it", () => {
    const state = see([message("q1", "a1"), message("a1", "q1")], { head: "a1" });
    assert.deepEqual(state.order, ["q1", "a1"]);
  });
});

describe("transcript, what the reader is about to do", () => {
  const talk = see(
    [
      message("q1", null),
      message("a1", "q1", { createdAt: later(1) }),
      message("q2", "a1", { createdAt: later(2) }),
      message("a2", "q2", { createdAt: later(3) }),
    ],
    { head: "a2" },
  );
  const queued: Delivery = { state: "queued" };
  const refused = { state: "refused", error: { code: "NOT_FOUND" } } as unknown as Delivery;
  const edit = (delivery: Delivery): PendingMessage => ({
    id: "q9",
    text: "better",
    files: [file],
    createdAt: later(9),
    editOf: "q2",
    steers: false,
    delivery,
  });
  const pending = (input: Partial<Extract<TranscriptInput, { type: "pending" }>>, state = talk): Transcript =>
    reduce(state, { type: "pending", messages: [], ...input }).state;

  it("an edit takes the place of its message at once, and its echo takes its own", () => {
    const editing = pending({ messages: [edit(queued)] });
    assert.deepEqual(editing.order, ["q1", "a1"]);
    assert.equal(editing.pending[0]?.text, "better");
    const said = message("q9", "a1", { createdAt: later(9) });
    const echoed = apply(
      editing,
      { type: "CUSTOM", name: "message.created", value: { message: said } },
      { type: "CUSTOM", name: "branch.selected", value: { conversationId: "c", headMessageId: "q9" } },
    );
    assert.deepEqual([echoed.order, echoed.pending], [["q1", "a1", "q9"], []]);
  });

  it("what is refused gives the branch back, and stays to be looked at", () => {
    const state = pending({ messages: [edit(refused)] }, pending({ messages: [edit(queued)] }));
    assert.deepEqual(state.order, talk.order);
    assert.equal(state.pending.length, 1);
  });

  it("an answer that is asked for again is hidden until the new one begins", () => {
    const asked = pending({ answers: [{ id: "x", messageId: "a2", delivery: queued }] });
    assert.deepEqual(asked.order, ["q1", "a1", "q2"]);
    const accepted: Delivery = { state: "accepted", run: "running", runId: "r2", userMessageId: "q2" };
    const sent = pending({ answers: [{ id: "x", messageId: "a2", delivery: accepted }] }, asked);
    assert.equal(sent.pendingAnswers.length, 1);
    const answer = message("a3", "q2", { status: "streaming", runId: "r2", createdAt: later(8) });
    const begun = apply(
      sent,
      {
        type: "RUN_STARTED",
        threadId: "c",
        runId: "r2",
        run: run({ id: "r2", userMessageId: "q2", assistantMessageId: "a3" }),
        message: answer,
      },
      { type: "CUSTOM", name: "branch.selected", value: { conversationId: "c", headMessageId: "a3" } },
    );
    assert.deepEqual([begun.order, begun.pendingAnswers], [["q1", "a1", "q2", "a3"], []]);
    assert.deepEqual(siblingsOf(begun, "a3"), ["a2", "a3"]);
    const refusal = pending({ answers: [{ id: "x", messageId: "a2", delivery: refused }] });
    assert.deepEqual(refusal.order, talk.order);
  });

  it("[W6] an answer that began and ended while the reader was away is not awaited any more", () => {
    const accepted: Delivery = { state: "accepted", run: "running", runId: "r2", userMessageId: "q2" };
    const answers = [{ id: "x", messageId: "a2", delivery: accepted }];
    const sent = pending({ answers });
    const now = [...messagesOf(talk), message("a3", "q2", { runId: "r2", createdAt: later(8) })];
    const back = see(now, { head: "a3" }, sent);
    assert.deepEqual([back.order, back.pendingAnswers], [["q1", "a1", "q2", "a3"], []]);
    // The outbox tells of all that it remembers whenever something changes there.
    const toldAgain = pending({ answers }, back);
    assert.deepEqual(toldAgain.pendingAnswers, []);
    const other = apply(toldAgain, {
      type: "CUSTOM",
      name: "branch.selected",
      value: { conversationId: "c", headMessageId: "a2" },
    });
    assert.deepEqual(other.order, talk.order, "the answer that it stands beside can be shown again");
  });

  it("the same again changes nothing", () => {
    const state = pending({ messages: [edit(queued)] });
    assert.equal(pending({ messages: [edit(queued)] }, state), state);
  });
});
