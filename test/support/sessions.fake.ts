/** A session store in memory whose clock, and whose failures, the test decides. */
import type { NewSession, SessionStore, StoredSession } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";

interface Row {
  readonly tokenHash: string;
  readonly method: string;
  session: StoredSession;
}

export class FakeSessionStore implements SessionStore {
  readonly rows: Row[] = [];
  readonly calls: string[] = [];
  now = Date.parse("2026-01-01T00:00:00Z");
  /** Every call fails as an unreachable database does. */
  unreachable = false;
  /** Awaited by `find` after it has read, so that a test can overtake it. */
  pause: Promise<void> | undefined = undefined;

  async owner() {
    this.called("owner");
    return { tenant: { id: "tenant-1", name: "Home" }, user: { id: "user-1", name: "Owner" } };
  }

  async create(input: NewSession): Promise<StoredSession> {
    this.called("create");
    const session: StoredSession = {
      id: input.id,
      tenant: { id: input.tenantId, name: "Home" },
      user: { id: input.userId, name: "Owner" },
      roles: ["owner"],
      device: input.device,
      createdAt: this.time(0),
      lastSeenAt: this.time(0),
      expiresAt: this.time(input.lifetimeMs),
    };
    this.rows.push({ tokenHash: input.tokenHash, method: input.method, session });
    return session;
  }

  async find(tokenHash: string): Promise<StoredSession | null> {
    this.called("find");
    const found = this.rows.find((row) => row.tokenHash === tokenHash && this.isLive(row))?.session ?? null;
    await this.pause;
    return found;
  }

  async touch(sessionId: string, lifetimeMs: number) {
    this.called("touch");
    const row = this.rows.find(({ session }) => session.id === sessionId);
    if (row === undefined || !this.isLive(row)) return null;
    row.session = { ...row.session, expiresAt: this.time(lifetimeMs), lastSeenAt: this.time(0) };
    return { expiresAt: row.session.expiresAt };
  }

  async list(scope: { tenantId: string; userId: string }) {
    this.called("list");
    return this.rows
      .filter((row) => this.isLive(row) && row.session.user.id === scope.userId)
      .map((row) => row.session);
  }

  async revoke(scope: { tenantId: string; userId: string }, sessionId: string): Promise<string | null> {
    this.called("revoke");
    const index = this.rows.findIndex(
      (row) => row.session.id === sessionId && row.session.user.id === scope.userId && this.isLive(row),
    );
    if (index < 0) return null;
    return this.rows.splice(index, 1)[0]?.tokenHash ?? null;
  }

  async living(sessionIds: readonly string[]): Promise<readonly string[]> {
    this.called("living");
    return this.rows
      .filter((row) => this.isLive(row) && sessionIds.includes(row.session.id))
      .map(({ session }) => session.id);
  }

  private time(after: number): string {
    return new Date(this.now + after).toISOString();
  }

  private isLive({ session }: Row): boolean {
    return Date.parse(session.expiresAt) > this.now;
  }

  private called(method: string): void {
    this.calls.push(method);
    if (this.unreachable) throw new ParleyError("UNAVAILABLE");
  }
}
