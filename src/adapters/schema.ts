/**
 * The tables. drizzle-kit makes migrations/ from this file; roles, row-level security and grants are written by
 * hand there, since no schema language has them all.
 *
 *   tenants ─┬─ users ── sessions
 *            └─ conversations ─┬─ messages   a tree by parent_id; seq orders them for a reader
 *                              └─ runs ── steps
 *
 * Every table has a tenant_id and policies. Times have milliseconds, as ISO 8601 on the wire has, so that a value
 * that went out comes back equal.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const time = () => timestamp({ withTimezone: true, precision: 3 });
const created = () => time().notNull().defaultNow();
const count = () => bigint({ mode: "number" }).notNull().default(0);

export const tenants = pgTable("tenants", {
  tenant_id: uuid().primaryKey(),
  name: text().notNull(),
  created_at: created(),
});

const tenant = () =>
  uuid()
    .notNull()
    .references(() => tenants.tenant_id);

export const users = pgTable("users", {
  id: uuid().primaryKey(),
  tenant_id: tenant(),
  name: text().notNull(),
  roles: text().array().notNull(),
  created_at: created(),
});

const user = () =>
  uuid()
    .notNull()
    .references(() => users.id);

export const sessions = pgTable(
  "sessions",
  {
    id: uuid().primaryKey(),
    tenant_id: tenant(),
    user_id: user(),
    /** SHA-256 of the token, hex. */
    token_hash: text().notNull(),
    device: text().notNull(),
    created_at: created(),
    last_seen_at: created(),
    expires_at: time().notNull(),
  },
  (t) => [
    uniqueIndex("sessions_token_hash").on(t.token_hash),
    index("sessions_user").on(t.user_id),
    index("sessions_expires_at").on(t.expires_at),
  ],
);

export const conversations = pgTable(
  "conversations",
  {
    id: uuid().primaryKey(),
    tenant_id: tenant(),
    user_id: user(),
    title: text().notNull(),
    model: text(),
    /** Each claim of one of its runs takes the next [R4]. */
    fence: count(),
    /** Last message of the active branch; the next one gets it as its parent. */
    head_id: uuid(),
    /**
     * Its lowest-position run that has not ended, null when it is idle. Whoever changes it holds this row's lock, so
     * that one look at this row says which run is claimable [R3].
     */
    current_run_id: uuid(),
    created_at: created(),
    updated_at: created(),
  },
  (t) => [
    index("conversations_recent").on(t.user_id, t.updated_at.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index("conversations_busy")
      .on(t.current_run_id)
      .where(sql`current_run_id is not null`),
  ],
);

const conversation = () =>
  uuid()
    .notNull()
    .references(() => conversations.id);

export const messages = pgTable(
  "messages",
  {
    id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    /** Whose conversation it is, for the policy: a look into another table would cost every row one. */
    user_id: uuid().notNull(),
    conversation_id: conversation(),
    parent_id: uuid(),
    run_id: uuid(),
    /** Reading order: 1024 × the run's position, + 1 for its answer. */
    seq: bigint({ mode: "number" }).notNull(),
    role: text({ enum: ["user", "assistant", "system"] }).notNull(),
    author: text().notNull(),
    parts: jsonb().notNull(),
    /** Bytes of the parts as JSON in UTF-8, so that a page is chosen without reading them. */
    bytes: integer().notNull(),
    status: text({ enum: ["streaming", "complete", "stopped", "failed"] }).notNull(),
    created_at: created(),
  },
  (t) => [
    uniqueIndex("messages_seq").on(t.conversation_id, t.seq),
    check("messages_role", sql`role in ('user', 'assistant', 'system')`),
    check("messages_status", sql`status in ('streaming', 'complete', 'stopped', 'failed')`),
  ],
);

export const runs = pgTable(
  "runs",
  {
    id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    conversation_id: conversation(),
    /** The author, with whose permissions it runs [R2], and whose conversation it is. */
    user_id: user(),
    status: text({ enum: ["queued", "running", "waiting", "completed", "failed", "stopped"] }).notNull(),
    attempt: integer().notNull().default(0),
    model: text().notNull(),
    user_message_id: uuid().notNull(),
    assistant_message_id: uuid().notNull(),
    position: bigint({ mode: "number" }).notNull(),
    stop_requested: boolean().notNull().default(false),
    input_tokens: count(),
    output_tokens: count(),
    /** {code, message} */
    error: jsonb(),
    /** The conversation's fence at the claim. */
    fence: count(),
    /** Who holds the lease; null when it was handed back, which is not an attempt [R6]. */
    owner: text(),
    lease_until: time(),
    /** Time it may take from its start; while it is queued the clock stands. */
    deadline_ms: bigint({ mode: "number" }).notNull(),
    deadline_at: time(),
    created_at: created(),
    started_at: time(),
    finished_at: time(),
  },
  (t) => [
    uniqueIndex("runs_position").on(t.conversation_id, t.position),
    uniqueIndex("runs_one_active")
      .on(t.conversation_id)
      .where(sql`status in ('running', 'waiting')`),
    /** Answers that are not written yet: nobody else may take their ids. */
    uniqueIndex("runs_answer")
      .on(t.assistant_message_id)
      .where(sql`status = 'queued'`),
    index("runs_unfinished")
      .on(t.status)
      .where(sql`status in ('queued', 'running', 'waiting')`),
    check("runs_status", sql`status in ('queued', 'running', 'waiting', 'completed', 'failed', 'stopped')`),
  ],
);

export const steps = pgTable(
  "steps",
  {
    id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    user_id: uuid().notNull(),
    run_id: uuid()
      .notNull()
      .references(() => runs.id),
    index: integer().notNull(),
    kind: text({ enum: ["model"] }).notNull(),
    attempt: integer().notNull(),
    status: text({ enum: ["completed", "failed", "stopped"] }).notNull(),
    input_tokens: count(),
    output_tokens: count(),
    started_at: time().notNull(),
    finished_at: time().notNull(),
  },
  (t) => [index("steps_run").on(t.run_id, t.index)],
);

export const outbox = pgTable(
  "outbox",
  {
    id: uuid().primaryKey(),
    /** Drawn while the conversation's row is locked, so it orders the rows of a conversation by commit. */
    seq: bigint({ mode: "number" }).notNull().generatedAlwaysAsIdentity(),
    tenant_id: uuid().notNull(),
    topic: text().notNull(),
    event: jsonb().notNull(),
    created_at: created(),
  },
  (t) => [index("outbox_seq").on(t.seq)],
);

export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    tenant_id: uuid().notNull(),
    user_id: uuid().notNull(),
    key: text().notNull(),
    method: text().notNull(),
    params_hash: text().notNull(),
    result: jsonb().notNull(),
    created_at: created(),
  },
  (t) => [
    primaryKey({ columns: [t.tenant_id, t.user_id, t.key] }),
    index("idempotency_keys_created_at").on(t.created_at),
  ],
);

export const auditLog = pgTable(
  "audit_log",
  {
    id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    user_id: uuid(),
    action: text().notNull(),
    detail: jsonb().notNull(),
    created_at: created(),
  },
  (t) => [index("audit_log_recent").on(t.tenant_id, t.created_at)],
);
