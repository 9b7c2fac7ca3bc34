/** A run writer against a log that misbehaves: whatever happens, a reader ends up with the text that was fed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { insist, newTopic, opened, readAll, stateOf } from "../../test/support/event-log-appends.ts";
import { ALL_FAULTS, FaultyEventLog, NO_FAULTS } from "../../test/support/event-log.faulty.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { until } from "../../test/support/until.ts";
import { MemoryEventLog } from "../adapters/event-log.memory.ts";
import type { Accumulator, Append, EventLog, PartKind } from "../ports/event-log.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import { LogBatcher } from "./log-batcher.ts";
import { RunWriter } from "./run-writer.ts";

const FENCE = 3;
const MESSAGE = "m";

type Step =
  | { readonly kind: "text"; readonly delta: string }
  | { readonly kind: "part"; readonly begins: PartKind["type"] }
  /** To the part before the last one. */
  | { readonly kind: "aside"; readonly delta: string }
  | { readonly kind: "turn" | "restart" | "flush" }
  /** Another node opens the topic that was lost. */
  | { readonly kind: "opened elsewhere" }
  | { readonly kind: "reset"; readonly back: number }
  | { readonly kind: "time"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("text" as const), delta: fc.string({ unit: "grapheme" }) }) },
  { weight: 8, arbitrary: fc.constant({ kind: "turn" } as const) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "flush" } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("part" as const),
      begins: fc.constantFrom("text" as const, "reasoning" as const, "tool" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("aside" as const), delta: fc.string({ unit: "grapheme" }) }) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "restart" } as const, { kind: "opened elsewhere" } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const), back: fc.nat(8) }) },
);

/** What a reader makes of a snapshot and the events after it, as [W5] says. */
class Reader {
  readonly parts: string[] = [];

  constructor(snapshot: readonly Accumulator[]) {
    for (const { partIndex, text } of snapshot) this.parts[partIndex] = text;
  }

  take(event: ParleyEvent): void {
    if ("delta" in event) {
      const text = this.parts[event.partIndex] ?? "";
      assert.ok(event.offset <= text.length, "a gap in the text");
      this.parts[event.partIndex] = text + event.delta.slice(text.length - event.offset);
    } else if (event.type.endsWith("_START") && "partIndex" in event) {
      this.parts[event.partIndex] = "";
    } else if (event.type === "CUSTOM" && event.name === "message.reset") {
      const { partIndex, length } = event.value;
      this.parts.length = partIndex + 1;
      this.parts[partIndex] = (this.parts[partIndex] ?? "").slice(0, length);
    }
  }
}

/** A log that notes with what each epoch was opened, and what was appended. */
function watch(log: EventLog) {
  const snapshots = new Map<string, readonly Accumulator[]>();
  const appends: Append[] = [];
  const watched: Pick<EventLog, "open" | "append"> = {
    open(request) {
      snapshots.set(request.epoch, request.accumulators);
      return log.open(request);
    },
    append(batch) {
      appends.push(...batch);
      return log.append(batch);
    },
  };
  return { watched, snapshots, appends };
}

/** Each writer id counts up by 1 from 1, and never comes back with another event for the same number. */
function assertNumbered(appends: readonly Append[]): void {
  const events = new Map<string, string[]>();
  for (const { identity, event } of appends) {
    if (!("writer" in identity)) continue;
    const known = events.get(identity.writer) ?? [];
    events.set(identity.writer, known);
    assert.ok(identity.n <= known.length + 1, "no number is skipped");
    known[identity.n - 1] ??= event;
    assert.equal(known[identity.n - 1], event, "a number means one event");
  }
}

function start(seed: number) {
  const log = new FaultyEventLog(() => new MemoryEventLog(), seed, NO_FAULTS);
  const topic = newTopic();
  const { watched, snapshots, appends } = watch(log);
  const clock = { now: 0 };
  const backoff = { baseMs: 0, capMs: 0, random: () => 0 };
  const logger = recordingLogger();
  const metrics = { appended() {}, bug: () => assert.fail("a bug") };
  const batcher = new LogBatcher({ log: watched, logger, metrics, backoff, giveUpMs: 20, now: () => clock.now });
  let fencedAfter: number | undefined;
  const onFenced = () => {
    assert.equal(fencedAfter, undefined, "told once");
    fencedAfter = appends.length;
  };
  const writer = new RunWriter({ log: watched, batcher, logger, topic, fence: FENCE, backoff, onFenced });
  return { log, topic, snapshots, appends, clock, batcher, writer, fencedAfter: () => fencedAfter };
}

const kindOf = (type: PartKind["type"], partIndex: number): PartKind =>
  type === "tool" ? { type, toolCallId: `call ${partIndex}`, name: "clock" } : { type };

function started(part: PartKind, partIndex: number): ParleyEvent {
  const place = { messageId: MESSAGE, runId: "r", partIndex };
  if (part.type === "tool") {
    const { toolCallId, name } = part;
    return { type: "TOOL_CALL_START", toolCallId, toolCallName: name, parentMessageId: MESSAGE, ...place };
  }
  return part.type === "text"
    ? { type: "TEXT_MESSAGE_START", role: "assistant", ...place }
    : { type: "REASONING_MESSAGE_START", role: "reasoning", ...place };
}

test("[R8] through lost replies, late calls and restarts, snapshot and events make the text that was fed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 60 }), async (seed, steps) => {
      const { log, topic, snapshots, appends, clock, batcher, writer } = start(seed);
      snapshots.set(await opened(log, topic, FENCE), []);
      writer.start(await stateOf(log, topic));
      log.faults = ALL_FAULTS;
      const fed = [""];
      const kinds = [kindOf("text", 0)];
      writer.event(started(kindOf("text", 0), 0));
      const feed = (partIndex: number, delta: string): void => {
        if (delta !== "") writer.text(MESSAGE, partIndex, delta);
        fed[partIndex] += delta.toWellFormed().replaceAll("\0", "\ufffd");
      };
      for (const action of steps) {
        const last = fed.length - 1;
        switch (action.kind) {
          case "text":
            feed(last, action.delta);
            break;
          case "aside":
            feed(Math.max(0, last - 1), action.delta);
            break;
          case "part": {
            const partIndex = fed.push("") - 1;
            kinds.push(kindOf(action.begins, partIndex));
            writer.event(started(kindOf(action.begins, partIndex), partIndex));
            break;
          }
          case "reset": {
            const length = Math.max(0, (fed[last]?.length ?? 0) - action.back);
            fed[last] = fed[last]?.slice(0, length) ?? "";
            // With nothing left the part goes, and begins again.
            if (length === 0) kinds[last] = kindOf("text", last);
            const value = { messageId: MESSAGE, partIndex: last, length, attempt: 2, runId: "r" };
            writer.event({ type: "CUSTOM", name: "message.reset", value });
            break;
          }
          case "turn":
            await nextTurn();
            break;
          case "time":
            clock.now += action.ms;
            break;
          case "flush":
            await writer.flush(1);
            break;
          case "restart":
            await log.restart();
            break;
          case "opened elsewhere": {
            const epoch = `elsewhere ${snapshots.size}`;
            snapshots.set(epoch, []);
            await insist(() => log.open({ topic, epoch, fence: FENCE, accumulators: [], owner: false }));
          }
        }
      }
      log.faults = NO_FAULTS;
      for (let turns = 0; turns < 10; turns++) await nextTurn();
      writer.event({ type: "TEXT_MESSAGE_END", messageId: MESSAGE, partIndex: 0, length: 0, status: "complete" });
      assert.deepEqual(await writer.flush(), { ok: true });

      const { epoch, accumulators } = await stateOf(log, topic);
      assert.deepEqual(
        fed.map((_, partIndex) => accumulators.find((part) => part.partIndex === partIndex)?.text ?? ""),
        fed,
        "the accumulators",
      );
      assert.deepEqual(
        fed.map((_, partIndex) => writer.textOf(MESSAGE, partIndex)),
        fed,
        "the writer's own text",
      );
      const whole = accumulators.filter(({ text }) => text !== "");
      assert.deepEqual(
        whole.map(({ part }) => part),
        whole.map(({ partIndex }) => kinds[partIndex]),
        "their kinds",
      );
      const reader = new Reader(snapshots.get(epoch) ?? []);
      const events = (await readAll(log, topic)).map((entry) => JSON.parse(entry.event) as ParleyEvent);
      for (const event of events) reader.take(event);
      assert.deepEqual(
        fed.map((_, partIndex) => reader.parts[partIndex] ?? ""),
        fed,
        "what a reader has",
      );
      assert.equal(events.at(-1)?.type, "TEXT_MESSAGE_END", "events that are not text are not lost");
      assertNumbered(appends);
      writer.close();
      await batcher.close();
      await log.close();
    }),
    { numRuns: 150 },
  );
});

test("[R4] once a newer owner has sealed the topic, nothing of the writer is added, and it stops", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.nat(20), fc.nat(20), async (seed, before, after) => {
      const { log, topic, appends, batcher, writer, fencedAfter } = start(seed);
      await opened(log, topic, FENCE);
      writer.start(await stateOf(log, topic));
      log.faults = ALL_FAULTS;
      for (let i = 0; i < before; i++) {
        writer.text(MESSAGE, 0, `${i} `);
        await nextTurn();
      }
      const sealed = await insist(() => log.seal(topic, FENCE + 1));
      assert.ok(sealed.ok);
      for (let i = 0; i <= after; i++) {
        writer.text(MESSAGE, 0, `late ${i} `);
        await nextTurn();
      }
      log.faults = NO_FAULTS;
      await until(() => fencedAfter() !== undefined, "the writer is fenced");
      assert.equal(writer.text(MESSAGE, 0, "more"), "ended");
      assert.deepEqual(await writer.flush(), { ok: false, reason: "FENCED" });
      for (let turns = 0; turns < 10; turns++) await nextTurn();
      const { epoch, seq, accumulators } = await stateOf(log, topic);
      assert.deepEqual([epoch, seq], [sealed.state.epoch, sealed.state.seq]);
      assert.deepEqual(accumulators, sealed.state.accumulators);
      assert.equal(appends.length, fencedAfter(), "no call after that");
      assertNumbered(appends);
      await batcher.close();
      await log.close();
    }),
    { numRuns: 60 },
  );
});
