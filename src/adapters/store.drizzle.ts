/** The store over Postgres, embedded or served: the same statements on both. */
import { sql } from "drizzle-orm";
import type { Store } from "../ports/store.ts";
import type { Database } from "./database.ts";
import { statement } from "./statement.ts";
import { createApprovalStore } from "./store.approvals.ts";
import { createAgainStore, createBranchStore } from "./store.branches.ts";
import { createClaimStore } from "./store.claims.ts";
import { createConversationStore } from "./store.conversations.ts";
import { createFileRows } from "./store.files.ts";
import { createFolderStore } from "./store.folders.ts";
import { createInsightsStore } from "./store.insights.ts";
import { createJournalStore } from "./store.journal.ts";
import { createLeaseStore } from "./store.leases.ts";
import { createMemoryStore } from "./store.memories.ts";
import { createOrganiseStore } from "./store.organise.ts";
import { createOutboxStore } from "./store.outbox.ts";
import { createPromptStore } from "./store.prompts.ts";
import { purgeDeleted } from "./store.purge.ts";
import { createRunStore } from "./store.runs.ts";
import { createSearchStore } from "./store.search.ts";
import { createSendStore } from "./store.send.ts";
import { createSessionStore } from "./store.sessions.ts";
import { createShareStore } from "./store.shares.ts";
import { createSteerStore } from "./store.steers.ts";

/** Rows of a table that one sweep deletes. */
const SWEEP_ROWS = 1_000;

const sweepSessions = statement<{ limit: number }, unknown>(
  "sweep_sessions",
  (p) => sql`
    delete from sessions where id in (
      select id from sessions where expires_at <= now() order by expires_at limit ${p.limit})`,
);

const sweepKeys = statement<{ limit: number }, unknown>(
  "sweep_keys",
  (p) => sql`
    delete from idempotency_keys where (tenant_id, user_id, key) in (
      select tenant_id, user_id, key from idempotency_keys
      where created_at <= now() - interval '24 hours' order by created_at limit ${p.limit})`,
);

export const createStore = (database: Database, listing?: Pick<Database, "transaction">): Store => ({
  sessions: createSessionStore(database),
  conversations: {
    ...createConversationStore(database, listing),
    ...createBranchStore(database),
    ...createOrganiseStore(database),
  },
  search: createSearchStore(listing ?? database),
  folders: createFolderStore(database),
  shares: createShareStore(database),
  runs: {
    ...createSendStore(database),
    ...createAgainStore(database),
    ...createRunStore(database),
    ...createClaimStore(database),
    ...createLeaseStore(database),
    ...createJournalStore(database),
    ...createSteerStore(database),
  },
  approvals: createApprovalStore(database),
  files: createFileRows(database),
  memories: createMemoryStore(database),
  prompts: createPromptStore(database),
  insights: createInsightsStore(listing ?? database),
  outbox: createOutboxStore(database),
  async sweep() {
    await database.transaction("system", (tx) => tx.run(sweepSessions, { limit: SWEEP_ROWS }));
    await database.transaction("system", (tx) => tx.run(sweepKeys, { limit: SWEEP_ROWS }));
    await purgeDeleted(database);
    await database.maintain();
  },
  probe: (timeoutMs) => database.probe(timeoutMs),
  close: () => database.close(),
});
