import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSseDecoder } from "./sse.ts";

function decode(pieces: readonly string[], maxEvent?: number): [string, string][] {
  const events: [string, string][] = [];
  const decoder = createSseDecoder((data, event) => events.push([data, event]), maxEvent);
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return events;
}

for (const [title, stream, events] of [
  ["one line", "data: a\n\n", [["a", ""]]],
  ["no space behind the colon", "data:a\n\n", [["a", ""]]],
  ["one space is not part of the value", "data:  a \n\n", [[" a ", ""]]],
  ["several lines of data", "data: a\ndata:\ndata: b\n\n", [["a\n\nb", ""]]],
  ["a field without a colon", "data\n\n", [["", ""]]],
  [
    "a name, which holds for one event",
    "event: x\ndata: a\n\ndata: b\n\n",
    [
      ["a", "x"],
      ["b", ""],
    ],
  ],
  ["a name without data is no event", "event: x\n\ndata: a\n\n", [["a", ""]]],
  ["comments and other fields", ": hi\nid: 1\nretry: 5\nfoo: bar\ndata: a\n\n", [["a", ""]]],
  [
    "blank lines between events",
    "\n\ndata: a\n\n\n\ndata: b\n\n",
    [
      ["a", ""],
      ["b", ""],
    ],
  ],
  ["a byte order mark", "\uFEFFdata: a\n\n", [["a", ""]]],
  [
    "no blank line at the end",
    "data: a\n\ndata: b",
    [
      ["a", ""],
      ["b", ""],
    ],
  ],
  ["nothing", "", []],
] as const) {
  for (const lineEnd of ["\n", "\r\n", "\r"]) {
    test(`event stream: ${title} (${JSON.stringify(lineEnd)})`, () => {
      const text = stream.replaceAll("\n", lineEnd);
      assert.deepEqual(decode([text]), events);
      assert.deepEqual(decode(text.split("")), events);
    });
  }
}

test("event stream: however it is cut, the events are the same", () => {
  const line = fc.constantFrom("data: a", 'data: {"x": "ü👋"}', "data:", "event: e", ": c", "", "", "dat", "\uFEFF");
  const text = fc
    .array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 20 })
    .map((lines) => lines.flat().join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 200 }), { maxLength: 8 }), (stream, cuts) => {
      const at = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
      assert.deepEqual(decode(at.slice(1).map((end, i) => stream.slice(at[i], end))), decode([stream]));
    }),
  );
});

test("event stream: an event is told in the turn in which its last byte came", () => {
  const events: string[] = [];
  const decoder = createSseDecoder((data) => events.push(data));
  decoder.push("data: a\n");
  assert.deepEqual(events, []);
  decoder.push("\n");
  assert.deepEqual(events, ["a"]);
});

test("event stream: an event that never ends is refused", () => {
  const longLine = { kind: "transport" };
  assert.throws(() => decode(["data: ", "x".repeat(100)], 64), longLine);
  assert.throws(
    () =>
      decode(
        Array.from({ length: 100 }, () => "data: x\n"),
        64,
      ),
    longLine,
  );
  assert.equal(
    decode(
      Array.from({ length: 100 }, () => "data: x\n\n"),
      64,
    ).length,
    100,
  );
});
