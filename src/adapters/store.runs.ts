import { sql } from "drizzle-orm";
import type { RunStore, Scope } from "../ports/store.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { announce } from "./store.announce.ts";
import { askToStop, endUnclaimed } from "./store.queue.ts";
import { type RunRow, runFields, type StepRow, stepFields, toRun, toStep } from "./store.rows.ts";

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

export const createRunStore = (database: Database): Pick<RunStore, "stop" | "get"> => ({
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

async function stop(tx: Transaction, scope: Scope, row: RunRow | undefined): ReturnType<RunStore["stop"]> {
  if (row === undefined) return null;
  const runId = row.id;
  switch (row.status) {
    case "running":
    case "waiting":
      return { runId, active: true, announce: await announce(tx, await askToStop(tx, scope, runId)) };
    case "queued":
      return { runId, active: false, announce: await announce(tx, await endUnclaimed(tx, scope, runId)) };
    case "completed":
    case "failed":
    case "stopped":
      return null;
  }
}
