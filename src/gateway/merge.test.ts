import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DeltaKey, LogEntry } from "../ports/event-log.ts";
import { deltaHead, deltaPart, encodeDelta, frameHead } from "../protocol/codec.ts";
import { MAX_EVENT, MAX_FRAME_OUT } from "../protocol/constants.ts";
import type { EventItem } from "../protocol/frames.ts";
import { liveFrames, mergedItems, packFrames } from "./merge.ts";

const HEAD = frameHead("conversation:c", "epoch");
const TS = "2026-01-01T00:00:00.000Z";

function delta(seq: number, offset: number, text: string, fields: Partial<DeltaKey> = {}): LogEntry {
  const key: DeltaKey = { part: "text", messageId: "m", partIndex: 0, offset, text, ...fields };
  const event = encodeDelta(deltaHead(deltaPart(key), key.messageId, key.partIndex), offset, text);
  return { seq, ts: TS, event, delta: key };
}
const args = (seq: number, offset: number, text: string, toolCallId = "t1"): LogEntry =>
  delta(seq, offset, text, { part: "tool", toolCallId });
const other = (seq: number, padding = ""): LogEntry => ({
  seq,
  ts: TS,
  event: JSON.stringify({ type: "CUSTOM", name: "x", value: { padding } }),
});

/** What a client reads from frames. */
function decode(frames: readonly string[]): EventItem[] {
  return frames.flatMap((frame) => {
    assert.ok(Buffer.byteLength(frame) <= MAX_FRAME_OUT, `a frame of ${Buffer.byteLength(frame)} bytes`);
    const { method, params } = JSON.parse(frame);
    assert.deepEqual([params.topic, params.epoch], ["conversation:c", "epoch"]);
    return method === "events" ? params.events : [params];
  });
}
const merged = (entries: readonly LogEntry[]) => decode(packFrames(HEAD, mergedItems(entries)));
const summary = (items: readonly EventItem[]) =>
  items.map(({ fromSeq, seq, event }) => {
    const { type, offset, delta: text } = event as { type: string; offset?: number; delta?: string };
    return [fromSeq ?? seq, seq, ...(offset === undefined ? [type] : [offset, text])];
  });

const CASES: Record<string, { readonly entries: readonly LogEntry[]; readonly expected: readonly unknown[] }> = {
  "[W5] adjacent deltas of a part become one": {
    entries: [delta(7, 0, "ab"), delta(8, 2, "c"), delta(9, 3, "de")],
    expected: [[7, 9, 0, "abcde"]],
  },
  "[W5] never across another event": {
    entries: [delta(1, 0, "a"), delta(2, 1, "b"), other(3), delta(4, 2, "c")],
    expected: [
      [1, 2, 0, "ab"],
      [3, 3, "CUSTOM"],
      [4, 4, 2, "c"],
    ],
  },
  "[W5] not across parts": {
    entries: [delta(1, 0, "a"), delta(2, 0, "b", { partIndex: 1 })],
    expected: [
      [1, 1, 0, "a"],
      [2, 2, 0, "b"],
    ],
  },
  "[W5] not across messages": {
    entries: [delta(1, 0, "a"), delta(2, 1, "b", { messageId: "n" })],
    expected: [
      [1, 1, 0, "a"],
      [2, 2, 1, "b"],
    ],
  },
  "[W5] adjacent deltas of a call's arguments become one": {
    entries: [args(1, 0, "{"), args(2, 1, "}")],
    expected: [[1, 2, 0, "{}"]],
  },
  "[W5] not across kinds": {
    entries: [delta(1, 0, "a"), delta(2, 1, "b", { part: "reasoning" }), args(3, 2, "c"), args(4, 3, "d", "t2")],
    expected: [
      [1, 1, 0, "a"],
      [2, 2, 1, "b"],
      [3, 3, 2, "c"],
      [4, 4, 3, "d"],
    ],
  },
  "[W5] not when the offsets do not join": {
    entries: [delta(1, 0, "ab"), delta(2, 0, "ab")],
    expected: [
      [1, 1, 0, "ab"],
      [2, 2, 0, "ab"],
    ],
  },
  nothing: { entries: [], expected: [] },
};
for (const [name, { entries, expected }] of Object.entries(CASES)) {
  test(name, () => assert.deepEqual(summary(merged(entries)), expected));
}

test("[W5] a merged delta is the event that its parts are, of any kind", () => {
  const kinds: readonly Partial<DeltaKey>[] = [
    { part: "text" },
    { part: "reasoning" },
    { part: "tool", toolCallId: 'a"1' },
  ];
  for (const kind of kinds) {
    const [item] = merged([delta(1, 4, "ab", kind), delta(2, 6, "c", kind)]);
    const first = JSON.parse(delta(1, 4, "ab", kind).event) as object;
    assert.deepEqual(item?.event, { ...first, delta: "abc" });
  }
});

test("[W11] merged events stay within 64 KiB, whatever the text, and say the same", () => {
  const unit = fc.constantFrom("a", "\u0001", '"', "€", "😀");
  const piece = fc.tuple(unit, fc.integer({ min: 1, max: 4000 })).map(([char, times]) => char.repeat(times));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (texts) => {
      let offset = 0;
      const entries = texts.map((text, i) => {
        const entry = delta(i + 1, offset, text);
        offset += text.length;
        return entry;
      });
      const items = merged(entries);
      let text = "";
      let seq = 0;
      for (const item of items) {
        assert.equal(item.fromSeq ?? item.seq, seq + 1);
        seq = item.seq;
        assert.ok(Buffer.byteLength(JSON.stringify(item.event)) <= MAX_EVENT);
        assert.equal((item.event as { offset: number }).offset, text.length);
        text += (item.event as { delta: string }).delta;
      }
      assert.equal(seq, texts.length);
      assert.equal(text, texts.join(""));
    }),
    { numRuns: 200 },
  );
});

test("[W4] a live turn is one frame: event for one entry, events for several", () => {
  const entries = [delta(1, 0, "a"), delta(2, 1, "b"), other(3)];
  const frames = liveFrames(HEAD, entries, 0);
  assert.equal(frames.length, 1);
  assert.deepEqual(summary(decode(frames)), [
    [1, 1, 0, "a"],
    [2, 2, 1, "b"],
    [3, 3, "CUSTOM"],
  ]);
  const [single = ""] = liveFrames(HEAD, entries, 2);
  assert.equal(JSON.parse(single).method, "event");
  assert.equal(JSON.parse(single).params.seq, 3);
});

test("[W11] many large entries are split into frames of at most 128 KiB", () => {
  const entries = Array.from({ length: 9 }, (_, i) => other(i + 1, "€".repeat(20_000)));
  const frames = liveFrames(HEAD, entries, 0);
  assert.equal(frames.length, 5);
  assert.deepEqual(
    decode(frames).map(({ seq }) => seq),
    entries.map(({ seq }) => seq),
  );
});
