/**
 * The tables. drizzle-kit makes migrations/ from this file; roles, row-level security and grants are written by
 * hand there, since no schema language has them all.
 *
 *   tenants ─┬─ users ─┬─ sessions
 *            │         ├─ memories
 *            │         ├─ prompts
 *            │         ├─ allowed_tools
 *            │         ├─ folders ───────┐
 *            │         └─ files ─────────┼──┐
 *            └─ conversations ─┬─────────┘  │
 *                              ├─ file_uses ┘
 *                              ├─ shares     who has the link of one may read the conversation
 *                              ├─ messages   a tree by parent_id; seq orders them for a reader
 *                              └─ runs ─┬─ steps ── usage
 *                                       └─ approvals
 *
 * Every table but `nodes` has a tenant_id, and all have policies. Times have milliseconds, as ISO 8601 on the wire
 * has, so that a value that went out comes back equal.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  json,
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
const amount = () => bigint({ mode: "number" });
/** What models took; null where a provider does not say. Cost in millionths of a US dollar. */
const tokens = () => ({
  input_tokens: count(),
  output_tokens: count(),
  cached_input_tokens: amount(),
  reasoning_tokens: amount(),
  cost_micros: amount(),
});
const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });

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

/** Where a person puts conversations; each is in one at most. */
export const folders = pgTable(
  "folders",
  { id: uuid().primaryKey(), tenant_id: tenant(), user_id: user(), name: text().notNull(), created_at: created() },
  (t) => [index("folders_user").on(t.user_id)],
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
    folder_id: uuid().references(() => folders.id, { onDelete: "set null" }),
    pinned_at: time(),
    archived_at: time(),
    /** Gone for everybody, until it is restored; the sweep removes it for good a while later. */
    deleted_at: time(),
    created_at: created(),
    updated_at: created(),
  },
  (t) => [
    index("conversations_recent").on(t.user_id, t.updated_at.desc().nullsFirst(), t.id.desc().nullsFirst()),
    index("conversations_busy")
      .on(t.current_run_id)
      .where(sql`current_run_id is not null`),
    index("conversations_pinned")
      .on(t.user_id, t.pinned_at)
      .where(sql`pinned_at is not null`),
    index("conversations_folder")
      .on(t.folder_id, t.updated_at.desc().nullsFirst(), t.id.desc().nullsFirst())
      .where(sql`folder_id is not null`),
    index("conversations_deleted")
      .on(t.deleted_at)
      .where(sql`deleted_at is not null`),
  ],
);

const conversation = () =>
  uuid()
    .notNull()
    .references(() => conversations.id);

/** A link to a conversation, for those of its tenant who have it. */
export const shares = pgTable(
  "shares",
  {
    id: uuid().primaryKey(),
    tenant_id: tenant(),
    user_id: user(),
    conversation_id: conversation(),
    /** SHA-256 of the token, hex. */
    token_hash: text().notNull(),
    created_at: created(),
  },
  (t) => [uniqueIndex("shares_conversation").on(t.conversation_id), uniqueIndex("shares_token_hash").on(t.token_hash)],
);

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
    /**
     * Reading order: 1024 × the run's position, + 1 for its answer, + 2, + 3 … for what steers it and for its further
     * answers. A message follows its parent: its seq is the greater one.
     */
    seq: bigint({ mode: "number" }).notNull(),
    role: text({ enum: ["user", "assistant", "system"] }).notNull(),
    author: text().notNull(),
    parts: jsonb().notNull(),
    /** Bytes of the parts as JSON in UTF-8, so that a page is chosen without reading them. */
    bytes: integer().notNull(),
    status: text({ enum: ["streaming", "complete", "stopped", "failed"] }).notNull(),
    plan: jsonb(),
    /** Of an answer that has ended. */
    usage: jsonb(),
    /** {code, message} of a failed answer's run. */
    error: jsonb(),
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
    /** Its question has its place in the tree; the claim gives it one otherwise. */
    placed: boolean().notNull().default(true),
    stop_requested: boolean().notNull().default(false),
    ...tokens(),
    /** What it had taken when its answer of now began: an earlier answer was ended by a steer. */
    usage_before: jsonb(),
    /** {code, message} */
    error: jsonb(),
    /** The conversation's fence at the claim. */
    fence: count(),
    /** Who holds the lease; null when it was handed back, which is not an attempt [R6]. */
    owner: text(),
    lease_until: time(),
    /** Time it may take from its start. While it is queued, or waits for a person, the clock stands. */
    deadline_ms: bigint({ mode: "number" }).notNull(),
    /** When it goes on, `deadline_at` moves by as long as it has waited since. */
    deadline_at: time(),
    waiting_since: time(),
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
    /** Who waits in a conversation, and who is next. Its second condition keeps it from standing in for `runs_answer`. */
    index("runs_queue")
      .on(t.conversation_id, t.position)
      .where(sql`status = 'queued' and started_at is null`),
    index("runs_unfinished")
      .on(t.status)
      .where(sql`status in ('queued', 'running', 'waiting')`),
    /** Its condition holds for every row, and the planner knows so only where a statement asks for a time: insights. */
    index("runs_times")
      .on(t.created_at, t.tenant_id)
      .where(sql`created_at is not null`),
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
    kind: text({ enum: ["model", "tool"] }).notNull(),
    name: text().notNull(),
    tool_call_id: text(),
    attempt: integer().notNull(),
    status: text({ enum: ["running", "completed", "failed", "stopped"] }).notNull(),
    ...tokens(),
    /** {messageId, from, to}: which parts of which answer a call of a model wrote. */
    answer: jsonb(),
    /** What the provider wants back, in its own words: json keeps the text as it came. */
    continuation: json(),
    started_at: time().notNull(),
    finished_at: time(),
  },
  (t) => [
    index("steps_run").on(t.run_id, t.index),
    index("steps_tools")
      .on(t.started_at, t.tenant_id)
      .where(sql`kind = 'tool'`),
  ],
);

/** One row a call of a model. No foreign keys: it outlives what it was spent on. */
export const usage = pgTable(
  "usage",
  {
    step_id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    user_id: uuid().notNull(),
    conversation_id: uuid().notNull(),
    run_id: uuid().notNull(),
    provider: text().notNull(),
    model: text().notNull(),
    ...tokens(),
    first_token_ms: integer(),
    duration_ms: integer().notNull(),
    created_at: created(),
  },
  (t) => [
    index("usage_recent").on(t.tenant_id, t.user_id, t.created_at),
    // The time comes first, here and in the other two of the insights: an index that begins with the tenant would do
    // for every statement, by its policy, and where nothing has been counted the planner might take it.
    index("usage_times").on(t.created_at, t.tenant_id),
  ],
);

export const approvals = pgTable(
  "approvals",
  {
    id: uuid().primaryKey(),
    tenant_id: uuid().notNull(),
    user_id: uuid().notNull(),
    conversation_id: conversation(),
    run_id: uuid()
      .notNull()
      .references(() => runs.id),
    message_id: uuid().notNull(),
    part_index: integer().notNull(),
    tool_call_id: text().notNull(),
    tool: text().notNull(),
    args: jsonb().notNull(),
    /** With which it may run: set where it is approved. */
    decided_args: jsonb(),
    reason: text({ enum: ["call", "repeat"] }).notNull(),
    summary: text().notNull(),
    status: text({ enum: ["pending", "approved", "denied", "expired", "cancelled"] }).notNull(),
    requested_at: time().notNull(),
    expires_at: time().notNull(),
    decided_at: time(),
    decided_by: uuid(),
  },
  (t) => [
    // In this order: where nothing has been counted, the planner takes the last one that would do.
    index("approvals_expiry")
      .on(t.expires_at)
      .where(sql`status = 'pending'`),
    index("approvals_pending")
      .on(t.user_id, t.requested_at)
      .where(sql`status = 'pending'`),
    index("approvals_run").on(t.run_id),
    index("approvals_conversation").on(t.conversation_id),
    check("approvals_status", sql`status in ('pending', 'approved', 'denied', 'expired', 'cancelled')`),
  ],
);

/** Tools that a person allowed always. */
export const allowedTools = pgTable(
  "allowed_tools",
  { tenant_id: uuid().notNull(), user_id: user(), tool: text().notNull(), created_at: created() },
  (t) => [primaryKey({ columns: [t.tenant_id, t.user_id, t.tool] })],
);

export const files = pgTable("files", {
  id: uuid().primaryKey(),
  tenant_id: tenant(),
  user_id: user(),
  name: text().notNull(),
  media_type: text().notNull(),
  /** Bytes. */
  size: bigint({ mode: "number" }).notNull(),
  created_at: created(),
});

/** What each node said of itself last, for those that are cut off from Redis: `peers.postgres.ts`. No tenant's. */
export const nodes = pgTable("nodes", {
  id: uuid().primaryKey(),
  fit: boolean().notNull(),
  told_at: time().notNull(),
});

/** Messages of this conversation refer to this file. */
export const fileUses = pgTable(
  "file_uses",
  {
    tenant_id: uuid().notNull(),
    user_id: uuid().notNull(),
    conversation_id: conversation(),
    file_id: uuid()
      .notNull()
      .references(() => files.id, { onDelete: "cascade" }),
    created_at: created(),
  },
  (t) => [primaryKey({ columns: [t.conversation_id, t.file_id] }), index("file_uses_file").on(t.file_id, t.created_at)],
);

export const memories = pgTable(
  "memories",
  {
    id: uuid().primaryKey(),
    tenant_id: tenant(),
    user_id: user(),
    text: text().notNull(),
    /**
     * Its words without case and accents, folded by the program: what a database makes of them is its locale's matter.
     * No index: row-level security looks at a user's rows first, and lets no other operator come before it.
     */
    words: tsvector().notNull(),
    created_at: created(),
  },
  (t) => [index("memories_recent").on(t.user_id, t.created_at.desc().nullsFirst(), t.id.desc().nullsFirst())],
);

export const prompts = pgTable(
  "prompts",
  {
    id: uuid().primaryKey(),
    tenant_id: tenant(),
    user_id: user(),
    name: text().notNull(),
    text: text().notNull(),
    created_at: created(),
  },
  (t) => [index("prompts_user").on(t.user_id, t.created_at.desc().nullsFirst(), t.id.desc().nullsFirst())],
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
  (t) => [index("outbox_seq").on(t.seq), index("outbox_topic").on(t.topic, t.seq)],
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
