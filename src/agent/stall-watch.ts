/**
 * [R9] Finds model calls that fell silent. One timer looks at all calls of the process about once a second; a token
 * costs a field, no timer and no clock.
 *
 * Silence is counted in looks, each worth at most twice the interval: a process that was paused, or a laptop that
 * slept, does not take its own absence for the provider's.
 */
export interface Watched {
  /** It said something since the last look. The watch sets it back. */
  heard: boolean;
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

export class StallWatch {
  readonly #limits: StallLimits;
  readonly #now: () => number;
  readonly #every: Every;
  /** Each with how long it has been silent. */
  readonly #calls = new Map<Watched, number>();
  #lookedAt = 0;
  #stop: (() => void) | undefined;

  constructor({ now = () => performance.now(), every = unrefInterval, ...limits }: StallWatchOptions) {
    this.#limits = limits;
    this.#now = now;
    this.#every = every;
  }

  add(call: Watched): void {
    this.#calls.set(call, 0);
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
      const silentMs = call.heard ? 0 : silent + passed;
      call.heard = false;
      this.#calls.set(call, silentMs);
      const limit = call.spoke ? this.#limits.silenceMs : this.#limits.firstTokenMs;
      if (silentMs < limit) continue;
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
