/** Time and timers, injected so that tests decide when they pass. Timers never keep the process alive. */
export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary origin. */
  now(): number;
  /** Runs `work` once after `ms`; returns the way to cancel it. */
  after(ms: number, work: () => void): () => void;
  /** Runs `work` every `ms`; returns the way to stop it. */
  every(ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
