import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./support/axe.ts";
import { STATES, withState } from "./support/page-states.ts";

// A file for each scheme: both take longer than one file may.

for (const state of STATES) {
  test(`axe finds nothing: ${state.name}, light`, () =>
    withState(state, { colorScheme: "light", reducedMotion: "reduce" }, async (page) => {
      assert.deepEqual(await violations(page), []);
    }));
}
