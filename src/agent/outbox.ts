/**
 * Appends committed announcements to the log [L11]: at once after their commit, or later by the sweep, which finds the
 * rows of those who died in between. A row's id is its event's id in the log, so appending it twice tells it once.
 *
 *   commit ─▶ announce ─┐                                  ┌─▶ ok ───────▶ cleared, many ids in one statement
 *                       ├─▶ order ─▶ lane of its topic ─▶ append
 *   stale rows ─ sweep ─┘                    ▲             ├─▶ NO_EPOCH ─▶ open the topic, append again
 *                                            └─────────────┘
 *                                                          └─▶ failed ───▶ left in the outbox, for the sweep
 *
 * Rows of a topic come into the log in the order of their commits, whoever appends them, so that none undoes a newer one:
 * - Order: who appends a row first asks the outbox for those before it, and appends them as well. Several nodes may do
 *   so; the log takes the first. A process alone on a store that answers in order, which has left nothing behind, has
 *   nothing to ask.
 * - A lane keeps the order of its rows: a row waits for those before it, also while their topic is being opened, and is
 *   left with them.
 * - Rows are cleared in the order in which they were appended: one that is left never outlives a later one.
 *
 * The terminal rows of an answer make the log forget its parts, which the store has by then. They come after
 * everything of the run itself: its owner awaits `RunWriter.flush` before it commits the end.
 */
import { setImmediate } from "node:timers/promises";
import type { EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Announcement, Store } from "../ports/store.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import { withTimeLimit } from "./log-batcher-retry.ts";
import type { LogBatcher } from "./log-batcher.ts";
import { encodeFitted } from "./outbox-fit-event.ts";
import { TopicLane } from "./outbox-lane.ts";

export interface OutboxOptions {
  readonly log: Pick<EventLog, "open">;
  readonly batcher: LogBatcher;
  readonly store: {
    readonly outbox: Store["outbox"];
    readonly conversations: Pick<Store["conversations"], "fence">;
  };
  readonly logger: Logger;
  /** Others append to the log too, or commits may be answered in another order than theirs. */
  readonly shared: boolean;
  /** Rows as old as this are anybody's to append. */
  readonly staleMs?: number;
  /** How often `start` has the outbox swept. */
  readonly sweepMs?: number;
  /** The longest that `announce` waits for the log. */
  readonly announceMs?: number;
  /** Time limit of one call to the store, or to the log. */
  readonly callMs?: number;
}

const MAX_CLEARED = 200;
const CLEAR_MS = 200;
const SWEPT = 200;
/** Rows that are put in order at a time, and what comes with them. */
const MAX_ORDERED = 200;
const MAX_PLACES = 1_000;
/** Rows that wait for the log; the rest stays for the sweep. */
const MAX_WAITING = 4_000;

/** A row on its way. */
interface Told {
  readonly row: Announcement;
  /** It is in its lane, or was. */
  pushed: boolean;
  /** It is in the log, or was given up. */
  readonly settled: PromiseWithResolvers<void>;
}

export class OutboxPublisher {
  readonly #options: OutboxOptions;
  readonly #callMs: number;
  readonly #lanes = new Map<string, TopicLane>();
  /** On their way, by id: waiting for their place, in a lane, or not cleared yet. */
  readonly #known = new Map<string, Told>();
  /** Those that wait for their place. */
  #unordered: Told[] = [];
  #ordering = false;
  /** How often rows were left in the outbox. */
  #left = 0;
  /** There may be rows that this process has to append before its own: at first, and once it has left some. */
  #behind = true;
  /** Ids to clear. */
  #done: string[] = [];
  /** Of calls of `announce` that are under way. */
  readonly #telling = new Set<Promise<unknown>>();
  #clearTimer: NodeJS.Timeout | undefined;
  #clearing: Promise<void> = Promise.resolve();
  /** The next one is waiting for the one before. */
  #toClear = false;
  /** Rows that were cleared since the start. */
  #cleared = 0;
  #sweepTimer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#callMs = options.callMs ?? 5_000;
  }

  /** Sweeps from now on. */
  start(): void {
    this.#sweepTimer ??= setInterval(() => {
      this.sweep().catch((error: unknown) => this.#report(error, "the sweep of the outbox failed"));
    }, this.#options.sweepMs ?? 2_000).unref();
  }

  /**
   * Appends rows in their order. Resolves when each is in the log or was given up, at the latest after `announceMs`
   * (what is late is still appended). Never rejects: rows that fail stay in the outbox.
   */
  async announce(rows: readonly Announcement[]): Promise<void> {
    const accepted = rows.flatMap((row) => this.#accept(row));
    if (accepted.length === 0) return;
    if (this.#unordered.length > 0 && !this.#ordering) {
      this.#order().catch((error: unknown) => this.#report(error, "the outbox could not be ordered"));
    }
    const told = Promise.all(accepted);
    this.#telling.add(told);
    try {
      await withTimeLimit(this.#options.announceMs ?? 2_000, told);
    } catch (error) {
      this.#report(error, "announcements are late");
    } finally {
      this.#telling.delete(told);
    }
  }

  /**
   * Appends rows so old that others left behind, in slices, until there are none or nothing helps; one sweep at a time.
   * Never rejects.
   */
  sweep(olderThanMs: number = this.#oldest()): Promise<void> {
    this.#sweeping ??= this.#sweep(olderThanMs).finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /**
   * Takes nothing more, waits for what was announced as `announce` does, and clears what is in the log. The batcher is
   * closed after this. Idempotent; never rejects.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweepTimer);
    await this.#sweeping;
    try {
      await withTimeLimit(this.#options.announceMs ?? 2_000, Promise.all(this.#telling));
    } catch (error) {
      this.#report(error, "announcements are late; they are left to the next sweep");
    }
    this.#clear();
    await this.#clearing;
  }

  /** What a process alone left is its own, however young. */
  #oldest(): number {
    const { shared, staleMs = 2_000 } = this.#options;
    return this.#behind && !shared ? 0 : staleMs;
  }

  async #sweep(olderThanMs: number): Promise<void> {
    const { store } = this.#options;
    try {
      while (!this.#closed) {
        const [left, before] = [this.#left, this.#cleared];
        const rows = await withTimeLimit(this.#callMs, store.outbox.stale(olderThanMs, SWEPT));
        await this.announce(rows);
        this.#clear();
        await this.#clearing;
        if (rows.length < SWEPT) {
          if (olderThanMs === 0 && this.#left === left) this.#behind = false;
          return;
        }
        // Without progress the same rows would come again.
        if (this.#cleared === before) return;
      }
    } catch (error) {
      this.#report(error, "the outbox could not be swept");
    }
  }

  /** [] for a row that has no room. */
  #accept(row: Announcement): Promise<void>[] {
    if (this.#closed) return [];
    const known = this.#known.get(row.id);
    if (known !== undefined) return [known.settled.promise];
    const told = this.#know(row);
    if (told === undefined) return [];
    if (this.#options.shared || this.#behind || this.#ordering) this.#unordered.push(told);
    else this.#push(told);
    return [told.settled.promise];
  }

  /** Undefined when there is no room: it stays in the outbox. */
  #know(row: Announcement): Told | undefined {
    if (this.#known.size >= MAX_WAITING) {
      this.#leave();
      return undefined;
    }
    const told = { row, pushed: false, settled: Promise.withResolvers<void>() };
    this.#known.set(row.id, told);
    return told;
  }

  #leave(): void {
    this.#left++;
    this.#behind = true;
  }

  /** Each into its lane, behind what was committed before it. What could not be asked for is left to the sweep. */
  async #order(): Promise<void> {
    this.#ordering = true;
    // What the same turn of the event loop announces is asked for at once: a message, and the run that it starts.
    await setImmediate();
    while (this.#unordered.length > 0) {
      const some = this.#unordered.splice(0, MAX_ORDERED).filter(({ pushed }) => !pushed);
      if (some.length === 0) continue;
      const ids = some.map(({ row }) => row.id);
      try {
        this.#place(some, await withTimeLimit(this.#callMs, this.#options.store.outbox.upTo(ids, MAX_PLACES)));
      } catch (error) {
        this.#report(error, "the outbox could not be ordered");
        for (const told of some) if (!told.pushed) this.#settled(told, false);
      }
    }
    this.#ordering = false;
  }

  #place(some: readonly Told[], places: readonly Announcement<ParleyEvent | null>[]): void {
    /** Topics of which a row has no room. */
    const full = new Set<string>();
    for (const { event, ...place } of places) {
      if (full.has(place.topic)) continue;
      const known = this.#known.get(place.id);
      // One that was asked for, and is not known any more, is in the log.
      const told = known ?? (event === null ? undefined : this.#know({ ...place, event }));
      if (told !== undefined) this.#push(told);
      else if (event !== null) full.add(place.topic);
    }
    for (const told of some) {
      if (told.pushed) continue;
      const cleared = places.length < MAX_PLACES && !full.has(told.row.topic);
      // Somebody else has appended it.
      if (cleared) this.#forget(told);
      else this.#settled(told, false);
    }
  }

  #push(told: Told): void {
    if (told.pushed) return;
    told.pushed = true;
    const { row } = told;
    let event: string;
    try {
      event = encodeFitted(row.event);
    } catch (error) {
      // It would fail for ever, and others wait behind it.
      this.#options.logger.error({ err: error, row: row.id }, "an announcement is dropped");
      this.#settled(told, true);
      return;
    }
    this.#lane(row.topic).push({
      id: row.id,
      event,
      drops: terminalOf(row),
      settled: (done) => this.#settled(told, done),
    });
  }

  #lane(topic: string): TopicLane {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      const { log, batcher, store, logger } = this.#options;
      lane = new TopicLane({
        topic,
        log,
        batcher,
        logger,
        callMs: this.#callMs,
        fence: () => fenceOf(store.conversations, topic),
        emptied: () => this.#lanes.delete(topic),
      });
      this.#lanes.set(topic, lane);
    }
    return lane;
  }

  #settled(told: Told, done: boolean): void {
    if (!done) {
      this.#leave();
      this.#forget(told);
      return;
    }
    told.settled.resolve();
    this.#done.push(told.row.id);
    if (this.#done.length % MAX_CLEARED === 0) this.#clear();
    else this.#clearTimer ??= setTimeout(() => this.#clear(), CLEAR_MS).unref();
  }

  #forget(told: Told): void {
    this.#known.delete(told.row.id);
    told.settled.resolve();
  }

  #clear(): void {
    clearTimeout(this.#clearTimer);
    this.#clearTimer = undefined;
    if (this.#toClear) return;
    this.#toClear = true;
    this.#clearing = this.#clearing.then(() => this.#clearAll());
  }

  /** What could not be cleared is cleared with what comes next, or by the next sweep. */
  async #clearAll(): Promise<void> {
    this.#toClear = false;
    while (this.#done.length > 0) {
      const ids = this.#done.slice(0, MAX_CLEARED);
      try {
        await withTimeLimit(this.#callMs, this.#options.store.outbox.clear(ids));
      } catch (error) {
        this.#report(error, "the outbox could not be cleared");
        return;
      }
      this.#cleared += ids.length;
      this.#done.splice(0, ids.length);
      for (const id of ids) this.#known.delete(id);
    }
  }

  #report(error: unknown, message: string): void {
    this.#options.logger.warn({ err: error }, message);
  }
}

/** The message whose parts are whole in the store with this row. */
function terminalOf({ event }: Announcement): string | undefined {
  if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") return event.run.assistantMessageId;
  // An answer that messages ended, which joined its run [R2].
  const updated = event.type === "CUSTOM" && event.name === "message.updated" ? event.value.message : undefined;
  return updated?.role === "assistant" && updated.status !== "streaming" ? updated.id : undefined;
}

/** What a topic is opened with; null when what it belongs to is gone. */
async function fenceOf(conversations: Pick<Store["conversations"], "fence">, topic: string): Promise<number | null> {
  const [kind, id = ""] = topic.split(":", 2);
  return kind === "conversation" ? conversations.fence(id) : 0;
}
