import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { commands, script, type Script, snapshotAt, wordsOf } from "../../test/support/conversation-script.ts";
import { aMessage, aRun } from "../../test/support/shapes.fake.ts";
import type { DeltaEvent, ParleyEvent } from "../protocol/events.ts";
import type { Message, Part, Run } from "../protocol/shapes.ts";
import { judge } from "./cursor.ts";
import { reduce } from "./transcript-reduce.ts";
import {
  EMPTY,
  isCut,
  messageOf,
  pendingApprovals,
  type PendingMessage,
  siblingsOf,
  type Transcript,
} from "./transcript.ts";

const apply = (state: Transcript, ...events: readonly ParleyEvent[]): Transcript =>
  events.reduce((before, event) => {
    const { state: after, gap } = reduce(before, { type: "event", event });
    assert.equal(gap, false, JSON.stringify(event));
    return after;
  }, state);

const open = (s: Script, seq = 0, later = seq): Transcript =>
  reduce(EMPTY, { type: "snapshot", snapshot: snapshotAt(s, seq, later) }).state;

/** What a reader sees. What is told in passing (progress, notices, steps) is in no snapshot. */
const shown = (state: Transcript) => ({
  title: state.conversation?.title,
  head: state.head,
  order: state.order,
  waiting: state.waiting,
  messages: state.loaded
    .flatMap((id) => messageOf(state, id) ?? [])
    .map(({ parts, ...message }) => ({ ...message, parts: parts.map(withoutProgress) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  siblings: state.order.map((id) => siblingsOf(state, id)),
  active: state.activeRun && { ...state.activeRun, attempt: 0 },
  queued: state.queuedRuns.map(({ id }) => id),
  approvals: pendingApprovals(state),
});

function withoutProgress(part: Part): Part {
  if (part.type !== "tool") return part;
  const { progress: _progress, ...rest } = part;
  return rest;
}

const straight = (s: Script): Transcript => apply(open(s), ...s.events);

interface Item {
  readonly fromSeq: number;
  readonly seq: number;
  readonly event: ParleyEvent;
}

const DELTAS: readonly string[] = ["TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT", "TOOL_CALL_ARGS"];
const isDelta = (event: ParleyEvent | undefined): event is DeltaEvent =>
  event !== undefined && DELTAS.includes(event.type);

/** Events `from`…`to` as a server sends them to a slow reader: adjacent deltas of one part in one. */
function merged(events: readonly ParleyEvent[], from: number, to: number, atMost: number): Item[] {
  const items: Item[] = [];
  for (let seq = from; seq <= to; seq++) {
    const event = events[seq - 1];
    if (event === undefined) break;
    const last = items.at(-1);
    const joins =
      last !== undefined &&
      isDelta(last.event) &&
      isDelta(event) &&
      last.event.type === event.type &&
      last.event.messageId === event.messageId &&
      last.event.partIndex === event.partIndex &&
      seq - last.fromSeq < atMost;
    if (joins) {
      const delta = last.event.delta + event.delta;
      items[items.length - 1] = { fromSeq: last.fromSeq, seq, event: { ...last.event, delta } };
    } else items.push({ fromSeq: seq, seq, event });
  }
  return items;
}

describe("transcript, any history", () => {
  it("[W4] a reader who hears every event sees what the server stores", () => {
    fc.assert(
      fc.property(commands(), (steps) => {
        const s = script(steps);
        assert.deepEqual(shown(straight(s)), shown(open(s, s.events.length)));
      }),
    );
  });

  it("[W5] duplicates, merged deltas, gaps and snapshots at any place end in the same text", () => {
    const hop = fc.record({
      /** Where the next batch begins, relative to the reader's position: before it, at it, or past it. */
      shift: fc.integer({ min: -8, max: 2 }),
      count: fc.integer({ min: 1, max: 12 }),
      merge: fc.integer({ min: 1, max: 6 }),
      snapshot: fc.boolean(),
      ahead: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(commands(), fc.array(hop, { maxLength: 30 }), (steps, hops) => {
        const s = script(steps);
        const head = s.events.length;
        let seq = 0;
        let state = open(s);
        const subscribe = (from: number, later: number) => {
          seq = from;
          state = reduce(state, { type: "snapshot", snapshot: snapshotAt(s, from, later) }).state;
        };
        const hear = (items: readonly Item[]) => {
          for (const item of items) {
            const verdict = judge({ epoch: "e", seq }, "e", item.seq, item.fromSeq);
            if (verdict === "gap") return subscribe(seq, seq);
            if (verdict === "drop") continue;
            const { state: after, gap } = reduce(state, { type: "event", event: item.event });
            assert.equal(gap, false);
            seq = item.seq;
            state = after;
          }
        };
        for (const { shift, count, merge, snapshot, ahead } of hops) {
          if (snapshot) subscribe(seq, Math.min(head, seq + ahead));
          const from = Math.max(1, seq + 1 + shift);
          hear(merged(s.events, from, Math.min(head, from + count - 1), merge));
        }
        hear(merged(s.events, seq + 1, head, 3));
        assert.deepEqual(shown(state), shown(straight(s)));
      }),
      { numRuns: 300 },
    );
  });

  it("[L11] a snapshot whose rows are newer than its place in the log ends in the same text", () => {
    fc.assert(
      fc.property(commands(), fc.nat(), fc.nat(), (steps, a, b) => {
        const s = script(steps);
        const seq = a % (s.events.length + 1);
        const later = seq + (b % (s.events.length + 1 - seq));
        const state = apply(open(s, seq, later), ...s.events.slice(seq));
        assert.deepEqual(shown(state), shown(straight(s)));
      }),
      { numRuns: 300 },
    );
  });

  it("[W4] an event of state that is met again, at any later time, revives and doubles nothing", () => {
    fc.assert(
      fc.property(commands(), fc.nat(), (steps, n) => {
        const s = script(steps);
        const state = straight(s);
        const again = s.events.filter(
          ({ type }) => type === "RUN_STARTED" || type === "RUN_FINISHED" || type === "RUN_ERROR",
        );
        const event = again[n % Math.max(1, again.length)];
        if (event === undefined) return;
        assert.deepEqual(shown(apply(state, event)), shown(state));
      }),
    );
  });
});

const message = (id: string, fields: Partial<Message> = {}): Message =>
  aMessage({ id, conversationId: "c1", status: "streaming", runId: "r1", ...fields });

const run = (fields: Partial<Run> = {}): Run =>
  aRun({ id: "r1", conversationId: "c1", userMessageId: "q1", assistantMessageId: "a1", ...fields });

const conversation = {
  id: "c1",
  title: "",
  model: null,
  headMessageId: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};

const withMessages = (messages: readonly Message[], fields: { hasMore?: boolean; activeRun?: Run } = {}): Transcript =>
  reduce(EMPTY, {
    type: "snapshot",
    snapshot: { conversation, messages: [...messages], hasMore: false, queuedRuns: [], approvals: [], ...fields },
  }).state;

const delta = (offset: number, text: string, fields: { messageId?: string; partIndex?: number } = {}): ParleyEvent => ({
  type: "TEXT_MESSAGE_CONTENT",
  messageId: "a1",
  partIndex: 0,
  offset,
  delta: text,
  ...fields,
});
const end = (length: number): ParleyEvent => ({
  type: "TEXT_MESSAGE_END",
  messageId: "a1",
  partIndex: 0,
  length,
  status: "complete",
});
const reset = (partIndex: number, length: number): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.reset",
  value: { messageId: "a1", partIndex, length, attempt: 2, runId: "r1" },
});

const abc = message("a1", { parts: [{ type: "text", text: "abc" }] });
const textOf = (state: Transcript, id = "a1"): string[] | undefined => messageOf(state, id)?.parts.map(wordsOf);

describe("transcript, text by offset", () => {
  const cases: readonly [string, ParleyEvent, readonly string[] | "gap"][] = [
    ["a delta at the end is appended", delta(3, "def"), ["abcdef"]],
    ["a delta that was applied changes nothing", delta(0, "abc"), ["abc"]],
    ["of one that overlaps, the new rest is appended", delta(1, "bcde"), ["abcde"]],
    ["a delta past the end is a gap", delta(4, "x"), "gap"],
    ["a delta opens the next part at its beginning", delta(0, "new", { partIndex: 1 }), ["abc", "new"]],
    ["a delta into the middle of a part that is not there is a gap", delta(2, "x", { partIndex: 1 }), "gap"],
    ["a part that is skipped is a gap", delta(0, "x", { partIndex: 2 }), "gap"],
    ["a message that is not there is a gap", delta(0, "x", { messageId: "other" }), "gap"],
    ["an end of another length is a gap", end(4), "gap"],
    ["an end of its length ends it", end(3), ["abc"]],
    ["a reset cuts back", reset(0, 1), ["a"]],
    ["a reset to more than there is, is a gap", reset(0, 4), "gap"],
    ["a reset to nothing of a part that has not begun changes nothing", reset(1, 0), ["abc"]],
    ["a reset of a part that is not there is a gap", reset(1, 1), "gap"],
  ];
  for (const [name, event, expected] of cases) {
    it(`[W5] ${name}`, () => {
      const before = withMessages([abc], { activeRun: run() });
      const { state, gap } = reduce(before, { type: "event", event });
      assert.equal(gap, expected === "gap");
      if (expected === "gap") assert.equal(state, before);
      else assert.deepEqual(textOf(state), expected);
    });
  }

  it("[W5] a reset removes every later part", () => {
    const before = withMessages([
      message("a1", { parts: ["one", "two", "three"].map((text) => ({ type: "text", text })) }),
    ]);
    assert.deepEqual(textOf(apply(before, reset(1, 1))), ["one", "t"]);
  });
});

describe("transcript, what has ended", () => {
  for (const status of ["complete", "stopped", "failed"] as const) {
    it(`[W4][W5] a message that is ${status} ignores what comes late of its text`, () => {
      const state = withMessages([{ ...abc, status }]);
      const start: ParleyEvent = {
        type: "TEXT_MESSAGE_START",
        messageId: "a1",
        role: "assistant",
        runId: "r1",
        partIndex: 1,
      };
      for (const event of [start, delta(3, "late"), delta(9, "late"), end(3), end(7), reset(0, 0)]) {
        assert.equal(apply(state, event), state);
      }
    });
  }

  it("[W4] a run that ended stays ended when its start comes late", () => {
    const state = withMessages([{ ...abc, status: "complete" }]);
    const late: ParleyEvent = { type: "RUN_STARTED", threadId: "c1", runId: "r1", run: run(), message: message("a1") };
    assert.equal(apply(state, late), state);
    const queued: ParleyEvent = { type: "CUSTOM", name: "run.updated", value: { run: run({ status: "queued" }) } };
    assert.equal(apply(state, queued), state);
  });

  it("a failed run keeps the text so far, marks the message and remembers why", () => {
    const error = { code: "MODEL_FAILED", message: "overloaded" };
    const failed: ParleyEvent = {
      type: "RUN_ERROR",
      threadId: "c1",
      runId: "r1",
      ...error,
      run: run({ status: "failed", error }),
    };
    const state = apply(withMessages([abc], { activeRun: run() }), failed);
    assert.equal(messageOf(state, "a1")?.status, "failed");
    assert.deepEqual(textOf(state), ["abc"]);
    assert.equal(state.activeRun, undefined);
    assert.deepEqual(state.endedRuns.get("r1")?.error, error);
  });

  it("a queued run that is stopped leaves the queue", () => {
    const queued: ParleyEvent = { type: "CUSTOM", name: "run.updated", value: { run: run({ status: "queued" }) } };
    const stopped: ParleyEvent = { type: "CUSTOM", name: "run.updated", value: { run: run({ status: "stopped" }) } };
    const before = apply(withMessages([]), queued);
    assert.equal(before.queuedRuns.length, 1);
    assert.deepEqual(apply(before, stopped).queuedRuns, []);
  });

  it("a run that is active does not go back into the queue when its queueing comes late", () => {
    const state = withMessages([abc], { activeRun: run() });
    const queued: ParleyEvent = { type: "CUSTOM", name: "run.updated", value: { run: run({ status: "queued" }) } };
    assert.equal(apply(state, queued), state);
  });

  it("remembers a bounded number of ended runs", () => {
    let state = withMessages([]);
    for (let i = 0; i < 150; i++) {
      const ended = run({ id: `r${i}`, assistantMessageId: `a${i}`, status: "stopped" });
      state = apply(state, { type: "CUSTOM", name: "run.updated", value: { run: ended } });
    }
    assert.equal(state.endedRuns.size, 100);
    assert.ok(state.endedRuns.has("r149"));
  });
});

describe("transcript, parts that came cut", () => {
  const cut = message("a1", { status: "complete", parts: [{ type: "text", text: "abc", length: 9 }] });
  const fetched = (offset: number, text: string) =>
    ({ type: "rest", messageId: "a1", partIndex: 0, offset, text, length: 9 }) as const;

  it("the rest is placed by its offset, until nothing is missing", () => {
    let { state } = reduce(withMessages([cut]), fetched(3, "def"));
    assert.deepEqual(messageOf(state, "a1")?.parts, [{ type: "text", text: "abcdef", length: 9 }]);
    ({ state } = reduce(state, fetched(5, "fghi")));
    assert.deepEqual(messageOf(state, "a1")?.parts, [{ type: "text", text: "abcdefghi" }]);
    assert.equal(reduce(state, fetched(3, "def")).state, state);
  });

  it("a later snapshot that is cut takes nothing of what was fetched", () => {
    const { state } = reduce(withMessages([cut]), fetched(3, "defghi"));
    const snapshot = { conversation, messages: [cut], hasMore: false, queuedRuns: [], approvals: [] };
    const after = reduce(state, { type: "snapshot", snapshot }).state;
    assert.equal(messageOf(after, "a1"), messageOf(state, "a1"));
  });

  it("deltas past what is here lengthen it and stay to be fetched", () => {
    const streaming = withMessages([{ ...cut, status: "streaming" }]);
    const state = apply(streaming, delta(9, "jkl"), end(12));
    const part = messageOf(state, "a1")?.parts[0];
    assert.deepEqual(part, { type: "text", text: "abc", length: 12 });
    assert.ok(part !== undefined && isCut(part));
    assert.equal(reduce(streaming, { type: "event", event: delta(10, "x") }).gap, true);
  });
});

describe("transcript, order and identity", () => {
  const question = (n: number, parentId: string | null) =>
    message(`q${n}`, { role: "user", status: "complete", parentId, createdAt: `2026-01-01T00:00:0${n}.000Z` });

  it("an answer stands after its question, before what still waits", () => {
    const state = apply(
      withMessages([question(1, null), message("a1", { parentId: "q1" }), question(2, null), question(3, null)]),
      { type: "CUSTOM", name: "message.updated", value: { message: question(2, "a1") } },
      {
        type: "RUN_STARTED",
        threadId: "c1",
        runId: "r2",
        run: run({ id: "r2", assistantMessageId: "a2" }),
        message: message("a2", { parentId: "q2" }),
      },
    );
    assert.deepEqual(state.order, ["q1", "a1", "q2", "a2", "q3"]);
  });

  it("older pages stay when a later snapshot joins them, and go when it does not", () => {
    const newest = [question(5, "q4"), question(6, "q5")];
    const page = [question(3, null), question(4, "q3")];
    const loaded = reduce(withMessages(newest, { hasMore: true }), {
      type: "older",
      messages: page,
      hasMore: true,
    }).state;
    assert.deepEqual(loaded.order, ["q3", "q4", "q5", "q6"]);
    const take = (messages: Message[]) =>
      reduce(loaded, {
        type: "snapshot",
        snapshot: { conversation, messages, hasMore: true, queuedRuns: [], approvals: [] },
      }).state;
    assert.equal(take(newest).order, loaded.order);
    assert.deepEqual(take([question(6, "q5"), question(7, "q6")]).order, ["q3", "q4", "q5", "q6", "q7"]);
    assert.deepEqual(take([question(8, "q7"), question(9, "q8")]).order, ["q8", "q9"]);
  });

  it("a delta changes one message and nothing else", () => {
    const before = withMessages([question(1, null), abc], { activeRun: run() });
    const after = apply(before, delta(3, "d"));
    const { live: liveBefore, ...restBefore } = before;
    const { live: liveAfter, ...restAfter } = after;
    assert.notEqual(liveAfter, liveBefore);
    for (const [field, value] of Object.entries(restBefore))
      assert.equal(restAfter[field as keyof typeof restAfter], value, field);
  });

  it("a snapshot that says the same keeps every object that a view may compare", () => {
    fc.assert(
      fc.property(commands(), (steps) => {
        const s = script(steps);
        const before = straight(s);
        const snapshot = structuredClone(snapshotAt(s, s.events.length));
        const after = reduce(before, { type: "snapshot", snapshot }).state;
        assert.equal(after.order, before.order);
        for (const id of before.order) assert.equal(messageOf(after, id), messageOf(before, id));
      }),
    );
  });
});

describe("transcript, own messages", () => {
  const pending = (id: string, fields: Partial<PendingMessage> = {}): PendingMessage => ({
    id,
    text: "hi",
    files: [],
    steers: false,
    createdAt: "2026-01-01T00:00:09.000Z",
    delivery: { state: "queued" },
    ...fields,
  });
  const show = (state: Transcript, ...messages: PendingMessage[]) => reduce(state, { type: "pending", messages }).state;
  const echo: ParleyEvent = {
    type: "CUSTOM",
    name: "message.created",
    value: { message: message("m1", { role: "user", status: "complete", runId: null }) },
  };

  it("is shown at once and replaced by its echo", () => {
    const state = show(withMessages([]), pending("m1"), pending("m2"));
    assert.deepEqual(
      state.pending.map(({ id }) => id),
      ["m1", "m2"],
    );
    const echoed = apply(state, echo);
    assert.deepEqual(
      echoed.pending.map(({ id }) => id),
      ["m2"],
    );
    assert.deepEqual(echoed.order, ["m1"]);
  });

  it("is not shown again when its acceptance comes after its echo", () => {
    const accepted = pending("m1", {
      delivery: { state: "accepted", run: "running", runId: "r1", userMessageId: "m1" },
    });
    assert.deepEqual(show(apply(withMessages([]), echo), accepted).pending, []);
  });

  it("is not shown at the end when it was accepted so long ago that it stands on an older page", () => {
    const late = message("late", { status: "complete", createdAt: "2026-01-01T00:01:00.000Z" });
    const accepted = pending("m1", {
      delivery: { state: "accepted", run: "running", runId: "r1", userMessageId: "m1" },
    });
    assert.deepEqual(show(withMessages([late], { hasMore: true }), accepted).pending, []);
  });

  it("changes nothing when nothing changed", () => {
    const state = show(withMessages([]), pending("m1"));
    const [same] = state.pending;
    assert.ok(same);
    assert.equal(show(state, { ...same }), state);
  });
});
