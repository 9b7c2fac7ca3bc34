import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import { EMPTY, reduce, type Transcript, type TranscriptInput } from "../../src/client/transcript.ts";
import type { Message, Run } from "../../src/protocol/shapes.ts";
import { TranscriptView } from "./transcript-view.ts";

const TIME = "2026-11-21T05:00:00.000Z";

const message = (
  id: string,
  role: Message["role"],
  text: string,
  parentId: string | null,
  changes: Partial<Message> = {},
): Message => ({
  id,
  conversationId: "c",
  parentId,
  role,
  author: role,
  parts: [{ type: "text", text }],
  status: "complete",
  createdAt: TIME,
  runId: null,
  ...changes,
});

const run = (id: string, position: number, changes: Partial<Run> = {}): Run => ({
  id,
  conversationId: "c",
  status: "running",
  attempt: 1,
  model: "demo",
  userMessageId: `${id}-question`,
  assistantMessageId: `${id}-answer`,
  position,
  stopRequested: false,
  usage: { inputTokens: 0, outputTokens: 0 },
  error: null,
  createdAt: TIME,
  startedAt: TIME,
  finishedAt: null,
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
  const stopTexts = effect(() => void texts.push(answer?.parts.value[0]?.value.text ?? ""));
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
  const pending = { id: "m", text: "Hello", createdAt: TIME, delivery: { state: "sending" } } as const;
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
  const pending = { id: "unsent", text: "Later", createdAt: TIME, delivery: { state: "queued" } } as const;
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
  view.commit(after(state, begun("r2", 2)));
  assert.deepEqual(outline(view).at(-1), ["r2-question", "r2-answer"]);
});

test("a message that interrupts does not wait", () => {
  const view = new TranscriptView();
  const pending = { id: "now", text: "Now!", createdAt: TIME, delivery: { state: "sending" } } as const;
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
