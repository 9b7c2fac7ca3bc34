/** Numbers about the whole tenant, for its owner, over a time that is chosen. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Insights } from "../../src/protocol/methods/insights.ts";

export const RANGES = ["day", "week", "month", "quarter"] as const;
export type Range = (typeof RANGES)[number];

/** In spans of hours, of quarters of a day or of days, by the reader's own clock. */
const SPANS: Readonly<Record<Range, { readonly unit: "hour" | "quarter" | "day"; readonly count: number }>> = {
  day: { unit: "hour", count: 24 },
  week: { unit: "quarter", count: 28 },
  month: { unit: "day", count: 30 },
  quarter: { unit: "day", count: 90 },
};

/** Where the spans begin, and last where the newest one ends: the one that `now` is in is the last. */
export function timesOf(range: Range, now: Date): readonly Date[] {
  const { unit, count } = SPANS[range];
  return Array.from({ length: count + 1 }, (_, i) => {
    const back = count - 1 - i;
    // By the calendar: a day may have 23 or 25 hours. Hours are counted from one that is whole.
    const [year, month, day] = [now.getFullYear(), now.getMonth(), now.getDate()];
    if (unit === "day") return new Date(year, month, day - back);
    if (unit === "quarter") return new Date(year, month, day, (Math.floor(now.getHours() / 6) - back) * 6);
    const hour = new Date(now);
    hour.setMinutes(0, 0, 0);
    return new Date(hour.getTime() - back * 3_600_000);
  });
}

export type InsightsState =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly times: readonly Date[]; readonly insights: Insights }
  | { readonly kind: "failed"; readonly error: ParleyError };

export class InsightsStore {
  readonly range = signal<Range>("week");
  readonly #state = signal<InsightsState>({ kind: "loading" });
  readonly #client: Pick<Client, "call">;
  /** The newest question; what answers an older one is not shown. */
  #asked = 0;

  constructor(client: Pick<Client, "call">) {
    this.#client = client;
  }

  get state(): ReadonlySignal<InsightsState> {
    return this.#state;
  }

  choose(range: Range): void {
    this.range.value = range;
    this.load();
  }

  load(now = new Date()): void {
    const asked = ++this.#asked;
    const times = timesOf(this.range.peek(), now);
    if (this.#state.peek().kind === "failed") this.#state.value = { kind: "loading" };
    const show = (state: InsightsState): void => {
      if (asked === this.#asked) this.#state.value = state;
    };
    this.#client.call("insights.get", { times: times.map((time) => time.toISOString()) }).then(
      ({ insights }) => show({ kind: "ready", times, insights }),
      (cause: unknown) =>
        show({ kind: "failed", error: cause instanceof ParleyError ? cause : new ParleyError("INTERNAL", { cause }) }),
    );
  }
}
