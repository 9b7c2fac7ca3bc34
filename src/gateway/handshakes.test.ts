import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/clock.fake.ts";
import { errorOf, Harness, turnOfTheLoop } from "../../test/support/gateway-harness.ts";
import { Handshakes, LONGEST_WAIT_MS } from "./handshakes.ts";

function line(perSecond: number) {
  const clock = new FakeClock();
  const handshakes = new Handshakes(perSecond, clock);
  const greeted: number[] = [];
  const arrive = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => handshakes.admit(() => greeted.push(from + i)));
  return { clock, handshakes, greeted, arrive };
}

test("a quarter of a second's worth is greeted at once, the others in their order, at the node's rate", () => {
  const { clock, handshakes, greeted, arrive } = line(100);
  assert.ok(arrive(125).every((admitted) => admitted));
  assert.equal(greeted.length, 25);
  clock.advance(500);
  assert.equal(greeted.length, 75);
  // One that comes later does not overtake those in line, though a token may be there.
  arrive(1, 125);
  clock.advance(1_000);
  assert.deepEqual(
    greeted,
    Array.from({ length: 126 }, (_, i) => i),
  );
  assert.equal(handshakes.waiting, 0);
});

test("the line is no longer than a client waits; who leaves it makes room and is not greeted", () => {
  const { clock, handshakes, greeted } = line(10);
  const gone = () => assert.fail("it is gone");
  for (let i = 0; i < 3; i++) handshakes.admit(() => greeted.push(i));
  assert.ok(handshakes.admit(gone));
  const room = (10 * LONGEST_WAIT_MS) / 1000 - 1;
  for (let i = 0; i < room; i++) assert.ok(handshakes.admit(() => greeted.push(i)));
  assert.equal(
    handshakes.admit(() => {}),
    false,
  );
  handshakes.leave(gone);
  assert.ok(handshakes.admit(() => greeted.push(-1)));
  clock.advance(LONGEST_WAIT_MS);
  assert.equal(greeted.length, 3 + room + 1);
});

test("[W2] a connection in line keeps what it says until its turn, and is refused by name where the line is too long", async () => {
  const harness = new Harness({ limits: { handshakesPerSecond: 1 } });
  const first = harness.connect();
  await turnOfTheLoop();
  assert.equal(first.notifications("hello").length, 1);
  const others = Array.from({ length: 5 }, () => harness.connect());
  assert.ok(others.every((peer) => peer.notifications("hello").length === 0));
  others[0]?.request("ping");
  const refused = harness.connect();
  await turnOfTheLoop();
  assert.equal(refused.closed, 4010);
  errorOf(refused.answers(null)[0], "UNAVAILABLE");
  harness.clock.advance(1_000);
  await turnOfTheLoop();
  assert.deepEqual(
    others.map((peer) => peer.notifications("hello").length),
    [1, 0, 0, 0, 0],
  );
  assert.equal(others[0]?.answers(1).length, 1, "what it said is answered now");
  harness.clock.advance(4_000);
  await turnOfTheLoop();
  assert.ok(others.every((peer) => peer.notifications("hello").length === 1));
});
