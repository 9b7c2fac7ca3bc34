import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pin, pinnedAt, placed, scrolled } from "./pin.ts";

const steps: readonly { name: string; from: Pin; to: readonly (readonly [number, number])[]; pinned: boolean }[] = [
  { name: "3 px up keep the pin", from: pinnedAt(500, 500), to: [[497, 500]], pinned: true },
  { name: "4 px up let go", from: pinnedAt(500, 500), to: [[496, 500]], pinned: false },
  {
    name: "small steps up add up",
    from: pinnedAt(500, 500),
    to: [
      [498, 500],
      [496, 500],
      [494, 500],
    ],
    pinned: false,
  },
  { name: "content that grows is no movement", from: pinnedAt(500, 500), to: [[500, 900]], pinned: true },
  {
    name: "content that shrinks moves the view, not the reader",
    from: pinnedAt(500, 500),
    to: [[300, 300]],
    pinned: true,
  },
  {
    name: "down within 60 px of the end takes hold",
    from: { pinned: false, top: 400, max: 500 },
    to: [[440, 500]],
    pinned: true,
  },
  {
    name: "down but further away does not",
    from: { pinned: false, top: 100, max: 500 },
    to: [[439, 500]],
    pinned: false,
  },
  { name: "up within 60 px does not", from: { pinned: false, top: 480, max: 500 }, to: [[470, 500]], pinned: false },
];

for (const { name, from, to, pinned } of steps) {
  test(name, () => {
    const end = to.reduce((pin, [top, max]) => scrolled(pin, top, max), from);
    assert.equal(end.pinned, pinned);
  });
}

test("what the page does itself neither pins nor lets go", () => {
  assert.equal(placed(pinnedAt(500, 500), 100, 500).pinned, true);
  assert.equal(placed({ pinned: false, top: 0, max: 500 }, 500, 500).pinned, false);
});
