/**
 * Messages that join a run [R2].
 *
 *   send ─▶ written, followed by nothing ─▶ steer: chained behind the answer so far, a new answer behind them
 *                                        └▶ the run ends failed or stopped: a run of their own, at the front
 *
 * A run that nobody has claimed takes one at once: its question is then the last of them.
 */
import { sql } from "drizzle-orm";
import type { Announcement, Idempotency, Lease, RunStore, Scope, SendInput, SendResult, Sent } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Conversation, FilePart, Message, Part, Run, Usage } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import {
  announce,
  insertOutbox,
  messageCreated,
  messageUpdated,
  onConversation,
  onUser,
  renamed,
  runUpdated,
  textEnds,
} from "./store.announce.ts";
import { useFiles } from "./store.files.ts";
import { answered, insertKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { lockOwnRun, type OwnRun } from "./store.own-run.ts";
import { partsBytes } from "./store.page.ts";
import { moveQueueBehind } from "./store.queue.ts";
import {
  type Bigint,
  emptyAnswer,
  type MessageRow,
  messageFields,
  questionSeq,
  type RunRow,
  runFields,
  saidMessage,
  seqAfter,
  toConversation,
  toMessage,
  toRun,
  usageSince,
} from "./store.rows.ts";
import type { State } from "./store.turns.ts";
import { usageColumns, usageValues } from "./store.usage.ts";

interface Range {
  readonly conversationId: string;
  /** First seq of the run's messages, and the first one after them. */
  readonly fromSeq: number;
  readonly beforeSeq: number;
}
const rangeOf = (conversationId: string, position: number): Range => ({
  conversationId,
  fromSeq: questionSeq(position),
  beforeSeq: seqAfter(position),
});

const readRoom = statement<Range, { waiting: number; lastSeq: Bigint | null }>(
  "steer_room",
  (p) => sql`
    select count(*) filter (where m.parent_id is null and m.seq > ${p.fromSeq}::bigint)::int as waiting,
      max(m.seq) as "lastSeq"
    from messages m
    where m.conversation_id = ${p.conversationId} and m.seq >= ${p.fromSeq}::bigint and m.seq < ${p.beforeSeq}::bigint`,
);

const waitingSteers = statement<Range, MessageRow & { readonly seq: Bigint }>(
  "waiting_steers",
  (p) => sql`
    select ${messageFields}, m.seq from messages m
    where m.conversation_id = ${p.conversationId} and m.seq > ${p.fromSeq}::bigint and m.seq < ${p.beforeSeq}::bigint
      and m.parent_id is null
    order by m.seq`,
);

interface Steer extends KeyParams {
  readonly conversationId: string;
  readonly userMessageId: string;
  readonly runId: string;
  readonly parentId: string | null;
  readonly seq: number;
  readonly parts: string;
  readonly bytes: number;
  readonly title: string;
  /** It is the run's question, and the branch's last message, from now on. */
  readonly joined: boolean;
  readonly announcements: string;
}

/** [W10] All, or nothing when the key exists. */
const insertSteer = statement<Steer, { done: number }>(
  "insert_steer",
  (p) => sql`
    with key as (${insertKey(p)}),
    said as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select ${p.userMessageId}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid,
        ${p.parentId}::uuid, ${p.runId}::uuid, ${p.seq}::bigint, 'user', ${p.userId}::text, ${p.parts}::jsonb,
        ${p.bytes}::int, 'complete', now()
      from key
    ), asked as (
      update runs r set user_message_id = ${p.userMessageId}::uuid
      from key where r.id = ${p.runId}::uuid and ${p.joined}::boolean
    ), touched as (
      update conversations c set updated_at = now(), title = ${p.title},
        head_id = case when ${p.joined}::boolean then ${p.userMessageId}::uuid else c.head_id end
      from key where c.id = ${p.conversationId}::uuid
    ), announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)})
    select count(*)::int as done from key`,
);

/** A message that steers the run that is active now; undefined when none is, or none was asked for. */
export async function steerWith(
  tx: Transaction,
  scope: Scope,
  state: State,
  { conversationId, userMessageId, text, title, whenBusy, maxQueued }: SendInput,
  files: readonly FilePart[],
  idempotency: Idempotency,
): Promise<SendResult | undefined> {
  const { currentId: runId, currentStatus, currentQuestion, headMessageId } = state;
  if (whenBusy !== "steer" || runId === null) return undefined;
  // Between two turns the next one has no place in the tree yet, and what comes now queues behind it.
  const joined = currentStatus === "queued";
  if (joined && currentQuestion !== headMessageId) return undefined;

  const range = rangeOf(conversationId, Number(state.currentPosition));
  const [room] = await tx.run(readRoom, { ...range });
  const seq = Number(room?.lastSeq ?? range.fromSeq) + 1;
  // The answer that follows it has its place in the range too.
  if ((room?.waiting ?? 0) >= maxQueued || seq + 1 >= range.beforeSeq) return { ok: false, reason: "QUEUE_FULL" };

  const message = saidMessage({
    id: userMessageId,
    conversationId,
    parentId: joined ? currentQuestion : null,
    author: scope.userId,
    parts: [{ type: "text", text }, ...files],
    createdAt: tx.now,
    runId,
  });
  const conversation: Conversation = {
    ...toConversation(state),
    title: state.title || title,
    headMessageId: joined ? userMessageId : headMessageId,
    updatedAt: tx.now,
  };
  const sent: Sent = { runId, userMessageId, state: "steered", interrupted: null };
  const rows = [
    messageCreated(scope, message),
    ...renamed(scope, state, conversation),
    onUser(scope, { type: "CUSTOM", name: "conversation.updated", value: { conversation } }),
  ];
  const parts = toJson(message.parts);
  const [written] = await tx.run(insertSteer, {
    ...keyParams(scope, idempotency, sent),
    conversationId,
    userMessageId,
    runId,
    parentId: message.parentId,
    seq,
    parts,
    bytes: partsBytes(parts),
    title: conversation.title,
    joined,
    announcements: toJson(rows),
  });
  if (written?.done !== 1) return answered<Sent>(tx, idempotency);
  await useFiles(tx, scope, conversationId, files);
  return { ok: true, value: sent, repeated: false, announce: rows };
}

// ── joining ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface Join {
  readonly tenantId: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly runId: string;
  readonly model: string;
  /** The answer so far. */
  readonly endedId: string;
  readonly parts: string;
  readonly bytes: number;
  readonly messageUsage: string;
  /** It has said nothing: it follows the steers instead of being ended, and is the answer that goes on. */
  readonly moves: boolean;
  readonly steers: string;
  readonly lastId: string;
  readonly answerId: string;
  readonly seq: number;
  readonly usage: string;
  readonly announcements: string;
}

/** Ids of steers, each with that of its parent; an array keeps the planner to one look-up a message. */
const steerRows = (steers: unknown) =>
  sql`steers as (select * from jsonb_to_recordset(${steers}::jsonb) as s(id uuid, parent uuid))`;
const isSteer = sql.raw("m.id = any(array(select s.id from steers s))");

const joinSteers = statement<Join, unknown>(
  "join_steers",
  (p) => sql`
    with ${steerRows(p.steers)}, ended as (
      update messages m set parts = ${p.parts}::jsonb, bytes = ${p.bytes}::int, status = 'complete',
        usage = ${p.messageUsage}::jsonb
      where m.id = ${p.endedId} and not ${p.moves}::boolean
    ), moved as (
      update messages m set parent_id = ${p.lastId}, seq = ${p.seq}::bigint
      where m.id = ${p.endedId} and ${p.moves}::boolean
    ), begun as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select ${p.answerId}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, ${p.lastId}::uuid,
        ${p.runId}::uuid, ${p.seq}::bigint, 'assistant', ${p.model}, '[]', 2, 'streaming', now()
      where not ${p.moves}::boolean
    ), joined as (
      update messages m set parent_id = (select s.parent from steers s where s.id = m.id) where ${isSteer}
    ), shown as (
      update conversations c set head_id = ${p.answerId} where c.id = ${p.conversationId}
    ), announced as (${insertOutbox(p.announcements)})
    update runs r set user_message_id = ${p.lastId}, assistant_message_id = ${p.answerId},
      (${usageColumns}) = (select ${usageValues(sql`${p.usage}::json`)}),
      usage_before = case when ${p.moves}::boolean then r.usage_before else ${p.usage}::jsonb end
    where r.id = ${p.runId}`,
);

/** Each follows the one before. */
const chain = (first: string, steers: readonly MessageRow[]): Message[] =>
  steers.map((row, i) => ({ ...toMessage(row), parentId: i === 0 ? first : (steers[i - 1]?.id ?? first) }));

const parentsOf = (steers: readonly Message[]): string =>
  toJson(steers.map(({ id, parentId }) => ({ id, parent: parentId })));

export const createSteerStore = (database: Database): Pick<RunStore, "steer"> => ({
  async steer(lease, messageId, parts, usage) {
    if (!isId(lease.runId) || !isId(lease.conversationId)) return FENCED;
    return database.transaction(
      lease,
      async (tx) => {
        const own = await lockOwnRun(tx, lease);
        if (own === undefined) return FENCED;
        return own.steers === 0 ? null : join(tx, lease, own, messageId, parts, usage);
      },
      { lock: lease.conversationId },
    );
  },
});

const FENCED = { ok: false, reason: "FENCED" } as const;

async function join(
  tx: Transaction,
  lease: Lease,
  own: OwnRun,
  messageId: string,
  said: readonly Part[],
  usage: Usage,
) {
  const { tenantId, userId, conversationId } = lease;
  const was = toRun(own);
  const rows = await tx.run(waitingSteers, { ...rangeOf(conversationId, was.position) });
  const moves = said.length === 0;
  const steers = chain(moves ? was.userMessageId : was.assistantMessageId, rows);
  const last = steers.at(-1);
  if (last === undefined) throw new Error(`The steers of run ${was.id} are gone`);

  const json = toJson(said);
  const messageUsage = usageSince(own.usageBefore, usage);
  const [answer] = await tx.run(findMessage, { id: was.assistantMessageId });
  if (answer === undefined) throw new Error(`The answer of run ${was.id} is missing`);
  const ended: Message = {
    ...toMessage(answer),
    parts: JSON.parse(json) as Part[],
    status: "complete",
    usage: messageUsage,
  };
  const run: Run = {
    ...was,
    userMessageId: last.id,
    assistantMessageId: moves ? was.assistantMessageId : messageId,
    usage,
  };
  const message: Message = moves ? { ...toMessage(answer), parentId: last.id } : emptyAnswer(run, tx.now);
  const announcements = [
    ...(moves
      ? []
      : [
          ...textEnds(ended.id, ended.parts, ended.status).map((event) => onConversation(lease, conversationId, event)),
          messageUpdated(lease, ended),
        ]),
    ...steers.map((steer) => messageUpdated(lease, steer)),
    moves ? messageUpdated(lease, message) : messageCreated(lease, message),
    runUpdated(lease, run),
  ];
  await tx.run(joinSteers, {
    tenantId,
    userId,
    conversationId,
    runId: run.id,
    model: run.model,
    endedId: ended.id,
    parts: json,
    bytes: partsBytes(json),
    messageUsage: toJson(messageUsage),
    moves,
    steers: parentsOf(steers),
    lastId: last.id,
    answerId: message.id,
    seq: Number(rows.at(-1)?.seq) + 1,
    usage: toJson(usage),
    announcements: toJson(announcements),
  });
  return { run, message, added: moves ? steers : [ended, ...steers], announce: announcements };
}

const findMessage = statement<{ id: string }, MessageRow>(
  "find_message",
  (p) => sql`select ${messageFields} from messages m where m.id = ${p.id}`,
);

// ── a run of their own ──────────────────────────────────────────────────────────────────────────────────────────

const insertRun = statement<
  { runId: string; assistantMessageId: string; userMessageId: string; endedId: string; steers: string },
  RunRow
>(
  "insert_run_of_steers",
  (p) => sql`
    with ${steerRows(p.steers)}, made as (
      insert into runs as r (id, tenant_id, conversation_id, user_id, status, model, user_message_id,
        assistant_message_id, position, placed, deadline_ms, created_at)
      select ${p.runId}::uuid, e.tenant_id, e.conversation_id, e.user_id, 'queued', e.model, ${p.userMessageId}::uuid,
        ${p.assistantMessageId}::uuid,
        (select max(q.position) + 1 from runs q where q.conversation_id = e.conversation_id), true, e.deadline_ms, now()
      from runs e where e.id = ${p.endedId}
      returning ${runFields}
    ), joined as (
      update messages m set parent_id = (select s.parent from steers s where s.id = m.id), run_id = ${p.runId}::uuid
      where ${isSteer}
    ), shown as (
      update conversations c set head_id = ${p.userMessageId}::uuid, current_run_id = made.id
      from made where c.id = made."conversationId"
    )
    select * from made`,
);

/** Of a run that has just ended without them: they follow its answer, and the next run answers the last of them. */
export async function promoteSteers(tx: Transaction, lease: Lease, ended: Run): Promise<Announcement[]> {
  const rows = await tx.run(waitingSteers, { ...rangeOf(ended.conversationId, ended.position) });
  const runId = uuidv7();
  const steers = chain(ended.assistantMessageId, rows).map((steer) => ({ ...steer, runId }));
  const last = steers.at(-1);
  if (last === undefined) return [];
  const [made] = await tx.run(insertRun, {
    runId,
    assistantMessageId: uuidv7(),
    userMessageId: last.id,
    endedId: ended.id,
    steers: parentsOf(steers),
  });
  if (made === undefined) throw new Error(`Run ${ended.id} is gone`);
  const run = toRun(made);
  return announce(tx, [
    ...steers.map((steer) => messageUpdated(lease, steer)),
    runUpdated(lease, run),
    ...(await moveQueueBehind(tx, run)).map((moved) => runUpdated(lease, moved)),
  ]);
}
