import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GrowingText } from "./growing-text.ts";

test("a growing text is the text that was appended and cut", () => {
  const change = fc.oneof(
    { weight: 20, arbitrary: fc.string({ maxLength: 5 }) },
    { weight: 1, arbitrary: fc.nat(200) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
  fc.assert(
    fc.property(fc.string(), fc.array(change, { maxLength: 400 }), (start, changes) => {
      const growing = new GrowingText(start);
      let text = start;
      for (const step of changes) {
        if (typeof step === "string") {
          growing.append(step);
          text += step;
        } else if (typeof step === "number") {
          growing.cut(step);
          text = text.slice(0, step);
        } else {
          assert.equal(growing.toString(), text);
        }
        assert.equal(growing.length, text.length);
      }
      assert.equal(growing.toString(), text);
    }),
  );
});
