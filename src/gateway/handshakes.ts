/**
 * How many connections a node greets in a second. What costs is what follows the greeting: a session to look up, topics
 * to open. When a node dies, thousands come at once; greeted as they come they would wait for the same few connections to
 * the database as the runs, the leases and everybody else.
 *
 *   admit ──▶ a token is there: greeted at once
 *        └──▶ in line, in the order of arrival ──▶ greeted, a few every 20 ms
 *        └──▶ the line is as long as a client waits: refused
 */
import { TokenBucket } from "../sessions/token-bucket.ts";
import type { Clock } from "./clock.ts";

const STEP_MS = 20;
/** Part of a second's worth that may come at once. */
const BURST = 0.25;
/** A client that waits longer for its greeting gives up, so it is told at once instead. */
export const LONGEST_WAIT_MS = 5_000;

export class Handshakes {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #longest: number;
  readonly #waiting = new Set<() => void>();
  #stopStepping: (() => void) | undefined = undefined;

  constructor(perSecond: number, clock: Clock) {
    this.#bucket = new TokenBucket({ perSecond, burst: Math.max(1, Math.ceil(perSecond * BURST)) });
    this.#clock = clock;
    this.#longest = Math.ceil((perSecond * LONGEST_WAIT_MS) / 1000);
  }

  /** Connections in line. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Greets now, or when its turn has come; false when the line is too long. Each `greet` is a function of its own, by which
   * `leave` knows it.
   */
  admit(greet: () => void): boolean {
    if (this.#waiting.size === 0 && this.#bucket.take(this.#clock.now()) === 0) {
      greet();
      return true;
    }
    if (this.#waiting.size >= this.#longest) return false;
    this.#waiting.add(greet);
    this.#stopStepping ??= this.#clock.every(STEP_MS, () => this.#step());
    return true;
  }

  /** It is gone: nobody waits for its turn. */
  leave(greet: () => void): void {
    this.#waiting.delete(greet);
  }

  /** Greets nobody any more. Idempotent. */
  close(): void {
    this.#waiting.clear();
    this.#rest();
  }

  #step(): void {
    const now = this.#clock.now();
    for (const greet of this.#waiting) {
      if (this.#bucket.take(now) > 0) return;
      this.#waiting.delete(greet);
      greet();
    }
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    this.#stopStepping?.();
    this.#stopStepping = undefined;
  }
}
