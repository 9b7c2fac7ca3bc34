/** Asks one dependency: one probe at a time, its result kept for a moment, and a limit that holds even if its own does not. */
import type { Dependency } from "../ports/dependency.ts";
import type { Logger } from "../ports/logger.ts";
import type { Clock } from "./clock.ts";

/** A dependency that takes longer than this to answer a probe is as good as gone. */
const PROBE_MS = 2000;
/** A probe's result serves everybody who asks within this time. */
const FRESH_MS = 1000;

export class DependencyProbe {
  readonly #dependency: Dependency;
  readonly #log: Logger;
  readonly #clock: Clock;
  #running: Promise<string | undefined> | undefined = undefined;
  #last: { readonly problem: string | undefined; readonly at: number } | undefined = undefined;

  constructor(dependency: Dependency, log: Logger, clock: Clock) {
    this.#dependency = dependency;
    this.#log = log;
    this.#clock = clock;
  }

  /** What is wrong with it, in a sentence; undefined when nothing is. Never rejects. */
  async problem(): Promise<string | undefined> {
    const last = this.#last;
    if (last !== undefined && this.#clock.now() - last.at < FRESH_MS) return last.problem;
    this.#running ??= this.#probe().finally(() => (this.#running = undefined));
    return await this.#running;
  }

  async #probe(): Promise<string | undefined> {
    const { name, down } = this.#dependency;
    const before = this.#last?.problem;
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      stop = this.#clock.after(PROBE_MS * 2, () => reject(new Error(`the probe of ${name} did not end in time`)));
    });
    let problem: string | undefined;
    try {
      problem = await Promise.race([this.#dependency.probe(PROBE_MS), late]);
      // Once per change, not once per probe.
      if (problem !== undefined && problem !== before) this.#log.error({ problem }, `${name} can't be used`);
    } catch (error) {
      problem = down;
      if (problem !== before) this.#log.warn({ err: error }, `${name} does not answer`);
    } finally {
      stop();
    }
    if (problem === undefined && before !== undefined) this.#log.info({}, `${name} answers again`);
    this.#last = { problem, at: this.#clock.now() };
    return problem;
  }
}
