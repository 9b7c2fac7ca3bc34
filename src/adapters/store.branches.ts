/** Other answers to what was said, other things said in its place, and which of the branches is shown. */
import { sql } from "drizzle-orm";
import type { AgainInput, ConversationStore, Idempotency, RunStore, Scope, SendResult, Sent } from "../ports/store.ts";
import type { Conversation, Message } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { announce, branchSelected, onUser, runUpdated } from "./store.announce.ts";
import { answered, repeated } from "./store.idempotency.ts";
import { type Bigint, type ConversationRow, conversationFields, questionSeq, toConversation } from "./store.rows.ts";
import { insertTurn, newRun, readState } from "./store.turns.ts";

/** Messages that a search for the newest of a branch looks at, from the branch's beginning on. */
const MOST_SEARCHED = 50_000;

interface Placed {
  readonly id: string;
  readonly role: Message["role"];
  readonly status: Message["status"];
  readonly parentId: string | null;
  readonly seq: Bigint;
}

/**
 * A message that has its place in the tree: it follows another one, or began the conversation. One that waits in the
 * queue, left it unanswered, or waits to join a run has none.
 */
const placedMessage = statement<{ conversationId: string; messageId: string }, Placed>(
  "placed_message",
  (p) => sql`
    select m.id, m.role, m.status, m.parent_id as "parentId", m.seq
    from messages m
    where m.id = ${p.messageId} and m.conversation_id = ${p.conversationId}
      and (m.parent_id is not null or exists (
        select from runs r where r.id = m.run_id and r.placed and m.seq <= r.position * 1024))`,
);

export async function findPlaced(
  tx: Transaction,
  conversationId: string,
  messageId: string,
): Promise<Placed | undefined> {
  const [row] = await tx.run(placedMessage, { conversationId, messageId });
  return row;
}

// ── another answer ──────────────────────────────────────────────────────────────────────────────────────────────

interface Question {
  readonly id: string;
  readonly model: string;
  readonly placed: boolean;
}

const questionOfAnswer = statement<{ conversationId: string; messageId: string }, Question>(
  "question_of_answer",
  (p) => sql`
    select q.id, a.author as model, true as placed
    from messages a join messages q on q.id = a.parent_id
    where a.id = ${p.messageId} and a.conversation_id = ${p.conversationId} and a.role = 'assistant'
      and a.status <> 'streaming'`,
);

/**
 * Whether a question has its place is a matter of all the runs that were to answer it. One that has none, and waits in
 * the queue again, is about to be answered.
 */
const questionOfRun = statement<{ conversationId: string; runId: string }, Question>(
  "question_of_run",
  (p) => sql`
    select * from (
      select q.id, r.model,
        q.parent_id is not null or bool_or(other.placed) as placed,
        bool_or(other.status = 'queued') as waits
      from runs r
        join messages q on q.id = r.user_message_id
        join runs other on other.conversation_id = r.conversation_id and other.user_message_id = q.id
      where r.id = ${p.runId} and r.conversation_id = ${p.conversationId} and r.status in ('failed', 'stopped')
      group by q.id, r.model
    ) question
    where placed or not waits`,
);

/** A question that left the queue unanswered goes into it again. */
const requeueQuestion = statement<{ messageId: string; runId: string; seq: number }, unknown>(
  "requeue_question",
  (p) => sql`update messages set seq = ${p.seq}::bigint, run_id = ${p.runId} where id = ${p.messageId}`,
);

async function findQuestion(tx: Transaction, { conversationId, target }: AgainInput): Promise<Question | undefined> {
  if ("messageId" in target) {
    const { messageId } = target;
    return isId(messageId) ? (await tx.run(questionOfAnswer, { conversationId, messageId }))[0] : undefined;
  }
  const { runId } = target;
  return isId(runId) ? (await tx.run(questionOfRun, { conversationId, runId }))[0] : undefined;
}

export const createAgainStore = (database: Database): Pick<RunStore, "again"> => ({
  async again(scope, input, idempotency) {
    if (!isId(input.conversationId)) return { ok: false, reason: "NOT_FOUND" };
    return database.transaction(scope, (tx) => again(tx, scope, input, idempotency), { lock: input.conversationId });
  },
});

async function again(tx: Transaction, scope: Scope, input: AgainInput, idempotency: Idempotency): Promise<SendResult> {
  const { conversationId, runId, assistantMessageId, deadlineMs } = input;
  const state = await readState(tx, conversationId, idempotency, null);
  if (state === undefined) return { ok: false, reason: "NOT_FOUND" };
  const { method, paramsHash, result } = state;
  if (method !== null && paramsHash !== null) return repeated<Sent>({ method, paramsHash, result }, idempotency);

  const question = await findQuestion(tx, input);
  if (question === undefined) return { ok: false, reason: "NOT_FOUND" };
  const first = state.currentId === null;
  if (!first && state.waiting >= input.maxQueued) return { ok: false, reason: "QUEUE_FULL" };

  const position = Number(state.lastPosition) + 1;
  const model = input.model ?? question.model;
  const run = newRun(
    { id: runId, conversationId, model, userMessageId: question.id, assistantMessageId, position },
    tx.now,
  );
  const conversation: Conversation = { ...toConversation(state), updatedAt: tx.now };
  const sent: Sent = {
    runId,
    userMessageId: question.id,
    state: first ? "running" : "queued",
    interrupted: null,
  };
  // The branch is shown from the claim on, when there is an answer to show.
  const rows = [
    ...(first ? [] : [runUpdated(scope, run)]),
    onUser(scope, { type: "CUSTOM", name: "conversation.updated", value: { conversation } }),
  ];
  const { placed } = question;
  const turn = { run, deadlineMs, placed, said: undefined, conversation, first, announce: rows };
  if (!(await insertTurn(tx, scope, turn, idempotency, sent))) return answered<Sent>(tx, idempotency);
  if (!placed) await tx.run(requeueQuestion, { messageId: question.id, runId, seq: questionSeq(position) });
  return { ok: true, value: sent, repeated: false, announce: rows };
}

// ── the branch that is shown ────────────────────────────────────────────────────────────────────────────────────

const findConversation = statement<{ id: string }, ConversationRow & { readonly currentId: string | null }>(
  "find_conversation_with_run",
  (p) => sql`
    select ${conversationFields}, c.current_run_id as "currentId" from conversations c
    where c.id = ${p.id} and c.deleted_at is null`,
);

const laterMessages = statement<
  { conversationId: string; seq: number; limit: number },
  { readonly id: string; readonly parentId: string | null }
>(
  "later_messages",
  (p) => sql`
    select id, parent_id as "parentId" from messages
    where conversation_id = ${p.conversationId} and seq > ${p.seq}::bigint
    order by seq
    limit ${p.limit}`,
);

const showBranch = statement<{ conversationId: string; headId: string }, ConversationRow>(
  "show_branch",
  (p) => sql`
    update conversations c set head_id = ${p.headId} where c.id = ${p.conversationId} returning ${conversationFields}`,
);

/** The newest message among this one and all that follow from it: messages come after what they follow. */
async function newestOfBranch(tx: Transaction, conversationId: string, { id, seq }: Placed): Promise<string> {
  const later = await tx.run(laterMessages, { conversationId, seq: Number(seq), limit: MOST_SEARCHED });
  const branch = new Set([id]);
  let newest = id;
  for (const message of later) {
    if (message.parentId === null || !branch.has(message.parentId)) continue;
    branch.add(message.id);
    newest = message.id;
  }
  return newest;
}

export const createBranchStore = (database: Database): Pick<ConversationStore, "selectBranch"> => ({
  async selectBranch(scope, conversationId, messageId) {
    if (!isId(conversationId) || !isId(messageId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(findConversation, { id: conversationId });
        const message = row === undefined ? undefined : await findPlaced(tx, conversationId, messageId);
        if (row === undefined || message === undefined) return null;
        if (row.currentId !== null) return { ok: false, reason: "BUSY" };
        const headId = await newestOfBranch(tx, conversationId, message);
        if (headId === row.headMessageId) return { ok: true, conversation: toConversation(row), announce: [] };
        const [shown] = await tx.run(showBranch, { conversationId, headId });
        if (shown === undefined) throw new Error(`Conversation ${conversationId} is gone`);
        const rows = await announce(tx, [branchSelected(scope, conversationId, headId)]);
        return { ok: true, conversation: toConversation(shown), announce: rows };
      },
      { lock: conversationId },
    );
  },
});
