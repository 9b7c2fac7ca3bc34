import { sql } from "drizzle-orm";
/** A transaction in which a transactional tool works [R5]: it gets what is in here, and nothing of the database. */
import type { Announcement, JournalWrite, Lease, RunStore } from "../ports/store.ts";
import type { Database, Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { onConversation } from "./store.announce.ts";
import { forgetMemories, saveMemory } from "./store.memories.ts";

type Work = Parameters<RunStore["commitWith"]>[1];
type ToolHandle = Parameters<Work>[0];

/** Runs the tool for the answer `messageId`; what its changes announce comes with what it wants to be journaled. */
export type RunTool = (
  messageId: string,
  work: Work,
) => Promise<{ readonly write: JournalWrite; readonly announcements: readonly Announcement[] }>;

/** Carries what a tool has thrown past the database: it is neither a failed statement nor a broken connection. */
class Rollback extends Error {
  override readonly name = "Rollback";
  readonly code = "ROLLBACK";
}

const writePlan = statement<{ messageId: string; plan: string }, unknown>(
  "write_plan",
  (p) => sql`update messages set plan = ${p.plan}::jsonb where id = ${p.messageId}`,
);

/** With the conversation locked. What the tool throws comes out as it is, after the rollback. */
export async function withTool<T>(
  database: Database,
  lease: Lease,
  body: (tx: Transaction, runTool: RunTool) => Promise<T>,
): Promise<T> {
  let thrown: { readonly error: unknown } | undefined;
  const work = (tx: Transaction): Promise<T> =>
    body(tx, async (messageId, tool) => {
      const { handle, close, announcements } = openHandle(tx, lease, messageId);
      try {
        const write = await tool(handle);
        close();
        return { write, announcements };
      } catch (error) {
        // A statement that failed tells more than what the tool made of it.
        close();
        thrown = { error };
        throw new Rollback("A tool failed", { cause: error });
      }
    });
  try {
    return await database.transaction(lease, work, { lock: lease.conversationId });
  } catch (error) {
    if (error instanceof Rollback && thrown !== undefined) throw thrown.error;
    throw error;
  }
}

interface OpenHandle {
  readonly handle: ToolHandle;
  /** Throws what a statement failed with, whatever the tool made of it. From here on the handle does nothing. */
  readonly close: () => void;
  readonly announcements: readonly Announcement[];
}

function openHandle(tx: Transaction, lease: Lease, messageId: string): OpenHandle {
  const { runId, conversationId } = lease;
  const announcements: Announcement[] = [];
  let failure: { readonly error: unknown } | undefined;
  let closed = false;
  const guarded = async <T>(change: () => Promise<T>): Promise<T> => {
    if (closed) throw new Error("The transaction of this tool call is over");
    try {
      return await change();
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  };
  return {
    announcements,
    close() {
      closed = true;
      if (failure !== undefined) throw failure.error;
    },
    handle: {
      saveMemory: (text) => guarded(() => saveMemory(tx, lease, text)),
      forgetMemories: (words) => guarded(() => forgetMemories(tx, words)),
      setPlan: (tasks) =>
        guarded(async () => {
          const plan = tasks.map(({ id, title, status }) => ({ id, title, status }));
          await tx.run(writePlan, { messageId, plan: toJson(plan) });
          announcements.push(
            onConversation(lease, conversationId, {
              type: "CUSTOM",
              name: "plan.updated",
              value: { messageId, runId, plan },
            }),
          );
        }),
    },
  };
}
