/**
 * Reads of the log for subscriptions that are behind [L6]: a bounded number at once, each bounded in size and time,
 * tried again with jitter until it succeeds or nobody wants it. A subscription has at most one here.
 *
 *   request ─▶ waiting ─▶ reading ─▶ answered
 *                 ▲          │ failed, timed out
 *                 └─ pause ◀─┘
 */
import type { EventLog, ReadResult } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Position } from "../protocol/shapes.ts";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import type { DeliveryCounters } from "./delivery-types.ts";

/** Entries of one read; the log itself keeps to 256 KiB. */
export const READ_LIMIT = 200;
/** Reads of this node at once: what they hold in memory is at most this many times 256 KiB. */
const MAX_READS = 32;
const READ_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface Reading {
  readonly topic: string;
  /** Where to read on; undefined when nobody can take the entries any more. */
  readFrom(): Position | undefined;
  /** The read was answered. */
  readDone(result: ReadResult): void;
  /** `readFrom` gave nothing: there was no read. */
  readSkipped(): void;
}

export interface LogReaderOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: DeliveryCounters;
  /** In [0, 1), for the jitter of pauses. */
  readonly random: () => number;
}

export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #waiting: Reading[] = [];
  readonly #pauses = new Set<() => void>();
  #running = 0;
  #closed = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** `reading` gets exactly one of its two answers, unless the reader is closed. */
  request(reading: Reading): void {
    if (this.#closed) return;
    if (this.#running >= MAX_READS) this.#waiting.push(reading);
    else this.#start(reading, 0);
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const cancel of this.#pauses) cancel();
    this.#pauses.clear();
  }

  #start(reading: Reading, failures: number): void {
    const after = reading.readFrom();
    if (after === undefined) return reading.readSkipped();
    const { log, clock, logger } = this.#options;
    this.#running++;
    withDeadline(clock, READ_MS, log.read(reading.topic, after, READ_LIMIT))
      .then(
        (result) => {
          this.#running--;
          if (!this.#closed) reading.readDone(result);
        },
        (error: unknown) => {
          this.#running--;
          this.#pause(reading, failures + 1, error);
        },
      )
      .catch((error: unknown) => logger.error({ err: error, topic: reading.topic }, "A subscription failed."))
      .finally(() => this.#next());
  }

  #pause(reading: Reading, failures: number, error: unknown): void {
    if (this.#closed) return;
    const { clock, counters, logger, random } = this.#options;
    counters.readsFailed++;
    logger.debug({ err: error, topic: reading.topic, failures }, "A read of the log failed; it is tried again.");
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
    const cancel = clock.after(most / 2 + (random() * most) / 2, () => {
      this.#pauses.delete(cancel);
      if (!this.#closed) this.#start(reading, failures);
    });
    this.#pauses.add(cancel);
  }

  #next(): void {
    while (!this.#closed && this.#running < MAX_READS) {
      const reading = this.#waiting.shift();
      if (reading === undefined) return;
      this.#start(reading, 0);
    }
  }
}
