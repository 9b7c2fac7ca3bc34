import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/clock.fake.ts";
import { StallWatch } from "./stall-watch.ts";

function world() {
  const clock = new FakeClock();
  let timers = 0;
  let started = 0;
  const watch = new StallWatch({
    firstTokenMs: 10_000,
    silenceMs: 3_000,
    now: () => clock.now(),
    every: (ms, work) => {
      timers++;
      started++;
      const stop = clock.every(ms, work);
      return () => {
        timers--;
        stop();
      };
    },
  });
  return { clock, watch, timers: () => timers, started: () => started };
}

class Call {
  heard = false;
  spoke = false;
  seen = false;
  stalls = 0;
  stalled(): void {
    this.stalls++;
  }
  say(): void {
    this.heard = true;
    this.spoke = true;
  }
}

test("[R9] a call that never speaks and one that falls silent are found, each by its own limit, once", () => {
  const { clock, watch, timers } = world();
  const [mute, talking] = [new Call(), new Call()];
  watch.add(mute);
  watch.add(talking);
  for (let second = 0; second < 4; second++) {
    talking.say();
    clock.advance(1_000);
  }
  clock.advance(2_000);
  assert.equal(talking.stalls, 0);
  clock.advance(1_000);
  assert.equal(talking.stalls, 1);
  clock.advance(2_000);
  assert.equal(mute.stalls, 0);
  clock.advance(1_000);
  assert.equal(mute.stalls, 1);
  clock.advance(60_000);
  assert.deepEqual([mute.stalls, talking.stalls, timers()], [1, 1, 0]);
});

test("one timer serves all calls, and there is none without a call", () => {
  const { clock, watch, timers, started } = world();
  const calls = Array.from({ length: 1_000 }, () => new Call());
  for (const call of calls) watch.add(call);
  assert.equal(timers(), 1);
  clock.advance(2_000);
  for (const call of calls) watch.remove(call);
  assert.equal(timers(), 0);
  watch.add(new Call());
  assert.deepEqual([timers(), started()], [1, 2]);
});

test("a process that was paused does not take its own absence for the provider's silence", () => {
  let now = 0;
  let look = () => {};
  const watch = new StallWatch({
    firstTokenMs: 10_000,
    silenceMs: 3_000,
    now: () => now,
    every: (_, work) => {
      look = work;
      return () => {};
    },
  });
  const call = new Call();
  watch.add(call);
  now = 3_600_000;
  look();
  assert.equal(call.stalls, 0);
  for (let second = 0; second < 8; second++) {
    now += 1_000;
    look();
  }
  assert.equal(call.stalls, 1);
});

test("[R9] a call that shows that it lives may be silent ten times as long, and no longer", () => {
  const { clock, watch } = world();
  const thinking = new Call();
  watch.add(thinking);
  const think = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      thinking.seen = true;
      clock.advance(1_000);
    }
  };
  think(99);
  assert.equal(thinking.stalls, 0);
  // A word: from here on its limit is the shorter one.
  thinking.say();
  think(30);
  assert.equal(thinking.stalls, 0);
  think(1);
  assert.equal(thinking.stalls, 1);

  const dying = new Call();
  watch.add(dying);
  dying.seen = true;
  clock.advance(10_000);
  assert.equal(dying.stalls, 0);
  clock.advance(1_000);
  assert.equal(dying.stalls, 1);
});
