/**
 * The session store behind a cache that nodes share.
 *
 *   find ──▶ cache ── known ──▶ answer          revoke ──▶ store ──▶ cache: ended
 *              └── unknown, away ──▶ store ──▶ cache, unless it ended there meanwhile
 *
 * A cache that fails is left alone for a moment, so that a Redis which answers nothing costs one wait and not one for
 * each look-up.
 */
import type { Logger } from "../ports/logger.ts";
import type { SessionCache } from "../ports/session-cache.ts";
import type { SessionStore, StoredSession } from "../ports/store.ts";

const LEFT_ALONE_MS = 1_000;

export interface CachedSessionStoreOptions {
  readonly store: SessionStore;
  readonly cache: SessionCache;
  readonly log: Logger;
  /** Milliseconds of the wall clock, as the expiry of a session is. */
  readonly now?: () => number;
}

export function cachedSessionStore({ store, cache, log, now = Date.now }: CachedSessionStoreOptions): SessionStore {
  let away = false;
  let askedAgainAt = -Infinity;

  const ask = <T>(work: () => Promise<T>): Promise<T | undefined> =>
    away && now() < askedAgainAt ? Promise.resolve(undefined) : attempt(work);

  /** undefined when the cache is away. */
  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      if (away) log.info({}, "the cache of sessions answers again");
      away = false;
      return result;
    } catch (error) {
      if (!away) log.warn({ err: error }, "the cache of sessions does not answer; the store is asked instead");
      away = true;
      askedAgainAt = now() + LEFT_ALONE_MS;
      return undefined;
    }
  }

  const alive = (session: StoredSession) => now() < Date.parse(session.expiresAt);

  return {
    owner: () => store.owner(),
    touch: (sessionId, lifetimeMs) => store.touch(sessionId, lifetimeMs),
    list: (scope) => store.list(scope),
    living: (sessionIds) => store.living(sessionIds),
    async create(session) {
      const created = await store.create(session);
      await ask(() => cache.write(session.tokenHash, created));
      return created;
    },
    async find(tokenHash) {
      const known = await ask(() => cache.read(tokenHash));
      if (known === "ended") return null;
      // One that looks expired may have been moved since.
      if (known !== undefined && alive(known)) return known;
      const found = await store.find(tokenHash);
      if (found === null) return null;
      return (await ask(() => cache.write(tokenHash, found))) === false ? null : found;
    },
    async revoke(scope, sessionId) {
      const tokenHash = await store.revoke(scope, sessionId);
      // Tried though it may be away: what it remembers would be believed for a minute.
      if (tokenHash !== null) await attempt(() => cache.ended(tokenHash));
      return tokenHash;
    },
  };
}
