/** Publishers of an outbox over a table in memory, and a log that may be faulty. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { LogBatcher } from "../../src/agent/log-batcher.ts";
import { type OutboxOptions, OutboxPublisher } from "../../src/agent/outbox.ts";
import type { EventLog } from "../../src/ports/event-log.ts";
import type { Announcement } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { readFrom, stateOf } from "./event-log-appends.ts";
import { FaultyEventLog, NO_FAULTS } from "./event-log.faulty.ts";
import { recordingLogger } from "./logger.fake.ts";
import { TIME } from "./shapes.fake.ts";

export const conversation = (title: string): ParleyEvent => ({
  type: "CUSTOM",
  name: "conversation.renamed",
  value: { conversation: { id: "c", title, model: null, headMessageId: null, createdAt: TIME, updatedAt: TIME } },
});

/** The outbox table, with rows of any age. */
export class Table {
  readonly rows = new Map<string, Announcement>();
  readonly clears: (readonly string[])[] = [];
  readonly fences = new Map<string, number | null>();
  away = false;

  readonly outbox = {
    stale: async (_olderThanMs: number, limit: number) => {
      if (this.away) throw new ParleyError("UNAVAILABLE");
      return [...this.rows.values()].slice(0, limit);
    },
    upTo: async (ids: readonly string[], limit: number) => {
      if (this.away) throw new ParleyError("UNAVAILABLE");
      const rows = [...this.rows.values()];
      const last = new Map(rows.map((row, index) => [row.id, { topic: row.topic, index }]));
      const asked = ids.flatMap((id) => last.get(id) ?? []);
      return rows
        .filter((row, index) => asked.some((other) => other.topic === row.topic && index <= other.index))
        .slice(0, limit)
        .map((row) => (ids.includes(row.id) ? { ...row, event: null } : row));
    },
    clear: async (ids: readonly string[]) => {
      if (this.away) throw new ParleyError("UNAVAILABLE");
      this.clears.push(ids);
      for (const id of ids) this.rows.delete(id);
    },
  };
  readonly conversations = {
    fence: async (id: string) => {
      if (this.away) throw new ParleyError("UNAVAILABLE");
      const fence = this.fences.get(id);
      return fence === undefined ? 1 : fence;
    },
  };

  commit(topic: string, event: ParleyEvent): Announcement {
    const row = { id: uuidv7(), tenantId: "t", topic, event };
    this.rows.set(row.id, row);
    return row;
  }
}

export function setup(t: TestContext, seed = 1, options: Partial<OutboxOptions> = {}) {
  const log = new FaultyEventLog(() => new MemoryEventLog(), seed, NO_FAULTS);
  const node = aNode(t, log, new Table(), options);
  t.after(() => log.close());
  return { log, ...node };
}

/** A node of those that share a log and a table. */
export function aNode(
  t: TestContext,
  log: Pick<EventLog, "open" | "append">,
  table: Table,
  options: Partial<OutboxOptions> = {},
) {
  const logger = recordingLogger();
  const backoff = { baseMs: 1, capMs: 1, random: () => 1 };
  const metrics = { appended() {}, bug: () => assert.fail("a bug") };
  const batcher = new LogBatcher({ log, logger, metrics, backoff, giveUpMs: 5 });
  const outbox = new OutboxPublisher({ log, batcher, store: table, logger, shared: true, ...options });
  t.after(async () => {
    await outbox.close();
    await batcher.close();
  });
  return { table, logger, outbox };
}

/** What a topic's events announce, in order. */
export async function titles(log: FaultyEventLog, topic: string): Promise<string[]> {
  const { epoch } = await stateOf(log, topic);
  const events = (await readFrom(log, topic, { epoch, seq: 0 })).map((entry) => JSON.parse(entry.event) as ParleyEvent);
  return events.map((event) =>
    event.type === "CUSTOM" && event.name === "conversation.renamed" ? event.value.conversation.title : event.type,
  );
}
