/**
 * Appends committed announcements to the log [L11]: at once after their commit, or later by the sweep, which finds the
 * rows of those who died in between. A row's id is its event's id in the log, so appending it twice tells it once.
 *
 *   commit ─▶ announce ─┐                          ┌─▶ ok ───────▶ cleared, many ids in one statement
 *                       ├─▶ lane of its topic ─▶ append
 *   stale rows ─ sweep ─┘        ▲                 ├─▶ NO_EPOCH ─▶ open the topic, append again
 *                                └─────────────────┘
 *                                                  └─▶ failed ───▶ left in the outbox, for the sweep
 *
 * A lane keeps the order of its rows: a row waits for those before it, also while their topic is being opened.
 *
 * The terminal rows of an answer make the log forget its parts, which the store has by then. They come after
 * everything of the run itself: its owner awaits `RunWriter.flush` before it commits the end.
 */
import type { EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Announcement, Store } from "../ports/store.ts";
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
const MAX_SWEEPS = 10;
/** Rows that wait for the log; the rest stays for the sweep. */
const MAX_WAITING = 4_000;

export class OutboxPublisher {
  readonly #options: OutboxOptions;
  readonly #callMs: number;
  readonly #lanes = new Map<string, TopicLane>();
  /** Ids on their way: in a lane, or not cleared yet. */
  readonly #known = new Set<string>();
  /** Ids to clear. */
  #done: string[] = [];
  /** Of calls of `announce` that are under way. */
  readonly #telling = new Set<Promise<unknown>>();
  #clearTimer: NodeJS.Timeout | undefined;
  #clearing: Promise<void> = Promise.resolve();
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

  /** Appends rows so old that others left behind; one sweep at a time, at most 2,000 rows. Never rejects. */
  sweep(olderThanMs: number = this.#options.staleMs ?? 2_000): Promise<void> {
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

  async #sweep(olderThanMs: number): Promise<void> {
    const { store } = this.#options;
    try {
      for (let sweeps = 0; sweeps < MAX_SWEEPS && !this.#closed; sweeps++) {
        const rows = await withTimeLimit(this.#callMs, store.outbox.stale(olderThanMs, SWEPT));
        const before = this.#cleared;
        await this.announce(rows);
        this.#clear();
        await this.#clearing;
        // Without progress the same rows would come again.
        if (rows.length < SWEPT || this.#cleared === before) return;
      }
    } catch (error) {
      this.#report(error, "the outbox could not be swept");
    }
  }

  /** [] for a row that is on its way already, or has no room. */
  #accept(row: Announcement): Promise<void>[] {
    if (this.#closed || this.#known.has(row.id) || this.#known.size >= MAX_WAITING) return [];
    this.#known.add(row.id);
    const { promise, resolve } = Promise.withResolvers<void>();
    let event: string;
    try {
      event = encodeFitted(row.event);
    } catch (error) {
      // It would fail for ever, and others wait behind it.
      this.#options.logger.error({ err: error, row: row.id }, "an announcement is dropped");
      this.#settled(row.id, true);
      return [];
    }
    this.#lane(row.topic).push({
      id: row.id,
      event,
      drops: terminalOf(row),
      settled: (done) => {
        this.#settled(row.id, done);
        resolve();
      },
    });
    return [promise];
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

  #settled(id: string, done: boolean): void {
    if (!done) {
      this.#known.delete(id);
      return;
    }
    this.#done.push(id);
    if (this.#done.length >= MAX_CLEARED) this.#clear();
    else this.#clearTimer ??= setTimeout(() => this.#clear(), CLEAR_MS).unref();
  }

  #clear(): void {
    clearTimeout(this.#clearTimer);
    this.#clearTimer = undefined;
    const ids = this.#done;
    this.#done = [];
    for (let i = 0; i < ids.length; i += MAX_CLEARED) {
      const some = ids.slice(i, i + MAX_CLEARED);
      this.#clearing = this.#clearing.then(() => this.#clearSome(some));
    }
  }

  /** Rows that could not be cleared are swept, recognised by the log, and cleared then. */
  async #clearSome(ids: readonly string[]): Promise<void> {
    try {
      await withTimeLimit(this.#callMs, this.#options.store.outbox.clear(ids));
      this.#cleared += ids.length;
    } catch (error) {
      this.#report(error, "the outbox could not be cleared");
    } finally {
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
