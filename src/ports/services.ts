/**
 * What a handler may ask of the rest of the server. Handlers hold no connection: they return values, and everything
 * else reaches subscribers through the log [L1].
 */
import type { Params, Result } from "../protocol/methods.ts";
import type { ModelInfo, Share, ToolArgs, ToolInfo, User } from "../protocol/shapes.ts";
import type { FileStore } from "./files.ts";
import type { ModelProvider } from "./model.ts";
import type { Announcement, Claimed, ClaimTerms, Scope, Store, StoredSession } from "./store.ts";

/** Topics of one connection. The gateway makes one per connection. */
export interface TopicService {
  /**
   * Checks that the topic is visible (NOT_FOUND otherwise), and answers where its events will start. The events
   * themselves start when the response has been written; the gateway sees to that. A second subscribe to a topic
   * replaces the first.
   */
  subscribe(scope: Scope, params: Params<"topic.subscribe">): Promise<Result<"topic.subscribe">>;
  unsubscribe(topic: string): void;
  readonly presence: PresenceService;
}

/**
 * Who looks at the topics of one connection [L10]. NOT_FOUND for a topic that it is not subscribed to. What was put in is
 * taken out with the subscription, or the connection.
 */
export interface PresenceService {
  /** FORBIDDEN for who reads by a link and says "typing"; RATE_LIMITED, TOO_MANY. */
  update(user: User, params: Params<"presence.update">): Promise<Result<"presence.update">>;
  leave(topic: string): void;
  list(topic: string): Promise<Result<"presence.list">>;
}

/** Reads that combine log and store, in the order of [L11]: log first, then store. */
export interface ReadService {
  conversation(scope: Scope, params: Params<"conversation.get">): Promise<Result<"conversation.get">>;
  part(scope: Scope, params: Params<"message.read">): Promise<Result<"message.read">>;
}

/** What a run that is about to be accepted is claimed with, by the process that accepts it [R3]. */
export interface ClaimOffer {
  readonly terms: ClaimTerms;
  /** It was claimed. Called once its sender's own announcements are on their way. */
  take(claimed: Claimed): void;
  /** Nobody knows whether it was: the transaction failed. Returns at once. */
  failed(error: unknown): void;
}

export interface AgentService {
  /** Undefined when this process takes no run now: it is found after a `wake`. */
  offer(runId: string): ClaimOffer | undefined;
  /** Appends outbox rows to the log and clears them [L11]. Never rejects: rows that fail stay for the sweeper. */
  announce(rows: readonly Announcement[]): Promise<void>;
  /** A run became claimable. Returns at once. */
  wake(): void;
  /** Its row says stop: tells the owner, if it is here; elsewhere the lease renewal does. Returns at once. */
  stopRequested(runId: string): void;
}

/** Links to conversations. Their tokens are random, told once, and stored as hashes. */
export interface ShareService {
  /** Makes a link, in place of the one that was there; null when the conversation is not visible. */
  create(scope: Scope, conversationId: string): Promise<{ readonly share: Share; readonly shareToken: string } | null>;
  revoke(scope: Scope, conversationId: string): Promise<void>;
  /** null when it opens nothing for this user. */
  open(scope: Scope, shareToken: string): ReturnType<Store["shares"]["open"]>;
  /** It opens nothing any more: whoever reads by it, on any node, is asked to subscribe again. Returns at once. */
  revoked(shareId: string): void;
}

export interface SessionService {
  /**
   * Logs in with the access token; rejects with AUTH_FAILED, or RATE_LIMITED after too many refusals of `address`. The
   * token is returned once.
   */
  login(
    token: string,
    device: string,
    address: string,
  ): Promise<{ readonly session: StoredSession; readonly sessionToken: string }>;
  /** Loads a session by its token; rejects with SESSION_ENDED, or RATE_LIMITED as above. */
  resume(sessionToken: string, address: string): Promise<StoredSession>;
  /** Ends a session of the user and closes its connections on every node (4504); false when there was none. */
  revoke(scope: Scope, sessionId: string): Promise<boolean>;
}

/** A model, who serves it, and with which key. */
export interface ModelCandidate {
  readonly model: string;
  readonly provider: ModelProvider;
  /** Names the key, never holds it: without spaces, "server" for the operator's. */
  readonly keyId: string;
}

export interface ModelCatalog {
  list(): readonly ModelInfo[];
  /** The id to use when none was asked for. */
  readonly defaultModel: string;
  /** Rejects the id with MODEL_UNAVAILABLE when nobody serves it. */
  provider(model: string): ModelProvider;
  /** [R9] This model, then those to ask when it can't be had; each once. Rejects as `provider` does. */
  chain(model: string): readonly ModelCandidate[];
}

export interface ToolCatalog {
  list(): readonly ToolInfo[];
  /** Would this tool run with these arguments? The reason why not, else undefined. */
  refusal(tool: string, args: ToolArgs): string | undefined;
}

export interface RunLimits {
  readonly maxQueued: number;
  readonly deadlineMs: number;
}

export interface Services {
  readonly store: Store;
  readonly sessions: SessionService;
  readonly reads: ReadService;
  readonly agent: AgentService;
  readonly shares: ShareService;
  readonly models: ModelCatalog;
  readonly tools: ToolCatalog;
  readonly files: FileStore;
  readonly runLimits: RunLimits;
}
