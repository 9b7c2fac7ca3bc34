import type { ParleyEvent } from "../protocol/events.ts";
import type { Params, Result } from "../protocol/methods.ts";
import type { WhenBusy } from "../protocol/methods/chat.ts";
import type {
  Approval,
  Conversation,
  ConversationSnapshot,
  Excerpt,
  FilePart,
  Folder,
  Message,
  MessageStatus,
  Part,
  Run,
  Session,
  Share,
  Step,
  Tenant,
  ToolArgs,
  Usage,
  User,
} from "../protocol/shapes.ts";
/**
 * The durable truth: Postgres (PGlite or a server), one schema [§6 of the design]. Each method is one transaction
 * (or one statement). Ids and hashes come from the caller; times are the database's clock, ISO 8601 UTC.
 *
 * Visibility: a `Scope` names who asks. Its transactions run as a role that row-level security binds to the tenant;
 * a row of another user or tenant is as if it did not exist. Methods without a scope run as the system role and are
 * for the server itself.
 *
 * Failures: expected ones are values. A store that can't be reached, a lock or statement time-out rejects with
 * `ParleyError("UNAVAILABLE")` (nothing was changed, or it is unknown and the idempotency key tells); anything else
 * is a bug and rejects as it is.
 *
 * Order of truth [L11]: what announces a change is written to the outbox in the same transaction and returned as
 * `announce`; the caller appends those rows to the log right after, then clears them. Whoever dies between leaves
 * rows that any node appends later.
 */
import type { InsightsStore } from "./insights-store.ts";
import type { MemoryStore, PromptStore } from "./library-store.ts";
import type { ToolTransaction } from "./tool.ts";

export interface Scope {
  readonly tenantId: string;
  readonly userId: string;
}

/**
 * Who reads a conversation: its owner, or with `shareHash` (SHA-256 of a link's token, hex) somebody of the same tenant
 * who has the link. The latter's transactions run as a role that sees what the link opens, can write nothing, and sees
 * nothing once the link was revoked.
 */
export interface Reader extends Scope {
  readonly shareHash?: string | undefined;
}

/** A row of the outbox: its id is the event's stable id in the log. Rows of one topic are in commit order. */
export interface Announcement<Event = ParleyEvent> {
  readonly id: string;
  readonly tenantId: string;
  readonly topic: string;
  readonly event: Event;
}

// ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface StoredSession {
  readonly id: string;
  readonly user: User;
  readonly tenant: Tenant;
  readonly roles: readonly string[];
  readonly device: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
}

export interface NewSession {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  /** SHA-256 of the token, hex. The token itself is never stored. */
  readonly tokenHash: string;
  readonly device: string;
  readonly lifetimeMs: number;
  /** How it logged in, for the audit log: `link`, `access-token`. */
  readonly method: string;
}

export interface SessionStore {
  /** The first tenant and its owner, made when the database is new. */
  owner(): Promise<{ readonly tenant: Tenant; readonly user: User }>;
  /** Writes the session and an audit row. */
  create(session: NewSession): Promise<StoredSession>;
  /** null when unknown, expired or revoked: the caller can't tell which. */
  find(tokenHash: string): Promise<StoredSession | null>;
  /** Slides the expiry to now + lifetime; null when it has ended meanwhile. */
  touch(sessionId: string, lifetimeMs: number): Promise<{ readonly expiresAt: string } | null>;
  list(scope: Scope): Promise<readonly Omit<Session, "current">[]>;
  /** Ends a session of this user, with an audit row: the hash of its token; null when there is none to end. */
  revoke(scope: Scope, sessionId: string): Promise<string | null>;
  /** Those of these sessions, at most 1,000, that have not ended. */
  living(sessionIds: readonly string[]): Promise<readonly string[]>;
}

// ── conversations ───────────────────────────────────────────────────────────────────────────────────────────────

/** Identifies one effect [W10]: same tenant, user and key. `paramsHash` tells a repeat from a misuse. */
export interface Idempotency {
  readonly key: string;
  readonly method: string;
  /** SHA-256 of the canonical params, hex. */
  readonly paramsHash: string;
}

export type Idempotent<T> =
  /** Done now, or before under the same key (`repeated`, nothing announced again). */
  | {
      readonly ok: true;
      readonly value: T;
      readonly repeated: boolean;
      readonly announce: readonly Announcement[];
    }
  | { readonly ok: false; readonly reason: "IDEMPOTENCY_MISMATCH" };

export interface MessagePage {
  readonly conversation: Conversation;
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
}

/** Which conversations a list has; those that were deleted are in none. */
export interface ConversationFilter {
  /** In the title; upper and lower case are the same. */
  readonly query?: string | undefined;
  /** Those in the archive, or, by default, the others. */
  readonly archived?: boolean | undefined;
  readonly pinned?: true | undefined;
  readonly folderId?: string | undefined;
}

export interface ConversationPage {
  readonly conversations: readonly Conversation[];
  readonly nextCursor: string | null;
}

export interface ConversationChanges {
  readonly pinned?: boolean | undefined;
  readonly archived?: boolean | undefined;
  /** null: in none. */
  readonly folderId?: string | null | undefined;
}

/** A change that was made, and what announces it. */
export interface Changed {
  readonly conversation: Conversation;
  readonly announce: readonly Announcement[];
}

export interface ConversationStore {
  create(
    scope: Scope,
    input: { readonly id: string; readonly title: string; readonly model: string | null },
    idempotency: Idempotency | undefined,
  ): Promise<Idempotent<Conversation>>;
  /** Most recently active first. */
  list(
    scope: Scope,
    input: ConversationFilter & { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<ConversationPage>;
  /** null when it is not visible. `fence` is what `EventLog.open` wants. */
  find(
    reader: Reader,
    conversationId: string,
  ): Promise<{ readonly conversation: Conversation; readonly fence: number } | null>;
  rename(scope: Scope, conversationId: string, title: string): Promise<Changed | null>;
  /**
   * Sets what is named. null when it is not visible, or the folder is not; TOO_MANY when as many are pinned as may be.
   */
  update(
    scope: Scope,
    conversationId: string,
    changes: ConversationChanges,
  ): Promise<(Changed & { readonly ok: true }) | { readonly ok: false; readonly reason: "TOO_MANY" } | null>;
  /**
   * Hides it from everybody and ends what runs in it: queued runs at once, an active one is asked to stop (`active`
   * names it). Its link is revoked (`shareId`). null when it is not visible.
   */
  delete(
    scope: Scope,
    conversationId: string,
  ): Promise<{
    readonly active: string | null;
    readonly shareId: string | null;
    readonly announce: readonly Announcement[];
  } | null>;
  /** Takes a deletion back, until the sweep has removed it; one that was not deleted is as it is. null when it is gone. */
  restore(scope: Scope, conversationId: string): Promise<Changed | null>;
  /**
   * Leaves what was deleted to the next sweep, as if its days were over. BUSY while a run of it is being stopped: it may
   * write still. null when it is not deleted, or gone.
   */
  purge(
    scope: Scope,
    conversationId: string,
  ): Promise<
    | { readonly ok: true; readonly announce: readonly Announcement[] }
    | { readonly ok: false; readonly reason: "BUSY" }
    | null
  >;
  /** What can be restored, the last that was deleted first. */
  listDeleted(scope: Scope, page: Params<"conversation.listDeleted">): Promise<Result<"conversation.listDeleted">>;
  /**
   * Makes the newest branch that holds the message the active one. null when not visible. BUSY while a run is active
   * or queued: it would answer on a branch that nobody looks at.
   */
  selectBranch(
    scope: Scope,
    conversationId: string,
    messageId: string,
  ): Promise<
    | { readonly ok: true; readonly conversation: Conversation; readonly announce: readonly Announcement[] }
    | { readonly ok: false; readonly reason: "BUSY" }
    | null
  >;
  /** Messages before one, oldest first, at most `limit` and about `maxBytes` of text (at least one; parts are cut). */
  messages(
    reader: Reader,
    conversationId: string,
    page: { readonly before?: string | undefined; readonly limit: number; readonly maxBytes: number },
  ): Promise<MessagePage | null>;
  /** Everything a subscriber starts from, in one transaction on the primary [L11]. Parts are cut to fit `maxBytes`. */
  snapshot(reader: Reader, conversationId: string, maxBytes: number): Promise<ConversationSnapshot | null>;
  /**
   * One part as stored, whole; null when the message is not visible. `part` is null when the row has no such part: that
   * of a streaming message may be in the log alone.
   */
  part(
    reader: Reader,
    messageId: string,
    partIndex: number,
  ): Promise<{ readonly conversationId: string; readonly status: MessageStatus; readonly part: Part | null } | null>;
  /** The fence of a conversation, for the server itself (no scope); null when it does not exist. */
  fence(conversationId: string): Promise<number | null>;
}

export interface Hit {
  readonly conversation: Conversation;
  /** Where the words are; undefined when the title has them. */
  readonly excerpt?: Excerpt;
}

export interface SearchStore {
  /**
   * The conversations whose title, or one of whose messages, has all of the words, most recently active first. Upper
   * and lower case are the same. Looks at a bounded number of messages a call: where that ended before the oldest one,
   * `nextCursor` says where to go on, though there may be fewer hits than `limit`, or none.
   */
  search(
    scope: Scope,
    input: { readonly query: string; readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ readonly hits: readonly Hit[]; readonly nextCursor: string | null }>;
}

export interface FolderStore {
  /** By name, at most 50. */
  list(scope: Scope): Promise<readonly Folder[]>;
  create(
    scope: Scope,
    input: { readonly id: string; readonly name: string },
    idempotency: Idempotency,
  ): Promise<Idempotent<Folder> | { readonly ok: false; readonly reason: "TOO_MANY" }>;
  rename(
    scope: Scope,
    folderId: string,
    name: string,
  ): Promise<{ readonly folder: Folder; readonly announce: readonly Announcement[] } | null>;
  /** Its conversations are in no folder afterwards. null when there was none. */
  delete(scope: Scope, folderId: string): Promise<{ readonly announce: readonly Announcement[] } | null>;
}

export interface ShareStore {
  find(scope: Scope, conversationId: string): Promise<Share | null>;
  /** Makes the link, with an audit row. A link that was there before is revoked: `revoked` is its id. */
  create(
    scope: Scope,
    input: { readonly id: string; readonly conversationId: string; readonly tokenHash: string },
  ): Promise<{ readonly share: Share; readonly revoked: string | null } | null>;
  /** The id of the link that is no more, with an audit row; null when there was none. */
  revoke(scope: Scope, conversationId: string): Promise<string | null>;
  /** What the link opens, and who made it; null when it opens nothing. */
  open(
    reader: Reader,
  ): Promise<{ readonly share: Share; readonly sharedBy: User; readonly conversation: Conversation } | null>;
  /** Those of these links, at most 1,000, that still open something. */
  living(shareIds: readonly string[]): Promise<readonly string[]>;
}

// ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface SendInput {
  readonly conversationId: string;
  readonly userMessageId: string;
  readonly runId: string;
  readonly assistantMessageId: string;
  readonly text: string;
  /** Beside the text; files that are not this user's are NO_FILE. */
  readonly fileIds: readonly string[];
  /** Of the run; or who chooses it, told which one the conversation has. When that throws, nothing was written. */
  readonly model: string | ((ofConversation: string | null) => string);
  readonly whenBusy: WhenBusy;
  /**
   * `edit`: the new message stands beside this message of the person, on a branch of its own. Never steers or
   * interrupts: it queues while a run is active.
   */
  readonly editOf?: string;
  /** Queued runs that one conversation may hold. */
  readonly maxQueued: number;
  readonly deadlineMs: number;
  /** Set when the conversation has no title yet: what it is called from now on. */
  readonly title: string;
  /** Where nothing is active or queued the run is claimed as it is accepted, as `claim` would [R3, R4]. */
  readonly claim?: ClaimTerms;
}

export interface Sent {
  readonly runId: string;
  readonly userMessageId: string;
  readonly state: "running" | "queued" | "steered";
  /** With `interrupt`: the run that must stop first. Its owner is told by the caller. */
  readonly interrupted: string | null;
}

export type SendResult =
  | (Idempotent<Sent> & {
      /** The run was claimed. `announce` comes before what this announces. */
      readonly claimed?: Claimed;
    })
  | { readonly ok: false; readonly reason: "NOT_FOUND" | "BUSY" | "QUEUE_FULL" | "NO_FILE" };

/** Answers a message that was answered before: another branch. */
export interface AgainInput {
  readonly conversationId: string;
  /** `messageId`: the answer beside which the new one stands. `runId`: a run that failed or was stopped. */
  readonly target: { readonly messageId: string } | { readonly runId: string };
  readonly runId: string;
  readonly assistantMessageId: string;
  /** undefined: the model that answered before. */
  readonly model: string | undefined;
  readonly maxQueued: number;
  readonly deadlineMs: number;
}

/** Says whose write it is. A write whose fence or status no longer holds changes nothing [R4]. */
export interface Lease {
  readonly runId: string;
  readonly tenantId: string;
  /** The run's author: a run works with this user's permissions and sees what this user sees [R2]. */
  readonly userId: string;
  readonly conversationId: string;
  readonly fence: number;
  /** The engine (one per process start) that claimed it. */
  readonly owner: string;
}

export interface ClaimedRun {
  readonly lease: Lease;
  readonly run: Run;
  readonly steps: readonly StoredStep[];
  /** Of this run, whatever their status. */
  readonly approvals: readonly StoredApproval[];
  /** Tools that this user allowed always. */
  readonly allowedTools: readonly string[];
  /** Messages that wait to join the run [R2]. */
  readonly steers: number;
  /** The answer as journaled: the parts of finished steps. */
  readonly message: Message;
  /** The branch that leads to the answer, oldest first, the newest that fit `maxBytes`. */
  readonly transcript: readonly Message[];
  /** Milliseconds until the run's deadline, by the database's clock; may be negative. */
  readonly deadlineInMs: number;
  /** Was it taken over from an expired lease? */
  readonly takeover: boolean;
}

export interface ClaimTerms {
  readonly owner: string;
  readonly leaseMs: number;
  /** Of the transcript. */
  readonly transcriptBytes: number;
}

/** What a claim brought, and what tells of it. */
export interface Claimed {
  readonly runs: readonly ClaimedRun[];
  readonly announce: readonly Announcement[];
}

/** A step as journaled, with what is nobody's business but the provider's. */
export interface StoredStep extends Step {
  /** Of a call of a model that completed: the parts [from, to) of this answer are what it said. */
  readonly answer?: { readonly messageId: string; readonly from: number; readonly to: number };
  readonly continuation?: unknown;
  /** Tokens of one call of a model, for the table of usage; written once, when the step is first stored as ended. */
  readonly call?: {
    readonly provider: string;
    readonly model: string;
    readonly firstTokenMs: number | null;
    readonly durationMs: number;
  };
}

export interface StoredApproval extends Approval {
  /** Exactly what may run: the arguments asked for, or those that the person put in their place. */
  readonly decidedArgs: ToolArgs | null;
}

export interface NewApproval extends Pick<
  Approval,
  "id" | "messageId" | "partIndex" | "toolCallId" | "tool" | "args" | "reason" | "summary"
> {
  readonly timeoutMs: number;
}

/** One commit of a run's journal: what changed since the last, and how it ended if it did. */
export interface JournalWrite {
  /** Upserts by id. Announced as STEP_STARTED and STEP_FINISHED. */
  readonly steps: readonly StoredStep[];
  /** The whole answer so far, not what was added. */
  readonly parts: readonly Part[];
  /** The run's total so far. */
  readonly usage: Usage;
  /** Indexes of tool parts that changed: announced as TOOL_CALL_RESULT where they have ended, else as tool.updated. */
  readonly changed?: readonly number[];
  /** Announced as approval.requested. */
  readonly approvals?: readonly NewApproval[];
  /**
   * The run waits for a person from here and gives its lease up [R7]. Not when one of its pending approvals was decided
   * meanwhile, or a stop was asked for: then `waiting` is false in the result and the caller goes on.
   */
  readonly wait?: true;
  /** `completed` does not end a run with steers that have not joined it: `ended` is false, and the caller takes them. */
  readonly end?:
    | { readonly status: "completed" }
    | { readonly status: "stopped" }
    | { readonly status: "failed"; readonly code: string; readonly message: string };
}

export type Committed =
  | {
      readonly ok: true;
      readonly announce: readonly Announcement[];
      /** It has ended, and another run of the conversation may be claimed now. */
      readonly next: boolean;
      readonly ended: boolean;
      readonly waiting: boolean;
      /** As of this commit. */
      readonly steers: number;
      readonly stopRequested: boolean;
      readonly approvals: readonly StoredApproval[];
    }
  /** Not yours any more: nothing was written, stop. */
  | { readonly ok: false; readonly reason: "FENCED" };

/** What steers make of a run: the answer so far is complete, they follow it, and the run writes a new answer. */
export interface Steered {
  readonly run: Run;
  readonly message: Message;
  /** What the branch gained: the finished answer and the steers, oldest first. */
  readonly added: readonly Message[];
  readonly announce: readonly Announcement[];
}

export interface RunStore {
  /**
   * [R1] user message + run + key in one transaction, with the conversation row locked first [R2].
   * A run of an idle conversation is "running" to its sender though a worker has yet to claim it; such a one takes a
   * steer at once, as its question.
   */
  send(scope: Scope, input: SendInput, idempotency: Idempotency): Promise<SendResult>;
  /** NOT_FOUND too when the target is no answer, or has not ended. Queues while a run is active. */
  again(scope: Scope, input: AgainInput, idempotency: Idempotency): Promise<SendResult>;
  /**
   * Ends a queued run at once; asks an active one to stop (`active` names it). null when nothing visible can be
   * stopped.
   */
  stop(
    scope: Scope,
    target: { readonly conversationId: string } | { readonly runId: string },
  ): Promise<{ readonly runId: string; readonly active: boolean; readonly announce: readonly Announcement[] } | null>;
  get(scope: Scope, runId: string): Promise<{ readonly run: Run; readonly steps: readonly Step[] } | null>;

  /**
   * [R3, R4] Takes up to `limit` claimable runs in one transaction: next fence, status running, lease, answer message
   * (made at the first claim), `parentId` of a queued message. Never a run in `held`.
   */
  claim(
    owner: string,
    options: {
      readonly limit: number;
      readonly leaseMs: number;
      readonly held: readonly string[];
      readonly transcriptBytes: number;
    },
  ): Promise<Claimed>;
  /**
   * For runs that may have been claimed for `owner` by a `send` whose answer was lost: those that were are handed back.
   * Their ids may be of runs that were never written.
   */
  disown(owner: string, runIds: readonly string[]): Promise<void>;
  /** Extends the leases that still hold (also expired ones whose fence is unchanged); the rest are lost. */
  renew(
    leases: readonly Lease[],
    leaseMs: number,
  ): Promise<readonly { readonly runId: string; readonly stopRequested: boolean }[]>;
  /**
   * Steers that have not joined a run which ends failed or stopped become a queued run of their own, at the front:
   * nothing accepted is lost.
   */
  commit(lease: Lease, write: JournalWrite): Promise<Committed>;
  /**
   * Runs a transactional tool and journals what came of it in the same transaction. The run's row is locked and its
   * fence checked before `work` starts; what `work` throws rolls all of it back and is thrown on.
   */
  commitWith(
    lease: Lease,
    work: (tx: Omit<ToolTransaction, "toolCallId">) => Promise<JournalWrite>,
  ): Promise<Committed>;
  /**
   * Lets the steers join [R2]. null when there are none; "fenced" as above. `messageId` names the new answer. An answer
   * without parts is not ended: it moves behind the steers, stays the run's answer under its own id, and is not among
   * what was `added`.
   */
  steer(
    lease: Lease,
    messageId: string,
    parts: readonly Part[],
    usage: Usage,
  ): Promise<Steered | null | { readonly ok: false; readonly reason: "FENCED" }>;
  /** Hands a run back: its lease is expired now, so that anybody may go on [R12]. */
  release(leases: readonly Lease[]): Promise<void>;
  /** [R3] The one process on this database starts: every lease in it is an orphan. Returns how many. */
  expireAllLeases(): Promise<number>;
  countByStatus(): Promise<Readonly<Record<string, number>>>;
}

// ── approvals ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface ApprovalStore {
  find(scope: Scope, approvalId: string): Promise<Approval | null>;
  /** Pending, oldest first, at most 100. */
  pending(scope: Scope): Promise<readonly Approval[]>;
  /**
   * [R7] Compare-and-set. A run that waits becomes running with an expired lease: the caller wakes the agent.
   * `decided` is false when it was decided before; the caller compares.
   */
  decide(
    scope: Scope,
    approvalId: string,
    decision: { readonly approve: boolean; readonly args: ToolArgs | null; readonly remember: boolean },
  ): Promise<{
    readonly approval: StoredApproval;
    readonly decided: boolean;
    readonly announce: readonly Announcement[];
  } | null>;
  /** Denies those whose time is over by the database's clock, at most `limit`; their runs go on. */
  expire(limit: number): Promise<readonly Announcement[]>;
}

// ── files ─────────────────────────────────────────────────────────────────────────────────────────────

export interface StoredFile extends Omit<FilePart, "type"> {
  readonly conversationId: string | null;
  readonly createdAt: string;
}

export interface FileRows {
  create(scope: Scope, file: Pick<StoredFile, "fileId" | "name" | "mediaType" | "size">): Promise<StoredFile>;
  /** By a link, those of the conversation that it opens. */
  find(reader: Reader, fileId: string): Promise<StoredFile | null>;
  /** Files that messages of the conversation refer to, oldest first, at most 200. */
  list(scope: Scope, conversationId: string): Promise<readonly StoredFile[]>;
  /** False when there was none. */
  delete(scope: Scope, fileId: string): Promise<boolean>;
  /** Of these ids, those that have a row: for the sweeper, as the system role. */
  known(fileIds: readonly string[]): Promise<readonly string[]>;
  /**
   * Of these ids, removes the rows of those that no message ever referred to and that are at least so old, seven days if
   * less is said, and answers them. One that a message is about to refer to stays, or the message gets NO_FILE.
   */
  removeUnused(fileIds: readonly string[], olderThanMs: number): Promise<readonly string[]>;
}

// ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface OutboxStore {
  /** Rows older than this, oldest first: their committer died or failed before it appended them. */
  stale(olderThanMs: number, limit: number): Promise<readonly Announcement[]>;
  /**
   * The rows of `ids` that nobody has cleared, and all rows of their topics that were committed before them and are not
   * cleared either: in the order of their commits, at most `limit`. Null for what those of `ids` say, which is known.
   */
  upTo(ids: readonly string[], limit: number): Promise<readonly Announcement<ParleyEvent | null>[]>;
  clear(ids: readonly string[]): Promise<void>;
}

export interface Store {
  readonly sessions: SessionStore;
  readonly conversations: ConversationStore;
  readonly search: SearchStore;
  readonly folders: FolderStore;
  readonly shares: ShareStore;
  readonly runs: RunStore;
  readonly approvals: ApprovalStore;
  readonly files: FileRows;
  readonly memories: MemoryStore;
  readonly prompts: PromptStore;
  readonly insights: InsightsStore;
  readonly outbox: OutboxStore;
  /**
   * Deletes what has outlived its use, a bounded number of rows: expired sessions, idempotency keys after 24 h, deleted
   * conversations after 7 days, with their messages, runs, and files that no other conversation refers to.
   */
  sweep(): Promise<void>;
  /** Rejects when the database does not answer within `timeoutMs`. */
  probe(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}
