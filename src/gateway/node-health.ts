/** What is wrong with this node: what it depends on, each asked at most once a second, however many want to know. */
import type { Dependency } from "../ports/dependency.ts";
import type { Logger } from "../ports/logger.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DependencyProbe } from "./dependency-probe.ts";

export interface NodeHealthOptions {
  /** Rejects when the store does not answer in time: `Store.probe`. */
  probe(timeoutMs: number): Promise<void>;
  /** What it depends on besides. */
  readonly dependencies?: readonly Dependency[];
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface NodeHealth {
  /** Everything that is wrong, in sentences, or undefined. Never rejects, and takes four seconds at the most. */
  problem(): Promise<string | undefined>;
}

const STORE_DOWN = "The store does not answer. Streams that run go on; new work is refused until it is back.";

export function createNodeHealth(options: NodeHealthOptions): NodeHealth {
  const { log, clock = systemClock } = options;
  const store: Dependency = {
    name: "the store",
    down: STORE_DOWN,
    probe: async (timeoutMs) => {
      await options.probe(timeoutMs);
      return undefined;
    },
  };
  const probes = [store, ...(options.dependencies ?? [])].map((each) => new DependencyProbe(each, log, clock));
  return {
    async problem() {
      const found = await Promise.all(probes.map((probe) => probe.problem()));
      return found.filter((problem) => problem !== undefined).join(" ") || undefined;
    },
  };
}
