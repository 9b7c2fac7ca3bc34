import type { Logger } from "../ports/logger.ts";
import type { Services, TopicService } from "../ports/services.ts";
import type { Scope, StoredSession } from "../ports/store.ts";
import { encodeError } from "../protocol/codec.ts";
import { type ErrorCode, ParleyError } from "../protocol/errors.ts";
import type { Limits, RequestId } from "../protocol/frames.ts";
import type { Tenant, User } from "../protocol/shapes.ts";
import type { LiveSession } from "../sessions/live-session.ts";
import type { UserContext } from "../sessions/user-context.ts";
import type { Client } from "./client.ts";
import { REQUEST_TIMEOUT_MS } from "./limits.ts";

type Caller = Omit<UserContext, "session"> & { readonly session: StoredSession | undefined };

/**
 * One request: what its handler sees, and whether it has been answered. One is made for every request, so the rest
 * (logger, signal) is made when it is read.
 */
export class RequestContext implements Caller {
  readonly client: Client;
  readonly requestId: RequestId;
  readonly method: string;
  /** Milliseconds of the gateway's clock, at the arrival of the frame. */
  readonly startedAt: number;
  private readonly live: LiveSession | undefined;
  private done = false;
  private aborted = false;
  private controller: AbortController | undefined = undefined;

  constructor(client: Client, live: LiveSession | undefined, requestId: RequestId, method: string, startedAt: number) {
    this.client = client;
    this.live = live;
    this.requestId = requestId;
    this.method = method;
    this.startedAt = startedAt;
  }

  get connectionId(): string {
    return this.client.connection.id;
  }

  get remoteAddress(): string {
    return this.client.connection.remoteAddress;
  }

  get userAgent(): string {
    return this.client.connection.userAgent;
  }

  get limits(): Limits {
    return this.client.core.limits;
  }

  get services(): Services {
    return this.client.core.services;
  }

  get log(): Logger {
    return this.client.core.log.child({
      connectionId: this.connectionId,
      requestId: this.requestId,
      method: this.method,
      ...(this.live === undefined ? {} : { sessionId: this.live.stored.id }),
    });
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.aborted) this.controller.abort();
    return this.controller.signal;
  }

  get session(): StoredSession | undefined {
    return this.live?.stored;
  }

  get user(): User {
    return this.mustLive().stored.user;
  }

  get tenant(): Tenant {
    return this.mustLive().stored.tenant;
  }

  get roles(): readonly string[] {
    return this.mustLive().stored.roles;
  }

  get scope(): Scope {
    return this.mustLive().scope;
  }

  get topics(): TopicService {
    const { client } = this;
    // After a logout or a close there is nobody to send events to.
    if (client.phase.kind !== "authenticated" || client.phase.live !== this.live) throw new ParleyError("CANCELLED");
    return (client.topics ??= client.core.hub.open(client.connection));
  }

  authenticate<T extends { readonly session: StoredSession }>(attempt: () => Promise<T>): Promise<T> {
    const { client } = this;
    return client.authenticate(attempt, ({ session }) => client.core.sessions.attach(session, client));
  }

  async logout(): Promise<void> {
    const { client } = this;
    await client.core.sessions.logout(this.mustLive(), client);
    if (client.phase.kind === "authenticated" && client.phase.live === this.live) client.leaveSession(this);
  }

  cancel(requestId: RequestId): boolean {
    const other = this.client.inFlight?.get(requestId);
    return other !== undefined && other !== this && other.fail(new ParleyError("CANCELLED"));
  }

  /** It takes longer than its frame: from here on it can be cancelled, times out, and counts as in flight. */
  wait(): void {
    const { client } = this;
    (client.inFlight ??= new Map()).set(this.requestId, this);
    client.core.pending.add(this);
  }

  get deadline(): number {
    return this.startedAt + REQUEST_TIMEOUT_MS;
  }

  /** The one answer [W3]: false when there was one before, or nobody to send it to. */
  answer(frame: string, error?: ErrorCode): boolean {
    if (this.done) return false;
    this.settle();
    const { client } = this;
    client.send(frame);
    client.core.metrics.requestFinished(this.method, client.core.clock.now() - this.startedAt, error);
    client.answered();
    return true;
  }

  /** Answers with an error; a handler that still runs learns by its signal that nobody waits for it. */
  fail(error: ParleyError): boolean {
    const answered = this.answer(encodeError(this.requestId, error), error.code);
    if (answered) this.abort();
    return answered;
  }

  /** The connection is gone, and with it whoever asked. */
  abandon(): void {
    if (this.done) return;
    this.settle();
    this.abort();
  }

  /** Nothing that its handler does can reach anybody any more. */
  get isDone(): boolean {
    return this.done;
  }

  private settle(): void {
    this.done = true;
    const { client } = this;
    if (client.inFlight?.get(this.requestId) !== this) return;
    client.inFlight.delete(this.requestId);
    if (client.inFlight.size === 0) client.inFlight = undefined;
    client.core.pending.delete(this);
  }

  private abort(): void {
    this.aborted = true;
    this.controller?.abort();
  }

  private mustLive(): LiveSession {
    if (this.live === undefined) throw new Error(`${this.method} has no session and must not ask for one`);
    return this.live;
  }
}
