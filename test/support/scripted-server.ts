/** A server for tests of the client: it says hello, remembers what it is asked, and answers as the test says. */
import type { Connection, ConnectionListener } from "../../src/ports/connection.ts";
import { encodeError, encodeNotification, encodeResult } from "../../src/protocol/codec.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { EventItem, Hello, Limits } from "../../src/protocol/frames.ts";
import type { MethodName } from "../../src/protocol/methods.ts";
import { FakeClock } from "./clock.fake.ts";
import { type PairOptions, PairNetwork, type SocketPair } from "./socket-pair.ts";

export interface Asked {
  /** Which connection, counted from 1. */
  readonly connection: number;
  readonly id: string | number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A result; a ParleyError, as the error to answer; undefined for no answer (yet). */
export type Answer = (params: Record<string, unknown>, asked: Asked) => unknown;

export const IDENTITY = {
  session: { id: "s1", expiresAt: "2026-12-01T00:00:00.000Z" },
  user: { id: "u1", name: "Ann" },
  tenant: { id: "t1", name: "Home" },
};

export const LIMITS: Limits = {
  frameIn: 256 * 1024,
  frameInAnonymous: 64 * 1024,
  frameOut: 128 * 1024,
  event: 64 * 1024,
  depth: 32,
  inFlight: 64,
  subscriptions: 100,
  requestsPerSecond: 300,
  requestBurst: 600,
};

export class ScriptedServer implements ConnectionListener {
  readonly clock = new FakeClock();
  readonly network: PairNetwork;
  readonly asked: Asked[] = [];
  readonly answers = new Map<string, Answer>();
  limits = LIMITS;
  /** What `hello` says of the cookie at the upgrade. */
  identity: typeof IDENTITY | undefined = IDENTITY;
  /** Sends no hello. */
  mute = false;
  #connection: Connection | undefined;
  #connections = 0;

  constructor(options: PairOptions = {}) {
    this.network = new PairNetwork(this, options);
    this.on("ping", () => ({ pong: true, time: "2026-01-01T00:00:00.000Z" }));
    this.on("session.get", () => new ParleyError("UNAUTHENTICATED"));
    this.on("login", () => ({ ...IDENTITY, sessionToken: `token-of-${this.#connections}` }));
    this.on("session.resume", () => IDENTITY);
  }

  /** What to give to `createClient`. `random` is fixed, so that times can be foretold. */
  get platform() {
    const { clock, network } = this;
    return {
      connect: network.connect,
      timers: clock,
      now: () => clock.now(),
      random: () => 0.5,
      url: "ws://server/ws",
    };
  }

  on(method: MethodName, answer: Answer): void {
    this.answers.set(method, answer);
  }

  requests(method: MethodName): Asked[] {
    return this.asked.filter((asked) => asked.method === method);
  }

  get pair(): SocketPair {
    return this.network.latest;
  }

  get connections(): number {
    return this.network.pairs.length;
  }

  /** Everything moves, until nothing does. */
  async settle(): Promise<void> {
    for (let quiet = 0, last = -1; quiet < 2;) {
      for (const pair of this.network.pairs) pair.flush();
      await new Promise<void>((resolve) => setImmediate(resolve));
      const now = this.asked.length + this.connections;
      quiet = now === last ? quiet + 1 : 0;
      last = now;
    }
  }

  /** What is on its way arrives; then time passes in steps, and everything moves in between. */
  async pass(ms: number, step = ms): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await this.settle();
    }
  }

  result(id: string | number, result: unknown): void {
    this.#connection?.send(encodeResult(id, result));
  }

  error(id: string | number | null, error: ParleyError): void {
    this.#connection?.send(encodeError(id, error));
  }

  notify(method: string, params: unknown): void {
    this.#connection?.send(encodeNotification(method, params));
  }

  event(topic: string, epoch: string, item: Omit<EventItem, "ts">): void {
    this.notify("event", { topic, epoch, ts: "2026-01-01T00:00:00.000Z", ...item });
  }

  end(code: number): void {
    this.#connection?.close(code, "");
  }

  open(connection: Connection): void {
    this.#connection = connection;
    this.#connections++;
    if (!this.mute) connection.send(encodeNotification("hello", this.#hello(connection.id)));
  }

  message(connection: Connection, text: string): void {
    const { id, method, params } = JSON.parse(text) as Omit<Asked, "connection">;
    const asked = { connection: this.#connections, id, method, params };
    this.asked.push(asked);
    const answer = this.answers.get(method)?.(params, asked);
    if (answer instanceof ParleyError) connection.send(encodeError(id, answer));
    else if (answer !== undefined) connection.send(encodeResult(id, answer));
  }

  drain(): void {}

  close(): void {}

  #hello(connectionId: string): Hello {
    return {
      protocol: "parley.v1",
      connectionId,
      nodeId: "n1",
      time: "2026-01-01T00:00:00.000Z",
      heartbeatMs: 25_000,
      silenceMs: 33_000,
      authDeadlineMs: 5_000,
      auth: ["cookie", "session", "token"],
      limits: this.limits,
      ...this.identity,
    };
  }
}
