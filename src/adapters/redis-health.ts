/**
 * Is Redis there, fit, and ours? A ping now and then, and after a loss and every so often the settings of its servers
 * and the mark of the deployment: the first node on a Redis writes which database it belongs to, so that two
 * deployments which share a Redis and, by mistake, a prefix find each other.
 */
import type { Dependency } from "../ports/dependency.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { RedisConnections } from "./redis-connection.ts";

export interface RedisHealthOptions {
  readonly connections: Pick<RedisConnections, "client" | "run" | "problem" | "start" | "up">;
  readonly keyPrefix: string;
  /** Names the database: `PostgresDatabase.deployment`. */
  readonly deployment: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly pingMs?: number;
  /** How often settings and mark are looked at again. */
  readonly checkMs?: number;
}

const DOWN = "Redis does not answer. Streams and new work wait until it is back; nothing that was accepted is lost.";

export class RedisHealth implements Dependency {
  readonly name = "Redis";
  readonly down = DOWN;
  readonly #options: RedisHealthOptions;
  readonly #timer: NodeJS.Timeout;
  #pinging: Promise<void> | undefined = undefined;
  #checkedAt = -Infinity;
  #problem: string | undefined = undefined;
  #answers = false;
  #pingMs = Number.NaN;
  #connected = 0;

  constructor(options: RedisHealthOptions) {
    this.#options = options;
    const { connections, metrics, pingMs = 2_000 } = options;
    if (connections.up) this.#connected = 1;
    connections.client.on("ready", () => this.#connected++);
    metrics.gauge("redisUp", () => (this.#answers ? 1 : 0));
    metrics.gauge("redisPing", () => this.#pingMs / 1000);
    metrics.gauge("redisReconnects", () => Math.max(0, this.#connected - 1));
    this.#timer = setInterval(() => {
      // Its failures are those of the next probe.
      this.#ping().catch(() => undefined);
    }, pingMs).unref();
  }

  /** Rejects with `StartError` when Redis is not to be reached, not fit, or another deployment's. */
  async start(): Promise<void> {
    await this.#options.connections.start();
    try {
      const problem = await this.#ownership();
      if (problem !== undefined) throw new StartError(problem);
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      throw new StartError("Redis does not answer at REDIS_URL.", { cause: error });
    }
    this.#answers = true;
    this.#checkedAt = performance.now();
  }

  /** Its time limit is the connection's own. */
  async probe(): Promise<string | undefined> {
    await this.#ping();
    const { checkMs = 15_000, connections } = this.#options;
    // While something is wrong somebody is at work on it.
    if (this.#problem !== undefined || performance.now() - this.#checkedAt >= checkMs) {
      this.#problem = (await connections.problem()) ?? (await this.#ownership());
      this.#checkedAt = performance.now();
    }
    return this.#problem;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #ping(): Promise<void> {
    return (this.#pinging ??= this.#measure().finally(() => (this.#pinging = undefined)));
  }

  async #measure(): Promise<void> {
    const { connections } = this.#options;
    const from = performance.now();
    try {
      await connections.run(connections.client.ping());
      this.#pingMs = performance.now() - from;
      // What comes back may be another server.
      if (!this.#answers) this.#checkedAt = -Infinity;
      this.#answers = true;
    } catch (error) {
      this.#answers = false;
      this.#pingMs = Number.NaN;
      throw error;
    }
  }

  /** Marks a Redis that nobody has marked; says whose it is when it is another's. */
  async #ownership(): Promise<string | undefined> {
    const { connections, keyPrefix, deployment } = this.#options;
    const key = `${keyPrefix}deployment`;
    const mark = await connections.run(connections.client.set(key, deployment, "NX", "GET"));
    if (mark === null || mark === deployment) return undefined;
    return (
      `Another deployment, on another database, uses this Redis with the same PARLEY_KEY_PREFIX. Set another prefix ` +
      `for one of them; if the other is gone for good, delete the key ${key}.`
    );
  }
}
