/**
 * A node that is cut off from the database, or from Redis, holds clients that it can serve nothing, while others could.
 * It tells them to go there; when no other can, they stay: what is away will be back, and moving would help nobody.
 *
 *   fit ──fails──▶ failing ──15 s, and another is fit──▶ away     told `draining` with jitter, each once; new ones too
 *    ▲                │                                   │
 *    └──────ok────────┴───────────ok, or no other is──────┘
 *
 * What makes all nodes fail at once must move nobody. So a word of another node is believed for less time than this one
 * has to fail: whoever is still believed to be fit has looked again since.
 */
import type { Logger } from "../ports/logger.ts";
import type { Peers } from "../ports/peers.ts";
import type { Clock } from "./clock.ts";
import type { NodeHealth } from "./node-health.ts";
import { probed, READY, type Readiness } from "./readiness.ts";

/** Longer than readiness takes, so that the balancer knows already. */
export const STRANDED_MS = 15_000;
/** A look takes up to six seconds where nothing answers: whoever says no more within this is not counted. */
export const BELIEVED_MS = 9_000;
const EVERY_MS = 3_000;
const TELL_MS = 2_000;

export function isStranded(state: Readiness, fitOthers: number, now: number): boolean {
  switch (state.kind) {
    case "ready":
      return false;
    case "failing":
      return fitOthers > 0 && now - state.since >= STRANDED_MS;
  }
}

export interface StrandWatchOptions {
  readonly health: NodeHealth;
  /** Places where nodes meet; one that is away says nothing. */
  readonly peers: readonly Peers[];
  /** Is this node leaving anyway? */
  readonly draining: () => boolean;
  /** Told at each look. */
  readonly sendAway: (away: boolean) => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface StrandWatch {
  /** Looks once. Never rejects. */
  readonly look: () => Promise<void>;
  readonly pauseMs: () => number;
}

export function createStrandWatch({
  health,
  peers,
  draining,
  sendAway,
  logger,
  clock,
}: StrandWatchOptions): StrandWatch {
  let state: Readiness = READY;
  let away = false;
  /** A place that does not answer in time is not asked again until it does. */
  const asked = new Map<Peers, Promise<number>>();

  /** How many others are fit, by what is said at one place; 0 when it does not answer. */
  async function fitAt(place: Peers, fit: boolean): Promise<number> {
    if (asked.has(place)) return 0;
    const answer = place.tell(fit, BELIEVED_MS).finally(() => asked.delete(place));
    asked.set(place, answer);
    let stop = (): void => {};
    const late = new Promise<number>((resolve) => {
      stop = clock.after(TELL_MS, () => resolve(0));
    });
    try {
      return await Promise.race([answer, late]);
    } catch {
      return 0;
    } finally {
      stop();
    }
  }

  return {
    async look() {
      const problem = await health.problem();
      state = probed(state, problem === undefined, clock.now());
      const fit = problem === undefined && !draining();
      const fitOthers = Math.max(0, ...(await Promise.all(peers.map((place) => fitAt(place, fit)))));
      const before = away;
      away = !draining() && isStranded(state, fitOthers, clock.now());
      if (away && !before) logger.warn({ problem, fitOthers }, "clients are sent to other nodes, which can serve them");
      if (!away && before) logger.info({ fitOthers }, "clients are not sent away any more");
      sendAway(away);
    },
    pauseMs: () => EVERY_MS,
  };
}
