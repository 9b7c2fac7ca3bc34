/**
 * [R9] Finds model calls that fell silent. One timer looks at all calls of the process about once a second; a token
 * costs a field, no timer and no clock.
 *
 * Silence is counted in looks, each worth at most twice the interval: a process that was paused, or a laptop that
 * slept, does not take its own absence for the provider's.
 *
 * A provider that shows that it lives, and says nothing, may be a model that thinks in silence, or a proxy in front of
 * one that is gone: it has its limit ten times over.
 */
export interface Watched {
  /** It said something since the last look. The watch sets it back. */
  heard: boolean;
  /** Something came from it, said or not, since the last look. The watch sets it back. */
  seen: boolean;
  /** It ever said something. */
  readonly spoke: boolean;
  /** Called once; the call is forgotten then. */
  stalled(): void;
}

/** Milliseconds, kept to about a second. */
export interface StallLimits {
  /** From the request to the first thing that it says. */
  readonly firstTokenMs: number;
  /** Between two things that it says. */
  readonly silenceMs: number;
}

/** Runs `work` every `ms`; returns the way to stop it. */
export type Every = (ms: number, work: () => void) => () => void;

export interface StallWatchOptions extends StallLimits {
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  readonly every?: Every;
}

const LOOK_MS = 1_000;
/** How many times its limit a call may say nothing while it shows that it lives. */
const ALIVE = 10;

/** Milliseconds. */
interface Silence {
  /** Since it said something. */
  readonly said: number;
  /** Since anything came. */
  readonly came: number;
}

const NONE: Silence = { said: 0, came: 0 };

export class StallWatch {
  readonly #limits: StallLimits;
  readonly #now: () => number;
  readonly #every: Every;
  /** Each with how long it has been silent. */
  readonly #calls = new Map<Watched, Silence>();
  #lookedAt = 0;
  #stop: (() => void) | undefined;

  constructor({ now = () => performance.now(), every = unrefInterval, ...limits }: StallWatchOptions) {
    this.#limits = limits;
    this.#now = now;
    this.#every = every;
  }

  add(call: Watched): void {
    this.#calls.set(call, NONE);
    if (this.#stop !== undefined) return;
    this.#lookedAt = this.#now();
    this.#stop = this.#every(LOOK_MS, () => this.#look());
  }

  remove(call: Watched): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #look(): void {
    const now = this.#now();
    const passed = Math.min(now - this.#lookedAt, 2 * LOOK_MS);
    this.#lookedAt = now;
    for (const [call, silent] of this.#calls) {
      const said = call.heard ? 0 : silent.said + passed;
      const came = call.heard || call.seen ? 0 : silent.came + passed;
      call.heard = false;
      call.seen = false;
      this.#calls.set(call, { said, came });
      const limit = call.spoke ? this.#limits.silenceMs : this.#limits.firstTokenMs;
      if (came < limit && said < ALIVE * limit) continue;
      this.remove(call);
      call.stalled();
    }
  }
}

const unrefInterval: Every = (ms, work) => {
  const timer = setInterval(work, ms);
  timer.unref();
  return () => clearInterval(timer);
};
