/**
 * Connections ↔ sessions. Tokens are 32 random bytes; only their SHA-256 reaches the store.
 *
 *   login / redeemCode ─▶ row in the store ─▶ token, shown once
 *   resume(token) ─▶ known here and confirmed lately? ─▶ else the store ─▶ LiveSession
 *   attach(session, connection) ─▶ member of it, until detach, revoke or expiry
 *
 * A revocation may overtake a look-up that read the row just before: a look-up during which anything was revoked, here
 * or elsewhere, is repeated, and `attach` refuses a session that ended meanwhile.
 */
import type { Logger } from "../ports/logger.ts";
import type { LoginCodeStore } from "../ports/login-codes.ts";
import type { LoginLimiter } from "../ports/login-limiter.ts";
import type { SessionService } from "../ports/services.ts";
import type { Scope, SessionStore, StoredSession } from "../ports/store.ts";
import { ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { AttemptLimiter } from "./attempt-limiter.ts";
import type { ConnectionCounts } from "./connection-counts.ts";
import type { LiveSession, SessionEnd, SessionMember } from "./live-session.ts";
import { LOGIN_CODE_MS, LoginCodes } from "./login-codes.ts";
import { hashSecret, newSecret, sameSecret } from "./secrets.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** A session that the store confirmed this recently is resumed without asking it again. */
const TRUST_MS = 30_000;
/** While the store can't be reached, one that it confirmed this recently is resumed too. */
const TRUST_IN_OUTAGE_MS = 10 * 60_000;
/** Sessions without a connection that are remembered. */
const MAX_IDLE = 1_000;
/** The expiry moves at most this many times in a lifetime, and only when the session is used. */
const TOUCHES_PER_LIFETIME = 24;
/** Look-ups in a row that a revocation may spoil before the caller has to come again. */
const MAX_LOOKUPS = 5;

/** Sessions that the store is asked about at once. */
const CONFIRM_ROWS = 1_000;

const DEVICE_LENGTH = 200;

export interface SessionManagerOptions {
  readonly store: SessionStore;
  readonly log: Logger;
  readonly lifetimeMs: number;
  readonly accessToken?: string | undefined;
  readonly requestRate: Rate;
  readonly attempts?: Rate;
  /** Where login codes wait for their logins. Default: in this process. */
  readonly codes?: LoginCodeStore | undefined;
  /** Counts refused logins over all nodes, behind the count of this one. */
  readonly sharedAttempts?: LoginLimiter | undefined;
  /** Refuses a person's connections beyond a limit. */
  readonly counts?: ConnectionCounts | undefined;
  /** Told of every session that was ended here, so that other nodes hear of it. Returns at once. */
  readonly onRevoked?: ((sessionId: string) => void) | undefined;
  /** Milliseconds of the wall clock; for tests. */
  readonly now?: () => number;
}

export interface LoggedIn {
  readonly session: StoredSession;
  readonly sessionToken: string;
}

export class SessionManager implements SessionService {
  readonly accessTokenEnabled: boolean;
  private readonly options: SessionManagerOptions;
  private readonly now: () => number;
  private readonly touchAfterMs: number;
  private readonly codes: LoginCodeStore;
  private readonly attempts: AttemptLimiter;
  /** By token hash; those without members, in front, are the first to be forgotten. */
  private readonly byHash = new Map<string, LiveSession>();
  private readonly byId = new Map<string, LiveSession>();
  private connected = 0;
  private revocations = 0;

  constructor(options: SessionManagerOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
    this.codes = options.codes ?? new LoginCodes(this.now);
    this.touchAfterMs = options.lifetimeMs / TOUCHES_PER_LIFETIME;
    this.accessTokenEnabled = options.accessToken !== undefined;
    this.attempts = new AttemptLimiter(options.attempts);
  }

  /** Sessions with at least one connection here. */
  get sessionCount(): number {
    return this.connected;
  }

  /** A code for one login as the owner, within ten minutes. Whoever has it is the owner: print it nowhere else. */
  async createLoginCode(): Promise<string> {
    const code = newSecret(24);
    await this.codes.put(hashSecret(code), LOGIN_CODE_MS);
    return code;
  }

  async redeemCode(code: string, device: string, address: string): Promise<LoggedIn> {
    await this.checkAttempts(address);
    // By its hash, so that the time of a look-up tells nothing about a code.
    const hash = hashSecret(code);
    if (!(await this.codes.take(hash))) throw this.refused("AUTH_FAILED", address);
    try {
      return await this.create("link", device);
    } catch (error) {
      // Good again, if that can be written: its owner has done nothing wrong.
      await this.codes.put(hash, LOGIN_CODE_MS).catch(() => undefined);
      throw error;
    }
  }

  async login(token: string, device: string, address: string): Promise<LoggedIn> {
    await this.checkAttempts(address);
    const { accessToken } = this.options;
    if (accessToken === undefined || !sameSecret(token, accessToken)) throw this.refused("AUTH_FAILED", address);
    return this.create("access-token", device);
  }

  async resume(sessionToken: string, address: string): Promise<StoredSession> {
    const hash = hashSecret(sessionToken);
    const known = this.byHash.get(hash);
    if (known !== undefined && this.trusted(known, TRUST_MS)) return known.stored;
    await this.checkAttempts(address);
    const found = await this.lookUp(hash, known);
    if (found === null) throw this.refused("SESSION_ENDED", address);
    return found.stored;
  }

  /** As `resume`, for the cookie of an upgrade: a stale one is no error, and no attempt at guessing. */
  async resumeCookie(sessionToken: string): Promise<StoredSession | null> {
    const hash = hashSecret(sessionToken);
    const known = this.byHash.get(hash);
    if (known !== undefined && this.trusted(known, TRUST_MS)) return known.stored;
    return (await this.lookUp(hash, known))?.stored ?? null;
  }

  /** The session of a token that was just presented, ended at once; false when it is none. */
  async endByToken(sessionToken: string): Promise<boolean> {
    const session = await this.resumeCookie(sessionToken);
    if (session === null) return false;
    return this.revoke({ tenantId: session.tenant.id, userId: session.user.id }, session.id);
  }

  async revoke(scope: Scope, sessionId: string): Promise<boolean> {
    return this.end(scope, sessionId, undefined);
  }

  /** Another node ended this session. */
  revokedElsewhere(sessionId: string): void {
    this.revocations++;
    const live = this.byId.get(sessionId);
    if (live !== undefined) this.close(live, "revoked", undefined);
  }

  /**
   * Asks the store which sessions with a connection here still live, and ends the others: what tells a node of a
   * revocation when nobody else could. Rejects with UNAVAILABLE when the store can't tell.
   */
  async confirm(): Promise<void> {
    const asked = [...this.byId.values()].filter((live) => live.members.length > 0);
    for (let i = 0; i < asked.length; i += CONFIRM_ROWS) {
      const some = asked.slice(i, i + CONFIRM_ROWS);
      const living = new Set(await this.options.store.living(some.map((live) => live.stored.id)));
      for (const live of some) {
        if (living.has(live.stored.id)) live.confirmedAt = this.now();
        else this.close(live, this.now() < live.expiresAt ? "revoked" : "expired", undefined);
      }
    }
  }

  /** Ends a session and closes its connections but `keep`, which is only detached. */
  async logout(live: LiveSession, keep: SessionMember): Promise<void> {
    await this.end(live.scope, live.stored.id, keep);
  }

  /** Throws SESSION_ENDED when the session ended between `resume` and now, TOO_MANY_CONNECTIONS beyond the user's. */
  attach(session: StoredSession, member: SessionMember): LiveSession {
    const live = this.byId.get(session.id);
    if (live === undefined || live.ended) throw new ParleyError("SESSION_ENDED");
    if (this.options.counts?.enterUser(live.scope.userId) === false) throw new ParleyError("TOO_MANY_CONNECTIONS");
    live.members = live.members.concat(member);
    if (live.members.length === 1) this.connected++;
    this.use(live);
    return live;
  }

  detach(live: LiveSession, member: SessionMember): void {
    if (!live.members.includes(member)) return;
    this.options.counts?.leaveUser(live.scope.userId);
    live.members = live.members.filter((other) => other !== member);
    if (live.members.length > 0 || live.ended) return;
    this.connected--;
    // To the end of the line of those that may be forgotten.
    this.byHash.delete(live.tokenHash);
    this.byHash.set(live.tokenHash, live);
    this.forgetIdle();
  }

  /**
   * A request was made under the session: false when it looks expired (`verify` tells). Slides the expiry, seldom: only
   * a session that somebody uses lives on.
   */
  use(live: LiveSession): boolean {
    const now = this.now();
    if (now >= live.expiresAt) return false;
    if (now - live.touchedAt >= this.touchAfterMs) this.slide(live, now);
    return true;
  }

  /**
   * Is a session that looks expired here really over? Another node may have moved its expiry. Ends it if so; rejects
   * with UNAVAILABLE when the store can't tell.
   */
  async verify(live: LiveSession): Promise<boolean> {
    if (live.ended) return false;
    return (await this.find(live.tokenHash)) !== null;
  }

  /** Ends what has expired and forgets what nobody uses. Called now and then; never rejects. */
  async sweep(): Promise<void> {
    for (const live of this.byHash.values()) {
      if (this.now() < live.expiresAt) continue;
      if (live.members.length === 0) this.forget(live);
      else {
        try {
          await this.verify(live);
        } catch (error) {
          this.options.log.warn({ err: error }, "expired sessions could not be looked up");
          return;
        }
      }
    }
  }

  private async create(method: string, device: string): Promise<LoggedIn> {
    const { store, lifetimeMs } = this.options;
    const { tenant, user } = await store.owner();
    const sessionToken = newSecret();
    const tokenHash = hashSecret(sessionToken);
    const session = await store.create({
      id: uuidv7(),
      tenantId: tenant.id,
      userId: user.id,
      tokenHash,
      device: device.slice(0, DEVICE_LENGTH).toWellFormed().replaceAll("\u0000", ""),
      lifetimeMs,
      method,
    });
    this.remember(tokenHash, session);
    return { session, sessionToken };
  }

  private slide(live: LiveSession, now: number): void {
    live.touchedAt = now;
    this.touch(live).catch((error: unknown) => {
      // Again soon: an outage must not cost a session its life.
      live.touchedAt = now - this.touchAfterMs + Math.min(this.touchAfterMs, TRUST_MS);
      this.options.log.warn({ sessionId: live.stored.id, err: error }, "the session's expiry could not be moved");
    });
  }

  private async touch(live: LiveSession): Promise<void> {
    const touched = await this.options.store.touch(live.stored.id, this.options.lifetimeMs);
    if (touched === null) return this.close(live, "expired", undefined);
    live.stored = { ...live.stored, expiresAt: touched.expiresAt };
    live.expiresAt = Date.parse(touched.expiresAt);
    live.confirmedAt = this.now();
  }

  /** The store's word, or in an outage what this process knew shortly before. */
  private async lookUp(hash: string, known: LiveSession | undefined): Promise<LiveSession | null> {
    try {
      return await this.find(hash);
    } catch (error) {
      const outage = error instanceof ParleyError && error.code === "UNAVAILABLE";
      if (outage && known !== undefined && this.trusted(known, TRUST_IN_OUTAGE_MS)) return known;
      throw error;
    }
  }

  private async find(hash: string): Promise<LiveSession | null> {
    for (let attempt = 0; attempt < MAX_LOOKUPS; attempt++) {
      const revocations = this.revocations;
      const session = await this.options.store.find(hash);
      if (session === null) {
        const live = this.byHash.get(hash);
        if (live !== undefined) this.close(live, "expired", undefined);
        return null;
      }
      if (revocations === this.revocations) return this.remember(hash, session);
    }
    throw new ParleyError("UNAVAILABLE");
  }

  private remember(tokenHash: string, stored: StoredSession): LiveSession {
    const now = this.now();
    const known = this.byHash.get(tokenHash);
    if (known !== undefined) {
      known.stored = stored;
      known.expiresAt = Date.parse(stored.expiresAt);
      known.confirmedAt = now;
      return known;
    }
    const live: LiveSession = {
      tokenHash,
      scope: { tenantId: stored.tenant.id, userId: stored.user.id },
      bucket: new TokenBucket(this.options.requestRate),
      members: [],
      stored,
      ended: false,
      expiresAt: Date.parse(stored.expiresAt),
      confirmedAt: now,
      touchedAt: Date.parse(stored.expiresAt) - this.options.lifetimeMs,
    };
    this.byHash.set(tokenHash, live);
    this.byId.set(stored.id, live);
    this.forgetIdle();
    return live;
  }

  private trusted(live: LiveSession, within: number): boolean {
    const now = this.now();
    return !live.ended && now < live.expiresAt && now - live.confirmedAt < within;
  }

  private async end(scope: Scope, sessionId: string, keep: SessionMember | undefined): Promise<boolean> {
    // Counted before and after: a look-up that overlaps the revocation anywhere is repeated.
    this.revocations++;
    const ended = (await this.options.store.revoke(scope, sessionId)) !== null;
    this.revocations++;
    if (ended) this.options.onRevoked?.(sessionId);
    const live = this.byId.get(sessionId);
    if (live !== undefined && live.scope.tenantId === scope.tenantId && live.scope.userId === scope.userId) {
      this.close(live, "revoked", keep);
    }
    return ended;
  }

  private close(live: LiveSession, end: SessionEnd, keep: SessionMember | undefined): void {
    if (live.ended) return;
    live.ended = true;
    const { members } = live;
    live.members = [];
    if (members.length > 0) this.connected--;
    for (const _ of members) this.options.counts?.leaveUser(live.scope.userId);
    this.forget(live);
    for (const member of members) if (member !== keep) member.sessionEnded(end);
  }

  private forget(live: LiveSession): void {
    live.ended = true;
    this.byHash.delete(live.tokenHash);
    this.byId.delete(live.stored.id);
  }

  private forgetIdle(): void {
    let excess = this.byHash.size - this.connected - MAX_IDLE;
    if (excess <= 0) return;
    for (const live of this.byHash.values()) {
      if (live.members.length > 0) continue;
      this.forget(live);
      if (--excess <= 0) return;
    }
  }

  private async checkAttempts(address: string): Promise<void> {
    const here = this.attempts.wait(address, performance.now());
    const wait = here > 0 ? here : ((await this.options.sharedAttempts?.wait(address)) ?? 0);
    if (wait > 0) {
      throw new ParleyError("RATE_LIMITED", {
        message: "Too many refused logins from this address. Wait retryAfterMs.",
        retryAfterMs: wait,
      });
    }
  }

  private refused(code: "AUTH_FAILED" | "SESSION_ENDED", address: string): ParleyError {
    this.attempts.failed(address, performance.now());
    this.options.sharedAttempts?.failed(address);
    return new ParleyError(code);
  }
}
