import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";

/** The server's time, as far as this device knows it, for what is told in seconds. */
export interface Clock {
  /** Milliseconds since 1970; moves every second while somebody looks. */
  readonly now: ReadonlySignal<number>;
  /** Milliseconds since 1970, at this moment. */
  read(): number;
  /** The server said what time it is. */
  set(serverTime: string): void;
}

const TICK_MS = 1_000;
/** A difference that the way of the message explains is none. */
const SAME_MS = 3_000;

export function createClock(own: () => number = Date.now): Clock {
  let ahead = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const read = (): number => own() + ahead;
  const now: Signal<number> = signal(read(), {
    watched() {
      now.value = read();
      timer = setInterval(() => (now.value = read()), TICK_MS);
    },
    unwatched: () => clearInterval(timer),
  });
  return {
    now,
    read,
    set(serverTime) {
      const time = Date.parse(serverTime);
      if (Number.isNaN(time)) return;
      const difference = time - own();
      ahead = Math.abs(difference) < SAME_MS ? 0 : difference;
      now.value = read();
    },
  };
}
