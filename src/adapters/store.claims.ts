import { sql } from "drizzle-orm";
import type { Announcement, ClaimedRun, RunStore, Scope, StoredApproval, StoredStep } from "../ports/store.ts";
import type { Message } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { announce, branchSelected, insertOutbox, messageUpdated, runStarted } from "./store.announce.ts";
import { thisMillisecond } from "./store.leases.ts";
import { countSteers } from "./store.own-run.ts";
import {
  approvalJson,
  type Bigint,
  emptyAnswer,
  type MessageRow,
  messageFields,
  questionSeq,
  type RunRow,
  runFields,
  seqAfter,
  stepFields,
  type StoredStepRow,
  toMessage,
  toRun,
  toStoredApproval,
  toStoredStep,
} from "./store.rows.ts";

interface ClaimRow extends RunRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly fence: Bigint;
  readonly deadlineInMs: Bigint;
  readonly takeover: boolean;
  /** Its question had its place in the tree before. */
  readonly placed: boolean;
  /** The branch's last message before this claim. */
  readonly headId: string | null;
}

/**
 * [R3, R4] A conversation names its lowest run that has not ended, so that its row and that run's, both locked here,
 * say all: whoever changes the order holds the first, and a row that changed meanwhile is looked at again. An expired
 * lease counts as an attempt, one that was handed back (no owner) does not [R6].
 */
const claimRuns = statement<{ held: string[]; limit: number; owner: string; leaseMs: number }, ClaimRow>(
  "claim_runs",
  (p) => sql`
    with next as (
      select c.id as conversation_id, c.head_id, r.id as run_id, r.status as was, r.owner as had, r.placed,
        r.assistant_message_id
      from conversations c join runs r on r.id = c.current_run_id
      where ((r.status = 'queued' and c.deleted_at is null) or (r.status = 'running' and r.lease_until <= now()))
        and r.id <> all(${p.held}::uuid[])
      order by r.created_at, r.id
      limit ${p.limit}
      for update of c, r skip locked
    ), fenced as (
      update conversations c set fence = c.fence + 1,
        head_id = case when next.was = 'queued' then next.assistant_message_id else c.head_id end
      from next where c.id = next.conversation_id
      returning c.id, c.fence
    ), claimed as (
      update runs r set status = 'running', owner = ${p.owner}, fence = fenced.fence, placed = true,
        lease_until = ${thisMillisecond} + ${p.leaseMs}::float8 * interval '1 ms',
        attempt = case when next.was = 'queued' then 1 when next.had is null then r.attempt else r.attempt + 1 end,
        started_at = coalesce(r.started_at, now()),
        deadline_at = coalesce(r.deadline_at, now() + r.deadline_ms * interval '1 ms')
      from next join fenced on fenced.id = next.conversation_id
      where r.id = next.run_id
      returning ${runFields}, r.tenant_id as "tenantId", r.user_id as "userId", r.fence,
        extract(epoch from r.deadline_at - now()) * 1000 as "deadlineInMs",
        next.was <> 'queued' as takeover, next.placed, next.head_id as "headId"
    )
    select * from claimed order by "createdAt", id`,
);

interface BranchRow extends MessageRow {
  readonly forRun: string;
  /** With the question. */
  readonly allowedTools: readonly string[] | null;
}

/**
 * Writes the answers that begin, gives their questions a parent where they waited in the queue, and reads each branch
 * from the question back to what `maxBytes` allows. The reading half sees the rows as they were before. Arrays and
 * `lateral … offset 0` keep the planner to one index look-up a message, whatever it believes of the table's size.
 */
const beginAnswers = statement<
  { tenantId: string; userId: string; items: string; announcements: string; maxBytes: number },
  BranchRow
>(
  "begin_answers",
  (p) => sql`
    with recursive item as (
      select * from jsonb_to_recordset(${p.items}::jsonb) as i(
        "runId" uuid, "conversationId" uuid, question uuid, answer uuid, "parentId" uuid, "fromSeq" bigint,
        "beforeSeq" bigint, model text, begins boolean)
    ), answers as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select i.answer, ${p.tenantId}::uuid, ${p.userId}::uuid, i."conversationId", i.question, i."runId",
        (select coalesce(max(m.seq), i."fromSeq") + 1 from messages m
          where m.conversation_id = i."conversationId" and m.seq >= i."fromSeq" and m.seq < i."beforeSeq"),
        'assistant', i.model, '[]', 2, 'streaming', now()
      from item i where i.begins
    ), questions as (
      update messages m set parent_id = (select i."parentId" from item i where i.question = m.id)
      where m.id = any(array(select i.question from item i where i."parentId" is not null))
    ), announced as (${insertOutbox(p.announcements)}),
    branch as (
      select i."runId" as for_run, 0 as depth, coalesce(i."parentId", m.parent_id) as next, m.bytes::bigint as total, m.*
      from item i, lateral (select * from messages q where q.id = i.question offset 0) m
      union all
      select b.for_run, b.depth + 1, m.parent_id, b.total + m.bytes, m.*
      from branch b, lateral (select * from messages q where q.id = b.next offset 0) m
      where b.total + m.bytes <= ${p.maxBytes}
    )
    select ${messageFields}, m.for_run as "forRun",
      case when m.depth = 0 then array(select tool from allowed_tools where user_id = ${p.userId}::uuid order by tool)
        end as "allowedTools"
    from branch m order by m.depth desc`,
);

const journaledAnswers = statement<{ ids: string[] }, MessageRow>(
  "journaled_answers",
  (p) => sql`select ${messageFields} from messages m where m.id = any(${p.ids}::uuid[])`,
);
const journaledSteps = statement<{ runIds: string[] }, StoredStepRow>(
  "journaled_steps",
  (p) => sql`
    select ${stepFields}, s.answer, s.continuation from steps s
    where s.run_id = any(${p.runIds}::uuid[]) order by s.index, s.started_at, s.id`,
);
interface OpenRow {
  readonly runId: string;
  readonly steers: number;
  readonly approvals: readonly StoredApproval[] | null;
}
const openMatters = statement<{ runIds: string[] }, OpenRow>(
  "open_matters",
  (p) => sql`
    select r.id as "runId", ${countSteers} as steers,
      (select jsonb_agg(${approvalJson} order by a.requested_at, a.part_index, a.id)
        from approvals a where a.run_id = r.id) as approvals
    from runs r where r.id = any(${p.runIds}::uuid[])`,
);

export const createClaimStore = (database: Database): Pick<RunStore, "claim"> => ({
  claim(owner, { limit, leaseMs, held, transcriptBytes }) {
    return database.transaction("system", async (tx) => {
      const rows = await tx.run(claimRuns, { owner, limit, leaseMs, held: held.filter(isId) });
      const runs: ClaimedRun[] = [];
      const announcements: Announcement[] = [];
      const groups = [...byScope(rows)];
      for (const group of groups) {
        tx.become(group.scope);
        const begun = await begin(tx, group, owner, transcriptBytes, group === groups.at(-1));
        runs.push(...begun.runs);
        announcements.push(...begun.announce);
      }
      return { runs, announce: announcements };
    });
  },
});

interface Group {
  readonly scope: Scope;
  readonly rows: ClaimRow[];
}

function byScope(rows: readonly ClaimRow[]): MapIterator<Group> {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const { tenantId, userId } = row;
    const key = `${tenantId} ${userId}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { scope: { tenantId, userId }, rows: [row] });
    else group.rows.push(row);
  }
  return groups.values();
}

/** The half of a claim that touches what people wrote: it works as the runs' author. `last`: no group comes after it. */
async function begin(
  tx: Transaction,
  { scope, rows }: Group,
  owner: string,
  maxBytes: number,
  last: boolean,
): Promise<{ readonly runs: readonly ClaimedRun[]; readonly announce: readonly Announcement[] }> {
  const items = rows.map((row) => {
    const run = toRun(row);
    return { row, run, answer: emptyAnswer(run, tx.now), parentId: row.takeover || row.placed ? null : row.headId };
  });
  const announcements = items
    .filter(({ row }) => !row.takeover && row.placed)
    .flatMap(({ row, run, answer }) => [
      runStarted(scope, run, answer),
      ...(row.headId === run.userMessageId ? [] : [branchSelected(scope, run.conversationId, answer.id)]),
    ]);

  const params = {
    ...scope,
    items: toJson(
      items.map(({ row, run, parentId }) => ({
        runId: run.id,
        conversationId: run.conversationId,
        question: run.userMessageId,
        answer: run.assistantMessageId,
        parentId,
        fromSeq: questionSeq(run.position),
        beforeSeq: seqAfter(run.position),
        model: run.model,
        begins: !row.takeover,
      })),
    ),
    announcements: toJson(announcements),
    maxBytes,
  };
  // What the queue held is announced with what is read here.
  const commits = last && rows.every(({ takeover, placed }) => !takeover && placed);
  const branches = await (commits ? tx.last(beginAnswers, params) : tx.run(beginAnswers, params));
  const journal = await readJournal(
    tx,
    rows.filter(({ takeover }) => takeover),
  );

  const fromQueue: Announcement[] = [];
  const runs = items.map(({ row, run, answer, parentId }): ClaimedRun => {
    const branch = branches.filter(({ forRun }) => forRun === run.id);
    const transcript = branch.map(toMessage);
    const question = transcript.at(-1);
    if (question === undefined) throw new Error(`The question of run ${run.id} is missing`);
    if (!row.takeover && !row.placed) {
      const message = { ...question, parentId };
      transcript[transcript.length - 1] = message;
      fromQueue.push(messageUpdated(scope, message), runStarted(scope, run, answer));
    }
    const open = journal.open.find(({ runId }) => runId === run.id);
    return {
      lease: { runId: run.id, ...scope, conversationId: run.conversationId, fence: Number(row.fence), owner },
      run,
      steps: journal.steps.filter(({ runId }) => runId === run.id),
      approvals: (open?.approvals ?? []).map(toStoredApproval),
      allowedTools: branch.at(-1)?.allowedTools ?? [],
      steers: open?.steers ?? 0,
      message: journal.answers.find(({ id }) => id === run.assistantMessageId) ?? answer,
      transcript,
      deadlineInMs: Math.round(Number(row.deadlineInMs)),
      takeover: row.takeover,
    };
  });
  await announce(tx, fromQueue);
  return { runs, announce: [...announcements, ...fromQueue] };
}

interface Journal {
  readonly answers: readonly Message[];
  readonly steps: readonly StoredStep[];
  readonly open: readonly OpenRow[];
}

async function readJournal(tx: Transaction, rows: readonly ClaimRow[]): Promise<Journal> {
  if (rows.length === 0) return { answers: [], steps: [], open: [] };
  const runIds = rows.map(({ id }) => id);
  const answers = await tx.run(journaledAnswers, { ids: rows.map(({ assistantMessageId }) => assistantMessageId) });
  const steps = await tx.run(journaledSteps, { runIds });
  const open = await tx.run(openMatters, { runIds });
  return { answers: answers.map(toMessage), steps: steps.map(toStoredStep), open };
}
