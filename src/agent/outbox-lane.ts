/** Rows of the outbox on their way to one topic, in order. */
import type { Append, AppendResult, EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import { uuidv7 } from "../protocol/id.ts";
import { withTimeLimit } from "./log-batcher-retry.ts";
import type { AppendBatch, Collected, LogBatcher, LogProducer } from "./log-batcher.ts";

export interface LaneRow {
  readonly id: string;
  /** Its JSON, fitted. */
  readonly event: string;
  /** The message that the log may forget with it. */
  readonly drops: string | undefined;
  /** Called once. True: clear it; false: it is left in the outbox. */
  settled(done: boolean): void;
}

export interface LaneOptions {
  readonly topic: string;
  readonly log: Pick<EventLog, "open">;
  readonly batcher: LogBatcher;
  readonly logger: Logger;
  readonly callMs: number;
  /** null: nobody can subscribe to the topic any more. */
  readonly fence: () => Promise<number | null>;
  /** The lane has no rows; it is not used again. */
  readonly emptied: () => void;
}

/** A topic that is gone again after so many openings is left to the sweep. */
const MAX_OPENINGS = 3;

export class TopicLane implements LogProducer {
  inTurn = false;
  readonly #options: LaneOptions;
  #waiting: LaneRow[] = [];
  /** In the call that is under way. */
  #sent: LaneRow[] = [];
  /** Of those that were sent: the log has no topic for them. */
  #homeless: LaneRow[] = [];
  #openings = 0;
  #opening = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  push(row: LaneRow): void {
    this.#waiting.push(row);
    this.#options.batcher.schedule(this);
  }

  collect(batch: AppendBatch): Collected {
    if (this.#opening) return "empty";
    let taken = 0;
    for (const row of this.#waiting) {
      if (batch.full) break;
      const append = { topic: this.#options.topic, epoch: null, identity: { eventId: row.id }, event: row.event };
      const { drops } = row;
      batch.add(this, drops === undefined ? append : { ...append, accumulate: { kind: "drop", messageId: drops } });
      taken++;
    }
    this.#sent = this.#waiting.splice(0, taken);
    return this.#waiting.length > 0 ? "more" : "empty";
  }

  appended(_append: Append, result: AppendResult): void {
    const row = this.#sent.shift();
    if (result.ok) row?.settled(true);
    else if (result.reason === "NO_EPOCH" && row !== undefined) this.#homeless.push(row);
    else row?.settled(false);
    if (this.#sent.length === 0) this.#answered();
  }

  /** What waits behind them is left as well, so that it does not come before them. */
  failed(): void {
    this.#sent.shift()?.settled(false);
    if (this.#sent.length === 0) this.#settleAll(false);
  }

  #answered(): void {
    if (this.#homeless.length > 0) {
      this.#waiting.unshift(...this.#homeless.splice(0));
      this.#opening = true;
      this.#open().catch((error: unknown) => this.#giveUp(error));
    } else if (this.#waiting.length === 0) {
      this.#options.emptied();
    }
  }

  async #open(): Promise<void> {
    const { topic, log, batcher, callMs, fence: fenceOf } = this.#options;
    if (++this.#openings > MAX_OPENINGS) throw new Error(`the topic is gone after ${MAX_OPENINGS} openings`);
    const fence = await withTimeLimit(callMs, fenceOf());
    if (fence === null) return this.#settleAll(true);
    // Whoever else opened it meanwhile did as well.
    await withTimeLimit(callMs, log.open({ topic, epoch: uuidv7(), fence, accumulators: [], owner: false }));
    this.#opening = false;
    batcher.schedule(this);
  }

  #giveUp(error: unknown): void {
    this.#options.logger.warn({ err: error, topic: this.#options.topic }, "announcements are left to the sweep");
    this.#settleAll(false);
  }

  #settleAll(done: boolean): void {
    this.#opening = false;
    for (const row of [...this.#homeless.splice(0), ...this.#waiting.splice(0)]) row.settled(done);
    this.#options.emptied();
  }
}
