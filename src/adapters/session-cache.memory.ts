/** A session cache in one process: for tests of those around it. */
import type { SessionCache } from "../ports/session-cache.ts";
import type { StoredSession } from "../ports/store.ts";

export class MemorySessionCache implements SessionCache {
  readonly #rows = new Map<string, { readonly session: StoredSession | "ended"; readonly until: number }>();
  readonly #keepMs: number;
  readonly #now: () => number;

  constructor(keepMs = 60_000, now: () => number = () => performance.now()) {
    this.#keepMs = keepMs;
    this.#now = now;
  }

  async read(tokenHash: string): Promise<StoredSession | "ended" | undefined> {
    const row = this.#rows.get(tokenHash);
    return row !== undefined && this.#now() < row.until ? row.session : undefined;
  }

  async write(tokenHash: string, session: StoredSession): Promise<boolean> {
    if ((await this.read(tokenHash)) === "ended") return false;
    this.#set(tokenHash, session);
    return true;
  }

  async ended(tokenHash: string): Promise<void> {
    this.#set(tokenHash, "ended");
  }

  #set(tokenHash: string, session: StoredSession | "ended"): void {
    this.#rows.set(tokenHash, { session, until: this.#now() + this.#keepMs });
  }
}
