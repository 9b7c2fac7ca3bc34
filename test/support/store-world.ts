/** People, conversations and turns in a store under test, and a way to look behind row-level security. */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import type { Access, Database } from "../../src/adapters/database.ts";
import { statement } from "../../src/adapters/statement.ts";
import { createStore } from "../../src/adapters/store.drizzle.ts";
import type {
  Announcement,
  Claimed,
  ClaimedRun,
  ClaimTerms,
  Idempotency,
  JournalWrite,
  Lease,
  Scope,
  Sent,
  Store,
} from "../../src/ports/store.ts";
import { parleyEvent, type ParleyEvent } from "../../src/protocol/events.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { WhenBusy } from "../../src/protocol/methods/chat.ts";
import type { Conversation, ToolArgs } from "../../src/protocol/shapes.ts";
import { aToolPart } from "./shapes.fake.ts";

export interface World {
  readonly database: Database;
  readonly store: Store;
}

export const worldOf = (database: Database): World => ({ database, store: createStore(database) });

const insertTenant = statement<{ tenantId: string }, unknown>(
  "test_insert_tenant",
  (p) => sql`insert into tenants (tenant_id, name) values (${p.tenantId}, 'A tenant')`,
);
const insertUser = statement<{ tenantId: string; userId: string }, unknown>(
  "test_insert_user",
  (p) => sql`insert into users (id, tenant_id, name, roles) values (${p.userId}, ${p.tenantId}, 'A user', '{}')`,
);

/** A new user, of a new tenant unless one is named. */
export async function newUser({ database }: World, tenantId?: string): Promise<Scope> {
  const scope = { tenantId: tenantId ?? uuidv7(), userId: uuidv7() };
  await database.transaction("system", async (tx) => {
    if (tenantId === undefined) await tx.run(insertTenant, { tenantId: scope.tenantId });
    await tx.run(insertUser, scope);
  });
  return scope;
}

let statements = 0;

/** Runs any statement as the role that the access gives. */
export async function runAs<Row = Record<string, unknown>>(
  { database }: World,
  access: Access,
  text: string,
): Promise<Row[]> {
  const any = statement<Record<string, never>, Row>(`test_${process.pid}_${++statements}`, () => sql.raw(text));
  return database.transaction(access, (tx) => tx.run(any, {}));
}

const resetRole = statement<Record<string, never>, unknown>("test_reset_role", () => sql`reset role`);

/** Runs any statement as the superuser that tests connect as. */
export async function runAsAdmin<Row = Record<string, unknown>>({ database }: World, text: string): Promise<Row[]> {
  const any = statement<Record<string, never>, Row>(`test_${process.pid}_${++statements}`, () => sql.raw(text));
  return database.transaction("system", async (tx) => {
    await tx.run(resetRole, {});
    return tx.run(any, {});
  });
}

/** A key that was never used; the hash stands for the params. */
export const newKey = (method = "chat.send", paramsHash = "params"): Idempotency => ({
  key: uuidv7(),
  method,
  paramsHash,
});

export async function newConversation({ store }: World, scope: Scope, title = "A title"): Promise<Conversation> {
  const result = await store.conversations.create(scope, { id: uuidv7(), title, model: null }, undefined);
  assert(result.ok);
  return result.value;
}

export interface SendOptions {
  readonly text?: string;
  readonly whenBusy?: WhenBusy;
  readonly maxQueued?: number;
  readonly deadlineMs?: number;
  readonly title?: string;
  readonly model?: string;
  readonly userMessageId?: string;
  readonly fileIds?: readonly string[];
  readonly editOf?: string;
  readonly idempotency?: Idempotency;
  readonly runId?: string;
  readonly claim?: ClaimTerms | undefined;
}

export const trySend = (
  { store }: World,
  scope: Scope,
  conversationId: string,
  { text = "Hello", whenBusy = "queue", maxQueued = 20, ...options }: SendOptions = {},
): ReturnType<Store["runs"]["send"]> =>
  store.runs.send(
    scope,
    {
      conversationId,
      userMessageId: options.userMessageId ?? uuidv7(),
      runId: options.runId ?? uuidv7(),
      assistantMessageId: uuidv7(),
      text,
      ...(options.claim === undefined ? {} : { claim: options.claim }),
      fileIds: options.fileIds ?? [],
      ...(options.editOf === undefined ? {} : { editOf: options.editOf }),
      model: options.model ?? "demo",
      whenBusy,
      maxQueued,
      deadlineMs: options.deadlineMs ?? 60_000,
      title: options.title ?? "From the text",
    },
    options.idempotency ?? newKey(),
  );

/** Sends, and expects it to be accepted. */
export async function send(
  world: World,
  scope: Scope,
  conversationId: string,
  options?: SendOptions,
): Promise<Sent & { readonly announce: readonly Announcement[]; readonly claimed?: Claimed | undefined }> {
  const result = await trySend(world, scope, conversationId, options);
  assert(result.ok, JSON.stringify(result));
  return { ...result.value, announce: result.announce, ...(result.claimed && { claimed: result.claimed }) };
}

export const LEASE_MS = 15_000;

export const claimAll = (
  { store }: World,
  owner = "engine",
  { limit = 50, leaseMs = LEASE_MS, held = [] as readonly string[], transcriptBytes = 100_000 } = {},
): ReturnType<Store["runs"]["claim"]> => store.runs.claim(owner, { limit, leaseMs, held, transcriptBytes });

/** Claims until this conversation's run is among the claimed. */
export async function claimOf(
  world: World,
  conversationId: string,
  owner?: string,
  options?: Parameters<typeof claimAll>[2],
): Promise<ClaimedRun & { readonly announce: readonly Announcement[] }> {
  const { runs, announce } = await claimAll(world, owner, options);
  const run = runs.find(({ lease }) => lease.conversationId === conversationId);
  assert(run !== undefined, "nothing of the conversation is claimable");
  return { ...run, announce: announce.filter(({ topic }) => topic === `conversation:${conversationId}`) };
}

export const ended = (
  text = "Answer",
  end: NonNullable<JournalWrite["end"]> = { status: "completed" },
): JournalWrite => ({
  steps: [],
  parts: [{ type: "text", text }],
  usage: { inputTokens: 3, outputTokens: 5 },
  end,
});

export async function finish({ store }: World, lease: Lease, write = ended()): Promise<readonly Announcement[]> {
  const result = await store.runs.commit(lease, write);
  assert(result.ok, "fenced");
  return result.announce;
}

/** One whole turn: sent, claimed, answered. */
export async function turn(world: World, scope: Scope, conversationId: string, text = "Hello", answer = "Answer") {
  const sent = await send(world, scope, conversationId, { text });
  const { lease, message } = await claimOf(world, conversationId);
  await finish(world, lease, ended(answer));
  return { ...sent, assistantMessageId: message.id };
}

/** A commit that must be accepted. */
export async function commit({ store }: World, lease: Lease, write: Partial<JournalWrite>) {
  const usage = { inputTokens: 0, outputTokens: 0 };
  const result = await store.runs.commit(lease, { steps: [], parts: [], usage, ...write });
  assert(result.ok, "fenced");
  return result;
}

export interface AskOptions {
  readonly timeoutMs?: number;
  readonly args?: ToolArgs;
  readonly tool?: string;
  readonly wait?: boolean;
}

/** What a run writes that asks for one tool call, and by default waits for the answer. */
export function asking(
  messageId: string,
  { timeoutMs = 60_000, args = { name: "a.txt" }, tool = "files_delete", wait = true }: AskOptions = {},
) {
  const id = uuidv7();
  const toolCallId = `call-${id}`;
  const part = aToolPart({ toolCallId, name: tool, args, status: "waiting", approvalId: id });
  const question = {
    id,
    messageId,
    partIndex: 0,
    toolCallId,
    tool,
    args,
    reason: "call",
    summary: "Deletes it.",
  } as const;
  const approvals = [{ ...question, timeoutMs }];
  const write: Partial<JournalWrite> = { parts: [part], changed: [0], approvals, ...(wait ? { wait: true } : {}) };
  return { approvalId: id, part, approvals, write };
}

/** A run that was sent and claimed, and waits for a person unless that is not wanted. */
export async function asked(world: World, scope: Scope, options?: AskOptions & { readonly conversationId?: string }) {
  const conversationId = options?.conversationId ?? (await newConversation(world, scope)).id;
  const { runId } = await send(world, scope, conversationId);
  const { lease, message } = await claimOf(world, conversationId);
  const { approvalId, part, write } = asking(message.id, options);
  const committed = await commit(world, lease, write);
  return { conversationId, runId, lease, messageId: message.id, approvalId, part, committed };
}

/** What is announced, after a check that each is an event of the protocol. */
export const eventsOf = (announcements: readonly Announcement[]): ParleyEvent[] =>
  announcements.map(({ event }) => checked(event));

/** The names of the events, after a check that each is one of the protocol. */
export function namesOf(announcements: readonly Announcement[]): string[] {
  return announcements.map(({ topic, event }) => `${topic.split(":")[0]} ${nameOf(checked(event))}`);
}

const nameOf = (event: ParleyEvent): string => (event.type === "CUSTOM" ? event.name : event.type);

function checked(event: ParleyEvent): ParleyEvent {
  // Strictly the same: the schema would drop a field it does not know.
  assert.deepEqual(parleyEvent.parse(event), event);
  return event;
}

/** What the outbox holds of a topic, oldest first. */
export async function outboxOf({ store }: World, topic: string): Promise<Announcement[]> {
  return (await store.outbox.stale(0, 100_000)).filter((row) => row.topic === topic);
}
