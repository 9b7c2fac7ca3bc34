import type { CpuTime } from "./process-cost.ts";

/** Microseconds per unit of work. */
export interface Cost {
  readonly user: number;
  readonly system: number;
  readonly total: number;
}

export interface Row {
  readonly name: string;
  readonly budget: string;
  /** Largest allowed ratio to the baseline. */
  readonly limit: number;
  readonly parley: readonly Cost[];
  readonly baseline: readonly Cost[];
}

export const costPer = (before: CpuTime, after: CpuTime, units: number): Cost => {
  const user = (after.user - before.user) / units;
  const system = (after.system - before.system) / units;
  return { user, system, total: user + system };
};

/** 0 of none. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? 0)) / 2;
}

const cost = (samples: readonly Cost[]) =>
  `${median(samples.map((s) => s.total)).toFixed(2)} (${median(samples.map((s) => s.user)).toFixed(2)} + ${median(samples.map((s) => s.system)).toFixed(2)})`;

/** Markdown, so that the output goes into the documentation as it is. */
export function printTable(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  console.log("\n| what | Parley (user + system) | uWS (user + system) | ratio | budget | |");
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) {
    const ratio = median(row.parley.map((s) => s.total)) / median(row.baseline.map((s) => s.total));
    const verdict = ratio <= row.limit ? "within" : "over";
    console.log(
      `| ${row.name} | ${cost(row.parley)} | ${cost(row.baseline)} | ${ratio.toFixed(2)} | ${row.budget} | ${verdict} |`,
    );
  }
}
