/** The repeated jobs of a process: none runs twice at once, none keeps the process alive, all stop together. */
export interface Timers {
  /**
   * Runs `job` after `delayMs(failures)` again and again; `failures` counts what it failed in a row. The delay runs
   * from the end of a job.
   */
  repeat(delayMs: (failures: number) => number, job: () => unknown): void;
  stop(): void;
}

export function createTimers(report: (error: unknown) => void): Timers {
  const waiting = new Set<NodeJS.Timeout>();
  let stopped = false;

  function later(ms: number, work: () => Promise<void>): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      waiting.delete(timer);
      work().catch(report);
    }, ms);
    waiting.add(timer.unref());
  }

  return {
    repeat(delayMs, job) {
      let failures = 0;
      const once = async () => {
        try {
          await job();
          failures = 0;
        } catch (error) {
          failures++;
          report(error);
        } finally {
          later(delayMs(failures), once);
        }
      };
      later(delayMs(0), once);
    },
    stop() {
      stopped = true;
      for (const timer of waiting) clearTimeout(timer);
      waiting.clear();
    },
  };
}
