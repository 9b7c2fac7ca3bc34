/**
 * Everything that the runs of a process produce in one turn of the event loop goes to the log in one call [L5].
 *
 *   producer ── schedule ──▶ ready ── setImmediate ──▶ collect ──▶ append ──▶ appended │ failed ──▶ producer
 *                              ▲                          │
 *                              └───── at most 25 ms ◀── held
 *
 * - Nothing is queued here: a producer keeps its own text, and is asked for it when the call can go out. So while the
 *   log is slow, deltas of a run merge into one, and memory is bounded by what the producers hold.
 * - setImmediate runs after all timers and all input of a turn, so that a thousand streams make one call.
 * - One call is under way at a time: that keeps the order, and a call whose reply is lost is repeated as it was, which
 *   the log recognises. After `giveUpMs` of failures its producers are told, and the next call may go out. What was
 *   given up may still arrive later.
 */
import type { Append, AppendResult, EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { type Backoff, DEFAULT_BACKOFF, pauseUnlessAborted, waitMs, withTimeLimit } from "./log-batcher-retry.ts";

/** What a producer did when it was asked. */
export type Collected =
  /** It has nothing more. */
  | "empty"
  /** It waits for more deltas to merge: ask again within 25 ms. */
  | "held"
  /** The batch was full: ask again for the next. */
  | "more";

/** One object for all tokens of a run: no closure, promise or timer for each. None of these may throw. */
export interface LogProducer {
  /** The batcher's own mark: it is among those that are asked next. False at first; nobody else changes it. */
  inTurn: boolean;
  /**
   * Moves what is due into the batch, in order. `now` is monotonic, in milliseconds. `due`: do not wait any longer.
   * Whatever it moved is answered by `appended` or `failed`, in order, before it is asked again.
   */
  collect(batch: AppendBatch, now: number, due: boolean): Collected;
  appended(append: Append, result: AppendResult): void;
  /** Unknown whether the log has it. */
  failed(append: Append, error: unknown): void;
}

/** One call to the log. Bounded, so that a backlog after an outage goes out in pieces. */
export class AppendBatch {
  readonly appends: Append[] = [];
  readonly producers: LogProducer[] = [];
  readonly #maxAppends: number;
  readonly #maxUnits: number;
  #units = 0;

  constructor(maxAppends: number, maxUnits: number) {
    this.#maxAppends = maxAppends;
    this.#maxUnits = maxUnits;
  }

  get full(): boolean {
    return this.appends.length >= this.#maxAppends || this.#units >= this.#maxUnits;
  }

  add(producer: LogProducer, append: Append): void {
    this.appends.push(append);
    this.producers.push(producer);
    this.#units += append.event.length;
  }
}

export interface LogBatcherOptions {
  readonly log: Pick<EventLog, "append">;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "appended" | "bug">;
  /** Time limit of one call. */
  readonly callMs?: number;
  /** How long one batch is repeated before its producers are told that it failed. */
  readonly giveUpMs?: number;
  readonly backoff?: Backoff;
  readonly maxAppends?: number;
  /** UTF-16 units of event JSON in one call. */
  readonly maxUnits?: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** Below the 25 ms of [L5], as a timer is late. */
const HOLD_MS = 20;

export class LogBatcher {
  readonly #log: Pick<EventLog, "append">;
  readonly #logger: Logger;
  readonly #metrics: Pick<Metrics, "appended" | "bug">;
  readonly #callMs: number;
  readonly #giveUpMs: number;
  readonly #backoff: Backoff;
  readonly #maxAppends: number;
  readonly #maxUnits: number;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  readonly #idle: (() => void)[] = [];

  /** Each once: those with `inTurn`. Two arrays that take turns. */
  #ready: LogProducer[] = [];
  #asked: LogProducer[] = [];
  readonly #held = new Set<LogProducer>();
  /** Those of #ready that were held long enough. */
  readonly #due = new Set<LogProducer>();
  #holdTimer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #busy = false;
  #closed = false;

  constructor(options: LogBatcherOptions) {
    this.#log = options.log;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#callMs = options.callMs ?? 2_000;
    this.#giveUpMs = options.giveUpMs ?? 10_000;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#maxAppends = options.maxAppends ?? 4_096;
    this.#maxUnits = options.maxUnits ?? 2 * 1024 * 1024;
    this.#now = options.now ?? (() => performance.now());
  }

  /** This producer has something for the next call. Cheap, and may be repeated. */
  schedule(producer: LogProducer): void {
    if (this.#closed) return;
    this.#enqueue(producer);
    this.#arm();
  }

  /** Sends what is there; what fails from now on is not repeated. Takes nothing more after that. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const producer of this.#held) this.#release(producer);
    clearTimeout(this.#holdTimer);
    if (this.#busy || this.#ready.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle.push(resolve);
      await promise;
    }
    this.#closed = true;
  }

  #enqueue(producer: LogProducer): void {
    if (producer.inTurn) return;
    producer.inTurn = true;
    this.#ready.push(producer);
  }

  #arm(): void {
    if (!this.#busy && this.#immediate === undefined) this.#immediate = setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#immediate = undefined;
    const batch = this.#collect();
    if (batch.appends.length === 0) return this.#settled();
    this.#busy = true;
    this.#send(batch).then(
      (results) => this.#answer(batch, results),
      (error: unknown) => this.#fail(batch, error),
    );
  };

  #collect(): AppendBatch {
    const now = this.#now();
    const batch = new AppendBatch(this.#maxAppends, this.#maxUnits);
    const closing = this.#closing.signal.aborted;
    const ready = this.#ready;
    this.#ready = this.#asked;
    this.#asked = ready;
    for (const producer of ready) {
      producer.inTurn = false;
      if (batch.full) {
        this.#enqueue(producer);
        continue;
      }
      const due = closing || (this.#due.size > 0 && this.#due.delete(producer));
      const collected = this.#ask(producer, batch, now, due);
      if (collected === "more") this.#enqueue(producer);
      else if (collected === "held") this.#hold(producer);
      else if (this.#held.size > 0) this.#held.delete(producer);
    }
    ready.length = 0;
    return batch;
  }

  #ask(producer: LogProducer, batch: AppendBatch, now: number, due: boolean): Collected {
    try {
      return producer.collect(batch, now, due);
    } catch (error) {
      this.#bug(error);
      return "empty";
    }
  }

  /** One timer for all: who joins late waits less. */
  #hold(producer: LogProducer): void {
    this.#held.add(producer);
    this.#holdTimer ??= setTimeout(() => {
      this.#holdTimer = undefined;
      for (const held of this.#held) this.#release(held);
    }, HOLD_MS);
  }

  #release(producer: LogProducer): void {
    this.#held.delete(producer);
    this.#due.add(producer);
    this.schedule(producer);
  }

  async #send(batch: AppendBatch): Promise<readonly AppendResult[]> {
    const { appends } = batch;
    const startedAt = this.#now();
    for (let failures = 0; ; failures++) {
      try {
        const results = await withTimeLimit(this.#callMs, this.#log.append(appends));
        if (results.length !== appends.length)
          throw new Error(`${results.length} results of ${appends.length} appends`);
        this.#metrics.appended(appends.length, this.#now() - startedAt);
        return results;
      } catch (error) {
        if (failures === 0)
          this.#logger.warn({ err: error, appends: appends.length }, "an append failed; it is repeated");
        if (this.#closing.signal.aborted || this.#now() - startedAt >= this.#giveUpMs) throw error;
      }
      await pauseUnlessAborted(waitMs(this.#backoff, failures), this.#closing.signal);
    }
  }

  #answer(batch: AppendBatch, results: readonly AppendResult[]): void {
    const { appends, producers } = batch;
    for (let i = 0; i < appends.length; i++) {
      const append = appends[i];
      const result = results[i];
      if (append === undefined || result === undefined) continue;
      try {
        producers[i]?.appended(append, result);
      } catch (error) {
        this.#bug(error);
      }
    }
    this.#settled();
  }

  #fail(batch: AppendBatch, error: unknown): void {
    this.#logger.error({ err: error, appends: batch.appends.length }, "an append was given up");
    for (const [i, append] of batch.appends.entries()) {
      try {
        batch.producers[i]?.failed(append, error);
      } catch (bug) {
        this.#bug(bug);
      }
    }
    this.#settled();
  }

  #settled(): void {
    this.#busy = false;
    if (this.#ready.length > 0) this.#arm();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  #bug(error: unknown): void {
    this.#metrics.bug();
    this.#logger.error({ err: error }, "a producer of log events threw");
  }
}
