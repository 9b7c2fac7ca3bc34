import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import { reduce, type TranscriptInput } from "../../src/client/transcript-reduce.ts";
import { EMPTY, type PendingAnswer, type PendingMessage, type Transcript } from "../../src/client/transcript.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { Message, Run, ToolPart } from "../../src/protocol/shapes.ts";
import { aMessage, anApproval, aRun, aToolPart, textOf, TIME } from "../../test/support/shapes.fake.ts";
import { TranscriptView } from "./transcript-view.ts";

const message = (
  id: string,
  role: Message["role"],
  text: string,
  parentId: string | null,
  changes: Partial<Message> = {},
): Message => aMessage({ id, parentId, role, author: role, parts: [{ type: "text", text }], ...changes });

const run = (id: string, position: number, changes: Partial<Run> = {}): Run =>
  aRun({ id, userMessageId: `${id}-question`, assistantMessageId: `${id}-answer`, position, ...changes });

const waiting = (id: string, text: string, changes: Partial<PendingMessage> = {}): PendingMessage => ({
  id,
  text,
  files: [],
  steers: false,
  createdAt: TIME,
  delivery: { state: "queued" },
  ...changes,
});

const after = (state: Transcript, ...inputs: TranscriptInput[]): Transcript =>
  inputs.reduce((before, input) => reduce(before, input).state, state);

const created = (value: Message): TranscriptInput => ({
  type: "event",
  event: { type: "CUSTOM", name: "message.created", value: { message: value } },
});

const delta = (messageId: string, offset: number, text: string): TranscriptInput => ({
  type: "event",
  event: { type: "TEXT_MESSAGE_CONTENT", messageId, partIndex: 0, offset, delta: text },
});

const begun = (id: string, position: number): TranscriptInput => ({
  type: "event",
  event: {
    type: "RUN_STARTED",
    threadId: "c",
    runId: id,
    run: run(id, position),
    message: message(`${id}-answer`, "assistant", "", `${id}-question`, { status: "streaming", runId: id }),
  },
});

const streaming = after(EMPTY, created(message("r1-question", "user", "Why?", null)), begun("r1", 1));

const outline = (view: TranscriptView) => view.turns.value.map(({ messages }) => messages.map(({ id }) => id));

test("a token changes the signal of its part, and no other", () => {
  const view = new TranscriptView();
  view.commit(streaming);
  const [question, answer] = view.turns.value[0]?.messages ?? [];
  let others = -1;
  const stop = effect(() => {
    void [view.turns.value, view.queued.value, view.activeRun.value, view.title.value, view.hasMore.value];
    void [question?.parts.value, question?.parts.value[0]?.value, answer?.parts.value, answer?.status.value];
    others++;
  });
  const texts: string[] = [];
  const stopTexts = effect(() => void texts.push(textOf(answer?.parts.value[0]?.value)));
  let state = streaming;
  for (const [offset, text] of [
    [0, "Be"],
    [2, "ca"],
    [4, "use"],
  ] as const) {
    state = after(state, delta("r1-answer", offset, text));
    view.commit(state);
  }
  stop();
  stopTexts();
  assert.equal(others, 0);
  assert.deepEqual(texts, ["", "Be", "Beca", "Because"]);
});

test("a message that is sent keeps its view when the server shows it", () => {
  const view = new TranscriptView();
  const pending = waiting("m", "Hello", { delivery: { state: "sending" } });
  let state = after(EMPTY, { type: "pending", messages: [pending] });
  view.commit(state);
  const before = view.turns.value[0]?.messages[0];
  assert.equal(before?.delivery.value?.state, "sending");
  state = after(state, created(message("m", "user", "Hello", null)));
  view.commit(state);
  assert.equal(view.turns.value[0]?.messages[0], before);
  assert.equal(before?.delivery.value, undefined);
  assert.deepEqual(outline(view), [["m"]]);
});

test("messages that wait for a run are in the queue, by position, and not among the turns", () => {
  const view = new TranscriptView();
  const queued = (id: string, position: number): TranscriptInput => ({
    type: "event",
    event: { type: "CUSTOM", name: "run.updated", value: { run: run(id, position, { status: "queued" }) } },
  });
  const pending = waiting("unsent", "Later");
  const state = after(
    streaming,
    created(message("r3-question", "user", "Third", null, { runId: "r3" })),
    created(message("r2-question", "user", "Second", null, { runId: "r2" })),
    queued("r3", 3),
    queued("r2", 2),
    { type: "pending", messages: [pending] },
  );
  view.commit(state);
  assert.deepEqual(outline(view), [["r1-question", "r1-answer"]]);
  assert.deepEqual(
    view.queued.value.map(({ text, runId }) => [text, runId]),
    [
      ["Second", "r2"],
      ["Third", "r3"],
      ["Later", undefined],
    ],
  );
  const placed = message("r2-question", "user", "Second", "r1-answer", { runId: "r2" });
  const claimed: TranscriptInput = {
    type: "event",
    event: { type: "CUSTOM", name: "message.updated", value: { message: placed } },
  };
  view.commit(after(state, claimed, begun("r2", 2)));
  assert.deepEqual(outline(view).at(-1), ["r2-question", "r2-answer"]);
});

test("a message that interrupts does not wait", () => {
  const view = new TranscriptView();
  const pending = waiting("now", "Now!", { delivery: { state: "sending" } });
  view.commit(after(streaming, { type: "pending", messages: [pending] }), (id) => id === "now");
  assert.deepEqual(view.queued.value, []);
  assert.deepEqual(outline(view), [["r1-question", "r1-answer"], ["now"]]);
});

test("turns that did not change are the same objects", () => {
  const view = new TranscriptView();
  view.commit(streaming);
  const [first] = view.turns.value;
  view.commit(after(streaming, created(message("x", "user", "More", "r1-answer"))));
  assert.equal(view.turns.value.length, 2);
  assert.equal(view.turns.value[0], first);
});

const custom = <Name extends "tool.updated" | "approval.requested" | "approval.decided" | "branch.selected">(
  name: Name,
  value: Extract<ParleyEvent, { readonly name: Name }>["value"],
): TranscriptInput => ({ type: "event", event: { type: "CUSTOM", name, value } as ParleyEvent });

test("a call that changes keeps the signal of its part; what comes in its place has another", () => {
  const view = new TranscriptView();
  const put = (part: ToolPart, partIndex = 0) => custom("tool.updated", { messageId: "r1-answer", partIndex, part });
  let state = after(streaming, put(aToolPart({ toolCallId: "a" })), put(aToolPart({ toolCallId: "b" }), 1));
  view.commit(state);
  const parts = () => view.turns.value[0]?.messages[1]?.parts.value ?? [];
  const [first, second] = parts();
  let arranged = -1;
  const stop = effect(() => {
    void parts();
    arranged++;
  });
  state = after(state, put(aToolPart({ toolCallId: "b", status: "running" }), 1));
  view.commit(state);
  assert.equal(arranged, 0);
  assert.equal((second?.value as ToolPart | undefined)?.status, "running");
  state = after(state, {
    type: "event",
    event: {
      type: "CUSTOM",
      name: "message.reset",
      value: { messageId: "r1-answer", partIndex: 1, length: 0, attempt: 2, runId: "r1" },
    },
  });
  state = after(state, put(aToolPart({ toolCallId: "c" }), 1));
  view.commit(state);
  stop();
  assert.equal(parts()[0], first);
  assert.notEqual(parts()[1], second);
  assert.equal((second?.value as ToolPart | undefined)?.status, "running", "whoever still shows it sees no other call");
});

test("an answer is silent while nothing that is shown of it moves", () => {
  const view = new TranscriptView();
  const silent = () => view.turns.value[0]?.messages[1]?.silent.value;
  const put = (part: ToolPart, partIndex: number) =>
    custom("tool.updated", { messageId: "r1-answer", partIndex, part });
  let state = streaming;
  const next = (...inputs: TranscriptInput[]) => {
    state = after(state, ...inputs);
    view.commit(state);
    return silent();
  };
  assert.equal(next(), true);
  assert.equal(next(delta("r1-answer", 0, "Now")), false);
  assert.equal(next(put(aToolPart({ status: "running" }), 1)), false);
  assert.equal(next(put(aToolPart({ status: "completed" }), 1)), true);
  assert.equal(next(put(aToolPart({ toolCallId: "p", name: "plan", status: "running" }), 2)), true);
});

test("of a call, the newest question counts", () => {
  const view = new TranscriptView();
  const later = "2026-01-01T00:01:00.000Z";
  view.commit(
    after(
      streaming,
      custom("approval.requested", { approval: anApproval({ id: "p1" }) }),
      custom("approval.decided", { approval: anApproval({ id: "p1", status: "approved", decidedAt: TIME }) }),
      custom("approval.requested", { approval: anApproval({ id: "p2", reason: "repeat", requestedAt: later }) }),
    ),
  );
  assert.equal(view.approvals.value.get("t")?.id, "p2");
});

test("versions of a message are counted where it has siblings, and only there", () => {
  const view = new TranscriptView();
  const answer = (id: string, second: number) =>
    created(message(id, "assistant", id, "q", { createdAt: `2026-01-01T00:00:0${second}.000Z` }));
  let state = after(EMPTY, created(message("q", "user", "Why?", null)), answer("a1", 1), answer("a2", 2));
  view.commit(state);
  const shown = () => view.turns.value[0]?.messages.at(-1);
  assert.deepEqual([shown()?.id, shown()?.versions.value], ["a1", { ids: ["a1", "a2"], index: 0 }]);
  assert.equal(view.turns.value[0]?.messages[0]?.versions.value, undefined);
  state = after(state, custom("branch.selected", { conversationId: "c", headMessageId: "a2" }));
  view.commit(state);
  assert.deepEqual([shown()?.id, shown()?.versions.value], ["a2", { ids: ["a1", "a2"], index: 1 }]);
  assert.deepEqual(outline(view), [["q", "a2"]]);
});

test("an answer that is asked for again makes way at once, and comes back when that is refused", () => {
  const view = new TranscriptView();
  const whole = after(
    EMPTY,
    created(message("q", "user", "Why?", null)),
    created(message("a", "assistant", "So.", "q")),
  );
  const again = (delivery: PendingAnswer["delivery"]) =>
    after(whole, { type: "pending", messages: [], answers: [{ id: "p", messageId: "a", delivery }] });
  view.commit(again({ state: "sending" }));
  assert.deepEqual(outline(view), [["q", "p"]]);
  assert.equal(view.turns.value[0]?.messages[1]?.silent.value, true);
  view.commit(again({ state: "refused", error: new ParleyError("BUSY") }));
  assert.deepEqual(outline(view), [["q", "a"]]);
});

test("the model is the one that answers, else that answered last, else the conversation's", () => {
  const view = new TranscriptView();
  view.commit(after(EMPTY, created(message("q", "user", "Why?", null))));
  assert.equal(view.model.value, null);
  view.commit(
    after(EMPTY, created(message("q", "user", "Why?", null)), created(message("a", "assistant", "So.", "q"))),
  );
  assert.equal(view.model.value, "assistant");
  view.commit(streaming);
  assert.equal(view.model.value, "demo");
});
