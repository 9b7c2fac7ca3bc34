import type { Clock } from "../../src/gateway/clock.ts";

interface Timer {
  at: number;
  readonly every: number | undefined;
  readonly work: () => void;
}

/** Time that passes only when the test says so. */
export class FakeClock implements Clock {
  private time = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  after(ms: number, work: () => void): () => void {
    return this.start({ at: this.time + ms, every: undefined, work });
  }

  every(ms: number, work: () => void): () => void {
    return this.start({ at: this.time + ms, every: ms, work });
  }

  /** Lets time pass, and everything that is due happen at its time, in order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.time = due.at;
      if (due.every === undefined) this.timers.delete(due);
      else due.at += due.every;
      due.work();
    }
    this.time = end;
  }

  private start(timer: Timer): () => void {
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }
}
