/** Where a process dies: at one call of a port, by name. Pure. */

export type Side =
  /** The call is not made. */
  | "before"
  /** It has done its work, and nobody hears of it. */
  | "after";

export interface Point {
  /** `runs.commit`, `outbox.clear`; of an append to the log also what it appends: `log.append/RUN_STARTED`. */
  readonly call: string;
  /** The first, second … call of that name in its process. */
  readonly nth: number;
  readonly side: Side;
}

/** One call, under each of its names. */
export type Call = readonly string[];

export const formatPoint = ({ call, nth, side }: Point): string => `${call}:${nth}:${side}`;

/** The reverse of `formatPoint`. Throws on anything else. */
export function parsePoint(text: string): Point {
  const [, call, nth, side] = /^([^:\s]+):([1-9]\d*):(before|after)$/.exec(text) ?? [];
  if (call === undefined || (side !== "before" && side !== "after")) {
    throw new Error(`Not a point: ${JSON.stringify(text)}. Expected <call>:<nth>:before or :after.`);
  }
  return { call, nth: Number(nth), side };
}

/** How often each name occurs. */
export function countNames(calls: readonly Call[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of calls.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Of the calls of each name: the first, also the middle and the last, or all. */
export type Selection = "first" | "some" | "all";

/**
 * Both sides of the selected calls. A call of several names is met once, under the rarest: how often that one comes
 * depends least on the machine.
 */
export function pointsOf(calls: readonly Call[], which: Selection): Point[] {
  const counts = [...countNames(calls)].toSorted(([, a], [, b]) => a - b);
  const met = new Set<number>();
  const points: Point[] = [];
  for (const [call, count] of counts) {
    const indexes = calls.flatMap((names, index) => (names.includes(call) ? [index] : []));
    for (const nth of chosen(count, which)) {
      const index = indexes[nth - 1];
      if (index === undefined || met.has(index)) continue;
      met.add(index);
      points.push({ call, nth, side: "before" }, { call, nth, side: "after" });
    }
  }
  return points;
}

function chosen(count: number, which: Selection): Iterable<number> {
  switch (which) {
    case "first":
      return [1];
    case "some":
      return new Set([1, Math.ceil(count / 2), count]);
    case "all":
      return Array.from({ length: count }, (_, index) => index + 1);
  }
}
