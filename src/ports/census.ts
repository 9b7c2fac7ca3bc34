/**
 * How many connections people and addresses have on the other nodes, so that a limit holds over all of them. Each node
 * decides by itself, at once: what it counts, and what the others last said of theirs.
 *
 * - Best effort: it lags by one exchange, and a node leaves out what could not matter (`Counted.atLeast`).
 * - A node that is gone is forgotten after some exchanges. Without Redis a node knows of itself alone.
 */
export interface Counted {
  /** Those that have at least so many connections here, at most 1,000. */
  atLeast(count: number): Iterable<readonly [key: string, count: number]>;
}

export interface ConnectionCensus {
  /** Begins to tell the others. `limit`: from where a sum over all nodes matters. */
  start(counted: Counted, limit: number): void;
  /** On all other nodes together, as they last said. Returns at once. */
  elsewhere(key: string): number;
}
