/**
 * Frame → answer [W3]:
 *
 *   size ─▶ decode ─▶ rate ─▶ method ─▶ permission ─▶ in flight ─▶ params ─▶ handler ─▶ result ─▶ one frame
 *
 * A handler that returns at once is answered in the same turn, without a promise. Whatever it throws becomes an error
 * of the table; only a `ParleyError` says on the wire what it is.
 */
import { decodeRequest, encodeError, encodeResult } from "../protocol/codec.ts";
import { CLOSE, type ErrorCode, ParleyError } from "../protocol/errors.ts";
import type { RequestFrame, RequestId } from "../protocol/frames.ts";
import type { Permission } from "../sessions/handler.ts";
import type { LiveSession } from "../sessions/live-session.ts";
import { runInContext } from "../sessions/user-context.ts";
import type { Client } from "./client.ts";
import type { GatewayCore } from "./core.ts";
import { invalidParams } from "./issues.ts";
import {
  exceedsBytes,
  MAX_PROTOCOL_ERRORS,
  MAX_RATE_REFUSALS,
  MAX_WAITING_FRAMES,
  MAX_WAITING_LENGTH,
} from "./limits.ts";
import type { Entry } from "./registry.ts";
import { RequestContext } from "./request-context.ts";

/** May be sent while too many requests wait: it is the way out. */
const ALWAYS_TAKEN = "request.cancel";

export class Dispatcher {
  private readonly core: GatewayCore;
  private readonly registry: ReadonlyMap<string, Entry>;
  private readonly checkResults: boolean;

  constructor(core: GatewayCore, registry: ReadonlyMap<string, Entry>, checkResults: boolean) {
    this.core = core;
    this.registry = registry;
    this.checkResults = checkResults;
  }

  receive(client: Client, text: string): void {
    const { phase } = client;
    const { limits } = this.core;
    switch (phase.kind) {
      case "resuming":
        if (exceedsBytes(text, limits.frameInAnonymous)) return client.violate(new ParleyError("FRAME_TOO_LARGE"));
        if (phase.frames.length >= MAX_WAITING_FRAMES || phase.length + text.length > MAX_WAITING_LENGTH) {
          client.send(encodeError(null, new ParleyError("TOO_MANY_IN_FLIGHT")));
          return client.connection.close(CLOSE.RATE, "frames before hello");
        }
        phase.length += text.length;
        phase.frames.push(text);
        return;
      case "anonymous":
        if (exceedsBytes(text, limits.frameInAnonymous)) return client.violate(new ParleyError("FRAME_TOO_LARGE"));
        return this.decode(client, undefined, text);
      case "authenticated":
        if (exceedsBytes(text, limits.frameIn)) return client.violate(new ParleyError("FRAME_TOO_LARGE"));
        return this.decode(client, phase.live, text);
      case "ending":
      case "closed":
        return;
    }
  }

  private decode(client: Client, live: LiveSession | undefined, text: string): void {
    const now = this.core.clock.now();
    const decoded = decodeRequest(text);
    if (decoded.ok) return this.dispatch(client, live, decoded.request, now);
    if (decoded.error.code === "TOO_DEEP") return client.violate(decoded.error, decoded.id);
    client.send(encodeError(decoded.id, decoded.error));
    if (++client.protocolErrors > MAX_PROTOCOL_ERRORS) client.connection.close(CLOSE.PROTOCOL, decoded.error.code);
  }

  private dispatch(client: Client, live: LiveSession | undefined, request: RequestFrame, now: number): void {
    const { id, method } = request;
    const { phase, inFlight } = client;

    const wait = live !== undefined ? live.bucket.take(now) : phase.kind === "anonymous" ? phase.bucket.take(now) : 0;
    if (wait > 0) return this.slowDown(client, request, wait, now);
    client.rateRefusals = 0;

    const entry = this.registry.get(method);
    if (entry === undefined) return this.refuse(client, request, "METHOD_NOT_FOUND", now);
    const forbidden = missingPermission(entry.permission, live);
    if (forbidden !== undefined) return this.refuse(client, request, forbidden, now);
    if (inFlight !== undefined && inFlight.size > 0) {
      if (inFlight.size >= this.core.limits.inFlight && method !== ALWAYS_TAKEN) {
        return this.refuse(client, request, "TOO_MANY_IN_FLIGHT", now);
      }
      if (inFlight.has(id)) {
        const message = "A request with this id still waits for its answer on this connection.";
        return this.refuse(client, request, "INVALID_REQUEST", now, message);
      }
    }

    const context = new RequestContext(client, live, id, method, now);
    const params = entry.params.safeParse(request.params);
    if (!params.success) {
      context.fail(invalidParams(params.error.issues));
    } else if (live !== undefined && !this.core.sessions.use(live)) {
      context.wait();
      this.verify(context, live, entry, params.data).catch((error: unknown) => this.failed(context, error));
    } else this.run(context, entry, params.data);
  }

  /** The session looks expired; another node may have moved its expiry. */
  private async verify(context: RequestContext, live: LiveSession, entry: Entry, params: unknown): Promise<void> {
    if (!(await this.core.sessions.verify(live))) throw new ParleyError("SESSION_ENDED");
    if (!context.isDone) this.run(context, entry, params);
  }

  private run(context: RequestContext, entry: Entry, params: unknown): void {
    let result: unknown;
    try {
      result = runInContext(context, entry.run, params);
    } catch (error) {
      return this.failed(context, error);
    }
    if (!(result instanceof Promise)) return this.succeeded(context, entry, result);
    context.wait();
    result.then(
      (value: unknown) => this.succeeded(context, entry, value),
      (error: unknown) => this.failed(context, error),
    );
  }

  private succeeded(context: RequestContext, entry: Entry, result: unknown): void {
    if (context.isDone) return;
    const { client } = context;
    const frame = this.encode(context, entry, result);
    if (frame === undefined) return;
    context.answer(frame);
    if (client.topics !== undefined && typeof result === "object" && result !== null) client.topics.release(result);
  }

  /** undefined when the result can't be sent: that is a bug, and was answered as one. */
  private encode(context: RequestContext, entry: Entry, result: unknown): string | undefined {
    try {
      if (this.checkResults) entry.result.parse(result);
      const frame = encodeResult(context.requestId, result);
      if (!exceedsBytes(frame, this.core.limits.frameOut)) return frame;
      throw new Error(`the result of ${frame.length} characters does not fit a frame`);
    } catch (error) {
      this.failed(context, error);
      return undefined;
    }
  }

  private failed(context: RequestContext, error: unknown): void {
    const { client } = context;
    if (!(error instanceof ParleyError)) {
      this.core.metrics.bug();
      context.log.error({ err: error }, "a handler failed");
      context.fail(new ParleyError("INTERNAL"));
      return;
    }
    if (error.code === "INTERNAL" || error.cause !== undefined) context.log.warn({ err: error }, "a request failed");
    if (!context.fail(error)) return;
    if (error.code === "TOO_MANY_CONNECTIONS") {
      this.core.metrics.refused(error.code);
      return client.connection.close(CLOSE.TOO_MANY_CONNECTIONS, error.code);
    }
    if (error.code !== "AUTH_FAILED" && error.code !== "SESSION_ENDED") return;
    this.core.metrics.refused(error.code);
    context.log.warn({ code: error.code, remoteAddress: context.remoteAddress }, "credentials were refused");
    // Refused credentials [W2]. A session that ended while it was in use is closed by the session manager.
    if (client.phase.kind === "anonymous") client.connection.close(CLOSE.AUTHENTICATION, error.code);
  }

  private slowDown(client: Client, request: RequestFrame, retryAfterMs: number, now: number): void {
    this.reject(client, request, new ParleyError("RATE_LIMITED", { retryAfterMs }), now);
    if (++client.rateRefusals > MAX_RATE_REFUSALS) client.connection.close(CLOSE.RATE, "RATE_LIMITED");
  }

  private refuse(client: Client, request: RequestFrame, code: ErrorCode, now: number, message?: string): void {
    this.reject(client, request, new ParleyError(code, message === undefined ? {} : { message }), now);
  }

  /** Answered before it became a request in its own right. */
  private reject(client: Client, { id, method }: { id: RequestId; method: string }, error: ParleyError, now: number) {
    client.send(encodeError(id, error));
    this.core.metrics.requestFinished(method, this.core.clock.now() - now, error.code);
  }
}

function missingPermission(permission: Permission, live: LiveSession | undefined): ErrorCode | undefined {
  switch (permission) {
    case "public":
      return undefined;
    case "user":
      return live === undefined ? "UNAUTHENTICATED" : undefined;
    case "owner":
      if (live === undefined) return "UNAUTHENTICATED";
      return live.stored.roles.includes("owner") ? undefined : "FORBIDDEN";
  }
}
