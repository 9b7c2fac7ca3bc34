import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TextReader } from "./reader.ts";
import { CHUNK, endOf, ShownText } from "./shown-text.ts";

/** All of it, read in one go. */
function blocksOf(text: string) {
  const reader = new TextReader(() => 0);
  while (!reader.read(text, false));
  return reader.blocks;
}

/** Until there is nothing left to read or to fill; how often the page was asked to wait until it is idle. */
function settle(shown: ShownText, text: string, growing = false): number {
  let waits = 0;
  for (let i = 0; i < 10_000; i++) {
    const progress = shown.read(text, growing);
    if (progress === "done") break;
    if (progress !== "idle") continue;
    while (shown.readOn(text, growing)) waits++;
  }
  while (shown.open) shown.fill();
  return waits;
}

const raws = (blocks: readonly { readonly raw: string }[]) => blocks.map(({ raw }) => raw);
const places = (shown: ShownText): number => shown.blocks.filter((_, i) => shown.isPlace(i, i + 1)).length;

const section = (n: number) =>
  `## Part ${n}\n\nWords and *more* words of part ${n}.\n\n- one\n- two\n\n\`\`\`ts\nconst n = ${n};\n\n\nlet m;\n\`\`\`\n\n`;
const LONG = Array.from({ length: 600 }, (_, n) => section(n)).join("");

test("a short text is read at once", () => {
  const shown = new ShownText();
  assert.equal(shown.read(section(1), false), "done");
  assert.equal(shown.open, false);
  assert.deepEqual(shown.blocks, blocksOf(section(1)));
});

test("of a long text the end is shown first, then it stays, and the rest is filled towards the beginning", () => {
  const shown = new ShownText();
  assert.equal(shown.read(LONG, false), "idle");
  const end = [...shown.blocks];
  assert.ok(end.length > CHUNK && end.length < 4 * CHUNK, `${end.length} blocks at first`);
  assert.equal(shown.settled, end.length);
  while (shown.readOn(LONG, false)) assert.deepEqual(shown.blocks, end);
  assert.deepEqual(raws(shown.blocks), raws(blocksOf(LONG)));
  assert.deepEqual(
    shown.blocks.slice(-end.length).map((block, i) => block === end[i]),
    end.map(() => true),
    "what is on the page already is not made again",
  );
  assert.equal(places(shown), shown.anchor);
  assert.equal(shown.anchor, shown.blocks.length - end.length);
  let left = places(shown);
  while (shown.fill()) {
    assert.equal(places(shown), left - CHUNK);
    left = places(shown);
  }
  assert.equal(places(shown), 0);
  assert.equal(shown.read(LONG, false), "done");
});

test("a long text that goes on growing while its end is shown is whole in the end, and new blocks are no places", () => {
  const shown = new ShownText();
  let text = LONG;
  assert.equal(shown.read(text, true), "idle");
  assert.equal(shown.settled, 0);
  for (let n = 0; shown.readOn(text, true); n++) text += section(n);
  text += section(1000);
  while (shown.read(text, true) !== "done");
  assert.equal(shown.isPlace(shown.blocks.length - 1, shown.blocks.length), false);
  settle(shown, text);
  assert.deepEqual(raws(shown.blocks), raws(blocksOf(text)));
});

test("a text that gets its rest after it was finished stays on the page until all of that is read", () => {
  const shown = new ShownText();
  const beginning = LONG.slice(0, 40_000);
  settle(shown, beginning);
  const before = [...shown.blocks];
  assert.equal(shown.read(LONG, false), "idle");
  assert.deepEqual(shown.blocks, before);
  while (shown.readOn(LONG, false)) assert.deepEqual(shown.blocks, before);
  assert.deepEqual(raws(shown.blocks), raws(blocksOf(LONG)));
  assert.equal(shown.isPlace(0, CHUNK), false);
  assert.equal(shown.blocks[0], before[0]);
  assert.ok(places(shown) > 0);
  settle(shown, LONG);
  assert.equal(places(shown), 0);
});

test("the end begins outside of code, and where nothing begins there is none", () => {
  const code = `\`\`\`\n${"a\n\nb\n\n".repeat(3_000)}`;
  assert.equal(endOf(code), undefined);
  assert.equal(endOf("word ".repeat(10_000)), undefined);
  const [first] = endOf(`${code}\`\`\`\n\nWords\n\n`) ?? [];
  assert.equal(first?.raw.trim(), "Words");
});

test("whatever a text becomes, it is shown whole in the end", () => {
  const step = fc.record({
    kind: fc.constantFrom("grow", "cut", "replace"),
    length: fc.nat(60_000),
    reads: fc.nat(30),
    growing: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
      const shown = new ShownText();
      let text = "";
      for (const { kind, length, reads, growing } of steps) {
        if (kind === "grow") text += LONG.slice(length, length * 2);
        else if (kind === "cut") text = text.slice(0, length);
        else text = LONG.slice(length);
        for (let i = 0; i < reads; i++) {
          if (shown.read(text, growing) === "idle") shown.readOn(text, growing);
          if (shown.open && i % 3 === 0) shown.fill();
        }
      }
      settle(shown, text);
      assert.deepEqual(raws(shown.blocks), raws(blocksOf(text)));
      assert.equal(places(shown), 0);
    }),
    { numRuns: 60 },
  );
});
