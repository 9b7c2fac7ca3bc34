/**
 * Delivery against every fault that the log and the network may have, and clients of every speed. Whatever happens, in
 * the end each client shows the truth, and in between nothing is skipped, repeated or queued without a bound.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { MOST_BUFFERED } from "../../src/gateway/pressure.ts";
import { type MakeLog, World } from "./delivery-world.ts";

const TOPICS = 2;
const CLIENTS = 3;

const which = fc.nat(100);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 8, max: 60 }) },
  { weight: 2, arbitrary: fc.integer({ min: 4_000, max: 12_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 40_000, max: 60_000 }) },
);

const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant("stream"), topic: which, count: fc.integer({ min: 1, max: 6 }), size }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ topic: which, part: fc.constantFrom("text", "reasoning", "tool", "tool") }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("journal"), topic: which }) },
  { weight: 2, arbitrary: fc.record({ topic: which, call: which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("finish"), topic: which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("post"), topic: which, size }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("announce"), topic: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take over"), topic: which, keep: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen"), topic: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose the log") }) },
  {
    weight: 24,
    arbitrary: fc.record({
      do: fc.constant("hint"),
      index: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5) }),
      how: fc.constantFrom(
        "once",
        "once",
        "once",
        "once",
        "once",
        "once",
        "once",
        "once",
        "once",
        "twice",
        "drop",
        "copy",
      ),
    }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      do: fc.constant("answer"),
      index: fc.nat(5),
      times: fc.integer({ min: 1, max: 4 }),
      fails: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({ do: fc.constant("transmit"), client: which, frames: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("subscribe wanted"), client: which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("subscribe"),
      client: which,
      topic: which,
      from: fc.constantFrom("own", "earlier", "none", "ahead", "elsewhere"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heartbeat"), client: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("time"), ms: fc.constantFrom(50, 200, 1_000, 6_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut"), client: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart"), really: fc.nat(3) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

async function play(world: World, step: Command): Promise<void> {
  const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  const { producers, peers } = world;
  if ("count" in step) return at(producers, step.topic).stream(step.count, step.size);
  if ("keep" in step) return at(producers, step.topic).takeOver(step.keep);
  if ("how" in step) return world.log.deliver(step.index, step.how as "once");
  if ("fails" in step) {
    for (let i = 0; i < step.times; i++) {
      world.calls.answer(step.index, step.fails);
      await world.turn();
    }
    return;
  }
  if ("frames" in step) return world.transmit(at(peers, step.client), step.frames);
  if ("ms" in step) return world.clock.advance(step.ms);
  if ("from" in step) return subscribe(world, at(peers, step.client), at(producers, step.topic).topic, step.from);
  if ("size" in step) return at(producers, step.topic).post(step.size);
  if ("part" in step) return at(producers, step.topic).nextPart(step.part as "text");
  if ("call" in step) return at(producers, step.topic).act(step.call);
  switch (step.do) {
    case "journal":
      return at(producers, "topic" in step ? step.topic : 0).journal();
    case "finish":
      return at(producers, "topic" in step ? step.topic : 0).finish();
    case "announce":
      return at(producers, "topic" in step ? step.topic : 0).announce();
    case "reopen":
      return at(producers, "topic" in step ? step.topic : 0).reopen(true);
    case "lose the log":
      return world.log.lose();
    case "subscribe wanted":
      return world.subscribeWanted(at(peers, "client" in step ? step.client : 0));
    case "heartbeat":
      return world.heartbeat(at(peers, "client" in step ? step.client : 0));
    case "cut":
      return world.reconnect(at(peers, "client" in step ? step.client : 0));
    case "restart":
      return "really" in step && step.really === 0 ? world.restart() : undefined;
    default:
      assert.fail(`unknown command ${JSON.stringify(step)}`);
  }
}

function subscribe(world: World, peer: World["peers"][number], topic: string, from: string): void {
  if (peer.connection.closedWith !== undefined) return;
  const { cursor } = peer.client.view(topic);
  switch (from) {
    case "own":
      return world.subscribe(peer, topic, cursor);
    case "earlier":
      return world.subscribe(peer, topic, cursor && { epoch: cursor.epoch, seq: Math.floor(cursor.seq / 2) });
    case "ahead":
      return world.subscribe(peer, topic, cursor && { epoch: cursor.epoch, seq: cursor.seq + 10_000 });
    case "elsewhere":
      return world.subscribe(peer, topic, { epoch: "an epoch that never was", seq: 3 });
    default:
      return world.subscribe(peer, topic, undefined);
  }
}

export interface DeliveryModel {
  /** Of each of these a world is made. */
  readonly firstSeed: number;
  readonly seeds: number;
  /** In memory, unless it is said otherwise. */
  readonly makeLog?: MakeLog;
}

export async function playDelivery(t: TestContext, { firstSeed, seeds, makeLog }: DeliveryModel): Promise<void> {
  const total = {
    runs: 0,
    steps: 0,
    events: 0,
    reads: 0,
    delivered: 0,
    gapsHealed: 0,
    lagged: 0,
    resyncs: 0,
    tooSlow: 0,
    failed: 0,
    clientGaps: 0,
    mostBuffered: 0,
  };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const property = fc.asyncProperty(fc.array(command, { maxLength: 400, size: "max" }), async (steps) => {
      const world = new World(TOPICS, CLIENTS, makeLog);
      for (const step of steps) {
        await play(world, step);
        await world.turn();
        if (world.failure !== undefined) throw world.failure;
      }
      await world.settle();
      world.check();
      await world.close();
      assert.ok(world.mostBuffered <= MOST_BUFFERED + 128 * 1024, `${world.mostBuffered} bytes were buffered`);
      total.runs++;
      total.steps += steps.length;
      total.events += world.producers.reduce((sum, { events }) => sum + events, 0);
      total.reads += world.log.reads;
      total.delivered += world.counters.events;
      total.gapsHealed += world.counters.gapsHealed;
      total.lagged += world.counters.lagged;
      total.resyncs += world.counters.resyncs;
      total.tooSlow += world.counters.tooSlow;
      total.failed += world.counters.readsFailed;
      total.clientGaps += world.peers.reduce((sum, { client }) => sum + client.gaps, 0);
      total.mostBuffered = Math.max(total.mostBuffered, world.mostBuffered);
    });
    await fc.assert(property, { seed, numRuns: 1, includeErrorInReport: true });
  }
  t.diagnostic(`seeds ${firstSeed}–${firstSeed + seeds - 1}: ${JSON.stringify(total)}`);
  // A gap that a client has to notice itself comes once in a hundred worlds.
  const rare = seeds < 200 ? ["tooSlow", "clientGaps"] : ["tooSlow"];
  for (const [what, count] of Object.entries(total)) {
    if (!rare.includes(what)) assert.ok(count > 0, `no ${what} in any run`);
  }
}
