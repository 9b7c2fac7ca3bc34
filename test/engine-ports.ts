/**
 * One process's view of its ports: calls that fail, lose their answer, are the last thing the process did, or the last
 * before it was suspended.
 */
import type { EventLog } from "../src/ports/event-log.ts";
import type { Store } from "../src/ports/store.ts";
import { ParleyError } from "../src/protocol/errors.ts";

export type FaultKind =
  /** The call fails and did nothing. */
  | "refused"
  /** It did its work, and its answer was lost. */
  | "lost reply"
  /** The process dies before the call is made. */
  | "death before"
  /** The call does its work; the process dies and never hears of it. */
  | "death after"
  /** The process is suspended before the call is made … */
  | "pause before"
  /** … or when it has done its work and before it is answered, until `resume`. */
  | "pause after";

export interface Fault {
  readonly kind: FaultKind;
  /** `store.runs.claim`, `log.append` …; any call when absent. */
  readonly call?: string;
  /** The first, second … call of that name. */
  readonly nth: number;
}

const never = () => new Promise<never>(() => {});

/** Everything that answers with a promise is counted. */
export class FaultyPorts {
  readonly calls: string[] = [];
  readonly store: Store;
  readonly log: EventLog;
  dead = false;
  /** Has it come to the fault? */
  hit = false;
  /** Every call fails, as long as it is set. */
  storeAway = false;
  logAway = false;
  #fault: Fault | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #met = 0;
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(store: Store, log: EventLog, fault?: Fault) {
    this.#fault = fault;
    this.store = this.#wrap("store", store);
    this.log = this.#wrap("log", log);
  }

  /** Replaces the fault; calls are counted from now. */
  arm(fault: Fault): void {
    this.#fault = fault;
    this.#met = 0;
    this.hit = false;
  }

  disarm(): void {
    this.#fault = undefined;
  }

  /** From now on no call is made and none is answered. */
  die(): void {
    this.dead = true;
  }

  /** Ends a pause, in which every call and every answer was held. */
  resume(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** When calls that were made have ended. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #wrap<T extends object>(path: string, target: T): T {
    return new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key);
        const name = `${path}.${String(key)}`;
        if (typeof value === "object" && value !== null) return this.#wrap(name, value);
        if (typeof value !== "function") return value;
        if (key === "subscribe") return value.bind(target);
        return (...args: unknown[]) => this.#call(name, () => Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  }

  #faultOf(name: string): FaultKind | undefined {
    if (this.#fault === undefined || (this.#fault.call ?? name) !== name) return undefined;
    if (++this.#met !== this.#fault.nth) return undefined;
    this.hit = true;
    return this.#fault.kind;
  }

  #pause(): Promise<void> {
    this.#gate ??= Promise.withResolvers();
    return this.#gate.promise;
  }

  async #call(name: string, work: () => Promise<unknown>): Promise<unknown> {
    await this.#gate?.promise;
    if (this.dead) return never();
    this.calls.push(name);
    const kind = this.#faultOf(name);
    const away = name.startsWith("log.") ? this.logAway : this.storeAway;
    if (kind === "refused" || away) throw new ParleyError("UNAVAILABLE");
    if (kind === "death before") {
      this.die();
      return never();
    }
    if (kind === "pause before") await this.#pause();
    const result = work();
    this.#underWay.add(result);
    if (kind === "death after") this.die();
    try {
      const value = await result;
      if (kind === "lost reply") throw new ParleyError("UNAVAILABLE");
      return value;
    } finally {
      this.#underWay.delete(result);
      if (kind === "pause after") await this.#pause();
      await this.#gate?.promise;
      if (this.dead) await never();
    }
  }
}
