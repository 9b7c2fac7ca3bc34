/**
 * The only place that connects to Redis: one connection for all commands of the process (in a Cluster one a master) and
 * one for what it hears (`redis-subscriber.ts`).
 *
 * - A command is never sent twice by the driver and never waits for a connection: it fails at once, or after
 *   `commandMs`, and its caller knows whether it may be repeated. So nothing hangs when Redis is gone [R8].
 * - A connection that was lost comes back by itself, with full jitter. One that answers nothing any more is cut.
 * - A server that became a replica refuses writes; its connection is made anew, where the master is.
 */
import { Cluster, Redis, type CommonRedisOptions, type RedisOptions } from "ioredis";
import type { Logger } from "../ports/logger.ts";
import { StartError } from "../ports/start-error.ts";
import { redisFailure, safeRedisError } from "./redis-errors.ts";
import { configurationProblem } from "./redis-server-check.ts";
import { slotOf } from "./redis-slot.ts";
import { RedisSubscriber } from "./redis-subscriber.ts";
import { parseRedisUrl, type RedisTarget } from "./redis-url.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/** Key tags of a Cluster; fixed, since moving a topic from one to another loses it. */
const CLUSTER_BUCKETS = 16;

type Legacy = { readonly replyMapping: "legacy" };

export interface RedisConnectionsOptions {
  /** REDIS_URL, as `redis-url.ts` reads it. */
  readonly url: string;
  readonly logger: Logger;
  /** Shown by CLIENT LIST. */
  readonly clientName?: string;
  readonly connectMs?: number;
  /** Time limit of a command. */
  readonly commandMs?: number;
  /** How often subscriber connections are asked for a sign of life. */
  readonly checkMs?: number;
}

export class RedisConnections {
  /** For commands, of every adapter. Use `run` around its calls, so that its errors are ours. */
  readonly client: Redis | Cluster;
  readonly subscriber: RedisSubscriber;
  /** How many key tags, `{b0}` … `{b15}`, spread the keys: 1 on a single server, 16 in a Cluster. */
  readonly buckets: number;
  readonly #target: RedisTarget;
  readonly #logger: Logger;
  readonly #common: CommonRedisOptions & Legacy;
  readonly #released = new WeakSet<Redis>();
  #closed = false;

  /** Begins to connect. Throws StartError when the URL can't be read. */
  constructor(options: RedisConnectionsOptions) {
    this.#target = parseRedisUrl(options.url);
    this.#logger = options.logger;
    const commandMs = options.commandMs ?? 2_000;
    this.#common = {
      connectTimeout: options.connectMs ?? 5_000,
      commandTimeout: commandMs,
      // Silent while commands wait: the peer is gone, though nobody said so.
      socketTimeout: commandMs * 2,
      keepAlive: 10_000,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      enableReadyCheck: true,
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
      retryStrategy: pauseMs,
      protocol: 2,
      replyMapping: "legacy",
      ...(options.clientName === undefined ? {} : { connectionName: options.clientName }),
      ...(this.#target.username === undefined ? {} : { username: this.#target.username }),
      ...(this.#target.password === undefined ? {} : { password: this.#target.password }),
    };
    this.buckets = this.#target.kind === "cluster" ? CLUSTER_BUCKETS : 1;
    this.client = this.#connect();
    this.subscriber = new RedisSubscriber({
      connect: (node) => this.#connectTo(node),
      release: (redis) => this.#release(redis),
      place: (channel) => this.#place(channel),
      misplaced: () => this.#refresh(),
      logger: options.logger,
      checkMs: options.checkMs ?? 5_000,
    });
    if (this.client instanceof Cluster) {
      for (const event of ["ready", "+node", "-node"]) this.client.on(event, () => this.subscriber.rearrange());
    }
  }

  /** Can commands be sent now? A hint, for readiness. */
  get up(): boolean {
    return this.client.status === "ready";
  }

  /**
   * Waits until commands can be sent, and looks at the servers' version and settings. Throws StartError when they are
   * not reached within `ms`, or not fit.
   */
  async start(ms = 10_000): Promise<void> {
    await this.#ready(ms);
    const problem = await this.problem();
    if (problem !== undefined) throw new StartError(problem);
  }

  /** What an operator has to mend at a server, or undefined. For the start, and for readiness later. */
  async problem(): Promise<string | undefined> {
    const servers = this.client instanceof Cluster ? this.client.nodes("master") : [this.client];
    for (const server of servers) {
      const info = await this.run(Promise.all([server.info("server"), server.info("memory")]));
      const problem = configurationProblem(info.join("\n"));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** The answer of the driver, or an error of ours: UNAVAILABLE when Redis could not be asked, and nothing secret. */
  async run<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw redisFailure(error);
    }
  }

  /** Answers nothing any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.subscriber.close();
    this.client.disconnect();
  }

  #connect(): Redis | Cluster {
    const target = this.#target;
    if (target.kind !== "cluster") return this.#watched(new Redis(this.#serverOptions(target)));
    const { retryStrategy: _, enableOfflineQueue: __, ...redisOptions } = this.#common;
    const options = {
      enableOfflineQueue: false,
      // What was under way when a connection closed may have been done: no second try behind our back.
      retryDelayOnFailover: 0,
      clusterRetryStrategy: pauseMs,
      clusterNodeRetryStrategy: pauseMs,
      redisOptions: { ...redisOptions, ...(target.tls ? { tls: {} } : {}) },
      // Certificates name hosts, so names stay names.
      ...(target.tls ? { dnsLookup: keepName } : {}),
    };
    return this.#watched(new Cluster([...target.nodes], options));
  }

  #serverOptions(target: Exclude<RedisTarget, { readonly kind: "cluster" }>): RedisOptions & Legacy {
    const options: RedisOptions & Legacy = { ...this.#common, db: target.db };
    if (target.kind === "single") return { ...options, ...target.address, ...(target.tls ? { tls: {} } : {}) };
    return {
      ...options,
      sentinels: [...target.sentinels],
      name: target.name,
      sentinelRetryStrategy: pauseMs,
      sentinelCommandTimeout: this.#common.commandTimeout,
      // Without it, a failover that somebody asked for leaves us with the old master for about ten seconds.
      failoverDetector: true,
      ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword }),
      ...(target.tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    };
  }

  /** A subscriber's connection. `node` is host:port in a Cluster, and says nothing elsewhere. */
  #connectTo(node: string): Redis {
    const target = this.#target;
    if (target.kind !== "cluster") return this.#watched(new Redis(this.#serverOptions(target)));
    const colon = node.lastIndexOf(":");
    const address = { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
    return this.#watched(new Redis({ ...this.#common, ...address, ...(target.tls ? { tls: {} } : {}) }));
  }

  #release(redis: Redis): void {
    this.#released.add(redis);
    redis.disconnect();
  }

  #place(channel: string): string | undefined {
    return this.client instanceof Cluster ? this.client.slots[slotOf(channel)]?.[0] : "";
  }

  #refresh(): void {
    if (!(this.client instanceof Cluster) || this.#closed) return;
    this.client.refreshSlotsCache((error) => {
      if (error) this.#logger.debug({ err: safeRedisError(error) }, "The Cluster's slots could not be read.");
      this.subscriber.rearrange();
    });
  }

  /** One line when a connection is lost and one when it is back; the tries between are for debugging. */
  #watched<T extends Redis | Cluster>(client: T): T {
    let wasReady = false;
    let told = false;
    client.on("error", (error: unknown) => {
      const fields = { err: safeRedisError(error) };
      if (this.#closed || told) return this.#logger.debug(fields, "Redis is still out of reach.");
      told = true;
      this.#logger.warn(fields, "Redis is out of reach; the connection is tried again.");
    });
    const wanted = (): boolean => !this.#closed && !(client instanceof Redis && this.#released.has(client));
    client.on("close", () => {
      if (!wanted() || !wasReady || told) return;
      told = true;
      this.#logger.warn({}, "The connection to Redis was lost; it is tried again.");
    });
    // The driver gives up for good when it is told to reconnect while it connects, as by a Sentinel's failover.
    client.on("end", () => {
      if (!wanted()) return;
      setTimeout(() => {
        if (this.#closed || client.status !== "end") return;
        client.connect().catch((error: unknown) => {
          this.#logger.debug({ err: safeRedisError(error) }, "Redis is still out of reach.");
        });
      }, pauseMs(1)).unref();
    });
    client.on("ready", () => {
      if (told) this.#logger.info({}, "Redis is back.");
      wasReady = true;
      told = false;
    });
    return client;
  }

  async #ready(ms: number): Promise<void> {
    if (this.up) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cause: { error?: Error } = {};
    const failed = (error: unknown): void => {
      cause.error = safeRedisError(error);
    };
    const timer = setTimeout(() => {
      const why = cause.error === undefined ? "" : `: ${cause.error.message}`;
      reject(new StartError(`Redis does not answer at REDIS_URL within ${ms / 1000} s${why}.`));
    }, ms);
    this.client.on("error", failed);
    this.client.once("ready", resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.client.off("ready", resolve);
      this.client.off("error", failed);
    }
  }
}

export const createRedisConnections = (options: RedisConnectionsOptions): RedisConnections =>
  new RedisConnections(options);

function keepName(address: string, done: (error: null, address: string) => void): void {
  done(null, address);
}

/** Full jitter: anything up to a bound that doubles with each failure. */
const pauseMs = (failures: number): number =>
  1 + Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 20));
