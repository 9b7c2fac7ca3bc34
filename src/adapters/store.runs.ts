import { sql } from "drizzle-orm";
import type { Announcement, Idempotency, RunStore, Scope, SendInput, SendResult, Sent } from "../ports/store.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Conversation, Message, Run, RunStatus } from "../protocol/shapes.ts";
import { codeOf } from "./database-errors.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { answered, insertKey, isKey, type KeyParams, keyParams, repeated } from "./store.idempotency.ts";
import { cutMessage, partsBytes } from "./store.page.ts";
import {
  type ConversationRow,
  conversationFields,
  insertOutbox,
  onConversation,
  onUser,
  questionSeq,
  type RunRow,
  runFields,
  type StepRow,
  stepFields,
  toConversation,
  toRun,
  toStep,
} from "./store.rows.ts";

/** Bytes that a message has in an event; an event has 64 KiB [W11]. The rest is read with `message.read`. */
export const MESSAGE_IN_EVENT = 32 * 1024;

/** The conversation whose row this transaction has locked, as its sender meets it. */
interface State extends ConversationRow {
  readonly headId: string | null;
  readonly currentId: string | null;
  readonly currentStatus: RunStatus | null;
  readonly currentQuestion: string | null;
  /** Queued runs behind the current one. */
  readonly waiting: number;
  readonly lastPosition: string | number;
  /** A run that waits will give its answer the id that was asked for. */
  readonly promised: boolean;
  readonly method: string | null;
  readonly paramsHash: string | null;
  readonly result: unknown;
}

const readState = statement<{ conversationId: string; userMessageId: string; key: string }, State>(
  "read_state",
  (p) => sql`
    select ${conversationFields}, c.head_id as "headId", c.current_run_id as "currentId",
      current.status as "currentStatus", current.user_message_id as "currentQuestion",
      (select count(*)::int from runs q
        where q.conversation_id = c.id and q.status = 'queued' and q.id is distinct from c.current_run_id) as waiting,
      coalesce((select max(q.position) from runs q where q.conversation_id = c.id), 0) as "lastPosition",
      exists (select from runs q where q.assistant_message_id = ${p.userMessageId} and q.status = 'queued') as promised,
      k.method, k.params_hash as "paramsHash", k.result
    from conversations c
      left join runs current on current.id = c.current_run_id
      left join idempotency_keys k on ${isKey(p.key)}
    where c.id = ${p.conversationId}`,
);

interface Turn extends KeyParams {
  readonly conversationId: string;
  readonly userMessageId: string;
  readonly assistantMessageId: string;
  readonly runId: string;
  readonly parentId: string | null;
  readonly parts: string;
  readonly bytes: number;
  readonly seq: number;
  readonly position: number;
  readonly model: string;
  readonly deadlineMs: number;
  readonly title: string;
  /** Null where the conversation keeps what it has. */
  readonly headId: string | null;
  readonly currentId: string | null;
  readonly announcements: string;
}

/** [R1, W10] Message, run, key and what announces them: all, or nothing when the key exists. */
const insertTurn = statement<Turn, { done: number }>(
  "insert_turn",
  (p) => sql`
    with key as (${insertKey(p)}),
    question as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select ${p.userMessageId}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, ${p.parentId}::uuid,
        ${p.runId}::uuid, ${p.seq}::bigint, 'user', ${p.userId}::text, ${p.parts}::jsonb, ${p.bytes}::int,
        'complete', now()
      from key
    ),
    run as (
      insert into runs (id, tenant_id, conversation_id, user_id, status, model, user_message_id,
        assistant_message_id, position, deadline_ms, created_at)
      select ${p.runId}::uuid, ${p.tenantId}::uuid, ${p.conversationId}::uuid, ${p.userId}::uuid, 'queued', ${p.model},
        ${p.userMessageId}::uuid, ${p.assistantMessageId}::uuid, ${p.position}::bigint, ${p.deadlineMs}::bigint, now()
      from key
    ),
    touched as (
      update conversations c set updated_at = now(), title = ${p.title},
        head_id = coalesce(${p.headId}::uuid, c.head_id),
        current_run_id = coalesce(${p.currentId}::uuid, c.current_run_id)
      from key where c.id = ${p.conversationId}::uuid
    ),
    announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)})
    select count(*)::int as done from key`,
);

const queuedRuns = statement<{ conversationId: string }, RunRow>(
  "queued_runs",
  (p) => sql`
    select ${runFields} from runs r
    where r.conversation_id = ${p.conversationId} and r.status = 'queued'
    order by r.position`,
);

/** Gives queued runs, and their questions with them, positions behind all that were given. */
const moveBack = statement<{ moves: string }, unknown>(
  "move_back",
  (p) => sql`
    with moves as (
      select * from jsonb_to_recordset(${p.moves}::jsonb) as x(id uuid, question uuid, position bigint, seq bigint)
    ), questions as (
      update messages m set seq = x.seq from moves x where m.id = x.question
    )
    update runs r set position = x.position from moves x where r.id = x.id`,
);

const requestStop = statement<{ runId: string }, unknown>(
  "request_stop",
  (p) => sql`update runs set stop_requested = true where id = ${p.runId} and status in ('running', 'waiting')`,
);

/** Ends a run that no worker has claimed; the next one of the queue becomes the current one. */
const endQueued = statement<{ runId: string }, RunRow>(
  "end_queued",
  (p) => sql`
    with ended as (
      update runs r set status = 'stopped', stop_requested = true, finished_at = now()
      where r.id = ${p.runId} and r.status = 'queued'
      returning ${runFields}
    ), moved as (
      update conversations c set current_run_id = (
        select n.id from runs n
        where n.conversation_id = c.id and n.status = 'queued' and n.id <> c.current_run_id
        order by n.position limit 1)
      from ended where c.id = ended."conversationId" and c.current_run_id = ended.id
    )
    select * from ended`,
);

const announce = statement<{ announcements: string }, unknown>("announce", (p) => insertOutbox(p.announcements));

const currentRun = statement<{ conversationId: string }, RunRow>(
  "current_run",
  (p) => sql`
    select ${runFields} from conversations c join runs r on r.id = c.current_run_id
    where c.id = ${p.conversationId}`,
);
const lockConversation = statement<{ runId: string }, unknown>(
  "lock_conversation_of",
  (p) => sql`
    select from conversations
    where id = (select conversation_id from runs where id = ${p.runId})
    for update`,
);
const findRun = statement<{ runId: string }, RunRow>(
  "find_run",
  (p) => sql`select ${runFields} from runs r where r.id = ${p.runId}`,
);
const findSteps = statement<{ runId: string }, StepRow>(
  "find_steps",
  (p) => sql`select ${stepFields} from steps s where s.run_id = ${p.runId} order by s.index, s.started_at, s.id`,
);

const takenId = (cause?: unknown): ParleyError =>
  new ParleyError("INVALID_PARAMS", {
    issues: [{ path: "clientMessageId", expected: "an id that no message has" }],
    cause,
  });

const runUpdated = (scope: Scope, run: Run): Announcement =>
  onConversation(scope, run.conversationId, { type: "CUSTOM", name: "run.updated", value: { run } });

export const createRunStore = (database: Database): Pick<RunStore, "send" | "stop" | "get"> => ({
  async send(scope, input, idempotency) {
    if (!isId(input.conversationId)) return { ok: false, reason: "NOT_FOUND" };
    try {
      return await database.transaction(scope, (tx) => send(tx, scope, input, idempotency), {
        lock: input.conversationId,
      });
    } catch (error) {
      if (codeOf(error) === "23505" && (error as { readonly constraint?: string }).constraint === "messages_pkey") {
        throw takenId(error);
      }
      throw error;
    }
  },

  async stop(scope, target) {
    if ("conversationId" in target) {
      const { conversationId } = target;
      if (!isId(conversationId)) return null;
      return database.transaction(
        scope,
        async (tx) => stop(tx, scope, (await tx.run(currentRun, { conversationId }))[0]),
        { lock: conversationId },
      );
    }
    const { runId } = target;
    if (!isId(runId)) return null;
    return database.transaction(scope, async (tx) => {
      await tx.run(lockConversation, { runId });
      return stop(tx, scope, (await tx.run(findRun, { runId }))[0]);
    });
  },

  async get(scope, runId) {
    if (!isId(runId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(findRun, { runId });
        if (row === undefined) return null;
        return { run: toRun(row), steps: (await tx.run(findSteps, { runId })).map(toStep) };
      },
      { snapshot: true },
    );
  },
});

/** Who waits, who goes first, and who must stop, when a message meets the conversation in this state. */
function place({ currentId, currentStatus, currentQuestion, headId, waiting }: State, input: SendInput) {
  const idle = currentId === null;
  if (!idle && input.whenBusy === "reject") return { refused: "BUSY" } as const;
  const interrupt = !idle && input.whenBusy === "interrupt";
  const claimed = currentStatus === "running" || currentStatus === "waiting";
  const first = idle || (interrupt && !claimed);
  if (!first && waiting >= input.maxQueued) return { refused: "QUEUE_FULL" } as const;
  return {
    refused: undefined,
    /** It is the conversation's current run from now on; else it waits. */
    first,
    toTheFront: interrupt,
    /** A claimed run is asked to stop. */
    stopping: interrupt && claimed ? currentId : null,
    /** One that its sender was told is running, though nobody has claimed it yet, ends here and now. */
    ending: interrupt && !claimed && currentQuestion === headId ? currentId : null,
  };
}

async function send(tx: Transaction, scope: Scope, input: SendInput, idempotency: Idempotency): Promise<SendResult> {
  const { conversationId, runId } = input;
  const userMessageId = input.userMessageId.toLowerCase();
  const [state] = await tx.run(readState, { conversationId, userMessageId, key: idempotency.key });
  if (state === undefined) return { ok: false, reason: "NOT_FOUND" };
  const { method, paramsHash, result } = state;
  if (method !== null && paramsHash !== null) return repeated<Sent>({ method, paramsHash, result }, idempotency);

  // The row of that answer could not be written, nor any claim that comes upon it.
  if (state.promised) throw takenId();
  const placed = place(state, input);
  if (placed.refused !== undefined) return { ok: false, reason: placed.refused };
  const { first } = placed;
  const position = Number(state.lastPosition) + 1;

  const message: Message = {
    id: userMessageId,
    conversationId,
    parentId: first ? state.headId : null,
    role: "user",
    author: scope.userId,
    parts: [{ type: "text", text: input.text }],
    status: "complete",
    createdAt: tx.now,
    runId,
  };
  const run: Run = {
    id: runId,
    conversationId,
    status: "queued",
    attempt: 0,
    model: input.model,
    userMessageId,
    assistantMessageId: input.assistantMessageId,
    position,
    stopRequested: false,
    usage: { inputTokens: 0, outputTokens: 0 },
    error: null,
    createdAt: tx.now,
    startedAt: null,
    finishedAt: null,
  };
  const conversation: Conversation = {
    ...toConversation(state),
    title: state.title || input.title,
    updatedAt: tx.now,
  };
  const sent: Sent = {
    runId,
    userMessageId,
    state: first ? "running" : "queued",
    interrupted: placed.stopping,
  };
  const rows: Announcement[] = [
    onConversation(scope, conversationId, {
      type: "CUSTOM",
      name: "message.created",
      value: { message: cutMessage(message, MESSAGE_IN_EVENT) },
    }),
    ...(first ? [] : [runUpdated(scope, run)]),
    ...(conversation.title === state.title
      ? []
      : [
          onConversation(scope, conversationId, {
            type: "CUSTOM",
            name: "conversation.renamed",
            value: { conversation },
          }),
        ]),
    onUser(scope, { type: "CUSTOM", name: "conversation.updated", value: { conversation } }),
  ];
  const parts = toJson(message.parts);
  const [written] = await tx.run(insertTurn, {
    ...keyParams(scope, idempotency, sent),
    conversationId,
    userMessageId,
    assistantMessageId: input.assistantMessageId,
    runId,
    parentId: message.parentId,
    parts,
    bytes: partsBytes(parts),
    seq: questionSeq(position),
    position,
    model: input.model,
    deadlineMs: input.deadlineMs,
    title: conversation.title,
    headId: first ? userMessageId : null,
    currentId: first ? runId : null,
    announcements: toJson(rows),
  });
  if (written?.done !== 1) return answered<Sent>(tx, idempotency);

  if (placed.toTheFront) {
    const more = await makeWay(tx, scope, run, placed);
    if (more.length > 0) await tx.run(announce, { announcements: toJson(more) });
    rows.push(...more);
  }
  return { ok: true, value: sent, repeated: false, announce: rows };
}

/** [R2] The rest of an interruption: stops or ends the current run, and puts the queue behind the new one. */
async function makeWay(
  tx: Transaction,
  scope: Scope,
  { id, conversationId, position }: Run,
  { stopping, ending }: { readonly stopping: string | null; readonly ending: string | null },
): Promise<Announcement[]> {
  const changed: Run[] = [];
  if (stopping !== null) await tx.run(requestStop, { runId: stopping });
  if (ending !== null) changed.push(...(await tx.run(endQueued, { runId: ending })).map(toRun));

  const queued = (await tx.run(queuedRuns, { conversationId })).map(toRun).filter((run) => run.id !== id);
  const moved = queued.map((run, index) => ({ ...run, position: position + 1 + index }));
  if (moved.length > 0) {
    const moves = moved.map((run) => ({
      id: run.id,
      question: run.userMessageId,
      position: run.position,
      seq: questionSeq(run.position),
    }));
    await tx.run(moveBack, { moves: toJson(moves) });
    changed.push(...moved);
  }
  return changed.map((run) => runUpdated(scope, run));
}

async function stop(tx: Transaction, scope: Scope, row: RunRow | undefined): ReturnType<RunStore["stop"]> {
  if (row === undefined) return null;
  const runId = row.id;
  switch (row.status) {
    case "running":
    case "waiting":
      await tx.run(requestStop, { runId });
      return { runId, active: true, announce: [] };
    case "queued": {
      const announcements = (await tx.run(endQueued, { runId })).map((ended) => runUpdated(scope, toRun(ended)));
      await tx.run(announce, { announcements: toJson(announcements) });
      return { runId, active: false, announce: announcements };
    }
    case "completed":
    case "failed":
    case "stopped":
      return null;
  }
}
