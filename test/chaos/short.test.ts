/** The short form of the fault suite; `node test/chaos/run.ts` plays all of it. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { named } from "./cases.ts";
import { line, passed, play } from "./check.ts";
import { ANSWER, compare, NUMBERS } from "./streams.ts";
import { startWorld, type World } from "./world.ts";

const STREAMS = 4;
const SHORT = named(["Redis loses everything", "pub/sub", "connections to PostgreSQL cut", "one idempotency key"]);

let world: World;
before(async () => {
  world = await startWorld(1);
});
after(() => world?.remove());

test("the checker sees what is lost and what is doubled", () => {
  assert.deepEqual(compare(ANSWER), { received: NUMBERS, lost: 0, doubled: 0 });
  assert.deepEqual(compare(ANSWER.replace(" 7 ", " ")), { received: NUMBERS - 1, lost: 1, doubled: 0 });
  assert.deepEqual(compare(ANSWER.replace(" 7 ", " 7 7 ")), { received: NUMBERS + 1, lost: 0, doubled: 1 });
  assert.deepEqual(compare(`${ANSWER}\n${ANSWER}`), { received: 2 * NUMBERS, lost: 0, doubled: NUMBERS });
  assert.deepEqual(compare(""), { received: 0, lost: NUMBERS, doubled: 0 });
});

for (const one of SHORT) {
  test(`[R8][L1] ${one.name}: every reader has its answer whole, and once`, { timeout: 160_000 }, async (t) => {
    const row = await play(world, one, STREAMS);
    t.diagnostic(line(row));
    assert.ok(passed(row, one), `${line(row)}\n${row.problems.join("\n")}`);
  });
}

test("each case of the short form exists", () => assert.equal(SHORT.length, 4));
