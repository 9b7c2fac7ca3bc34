import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../../src/client/outbox.ts";
import { reduce, type TranscriptInput } from "../../src/client/transcript-reduce.ts";
import { EMPTY, type PendingMessage, type Transcript } from "../../src/client/transcript.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Message, Run } from "../../src/protocol/shapes.ts";
import { aConversation, aMessage, aRun, TIME } from "../../test/support/shapes.fake.ts";
import { queueOf } from "./queue.ts";

const said = (id: string, changes: Partial<Message> = {}): Message =>
  aMessage({ id, role: "user", author: "u", parts: [{ type: "text", text: `Say ${id}` }], ...changes });

/** The answer "a" to "q" is being written by run "r". */
function busy(messages: readonly Message[], queuedRuns: readonly Run[] = []): Transcript {
  return reduce(EMPTY, {
    type: "snapshot",
    snapshot: {
      conversation: aConversation({ headMessageId: "a" }),
      messages: [said("q", { runId: "r" }), aMessage({ parentId: "q", status: "streaming", runId: "r" }), ...messages],
      hasMore: false,
      activeRun: aRun(),
      queuedRuns: [...queuedRuns],
      approvals: [],
    },
  }).state;
}

const pending = (id: string, delivery: Delivery, changes: Partial<PendingMessage> = {}): PendingMessage => ({
  id,
  text: `Say ${id}`,
  files: [],
  steers: false,
  createdAt: TIME,
  delivery,
  ...changes,
});

const withPending = (state: Transcript, ...messages: PendingMessage[]): Transcript =>
  reduce(state, { type: "pending", messages } satisfies TranscriptInput).state;

const shown = (state: Transcript, interrupts: (id: string) => boolean = () => false) => {
  const { queued, ahead } = queueOf(state, interrupts);
  return [queued.map(({ id, how, runId }) => `${id} ${how} ${runId ?? "-"}`), ahead];
};

const queuedRun = (id: string, userMessageId: string, position: number) =>
  aRun({ id, userMessageId, position, status: "queued", startedAt: null });

test("what joins the answer comes first and can't be stopped, what waits for its end in its order", () => {
  const state = busy(
    [said("late", { runId: "r3" }), said("next", { runId: "r2" }), said("steer", { runId: "r" })],
    [queuedRun("r2", "next", 2), queuedRun("r3", "late", 3)],
  );
  assert.deepEqual(shown(state), [["steer steer -", "next queue r2", "late queue r3"], []]);
});

test("messages that came too late to join are one question, with the run of the last", () => {
  const state = busy(
    [said("s1", { runId: "r0" }), said("s2", { runId: "r0", parentId: "s1" })],
    [queuedRun("r2", "s2", 2)],
  );
  assert.deepEqual(shown(state), [["s1 queue r2", "s2 queue r2"], []]);
});

test("a message that was taken back is not shown as waiting", () => {
  assert.deepEqual(shown(busy([said("cancelled", { runId: "gone" })])), [[], []]);
});

test("what has not reached the server waits too, unless it interrupts, edits, or was refused", () => {
  const accepted = { state: "accepted", runId: "r2", userMessageId: "x" } as const;
  const state = withPending(
    busy([]),
    pending("unsent", { state: "queued" }),
    pending("joins", { state: "sending" }, { steers: true }),
    pending("edit", { state: "sending" }, { editOf: "q" }),
    pending("refused", { state: "refused", error: new ParleyError("FORBIDDEN") }),
    pending("now", { state: "sending" }),
    pending("taken", { ...accepted, run: "queued" }),
    pending("steered", { ...accepted, run: "steered" }, { steers: true }),
    pending("answered", { ...accepted, run: "running" }),
  );
  assert.deepEqual(
    shown(state, (id) => id === "now"),
    [
      ["joins steer -", "steered steer -", "unsent queue -", "taken queue r2"],
      ["edit", "refused", "now", "answered"],
    ],
  );
});

test("nothing waits while nothing is written", () => {
  const state = withPending(EMPTY, pending("first", { state: "queued" }, { steers: true }));
  assert.deepEqual(shown(state), [[], ["first"]]);
});
