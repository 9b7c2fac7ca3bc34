/** One process's view of its ports: calls that fail, lose their answer, or are the last thing the process did. */
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
  | "death after";

export interface Fault {
  readonly kind: FaultKind;
  /** `store.runs.claim`, `log.append` … */
  readonly call: string;
  /** The first, second … call of that name. */
  readonly nth: number;
}

const never = () => new Promise<never>(() => {});

/** One process's view of its ports. Everything that answers with a promise is counted. */
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
  readonly #fault: Fault | undefined;
  readonly #died = Promise.withResolvers<void>();
  readonly #underWay = new Set<Promise<unknown>>();
  #met = 0;
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(store: Store, log: EventLog, fault?: Fault) {
    this.#fault = fault;
    this.store = this.#wrap("store", store);
    this.log = this.#wrap("log", log);
  }

  /** Resolves at the fault that is a death, when what it had begun has ended. */
  get died(): Promise<void> {
    return this.#died.promise.then(async () => {
      while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    });
  }

  /** From now on no call is made and none is answered. */
  die(): void {
    this.dead = true;
    this.#died.resolve();
  }

  /** Holds every call and every answer until `resume`: the process was suspended. */
  suspend(): void {
    this.#gate ??= Promise.withResolvers();
  }

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
    if (name !== this.#fault?.call || ++this.#met !== this.#fault.nth) return undefined;
    this.hit = true;
    return this.#fault.kind;
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
    const result = work();
    this.#underWay.add(result);
    if (kind === "death after") this.die();
    try {
      const value = await result;
      if (kind === "lost reply") throw new ParleyError("UNAVAILABLE");
      return value;
    } finally {
      this.#underWay.delete(result);
      await this.#gate?.promise;
      if (this.dead) await never();
    }
  }
}
