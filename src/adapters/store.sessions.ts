import { sql } from "drizzle-orm";
import type { NewSession, SessionStore, StoredSession } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import { type Database, isId } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { iso } from "./store.rows.ts";

interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly roles: string[];
  readonly tenantId: string;
  readonly tenantName: string;
  readonly device: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

const sessionFields = sql.raw(
  's.id, u.id as "userId", u.name as "userName", u.roles, t.tenant_id as "tenantId", t.name as "tenantName", ' +
    's.device, s.created_at as "createdAt", s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt"',
);

const toSession = (row: SessionRow): StoredSession => ({
  id: row.id,
  user: { id: row.userId, name: row.userName },
  tenant: { id: row.tenantId, name: row.tenantName },
  // A copy: the driver's array has room for sixteen more, and sessions are kept.
  roles: row.roles.slice(),
  device: row.device,
  createdAt: iso(row.createdAt),
  lastSeenAt: iso(row.lastSeenAt),
  expiresAt: iso(row.expiresAt),
});

interface OwnerRow {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly userId: string;
  readonly userName: string;
}

/** Held for the transaction by whoever makes the first tenant, so that several first starts make one. */
const lockOwner = statement<Record<string, never>, unknown>(
  "lock_owner",
  () => sql`select pg_advisory_xact_lock(hashtext('parley first owner'))`,
);
const findOwner = statement<Record<string, never>, OwnerRow>(
  "find_owner",
  () => sql`
    select t.tenant_id as "tenantId", t.name as "tenantName", u.id as "userId", u.name as "userName"
    from tenants t join users u on u.tenant_id = t.tenant_id
    where 'owner' = any(u.roles)
    order by t.created_at, u.created_at, u.id
    limit 1`,
);
const insertOwner = statement<{ tenantId: string; userId: string }, OwnerRow>(
  "insert_owner",
  (p) => sql`
    with t as (
      insert into tenants (tenant_id, name) values (${p.tenantId}, 'Home') returning tenant_id, name
    ), u as (
      insert into users (id, tenant_id, name, roles)
      select ${p.userId}::uuid, t.tenant_id, 'Owner', array['owner'] from t returning id, name
    )
    select t.tenant_id as "tenantId", t.name as "tenantName", u.id as "userId", u.name as "userName" from t, u`,
);

const insertSession = statement<NewSession & { auditId: string; detail: string }, SessionRow>(
  "insert_session",
  (p) => sql`
    with s as (
      insert into sessions (id, tenant_id, user_id, token_hash, device, expires_at)
      values (${p.id}, ${p.tenantId}, ${p.userId}, ${p.tokenHash}, ${p.device},
        now() + ${p.lifetimeMs}::float8 * interval '1 ms')
      returning *
    ), audited as (
      insert into audit_log (id, tenant_id, user_id, action, detail)
      select ${p.auditId}::uuid, s.tenant_id, s.user_id, 'session.created', ${p.detail}::jsonb from s
    )
    select ${sessionFields} from s join users u on u.id = s.user_id join tenants t on t.tenant_id = s.tenant_id`,
);

const findSession = statement<{ tokenHash: string }, SessionRow>(
  "find_session",
  (p) => sql`
    select ${sessionFields}
    from sessions s join users u on u.id = s.user_id join tenants t on t.tenant_id = s.tenant_id
    where s.token_hash = ${p.tokenHash} and s.expires_at > now()`,
);

const touchSession = statement<{ id: string; lifetimeMs: number }, { expiresAt: Date }>(
  "touch_session",
  (p) => sql`
    update sessions set last_seen_at = now(), expires_at = now() + ${p.lifetimeMs}::float8 * interval '1 ms'
    where id = ${p.id} and expires_at > now()
    returning expires_at as "expiresAt"`,
);

const listSessions = statement<
  Record<string, never>,
  Pick<SessionRow, "id" | "device" | "createdAt" | "lastSeenAt" | "expiresAt">
>(
  "list_sessions",
  () => sql`
    select id, device, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt"
    from sessions where expires_at > now()
    order by last_seen_at desc, id
    limit 1000`,
);

const livingSessions = statement<{ ids: readonly string[] }, { id: string }>(
  "living_sessions",
  (p) => sql`select id from sessions where id = any(${p.ids}::uuid[]) and expires_at > now()`,
);

const deleteSession = statement<{ id: string; auditId: string; detail: string }, { live: boolean; tokenHash: string }>(
  "delete_session",
  (p) => sql`
    with gone as (
      delete from sessions where id = ${p.id}
      returning tenant_id, user_id, token_hash, expires_at > now() as live
    ), audited as (
      insert into audit_log (id, tenant_id, user_id, action, detail)
      select ${p.auditId}::uuid, tenant_id, user_id, 'session.revoked', ${p.detail}::jsonb from gone where live
    )
    select live, token_hash as "tokenHash" from gone`,
);

export const createSessionStore = (database: Database): SessionStore => ({
  async owner() {
    const row = await database.transaction("system", async (tx) => {
      const [found] = await tx.run(findOwner, {});
      if (found !== undefined) return found;
      await tx.run(lockOwner, {});
      const [meanwhile] = await tx.run(findOwner, {});
      if (meanwhile !== undefined) return meanwhile;
      const [made] = await tx.run(insertOwner, { tenantId: uuidv7(), userId: uuidv7() });
      return made;
    });
    if (row === undefined) throw new Error("The first owner was not made");
    return {
      tenant: { id: row.tenantId, name: row.tenantName },
      user: { id: row.userId, name: row.userName },
    };
  },

  async create(session) {
    const { tenantId, userId, id, method, device } = session;
    const [row] = await database.transaction({ tenantId, userId }, (tx) =>
      tx.run(insertSession, {
        ...session,
        auditId: uuidv7(),
        detail: toJson({ sessionId: id, method, device }),
      }),
    );
    if (row === undefined) throw new Error(`No user ${userId} in tenant ${tenantId}`);
    return toSession(row);
  },

  async find(tokenHash) {
    const [row] = await database.transaction("system", (tx) => tx.run(findSession, { tokenHash }));
    return row === undefined ? null : toSession(row);
  },

  async touch(sessionId, lifetimeMs) {
    if (!isId(sessionId)) return null;
    const [row] = await database.transaction("system", (tx) => tx.run(touchSession, { id: sessionId, lifetimeMs }));
    return row === undefined ? null : { expiresAt: iso(row.expiresAt) };
  },

  async list(scope) {
    const rows = await database.transaction(scope, (tx) => tx.run(listSessions, {}));
    return rows.map(({ id, device, createdAt, lastSeenAt, expiresAt }) => ({
      id,
      device,
      createdAt: iso(createdAt),
      lastSeenAt: iso(lastSeenAt),
      expiresAt: iso(expiresAt),
    }));
  },

  async revoke(scope, sessionId) {
    if (!isId(sessionId)) return null;
    const [row] = await database.transaction(scope, (tx) =>
      tx.run(deleteSession, { id: sessionId, auditId: uuidv7(), detail: toJson({ sessionId }) }),
    );
    return row?.live === true ? row.tokenHash : null;
  },

  async living(sessionIds) {
    const ids = sessionIds.filter(isId);
    if (ids.length === 0) return [];
    const rows = await database.transaction("system", (tx) => tx.run(livingSessions, { ids }));
    return rows.map(({ id }) => id);
  },
});
