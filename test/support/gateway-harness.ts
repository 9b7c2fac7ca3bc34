/** A gateway without a network: real handlers and sessions, a clock that the test moves, clients over socket pairs. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { DeliveryLink } from "../../src/gateway/delivery-types.ts";
import { discoverHandlers } from "../../src/gateway/discover.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import { DEFAULT_LIMITS, type GatewayLimits } from "../../src/gateway/limits.ts";
import { originPolicy } from "../../src/gateway/origin.ts";
import type { Entry } from "../../src/gateway/registry.ts";
import type { Connection } from "../../src/ports/connection.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import type { AgentService, ReadService, Services, ShareService, ToolCatalog } from "../../src/ports/services.ts";
import type { SessionStore, Store } from "../../src/ports/store.ts";
import { type ErrorCode, ERRORS, ParleyError } from "../../src/protocol/errors.ts";
import type { ErrorFrame, Hello, Notification, ServerFrame } from "../../src/protocol/frames.ts";
import type { MethodName, ParamsInput, Result } from "../../src/protocol/methods.ts";
import type { ConnectionCounts } from "../../src/sessions/connection-counts.ts";
import type { Permission } from "../../src/sessions/handler.ts";
import { SessionManager } from "../../src/sessions/session-manager.ts";
import type { UserContext } from "../../src/sessions/user-context.ts";
import { FakeClock } from "./clock.fake.ts";
import { recordingLogger } from "./logger.fake.ts";
import { FakeSessionStore } from "./sessions.fake.ts";
import { openPair, type PairOptions, type SocketPair } from "./socket-pair.ts";

export const ACCESS_TOKEN = "an-access-token-of-at-least-32-characters";

const handlers = await discoverHandlers(fileURLToPath(new URL("../../handlers", import.meta.url)));

/** Fails, naming the member, as soon as a test needs more of a service than it set up. */
const absent = <T extends object>(name: string): T =>
  new Proxy({} as T, {
    get(_target, member) {
      throw new Error(`this test has no ${name}.${String(member)}`);
    },
  });

/** A stand-in for one handler, by method. */
export type Replaced = Partial<Record<MethodName, (context: UserContext, params: unknown) => unknown>>;

export interface HarnessOptions {
  readonly limits?: Partial<GatewayLimits>;
  readonly counts?: ConnectionCounts;
  readonly replace?: Replaced;
  readonly permit?: Partial<Record<MethodName, Permission>>;
  readonly store?: Store;
  readonly reads?: ReadService;
  readonly agent?: AgentService;
  readonly tools?: ToolCatalog;
  readonly shares?: ShareService;
  readonly hub?: { open(connection: Connection): DeliveryLink };
  readonly checkResults?: boolean;
}

export class Harness {
  readonly clock = new FakeClock();
  readonly log = recordingLogger();
  readonly fake = new FakeSessionStore();
  readonly sessions: SessionManager;
  readonly gateway: Gateway;
  /** What `metrics` was told of requests. */
  readonly finished: { readonly method: string; readonly error: ErrorCode | undefined }[] = [];

  constructor(options: HarnessOptions = {}) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const sessionStore: SessionStore = options.store?.sessions ?? this.fake;
    const store = options.store ?? { ...absent<Store>("store"), sessions: sessionStore };
    this.sessions = new SessionManager({
      store: sessionStore,
      log: this.log,
      lifetimeMs: 24 * 3_600_000,
      accessToken: ACCESS_TOKEN,
      requestRate: { perSecond: limits.requestsPerSecond, burst: limits.requestBurst },
      counts: options.counts,
      ...(options.store === undefined ? { now: () => this.fake.now } : {}),
    });
    const services: Services = {
      store,
      sessions: this.sessions,
      reads: options.reads ?? absent("reads"),
      agent: options.agent ?? absent("agent"),
      shares: options.shares ?? absent("shares"),
      models: {
        defaultModel: "demo",
        list: () => [{ id: "demo", provider: "demo", name: "Demo", demo: true, available: true }],
        chain: () => absent("chain"),
        provider: (model) => {
          if (model !== "demo") throw new ParleyError("MODEL_UNAVAILABLE");
          return absent("provider");
        },
      },
      tools: options.tools ?? absent("tools"),
      files: absent("files"),
      runLimits: { maxQueued: 20, deadlineMs: 60_000 },
    };
    this.gateway = createGateway({
      services,
      sessions: this.sessions,
      hub: options.hub ?? absent("hub"),
      handlers: replaced(options),
      metrics: {
        ...noMetrics,
        requestFinished: (method, _ms, error) => this.finished.push({ method, error }),
      },
      log: this.log,
      nodeId: "node-1",
      limits,
      counts: options.counts,
      checkResults: options.checkResults ?? true,
      origins: originPolicy({ allowedOrigins: [], boundTo: "127.0.0.1" }),
      clock: this.clock,
      random: () => 0.5,
    });
  }

  connect(options: PairOptions = {}): Peer {
    return new Peer(openPair(this.gateway.listener, { auto: true, ...options }));
  }

  /** A connection that has logged in. */
  async user(options: PairOptions = {}): Promise<Peer> {
    const peer = this.connect(options);
    await peer.ok("login", { token: ACCESS_TOKEN });
    return peer;
  }
}

function replaced({ replace = {}, permit = {} }: HarnessOptions): ReadonlyMap<string, Entry> {
  const entries = new Map(handlers);
  for (const [method, entry] of handlers) {
    const name = method as MethodName;
    const run = (replace[name] ?? entry.run) as Entry["run"];
    entries.set(method, { ...entry, run, permission: permit[name] ?? entry.permission });
  }
  return entries;
}

type ParamsOf<M extends Notification["method"]> = Extract<Notification, { readonly method: M }>["params"];

/** The client's end of a pair. */
export class Peer {
  readonly pair: SocketPair;
  private lastId = 0;

  constructor(pair: SocketPair) {
    this.pair = pair;
  }

  get frames(): ServerFrame[] {
    return this.pair.client.received.map((text) => JSON.parse(text) as ServerFrame);
  }

  /** The code it was closed with, or undefined. */
  get closed(): number | undefined {
    return this.pair.client.closed?.code;
  }

  get hello(): Hello {
    const [first] = this.notifications("hello");
    assert.ok(first, "there was no hello");
    return first;
  }

  notifications<M extends Notification["method"]>(method: M): ParamsOf<M>[] {
    return this.frames
      .filter((frame) => "method" in frame && frame.method === method)
      .map((frame) => (frame as unknown as { readonly params: ParamsOf<M> }).params);
  }

  /** Answers and errors that name this id. */
  answers(id: string | number | null): ServerFrame[] {
    return this.frames.filter((frame) => "id" in frame && frame.id === id);
  }

  raw(text: string): void {
    this.pair.client.send(text);
  }

  /** Sends a request, and does not wait. Returns its id. */
  request(method: string, params: unknown = {}): number {
    const id = ++this.lastId;
    this.raw(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return id;
  }

  async answer(id: string | number | null): Promise<ServerFrame> {
    for (let turn = 0; turn < 10_000; turn++) {
      const [found] = this.answers(id);
      if (found !== undefined) return found;
      await turnOfTheLoop();
    }
    throw new Error(`no answer to ${String(id)}; there was ${this.pair.client.received.join("\n")}`);
  }

  async ok<M extends MethodName>(method: M, params: ParamsInput<M>): Promise<Result<M>> {
    const frame = await this.answer(this.request(method, params));
    assert.ok("result" in frame, JSON.stringify(frame));
    return frame.result as Result<M>;
  }

  /** Sends a request that must fail with this code. */
  async fails(code: ErrorCode, method: string, params: unknown = {}): Promise<ErrorFrame["error"]> {
    return errorOf(await this.answer(this.request(method, params)), code);
  }

  async closedWith(code: number): Promise<void> {
    for (let turn = 0; this.closed === undefined && turn < 10_000; turn++) await turnOfTheLoop();
    assert.equal(this.closed, code);
  }
}

/** Checks that a frame is this error, as the table has it. */
export function errorOf(frame: ServerFrame | undefined, code: ErrorCode): ErrorFrame["error"] {
  assert.ok(frame !== undefined && "error" in frame, JSON.stringify(frame));
  assert.equal(frame.error.data.code, code, JSON.stringify(frame));
  assert.equal(frame.error.code, ERRORS[code].rpc);
  assert.equal(frame.error.data.retryable, ERRORS[code].retryable);
  return frame.error;
}

/** Everything that is ready to happen happens. */
export const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
