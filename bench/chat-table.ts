/** D's budgets, and its figures beside them as lines of Markdown. */
import { type Cost, median } from "./table.ts";

export type StoreKind = "embedded" | "postgres" | "cluster";

export interface ChatSample {
  /** µs of an answer. */
  readonly cost: Cost;
  readonly perSecond: number;
  readonly first: readonly number[];
  readonly rssMiB: number;
}

interface ChatBudget {
  readonly count: number;
  /** CPU of an answer. None for one person alone: that is mostly a process that waits. */
  readonly cpuMs?: number;
  /** What the server adds to the time to the first token. */
  readonly firstMs: number;
  readonly firstP99Ms?: number;
  readonly rssMiB?: number;
}

interface Budgets {
  readonly loads: readonly ChatBudget[];
  readonly readyMs: number;
}

const withServices: Budgets = {
  readyMs: 700,
  loads: [
    { count: 1, firstMs: 3 },
    { count: 50, cpuMs: 7, firstMs: 3 },
    { count: 200, cpuMs: 5, firstMs: 5, firstP99Ms: 20, rssMiB: 200 },
  ],
};

/** By where Parley stores. */
export const BUDGETS: Readonly<Record<StoreKind, Budgets>> = {
  embedded: {
    readyMs: 2000,
    loads: [
      { count: 1, firstMs: 5 },
      { count: 50, cpuMs: 9, firstMs: 5 },
      { count: 200, cpuMs: 7, firstMs: 10, rssMiB: 550 },
    ],
  },
  postgres: withServices,
  cluster: withServices,
};

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
};

/** Median of the rounds: of a figure of each. */
const of = (samples: readonly ChatSample[], figure: (sample: ChatSample) => number): number =>
  median(samples.map(figure));

export const CHAT_HEAD =
  "\nD | people | answers/s | CPU ms of an answer | to the first token, p50 / p99 ms | RSS, MiB | budget | |\n" +
  "|---|---|---|---|---|---|---|---|";

export function chatLine(who: string, count: number, samples: readonly ChatSample[], budget?: ChatBudget): string {
  const cpuMs = of(samples, ({ cost }) => cost.total / 1000);
  const userMs = of(samples, ({ cost }) => cost.user / 1000);
  const p50 = of(samples, ({ first }) => quantile(first, 0.5));
  const p99 = of(samples, ({ first }) => quantile(first, 0.99));
  const rss = of(samples, ({ rssMiB }) => rssMiB);
  const rate = of(samples, ({ perSecond }) => perSecond);
  const over = [
    budget?.cpuMs !== undefined && cpuMs > budget.cpuMs && "CPU",
    budget && p50 > budget.firstMs && "first token",
    budget?.firstP99Ms !== undefined && p99 > budget.firstP99Ms && "p99",
    budget?.rssMiB !== undefined && rss > budget.rssMiB && "memory",
  ].filter((each) => typeof each === "string");
  const wanted = [
    budget?.cpuMs !== undefined && `${budget.cpuMs} ms CPU`,
    budget && `${budget.firstMs} ms`,
    budget?.firstP99Ms !== undefined && `p99 ${budget.firstP99Ms} ms`,
    budget?.rssMiB !== undefined && `${budget.rssMiB} MiB`,
  ].filter((each) => typeof each === "string");
  const verdict = budget === undefined ? "" : over.length === 0 ? "within" : `over: ${over.join(", ")}`;
  return (
    `| ${who} | ${count} | ${rate.toFixed(1)} | ${cpuMs.toFixed(2)} (${userMs.toFixed(2)} user) | ` +
    `${p50.toFixed(1)} / ${p99.toFixed(1)} | ${rss.toFixed(0)} | ${wanted.join(", ")} | ${verdict} |`
  );
}
