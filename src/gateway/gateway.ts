/**
 * Connections come in here, and leave. What a frame means is the dispatcher's; what a topic sends is delivery's; this
 * file greets [W2], times out, beats [W9], and drains. One timer serves all connections.
 */
import type { Connection, ConnectionListener } from "../ports/connection.ts";
import type { HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Services } from "../ports/services.ts";
import type { StoredSession } from "../ports/store.ts";
import { encodeError, encodeNotification } from "../protocol/codec.ts";
import { AUTH_DEADLINE_MS, HEARTBEAT_MS, PROTOCOL, SILENCE_MS } from "../protocol/constants.ts";
import { CLOSE, ParleyError } from "../protocol/errors.ts";
import type { Hello } from "../protocol/frames.ts";
import { isoTime } from "../protocol/iso-time.ts";
import type { ConnectionCounts } from "../sessions/connection-counts.ts";
import type { SessionManager } from "../sessions/session-manager.ts";
import { Client, type Phase } from "./client.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { GatewayCore, Hub } from "./core.ts";
import { Dispatcher } from "./dispatcher.ts";
import { closeInBatches, sendDraining, SendingAway } from "./drain.ts";
import { Handshakes, LONGEST_WAIT_MS } from "./handshakes.ts";
import { HeartbeatWheel, TICK_MS } from "./heartbeat.ts";
import { COOKIE_TIMEOUT_MS, DEFAULT_LIMITS, type GatewayLimits, wireLimits } from "./limits.ts";
import { loginRoutes } from "./login.ts";
import type { OriginPolicy } from "./origin.ts";
import type { Entry } from "./registry.ts";

/** Turns of the timer between two sweeps of the sessions. */
const SWEEP_TURNS = 30;

export interface GatewayOptions {
  readonly services: Services;
  readonly sessions: SessionManager;
  /** Delivery: gives a connection its topics. */
  readonly hub: Hub;
  /** Made by `discoverHandlers`. */
  readonly handlers: ReadonlyMap<string, Entry>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nodeId: string;
  readonly limits?: GatewayLimits;
  /** Checks every result against its schema; for development and tests. */
  readonly checkResults?: boolean;
  readonly origins: OriginPolicy;
  /** Believe X-Forwarded-Proto when deciding whether the cookie is `Secure`. */
  readonly trustProxy?: boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Refuses an address's connections beyond a limit. */
  readonly counts?: ConnectionCounts | undefined;
}

export interface Gateway {
  readonly listener: ConnectionListener;
  /** `POST` and `DELETE /auth/session`. */
  readonly routes: readonly HttpRoute[];
  readonly connectionCount: number;
  readonly draining: boolean;
  /** Says `draining` to everybody, then closes 4001 in batches, idle ones first. Idempotent. */
  drain(deadlineMs: number): Promise<void>;
  /** Told again and again: are clients to go to other nodes, as this one can serve them nothing? */
  sendElsewhere(away: boolean): void;
  /** Stops the timer and closes what is left. Idempotent. */
  close(): void;
}

export const createGateway = (options: GatewayOptions): Gateway => new ConnectionGateway(options);

class ConnectionGateway implements Gateway {
  readonly listener: ConnectionListener;
  readonly routes: readonly HttpRoute[];
  private readonly options: GatewayOptions;
  private readonly core: GatewayCore;
  private readonly dispatcher: Dispatcher;
  private readonly maxConnections: number;
  private readonly random: () => number;
  private readonly clients = new Map<Connection, Client>();
  private readonly wheel = new HeartbeatWheel();
  private readonly handshakes: Handshakes;
  private readonly stopTicking: () => void;
  private turns = 0;
  private sweeping = false;
  private readonly sendingAway = new SendingAway();
  private drained: Promise<void> | undefined = undefined;

  constructor(options: GatewayOptions) {
    const limits = options.limits ?? DEFAULT_LIMITS;
    const { services, sessions, hub, metrics, log } = options;
    const clock = options.clock ?? systemClock;
    this.options = options;
    this.random = options.random ?? Math.random;
    this.maxConnections = limits.connections;
    this.handshakes = new Handshakes(limits.handshakesPerSecond, clock);
    this.core = {
      services,
      sessions,
      hub,
      metrics,
      log,
      clock,
      limits: wireLimits(limits),
      watched: new Set(),
      pending: new Set(),
    };
    this.dispatcher = new Dispatcher(this.core, options.handlers, options.checkResults ?? false);
    this.routes = loginRoutes({
      sessions,
      metrics,
      log,
      origins: options.origins,
      trustProxy: options.trustProxy ?? false,
    });
    this.listener = {
      open: (connection) => this.opened(connection),
      message: (connection, text) => {
        const client = this.clients.get(connection);
        if (client !== undefined) this.dispatcher.receive(client, text);
      },
      drain: (connection) => this.clients.get(connection)?.topics?.drain(),
      close: (connection, code) => this.closed(connection, code),
    };
    metrics.gauge("sessions", () => sessions.sessionCount);
    metrics.gauge("handshakesWaiting", () => this.handshakes.waiting);
    metrics.gauge("requestsInFlight", () => this.core.pending.size);
    metrics.gauge("bufferedBytes", () => {
      let bytes = 0;
      for (const connection of this.clients.keys()) bytes += connection.bufferedBytes;
      return bytes;
    });
    metrics.gauge("sendingAway", () => (this.sendingAway.on ? 1 : 0));
    this.stopTicking = clock.every(TICK_MS, () => this.tick());
  }

  get connectionCount(): number {
    return this.clients.size;
  }

  get draining(): boolean {
    return this.drained !== undefined;
  }

  drain(deadlineMs: number): Promise<void> {
    this.drained ??= this.sendAway(deadlineMs);
    return this.drained;
  }

  sendElsewhere(away: boolean): void {
    if (!away) return this.sendingAway.end();
    this.sendingAway.turn(this.clients.values(), this.clients.size, this.core.clock.now(), this.random);
  }

  close(): void {
    this.stopTicking();
    this.handshakes.close();
    for (const { connection } of this.clients.values()) connection.close(CLOSE.DRAINING, "the server stops");
  }

  private async sendAway(deadlineMs: number): Promise<void> {
    for (const client of this.clients.values()) this.sayDraining(client);
    await closeInBatches(this.clients, deadlineMs, this.core.clock);
  }

  private sayDraining(client: Client): void {
    sendDraining(client, this.clients.size, this.random);
  }

  private opened(connection: Connection): void {
    const { metrics, clock } = this.core;
    const full = this.clients.size >= this.maxConnections;
    if (full || this.options.counts?.enterAddress(connection.remoteAddress) === false) {
      metrics.refused("TOO_MANY_CONNECTIONS");
      connection.send(encodeError(null, new ParleyError("TOO_MANY_CONNECTIONS")));
      return connection.close(CLOSE.TOO_MANY_CONNECTIONS, "too many connections");
    }
    const client = new Client(connection, this.core);
    this.clients.set(connection, client);
    this.wheel.add(client);
    metrics.connectionOpened();
    if (this.drained !== undefined || this.sendingAway.on) {
      this.sayDraining(client);
      return connection.close(CLOSE.DRAINING, "draining");
    }
    const turn = () => this.receive(client);
    client.phase = { kind: "resuming", deadline: clock.now() + 2 * LONGEST_WAIT_MS, turn, frames: [], length: 0 };
    if (this.handshakes.admit(turn)) this.core.watched.add(client);
    else this.cannotResume(client);
  }

  /** Its turn has come. */
  private receive(client: Client): void {
    const { connection, phase: before } = client;
    if (before.kind !== "resuming") return;
    if (connection.cookieToken === undefined) return this.greet(client, null);
    const phase: Phase = { ...before, deadline: this.core.clock.now() + COOKIE_TIMEOUT_MS };
    client.phase = phase;
    this.core.sessions.resumeCookie(connection.cookieToken).then(
      (session) => {
        if (client.phase === phase) this.greet(client, session);
      },
      (error: unknown) => {
        this.core.log.warn({ err: error, connectionId: connection.id }, "the session of a cookie could not be read");
        if (client.phase === phase) this.cannotResume(client);
      },
    );
  }

  private closed(connection: Connection, code: number): void {
    const client = this.clients.get(connection);
    if (client === undefined) return;
    this.clients.delete(connection);
    this.options.counts?.leaveAddress(connection.remoteAddress);
    this.wheel.remove(client);
    this.sendingAway.left(client);
    if (client.phase.kind === "resuming") this.handshakes.leave(client.phase.turn);
    client.closed();
    this.core.metrics.connectionClosed(code);
  }

  /** Says hello, then serves what came in meanwhile. */
  private greet(client: Client, session: StoredSession | null): void {
    const waiting = client.phase.kind === "resuming" ? client.phase.frames : [];
    const outcome = session === null ? "ended" : this.accept(client, session);
    if (outcome === "refused") return;
    const accepted = outcome === "accepted" ? session : null;
    if (accepted === null) client.becomeAnonymous();
    client.send(encodeNotification("hello", this.hello(client, accepted)));
    for (const text of waiting) this.dispatcher.receive(client, text);
  }

  /** The session may have ended since it was looked up; or its user has too many connections, and this one is closed. */
  private accept(client: Client, session: StoredSession): "accepted" | "ended" | "refused" {
    try {
      client.becomeAuthenticated(this.core.sessions.attach(session, client));
      return "accepted";
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
      if (error.code !== "TOO_MANY_CONNECTIONS") return "ended";
      this.core.metrics.refused(error.code);
      client.violate(error);
      return "refused";
    }
  }

  /** It may be good, and can't be served now: the client keeps its cookie, and comes again [W2]. */
  private cannotResume(client: Client): void {
    client.send(encodeNotification("hello", this.hello(client, null)));
    client.send(encodeError(null, new ParleyError("UNAVAILABLE")));
    client.connection.close(CLOSE.RESYNC, "UNAVAILABLE");
  }

  private hello(client: Client, session: StoredSession | null): Hello {
    const { limits, sessions } = this.core;
    return {
      protocol: PROTOCOL,
      connectionId: client.connection.id,
      nodeId: this.options.nodeId,
      time: isoTime(),
      heartbeatMs: HEARTBEAT_MS,
      silenceMs: SILENCE_MS,
      authDeadlineMs: AUTH_DEADLINE_MS,
      auth: sessions.accessTokenEnabled ? ["cookie", "session", "token"] : ["cookie", "session"],
      ...(session === null
        ? {}
        : {
            session: { id: session.id, expiresAt: session.expiresAt },
            user: session.user,
            tenant: session.tenant,
          }),
      limits,
    };
  }

  private tick(): void {
    const now = this.core.clock.now();
    this.wheel.turn(isoTime());
    for (const client of this.core.watched) this.timeOut(client, now);
    for (const context of this.core.pending) {
      if (context.deadline > now) break;
      context.fail(new ParleyError("TIMEOUT"));
    }
    this.turns++;
    if (this.turns % SWEEP_TURNS === 0) this.sweep();
  }

  private timeOut(client: Client, now: number): void {
    const { phase, connection } = client;
    switch (phase.kind) {
      case "resuming":
        if (now >= phase.deadline) this.cannotResume(client);
        return;
      case "anonymous":
        if (now >= phase.deadline) connection.close(CLOSE.RESYNC, "not authenticated in time");
        return;
      case "ending":
        if (now >= phase.deadline) connection.close(phase.code, phase.reason);
        return;
      case "authenticated":
      case "closed":
        this.core.watched.delete(client);
    }
  }

  private sweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.core.sessions
      .sweep()
      .catch((error: unknown) => this.core.log.error({ err: error }, "the sweep of the sessions failed"))
      .finally(() => {
        this.sweeping = false;
      });
  }
}
