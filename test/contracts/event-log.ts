/**
 * What every event log does (`src/ports/event-log.ts`). An adapter's test calls `eventLogContract` with a way to make
 * an empty log. A call that rejects with UNAVAILABLE is repeated, as the port asks of every caller, so that a log that
 * loses replies passes too.
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import {
  type Accumulate,
  type Append,
  type DeltaKey,
  type EventLog,
  type LogEntry,
  type PartKind,
  type Published,
  TEXT,
} from "../../src/ports/event-log.ts";
import { deltaHead, deltaPart, encodeDelta } from "../../src/protocol/codec.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import {
  append,
  extend,
  fenced,
  insist,
  marker,
  newTopic,
  opened,
  readFrom,
  stateOf,
  textOf,
  told,
  unfenced,
} from "../support/event-log-appends.ts";
import { until } from "../support/until.ts";

export interface EventLogHarness {
  readonly log: EventLog;
  /** Every call is answered, and subscribers hear everything once and in order. */
  readonly reliable: boolean;
  /** Lets so much time pass that a topic counts as idle. */
  readonly idle: () => Promise<void> | void;
}

export type MakeEventLog = () => Promise<EventLogHarness> | EventLogHarness;

export function eventLogContract(name: string, make: MakeEventLog): void {
  const contract = (rule: string, run: (harness: EventLogHarness, topic: string) => Promise<void>): void => {
    test(`${name}: ${rule}`, async (t: TestContext) => {
      const harness = await make();
      t.after(() => harness.log.close());
      await run(harness, newTopic());
    });
  };

  // ── open ────────────────────────────────────────────────────────────────────────────────────────────────────────

  contract("[L4] open creates the topic with the epoch, fence and accumulators it names", async ({ log }, topic) => {
    const accumulators = [{ messageId: "m", partIndex: 0, part: TEXT, text: "so far" }];
    const request = { topic, epoch: uuidv7(), fence: 4, accumulators, owner: true };
    const result = await insist(() => log.open(request));
    assert.deepEqual(result, {
      ok: true,
      state: { epoch: request.epoch, seq: 0, fence: 4, accumulators, complete: true },
    });
    assert.deepEqual(await stateOf(log, topic), result.state);
  });

  contract("[L4] a non-owner opens a missing topic, and its accumulators are incomplete", async ({ log }, topic) => {
    const accumulators = [{ messageId: "m", partIndex: 0, part: TEXT, text: "not its to say" }];
    const result = await insist(() => log.open({ topic, epoch: "e", fence: 2, accumulators, owner: false }));
    assert.deepEqual(result.state, { epoch: "e", seq: 0, fence: 2, accumulators: [], complete: false });
  });

  contract("[L4] a non-owner never replaces what stands", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    await append(log, fenced(1, { topic, epoch }));
    for (const fence of [0, 1, 9]) {
      const result = await insist(() => log.open({ topic, epoch: uuidv7(), fence, accumulators: [], owner: false }));
      assert.deepEqual(result, {
        ok: false,
        reason: "EXISTS",
        state: { epoch, seq: 1, fence: 1, accumulators: [], complete: true },
      });
    }
  });

  for (const fence of [3, 4]) {
    contract(`[L4] an owner of fence ${fence} replaces a topic of fence 3`, async ({ log }, topic) => {
      const old = await opened(log, topic, 3);
      await append(log, fenced(1, { topic, epoch: old, fence: 3, accumulate: extend("m", 0, "gone") }));
      const epoch = await opened(log, topic, fence);
      assert.deepEqual(await stateOf(log, topic), { epoch, seq: 0, fence, accumulators: [], complete: true });
      assert.deepEqual(await insist(() => log.read(topic, { epoch: old, seq: 0 }, 10)), {
        ok: false,
        reason: "WRONG_EPOCH",
      });
    });
  }

  contract("[R4] an owner of an older fence replaces nothing", async ({ log }, topic) => {
    const epoch = await opened(log, topic, 3);
    const result = await insist(() => log.open({ topic, epoch: uuidv7(), fence: 2, accumulators: [], owner: true }));
    assert.equal(result.ok ? "ok" : result.reason, "FENCED");
    assert.equal(result.state.epoch, epoch);
  });

  contract("[L4] a repeated open changes nothing", async ({ log }, topic) => {
    const request = { topic, epoch: uuidv7(), fence: 1, accumulators: [], owner: true };
    await insist(() => log.open(request));
    await append(log, fenced(1, { topic, epoch: request.epoch }));
    const again = await insist(() => log.open(request));
    assert.deepEqual([again.ok, again.state.seq], [true, 1]);
  });

  // ── append ──────────────────────────────────────────────────────────────────────────────────────────────────────

  contract("[L3] append never creates a topic", async ({ log }, topic) => {
    const results = await append(log, unfenced(topic, "a"), fenced(1, { topic, epoch: "e" }));
    assert.deepEqual(results.map(told), ["NO_EPOCH", "NO_EPOCH"]);
    assert.equal(await insist(() => log.state(topic)), null);
  });

  contract("[L3] append names the epoch it expects", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    assert.deepEqual(await append(log, fenced(1, { topic, epoch: "other" })), [
      { ok: false, reason: "WRONG_EPOCH", epoch },
    ]);
    assert.deepEqual(await append(log, unfenced(topic, "a", { epoch: "other" })), [
      { ok: false, reason: "WRONG_EPOCH", epoch },
    ]);
    assert.deepEqual((await append(log, unfenced(topic, "a"))).map(told), [1]);
  });

  contract("[W5] seq starts at 1 and has no gaps, whoever writes", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const other = newTopic();
    await opened(log, other);
    const results = await append(
      log,
      fenced(1, { topic, epoch }),
      unfenced(other, "x"),
      unfenced(topic, "a"),
      fenced(2, { topic, epoch }),
    );
    assert.deepEqual(results.map(told), [1, 1, 2, 3]);
    const more = await append(log, fenced(1, { topic, epoch, writer: "v" }));
    assert.deepEqual(more.map(told), [4]);
    const entries = await readFrom(log, topic, { epoch, seq: 0 });
    assert.deepEqual(
      entries.map((entry) => [entry.seq, entry.event]),
      ["w-1", "a", "w-2", "v-1"].map((event, index) => [index + 1, marker(event)]),
    );
  });

  contract("[L3] a repeat is answered with its stored seq and changes nothing", async ({ log, reliable }, topic) => {
    const epoch = await opened(log, topic);
    const batch = [
      fenced(1, { topic, epoch, accumulate: extend("m", 0, "ab") }),
      unfenced(topic, "a"),
      fenced(2, { topic, epoch, accumulate: extend("m", 2, "cd") }),
      fenced(3, { topic, epoch, accumulate: extend("m", 4, "ef") }),
    ];
    const first = await append(log, ...batch);
    assert.deepEqual(first.map(told), [1, 2, 3, 4]);
    if (reliable) assert.ok(first.every((result) => result.ok && !result.duplicate));
    const again = await append(log, ...batch);
    assert.deepEqual(
      again,
      [1, 2, 3, 4].map((seq) => ({ ok: true, seq, duplicate: true })),
    );
    const state = await stateOf(log, topic);
    assert.deepEqual([state.seq, textOf(state, "m"), state.complete], [4, "abcdef", true]);
  });

  contract("[L3] the newest 4,096 event ids are recognised", async ({ log }, topic) => {
    await opened(log, topic);
    const rows = Array.from({ length: 4200 }, (_, index) => unfenced(topic, `id-${index}`));
    for (let i = 0; i < rows.length; i += 600) await append(log, ...rows.slice(i, i + 600));
    const seq = 4200 - 4096 + 1;
    assert.deepEqual(await append(log, ...rows.slice(seq - 1, seq)), [{ ok: true, seq, duplicate: true }]);
  });

  contract("[L3] a repeat is recognised after its entry was trimmed", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    await append(log, fenced(1, { topic, epoch }), fenced(2, { topic, epoch }), unfenced(topic, "a"));
    await fill(log, topic, 2100);
    const results = await append(log, fenced(1, { topic, epoch }), unfenced(topic, "a"));
    const [numbered, named] = results;
    // Its own seq, or the last one of its writer where that is forgotten.
    assert.ok(numbered?.ok === true && numbered.duplicate && [1, 2].includes(numbered.seq), JSON.stringify(numbered));
    assert.deepEqual(named, { ok: true, seq: 3, duplicate: true });
  });

  contract("[L3] a writer that skips a number is refused, and so is what it sends after", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    assert.deepEqual((await append(log, fenced(2, { topic, epoch, writer: "new" }))).map(told), ["HOLE"]);
    const results = await append(
      log,
      fenced(1, { topic, epoch }),
      fenced(3, { topic, epoch }),
      fenced(4, { topic, epoch }),
      fenced(1, { topic, epoch, writer: "other" }),
    );
    assert.deepEqual(results.map(told), [1, "HOLE", "HOLE", 2]);
    assert.deepEqual(results[1], { ok: false, reason: "HOLE", expected: 2 });
    assert.deepEqual((await append(log, fenced(2, { topic, epoch }))).map(told), [3]);
  });

  contract("[L3] after a writer's failed append its later ones of the batch fail too", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const results = await append(log, fenced(1, { topic, epoch: "old" }), fenced(2, { topic, epoch }));
    assert.deepEqual(results.map(told), ["WRONG_EPOCH", "HOLE"]);
    assert.equal((await stateOf(log, topic)).seq, 0);
  });

  contract("[L3] a writer counts from 1 again in a new epoch", async ({ log }, topic) => {
    const old = await opened(log, topic);
    await append(log, fenced(1, { topic, epoch: old }), fenced(2, { topic, epoch: old }));
    const epoch = await opened(log, topic);
    assert.deepEqual((await append(log, fenced(1, { topic, epoch }))).map(told), [1]);
  });

  contract("[L3] writers in turn, and events between: each repeat finds its own seq", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const batch = [
      fenced(1, { topic, epoch }),
      fenced(1, { topic, epoch, writer: "v" }),
      fenced(2, { topic, epoch }),
      unfenced(topic, "a"),
      fenced(2, { topic, epoch, writer: "v" }),
      fenced(3, { topic, epoch, writer: "v" }),
      fenced(3, { topic, epoch }),
    ];
    const expected = batch.map((_, index) => index + 1);
    assert.deepEqual((await append(log, ...batch)).map(told), expected);
    assert.deepEqual((await append(log, ...batch)).map(told), expected);
    for (const [index, item] of batch.entries()) assert.deepEqual((await append(log, item)).map(told), [index + 1]);
    const mixed = await append(log, ...batch.slice(5), fenced(4, { topic, epoch }), unfenced(topic, "a"));
    assert.deepEqual(mixed.map(told), [6, 7, 8, 4]);
  });

  contract("[L2] an empty batch is answered with no results", async ({ log }) => {
    assert.deepEqual(await append(log), []);
  });

  // ── fence and seal ──────────────────────────────────────────────────────────────────────────────────────────────

  contract("[R4] seal answers head and accumulators, and refuses older fences from then on", async ({ log }, topic) => {
    const epoch = await opened(log, topic, 1);
    await append(log, fenced(1, { topic, epoch, accumulate: extend("m", 0, "part") }));
    const sealed = await insist(() => log.seal(topic, 2));
    assert.deepEqual(sealed, {
      ok: true,
      state: {
        epoch,
        seq: 1,
        fence: 2,
        accumulators: [{ messageId: "m", partIndex: 0, part: TEXT, text: "part" }],
        complete: true,
      },
    });
    const results = await append(
      log,
      fenced(2, { topic, epoch, accumulate: extend("m", 4, "ial") }),
      fenced(1, { topic, epoch, writer: "claimer", fence: 2 }),
      unfenced(topic, "a"),
    );
    assert.deepEqual(results[0], { ok: false, reason: "FENCED", fence: 2 });
    assert.deepEqual(results.slice(1).map(told), [2, 3]);
    assert.equal(textOf(await stateOf(log, topic), "m"), "part");
  });

  contract("[L3] what was applied before the seal is answered as a duplicate after it", async ({ log }, topic) => {
    const epoch = await opened(log, topic, 1);
    await append(log, fenced(1, { topic, epoch }));
    await insist(() => log.seal(topic, 2));
    const results = await append(log, fenced(1, { topic, epoch }), fenced(2, { topic, epoch }));
    assert.deepEqual(results.map(told), [1, "FENCED"]);
  });

  contract("[R4] seal can be repeated, and refuses an older fence", async ({ log }, topic) => {
    await opened(log, topic, 1);
    for (const fence of [1, 5, 5]) assert.ok((await insist(() => log.seal(topic, fence))).ok);
    assert.deepEqual(await insist(() => log.seal(topic, 4)), { ok: false, reason: "FENCED", fence: 5 });
  });

  contract("[L3] seal never creates a topic", async ({ log }, topic) => {
    assert.deepEqual(await insist(() => log.seal(topic, 1)), { ok: false, reason: "NO_EPOCH" });
    assert.equal(await insist(() => log.state(topic)), null);
  });

  // ── accumulators ────────────────────────────────────────────────────────────────────────────────────────────────

  const accumulatorCases: readonly [
    rule: string,
    changes: readonly Accumulate[],
    texts: Readonly<Record<string, string>>,
    complete: boolean,
  ][] = [
    ["[W5] extend appends", [extend("m", 0, "ab"), extend("m", 2, "cd")], { "m/0": "abcd" }, true],
    ["[W5] extend appends only what is new", [extend("m", 0, "abc"), extend("m", 1, "bcde")], { "m/0": "abcde" }, true],
    [
      "[W5] extend below the length changes nothing",
      [extend("m", 0, "abc"), extend("m", 1, "b")],
      { "m/0": "abc" },
      true,
    ],
    [
      "[W5] extend beyond the length leaves it incomplete",
      [extend("m", 0, "a"), extend("m", 3, "d")],
      { "m/0": "a" },
      false,
    ],
    [
      "[L9] parts and messages are apart",
      [extend("m", 0, "a"), extend("m", 0, "b", 1), extend("n", 0, "c")],
      { "m/0": "a", "m/1": "b", "n/0": "c" },
      true,
    ],
    [
      "[R5] reset cuts a part and drops the later ones of its message",
      [
        extend("m", 0, "abcd"),
        extend("m", 0, "x", 1),
        extend("m", 0, "y", 2),
        extend("n", 0, "z", 2),
        { kind: "reset", messageId: "m", partIndex: 0, length: 2 },
      ],
      { "m/0": "ab", "n/2": "z" },
      true,
    ],
    [
      "[R5] reset begins a part",
      [{ kind: "reset", messageId: "m", partIndex: 0, length: 0, part: TEXT }],
      { "m/0": "" },
      true,
    ],
    [
      "[R5] reset to nothing removes the part",
      [extend("m", 0, "a"), extend("m", 0, "b", 1), { kind: "reset", messageId: "m", partIndex: 1, length: 0 }],
      { "m/0": "a" },
      true,
    ],
    [
      "[R5] reset of a part that is not there leaves them incomplete",
      [extend("m", 0, "a"), { kind: "reset", messageId: "m", partIndex: 1, length: 2 }],
      { "m/0": "a" },
      false,
    ],
    [
      "[R5] reset makes the accumulators complete",
      [extend("m", 5, "f"), { kind: "reset", messageId: "m", partIndex: 0, length: 0 }, extend("m", 0, "a")],
      { "m/0": "a" },
      true,
    ],
    [
      "[R5] reset to more text than there is leaves them incomplete",
      [extend("m", 0, "ab"), { kind: "reset", messageId: "m", partIndex: 0, length: 3 }],
      { "m/0": "ab" },
      false,
    ],
    [
      "[L9] drop forgets the message",
      [extend("m", 0, "a"), extend("m", 0, "b", 1), extend("n", 0, "c"), { kind: "drop", messageId: "m" }],
      { "n/0": "c" },
      true,
    ],
  ];
  const LONG = "漢字😀é-".repeat(3_000);
  const wideCases: typeof accumulatorCases = [
    [
      "[W5] offsets count UTF-16 units, whatever the letters",
      [extend("m", 0, "a😀€"), extend("m", 3, "€é"), extend("m", 1, "😀€é😀")],
      { "m/0": "a😀€é😀" },
      true,
    ],
    [
      "[R5] reset cuts by UTF-16 units, whatever the letters",
      [
        extend("m", 0, "a😀€é"),
        extend("m", 5, "漢"),
        { kind: "reset", messageId: "m", partIndex: 0, length: 3 },
        extend("m", 3, "!"),
      ],
      { "m/0": "a😀!" },
      true,
    ],
    ...[1, 2, 4, 5, 6, 1_022, 1_024, 9_000, LONG.length - 1, LONG.length].map(
      (length): (typeof accumulatorCases)[number] => [
        `[R5] reset cuts a long text back to ${length}`,
        [extend("m", 0, LONG), { kind: "reset", messageId: "m", partIndex: 0, length }, extend("m", length, "€")],
        { "m/0": `${LONG.slice(0, length)}€` },
        true,
      ],
    ),
  ];
  for (const [rule, changes, texts, complete] of [...accumulatorCases, ...wideCases]) {
    contract(rule, async ({ log }, topic) => {
      const epoch = await opened(log, topic);
      const batch = changes.map((accumulate, index) => fenced(index + 1, { topic, epoch, accumulate }));
      assert.ok((await append(log, ...batch)).every((result) => result.ok));
      const state = await stateOf(log, topic);
      const found = state.accumulators.map((part) => [`${part.messageId}/${part.partIndex}`, part.text]);
      assert.deepEqual([Object.fromEntries(found), state.complete], [texts, complete]);
    });
  }

  contract("[L9] accumulators keep the kind of what began, through open and seal too", async ({ log }, topic) => {
    const kinds: readonly PartKind[] = [
      { type: "reasoning" },
      TEXT,
      { type: "tool", toolCallId: "a", name: "clock" },
      { type: "tool", toolCallId: "b", name: "clock" },
    ];
    const epoch = await opened(log, topic);
    const begun = kinds.map((part, partIndex): Accumulate => ({
      kind: "reset",
      messageId: "m",
      partIndex,
      length: 0,
      part,
    }));
    // Parts that nothing has begun are text; parallel calls alternate.
    const grown = [3, 2, 0, 2, 3, 1, 4].map((partIndex, i): Accumulate => {
      const again = i === 3 || i === 4;
      return extend("m", again ? 1 : 0, again ? "y" : "x", partIndex);
    });
    const batch = [...begun, ...grown].map((accumulate, i) => fenced(i + 1, { topic, epoch, accumulate }));
    await append(log, ...batch);
    const expected = [...kinds, TEXT].map((part, partIndex) => ({
      messageId: "m",
      partIndex,
      part,
      text: part.type === "tool" ? "xy" : "x",
    }));
    const sealed = await insist(() => log.seal(topic, 1));
    assert.deepEqual(sealed.ok && sealed.state.accumulators, expected);
    const request = { topic, epoch: uuidv7(), fence: 1, accumulators: expected, owner: true };
    const reopened = await insist(() => log.open(request));
    assert.deepEqual(reopened.state.accumulators, expected);
    assert.deepEqual((await stateOf(log, topic)).accumulators, expected);
  });

  contract("[R5] a part that is begun anew may be of another kind, and is empty", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const begin = (partIndex: number, part: PartKind): Accumulate => ({
      kind: "reset",
      messageId: "m",
      partIndex,
      length: 0,
      part,
    });
    const changes = [begin(0, { type: "reasoning" }), extend("m", 0, "hm"), begin(1, TEXT), begin(0, TEXT)];
    await append(log, ...changes.map((accumulate, i) => fenced(i + 1, { topic, epoch, accumulate })));
    const { accumulators, complete } = await stateOf(log, topic);
    assert.deepEqual([accumulators, complete], [[{ messageId: "m", partIndex: 0, part: TEXT, text: "" }], true]);
  });

  contract("[L9] an unfenced event's accumulate is applied once", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    await append(log, fenced(1, { topic, epoch, accumulate: extend("m", 0, "a") }));
    const drop = unfenced(topic, "end", { accumulate: { kind: "drop", messageId: "m" } });
    await append(log, drop);
    await append(log, fenced(1, { topic, epoch, writer: "next", accumulate: extend("m", 0, "again") }), drop);
    assert.equal(textOf(await stateOf(log, topic), "m"), "again");
  });

  contract("[L9] an accumulator holds at most 1 MiB of text", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const piece = "x".repeat(32 * 1024);
    const batch = Array.from({ length: 33 }, (_, index) =>
      fenced(index + 1, { topic, epoch, accumulate: extend("m", index * piece.length, piece) }),
    );
    await append(log, ...batch.slice(0, 32));
    const full = await stateOf(log, topic);
    assert.deepEqual([textOf(full, "m")?.length, full.complete], [1024 * 1024, true]);
    await append(log, ...batch.slice(32));
    const over = await stateOf(log, topic);
    assert.deepEqual([textOf(over, "m")?.length, over.complete], [1024 * 1024, false]);
  });

  contract("[L9] duplicated, overlapping deltas and resets leave the text that was written", async ({ log }) => {
    // Letters of one, two and three bytes, each one UTF-16 unit: any offset is between two of them.
    const anyText = fc.string({ maxLength: 6, unit: fc.constantFrom("a", "\n", '"', "é", "€", "漢") });
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ back: fc.nat(4), delta: anyText, twice: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ cut: fc.nat(5), twice: fc.boolean() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const topic = newTopic();
        const epoch = await opened(log, topic);
        let text = "";
        let n = 0;
        for (const { twice, ...change } of steps) {
          let accumulate: Accumulate;
          if ("cut" in change) {
            text = text.slice(0, Math.max(0, text.length - change.cut));
            accumulate = { kind: "reset", messageId: "m", partIndex: 0, length: text.length };
          } else {
            // Repeats the end of the text, then goes on: what a merged or retried delta looks like.
            const offset = Math.max(0, text.length - change.back);
            accumulate = extend("m", offset, text.slice(offset) + change.delta);
            text += change.delta;
          }
          const item = fenced(++n, { topic, epoch, accumulate });
          await append(log, ...(twice ? [item, item] : [item]));
        }
        const state = await stateOf(log, topic);
        assert.deepEqual([textOf(state, "m") ?? "", state.complete], [text, true]);
      }),
      { numRuns: 40 },
    );
  });

  // ── read, heads, state ──────────────────────────────────────────────────────────────────────────────────────────

  contract("[L2] read answers what follows a position, at most `limit`", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    await fill(log, topic, 5);
    const result = await insist(() => log.read(topic, { epoch, seq: 1 }, 2));
    assert.ok(result.ok);
    assert.deepEqual([result.entries.map((entry) => entry.seq), result.head], [[2, 3], 5]);
    assert.deepEqual(await insist(() => log.read(topic, { epoch, seq: 5 }, 2)), { ok: true, entries: [], head: 5 });
  });

  contract("[L2] read answers at most 256 KiB", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const event = JSON.stringify({ type: "CUSTOM", name: "x".repeat(50 * 1024) });
    await append(log, ...Array.from({ length: 8 }, (_, index) => unfenced(topic, `${index}`, { event })));
    const page = await insist(() => log.read(topic, { epoch, seq: 0 }, 100));
    assert.ok(page.ok);
    assert.deepEqual([page.entries.map((entry) => entry.seq), page.head], [[1, 2, 3, 4, 5], 8]);
  });

  contract("[L6] read refuses a position that it can't continue", async ({ log }, topic) => {
    const refused = (epoch: string, seq: number) => insist(() => log.read(topic, { epoch, seq }, 10));
    assert.deepEqual(await refused("e", 0), { ok: false, reason: "NO_EPOCH" });
    const epoch = await opened(log, topic);
    assert.deepEqual(await refused("e", 0), { ok: false, reason: "WRONG_EPOCH" });
    assert.deepEqual(await refused(epoch, 1), { ok: false, reason: "AHEAD" });
    await fill(log, topic, 2100);
    assert.deepEqual(await refused(epoch, 0), { ok: false, reason: "TRIMMED" });
  });

  contract("[L8] an entry keeps its event, its time and its delta, of any kind", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const place = { messageId: "m", offset: 7, text: 'ä€😀\u2028"' };
    const deltas: readonly DeltaKey[] = [
      { ...place, part: "text", partIndex: 2 },
      { ...place, part: "reasoning", partIndex: 3 },
      { ...place, part: "tool", toolCallId: "a", partIndex: 4 },
      { ...place, part: "tool", toolCallId: "b", partIndex: 5 },
      { ...place, part: "tool", toolCallId: "a", partIndex: 4, offset: 15 },
      // A part that was removed and begun as another kind.
      { ...place, part: "text", partIndex: 4 },
    ];
    const events = deltas.map((key) =>
      encodeDelta(deltaHead(deltaPart(key), key.messageId, key.partIndex), key.offset, key.text),
    );
    const batch = deltas.map((delta, i) => ({ ...fenced(i + 1, { topic, epoch, event: events[i] ?? "" }), delta }));
    await append(log, ...batch, fenced(batch.length + 1, { topic, epoch }));
    const entries = await readFrom(log, topic, { epoch, seq: 0 });
    assert.deepEqual(
      entries.map(({ event }) => event),
      [...events, marker(`w-${batch.length + 1}`)],
    );
    assert.deepEqual(
      entries.map(({ delta }) => delta),
      [...deltas, undefined],
    );
    assert.match(entries[0]?.ts ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  contract("[L8] texts of any letters survive, and half a pair hurts nobody else", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const texts = ["\u0001\u2028\\ud800", "\ud83d", "a\udc00b", "😀\n\r\t\"'{}$"];
    const batch = texts.map((text, i) => ({
      ...fenced(i + 1, { topic, epoch, event: JSON.stringify({ type: "CUSTOM", name: text }) }),
      accumulate: extend(`m${i}`, 0, text),
    }));
    assert.deepEqual((await append(log, ...batch)).map(told), [1, 2, 3, 4]);
    const state = await stateOf(log, topic);
    assert.deepEqual(
      texts.map((_, i) => textOf(state, `m${i}`)?.toWellFormed()),
      texts.map((text) => text.toWellFormed()),
    );
    assert.equal((await readFrom(log, topic, { epoch, seq: 0 })).length, 4);
  });

  contract("[L6] heads says where each topic stands", async ({ log }, topic) => {
    const epoch = await opened(log, topic, 3);
    await fill(log, topic, 2);
    assert.deepEqual(await insist(() => log.heads([newTopic(), topic])), [null, { epoch, seq: 2, fence: 3 }]);
    assert.equal(await insist(() => log.state(newTopic())), null);
  });

  // ── retention ───────────────────────────────────────────────────────────────────────────────────────────────────

  contract("[L9] a topic keeps about 2,000 events", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    await fill(log, topic, 5000);
    const oldest = await oldestKept(log, topic, epoch, 5000);
    assert.ok(oldest > 5000 - 2500 && oldest <= 5000 - 1900, `the oldest is ${oldest}`);
  });

  contract("[L9] a topic keeps about 4 MiB", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    const event = JSON.stringify({ type: "CUSTOM", name: "x".repeat(60 * 1024) });
    const count = 200;
    for (let i = 0; i < count; i += 20) {
      await append(log, ...Array.from({ length: 20 }, (_, index) => unfenced(topic, `${i + index}`, { event })));
    }
    const oldest = await oldestKept(log, topic, epoch, count);
    const kept = (count - oldest + 1) * event.length;
    assert.ok(kept <= 5 * 1024 * 1024 && kept >= 3.5 * 1024 * 1024, `${kept} bytes are kept`);
  });

  contract("[L9] an idle topic is forgotten", async ({ log, idle }, topic) => {
    const epoch = await opened(log, topic);
    await fill(log, topic, 3);
    await idle();
    assert.deepEqual(await insist(() => log.heads([topic])), [null]);
    assert.deepEqual(await insist(() => log.read(topic, { epoch, seq: 0 }, 10)), { ok: false, reason: "NO_EPOCH" });
    assert.deepEqual((await append(log, fenced(1, { topic, epoch }))).map(told), ["NO_EPOCH"]);
  });

  // ── subscribe ───────────────────────────────────────────────────────────────────────────────────────────────────

  contract("[L1] subscribers hear of what is stored, and of nothing else", async ({ log, reliable }, topic) => {
    const epoch = await opened(log, topic);
    await fill(log, topic, 2);
    const heard: Published[] = [];
    const stop = log.subscribe(topic, (published) => heard.push(published));
    const other = newTopic();
    await opened(log, other);
    const batch = Array.from({ length: 40 }, (_, index) => [
      unfenced(topic, `a${index}`),
      unfenced(other, `b${index}`),
    ]);
    for (const appends of batch) await append(log, ...appends);
    // What was appended just before may still be on its way.
    const entries = (): LogEntry[] => heard.flatMap((published) => published.entries).filter(({ seq }) => seq > 2);
    if (reliable) {
      await until(() => entries().length >= 40, "40 entries");
      assert.deepEqual(entries(), await readFrom(log, topic, { epoch, seq: 2 }));
    } else {
      await until(() => entries().length > 0, "an entry");
      const stored = new Map((await readFrom(log, topic, { epoch, seq: 0 })).map((entry) => [entry.seq, entry]));
      for (const entry of entries()) assert.deepEqual(entry, stored.get(entry.seq));
    }
    for (const published of heard) {
      assert.equal(published.epoch, epoch);
      const first = published.entries[0]?.seq ?? NaN;
      assert.deepEqual(
        published.entries.map((entry) => entry.seq),
        published.entries.map((_, index) => first + index),
        "the entries of a call are adjacent",
      );
    }
    stop();
  });

  contract("[L5] entries of a topic in one call are published together", async ({ log, reliable }, topic) => {
    const epoch = await opened(log, topic);
    const sizes: number[] = [];
    const stop = log.subscribe(topic, (published) => sizes.push(published.entries.length));
    const batch = Array.from({ length: 10 }, (_, index) => fenced(index + 1, { topic, epoch }));
    await append(log, ...batch);
    if (reliable) {
      await until(() => sizes.length > 0, "the publication");
      assert.deepEqual(sizes, [10]);
    }
    // A repeat stores nothing, so it tells nothing.
    await append(log, ...batch);
    await append(log, fenced(11, { topic, epoch }));
    if (reliable) {
      await until(() => sizes.length > 1, "the next publication");
      assert.deepEqual(sizes, [10, 1]);
    }
    assert.ok(sizes.every((size) => size > 0));
    stop();
  });

  contract("[L1] a refused append is not published", async ({ log }, topic) => {
    const epoch = await opened(log, topic, 2);
    const heard: string[] = [];
    const stop = log.subscribe(topic, ({ entries }) => heard.push(...entries.map((entry) => entry.event)));
    for (let i = 0; i < 30; i++) {
      await append(log, fenced(1, { topic, epoch, fence: 1 }), unfenced(topic, `x${i}`), fenced(2, { topic, epoch }));
    }
    await until(() => heard.length > 0, "an entry");
    assert.ok(heard.every((event) => event.includes('"x')));
    stop();
  });

  contract("[L2] nothing is called after unsubscribing, and it can be repeated", async ({ log }, topic) => {
    await opened(log, topic);
    let stopped = false;
    let late = 0;
    const stop = log.subscribe(topic, () => {
      if (stopped) late++;
    });
    let heard = 0;
    const stopOther = log.subscribe(topic, () => heard++);
    await fill(log, topic, 5);
    stop();
    stop();
    stopped = true;
    for (let i = 0; i < 30; i++) await append(log, unfenced(topic, `after-${i}`));
    await until(() => heard > 0, "the other subscriber");
    stopOther();
    assert.equal(late, 0);
  });

  contract("[L2] a subscriber may come before its topic and outlives an epoch", async ({ log, reliable }, topic) => {
    const epochs = new Set<string>();
    const stop = log.subscribe(topic, (published) => epochs.add(published.epoch));
    const told = [await opened(log, topic)];
    for (let i = 0; i < 30; i++) await append(log, unfenced(topic, `a${i}`));
    told.push(await opened(log, topic));
    for (let i = 0; i < 30; i++) await append(log, unfenced(topic, `b${i}`));
    await until(() => epochs.size === 2, "both epochs");
    if (reliable) assert.deepEqual([...epochs], told);
    stop();
  });

  contract("[L2] a listener that throws hurts nobody", async ({ log }, topic) => {
    const epoch = await opened(log, topic);
    let heard = 0;
    const stops = [
      log.subscribe(topic, () => {
        throw new Error("a listener failed");
      }),
      log.subscribe(topic, () => heard++),
    ];
    for (let i = 1; i <= 30; i++) assert.deepEqual((await append(log, fenced(i, { topic, epoch }))).map(told), [i]);
    await until(() => heard > 0, "the other listener");
    for (const stop of stops) stop();
  });
}

/** Appends that many unfenced events. */
async function fill(log: EventLog, topic: string, count: number): Promise<void> {
  const rows: Append[] = Array.from({ length: count }, (_, index) => unfenced(topic, `fill-${index}`));
  for (let i = 0; i < count; i += 500) await append(log, ...rows.slice(i, i + 500));
}

/** The lowest seq that can still be read, by bisection. */
async function oldestKept(log: EventLog, topic: string, epoch: string, head: number): Promise<number> {
  let low = 0;
  let high = head;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const result = await insist(() => log.read(topic, { epoch, seq: middle }, 1));
    if (result.ok) high = middle;
    else low = middle + 1;
  }
  return low + 1;
}
