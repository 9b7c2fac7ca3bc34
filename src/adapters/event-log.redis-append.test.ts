/** What the script does with streams of deltas, whatever comes between them, is what the log in memory does. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { extend, fenced, newTopic, readFrom, stateOf, unfenced } from "../../test/support/event-log-appends.ts";
import { redisLogNode } from "../../test/support/redis-log.ts";
import { startRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import type { Append, EventLog, LogEntry } from "../ports/event-log.ts";
import { TEXT } from "../ports/event-log.ts";
import { deltaHead, encodeDelta } from "../protocol/codec.ts";
import { MemoryEventLog } from "./event-log.memory.ts";
import { createRedisEventLog } from "./event-log.redis.ts";

const redis = await startRedis();
const node = await redisLogNode({ url: redis.url });
after(async () => {
  await node.close();
  await redis.stop();
});

const EPOCH = "epoch";

interface Place {
  readonly messageId: string;
  readonly partIndex: number;
  readonly offset: number;
}

interface Step {
  readonly kind:
    | "delta"
    | "delta of another"
    | "event"
    | "unfenced"
    | "repeat"
    | "drop"
    | "reset"
    | "skip"
    | "other epoch";
  readonly topic: number;
  readonly message: number;
  readonly part: number;
  /** Added to the offset where the part ends: beyond it above zero, over what is there below. */
  readonly shift: number;
  readonly text: string;
  readonly pick: number;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constant("delta" as const) },
    { weight: 4, arbitrary: fc.constantFrom("event", "unfenced", "repeat", "delta of another" as const) },
    { weight: 1, arbitrary: fc.constantFrom("drop", "reset", "skip", "other epoch" as const) },
  ),
  topic: fc.nat(1),
  message: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  part: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
  shift: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 2 }) }),
  // Letters of one, two and three bytes, each one UTF-16 unit: any offset is between two of them.
  text: fc.string({ maxLength: 5, unit: fc.constantFrom("a", "b", "\n", '"', "é", "漢") }),
  pick: fc.nat(1_000),
});

/** One call, before which the topics may be sealed: then only "v" has a fence that is new enough. */
const anyCall = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 12 }),
  seal: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

/** A story of appends: who writes what next, as far as its writers know. */
class Story {
  readonly topics: readonly [string, string] = [newTopic(), newTopic()];
  readonly #sent: Append[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #lengths = new Map<string, number>();

  append(step: Step): Append {
    const append = this.#next(step);
    this.#sent.push(append);
    return append;
  }

  #next(step: Step): Append {
    const topic = this.topics[step.topic] ?? this.topics[0];
    const messageId = `m${step.message}`;
    const place = `${topic} ${messageId} ${step.part}`;
    const length = this.#lengths.get(place) ?? 0;
    const at = { messageId, partIndex: step.part, offset: Math.max(0, length + step.shift) };
    switch (step.kind) {
      case "delta":
      case "delta of another":
        this.#lengths.set(place, Math.max(length, at.offset + step.text.length));
        return this.#delta(topic, step.kind === "delta" ? "w" : "v", at, step.text);
      case "other epoch":
        return { ...this.#delta(topic, "w", at, step.text), epoch: "other" };
      case "skip":
        this.#count(topic, "w");
        return this.#delta(topic, "w", at, step.text);
      case "event":
        return fenced(this.#count(topic, "w"), { topic, epoch: EPOCH });
      case "drop":
        return fenced(this.#count(topic, "w"), { topic, epoch: EPOCH, accumulate: { kind: "drop", messageId } });
      case "reset": {
        this.#lengths.set(place, 0);
        const accumulate = { kind: "reset", messageId, partIndex: step.part, length: 0, part: TEXT } as const;
        return fenced(this.#count(topic, "w"), { topic, epoch: EPOCH, accumulate });
      }
      case "unfenced":
        return unfenced(topic, `id-${step.pick % 8}`, { accumulate: extend(messageId, at.offset, step.text) });
      case "repeat":
        return this.#sent[step.pick % this.#sent.length] ?? unfenced(topic, "first");
    }
  }

  #count(topic: string, writer: string): number {
    const n = (this.#numbers.get(topic + writer) ?? 0) + 1;
    this.#numbers.set(topic + writer, n);
    return n;
  }

  #delta(topic: string, writer: string, place: Place, text: string): Append {
    return {
      topic,
      epoch: EPOCH,
      identity: { writer, n: this.#count(topic, writer), fence: writer === "v" ? 2 : 1 },
      event: encodeDelta(deltaHead(TEXT, place.messageId, place.partIndex), place.offset, text),
      delta: { part: "text", ...place, text },
      accumulate: { kind: "extend", ...place, delta: text },
    };
  }
}

/** The servers' clocks are their own. */
const untimed = (entries: readonly LogEntry[]) => entries.map(({ seq, event, delta }) => ({ seq, event, delta }));

test("[L3] deltas in any order, with anything between them: results, texts and entries are those of the log in memory", async () => {
  const memory = new MemoryEventLog();
  const logs: readonly EventLog[] = [memory, node.log];
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { maxLength: 8 }), async (calls) => {
      const story = new Story();
      const heard = new Map<string, LogEntry[]>();
      for (const topic of story.topics) {
        for (const log of logs) await log.open({ topic, epoch: EPOCH, fence: 1, accumulators: [], owner: true });
        heard.set(topic, []);
        node.log.subscribe(topic, ({ entries }) => heard.get(topic)?.push(...entries));
      }
      for (const { steps, seal } of calls) {
        for (const topic of seal ? story.topics : []) {
          assert.deepEqual(await node.log.seal(topic, 2), await memory.seal(topic, 2));
        }
        const batch = steps.map((step) => story.append(step));
        assert.deepEqual(await node.log.append(batch), await memory.append(batch));
      }
      for (const topic of story.topics) {
        const state = await stateOf(memory, topic);
        assert.deepEqual(await stateOf(node.log, topic), state);
        const entries = await readFrom(node.log, topic, { epoch: EPOCH, seq: 0 });
        assert.deepEqual(untimed(entries), untimed(await readFrom(memory, topic, { epoch: EPOCH, seq: 0 })));
        await until(() => heard.get(topic)?.length === state.seq, "all of its entries");
        assert.deepEqual(heard.get(topic), entries);
      }
    }),
    { numRuns: 150 },
  );
});

test("[L4] a topic that a node of the first layout opened is gone, until it is opened here", async () => {
  const topic = newTopic();
  const open = (epoch: string) => node.log.open({ topic, epoch, fence: 1, accumulators: [], owner: false });
  assert.equal((await open("one")).ok, true);
  const earlier = `${node.keyPrefix}{b0}m:${topic}`;
  await node.connections.client.set(earlier, "of another form");
  assert.deepEqual(await node.log.heads([topic]), [null]);
  assert.equal(await node.log.state(topic), null);
  assert.deepEqual(await node.log.read(topic, { epoch: "one", seq: 0 }, 10), { ok: false, reason: "NO_EPOCH" });
  assert.deepEqual(await node.log.seal(topic, 2), { ok: false, reason: "NO_EPOCH" });
  assert.equal((await open("two")).ok, true);
  assert.equal(await node.connections.client.exists(earlier), 0);
  assert.deepEqual(await node.log.heads([topic]), [{ epoch: "two", seq: 0, fence: 1 }]);
});

test("[L9] whatever deltas leave behind expires", async (t) => {
  const short = createRedisEventLog({
    connections: node.connections,
    keyPrefix: node.keyPrefix,
    logger: node.logger,
    idleMs: -59_000,
  });
  t.after(() => short.close());
  const story = new Story();
  const [topic] = story.topics;
  await short.open({ topic, epoch: EPOCH, fence: 1, accumulators: [], owner: true });
  const step = { kind: "delta", topic: 0, message: 0, part: 0, shift: 0, text: "ab", pick: 0 } as const;
  for (let i = 0; i < 3; i++) assert.equal((await short.append([story.append(step)]))[0]?.ok, true);
  const { client } = node.connections;
  for (const key of await client.keys(`${node.keyPrefix}{b0}l2:${topic}*`)) {
    assert.ok((await client.pttl(key)) > 0, `${key} never expires`);
  }
  await until(async () => (await short.heads([topic]))[0] === null, "the topic to expire");
});
