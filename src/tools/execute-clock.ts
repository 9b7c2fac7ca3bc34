/** Time, injected so that tests decide when it passes. Timers never keep the process alive. */
export interface ToolClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Runs `work` once after `ms`; returns the way to cancel it. */
  after(ms: number, work: () => void): () => void;
}

export const systemClock: ToolClock = {
  now: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms).unref();
    return () => clearTimeout(timer);
  },
};
