/** Answers `topic.subscribe` [W6]: where the events will start, and what the client shows before them. */
import type { EventLog, TopicState } from "../ports/event-log.ts";
import type { Reader, Scope, Store } from "../ports/store.ts";
import { MAX_FRAME_OUT, MAX_PINNED } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Params, Result } from "../protocol/methods.ts";
import type { ConversationSnapshot, Position } from "../protocol/shapes.ts";
import { readerOf } from "../sessions/share-reader.ts";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import { jsonBytes } from "./json-text.ts";
import { fitMessages, growsFrom, overlay } from "./snapshot.ts";
import { TextDeltas } from "./text-deltas.ts";

/** JSON bytes of a snapshot: a frame, less the response around it. */
const SNAPSHOT_BYTES = MAX_FRAME_OUT - 4 * 1024;
/** Enough for the answer that streams and everything that may be queued after it. */
const WIDE_BYTES = 8 * 1024 * 1024;
const LOG_MS = 5_000;
/** How long a snapshot waits for the owner of a running answer to bring its text [L4]. */
const OWNER_MS = 1_000;
const OWNER_POLL_MS = 50;
const CONVERSATIONS = 50;

export interface TopicOpenerOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly clock: Clock;
}

export interface OpenedTopic {
  readonly answer: Result<"topic.subscribe">;
  /** Streaming text beyond the snapshot, to be sent before the log is read. */
  readonly text: TextDeltas | undefined;
  /** The link by which it is read. */
  readonly shareId: string | undefined;
}

const opened = (answer: Result<"topic.subscribe">, shareId?: string, text?: TextDeltas): OpenedTopic => ({
  answer,
  text,
  shareId,
});

export class TopicOpener {
  readonly #log: EventLog;
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ log, store, clock }: TopicOpenerOptions) {
    this.#log = log;
    this.#store = store;
    this.#clock = clock;
  }

  open(scope: Scope, { topic, position, shareToken }: Params<"topic.subscribe">): Promise<OpenedTopic> {
    const colon = topic.indexOf(":");
    const id = topic.slice(colon + 1);
    return topic.slice(0, colon) === "user"
      ? this.#user(scope, topic, id, position)
      : this.#conversation(readerOf(scope, shareToken), topic, id, position);
  }

  async #user(scope: Scope, topic: string, id: string, position: Position | undefined): Promise<OpenedTopic> {
    if (id !== scope.userId) throw new ParleyError("NOT_FOUND");
    if (position !== undefined && (await this.#canReplay(topic, position))) return opened({ mode: "replay", position });
    const { epoch, seq } = await this.#state(topic, 0);
    const { conversations, folders } = this.#store;
    const page = await conversations.list(scope, { limit: CONVERSATIONS });
    const pinned = await conversations.list(scope, { pinned: true, limit: MAX_PINNED });
    const snapshot = {
      conversations: [...page.conversations],
      nextCursor: page.nextCursor,
      pinned: [...pinned.conversations],
      folders: [...(await folders.list(scope))],
    };
    return opened({ mode: "snapshot", position: { epoch, seq }, snapshot });
  }

  async #conversation(reader: Reader, topic: string, id: string, position: Position | undefined): Promise<OpenedTopic> {
    const link = reader.shareHash === undefined ? undefined : await this.#store.shares.open(reader);
    const found = link === null ? null : await this.#store.conversations.find(reader, id);
    if (found === null) throw new ParleyError("NOT_FOUND");
    const shareId = link?.share.id;
    if (position !== undefined && (await this.#canReplay(topic, position))) {
      return opened({ mode: "replay", position }, shareId);
    }
    // The log first, then the store [L11].
    let state = await this.#state(topic, found.fence);
    let rows = await this.#rows(reader, id);
    if (!state.complete && rows.activeRun?.status === "running") {
      state = await this.#waitForOwner(topic, found.fence);
      rows = await this.#rows(reader, id);
    }
    return this.#snapshot(state, rows, shareId);
  }

  #snapshot(state: TopicState, rows: ConversationSnapshot, shareId: string | undefined): OpenedTopic {
    const empty = { ...rows, messages: [], hasMore: true };
    const room = SNAPSHOT_BYTES - jsonBytes(empty);
    const shown = overlay(rows.messages, state.accumulators);
    const { messages, leftOut, rest } = fitMessages(shown, room, growsFrom(rows.messages));
    const text = TextDeltas.of(rest, state.seq, new Date().toISOString());
    if (text === undefined) throw new ParleyError("UNAVAILABLE", { retryAfterMs: 500 });
    const snapshot = { ...rows, messages: [...messages], hasMore: rows.hasMore || leftOut };
    return opened({ mode: "snapshot", position: { epoch: state.epoch, seq: text.before }, snapshot }, shareId, text);
  }

  async #canReplay(topic: string, position: Position): Promise<boolean> {
    const result = await this.#timed(this.#log.read(topic, position, 1));
    return result.ok;
  }

  /** Head and accumulators. A topic that nobody has opened is opened, without the text that only its owner has. */
  async #state(topic: string, fence: number): Promise<TopicState> {
    const state = await this.#timed(this.#log.state(topic));
    if (state !== null) return state;
    const request = { topic, epoch: uuidv7(), fence, accumulators: [], owner: false };
    const result = await this.#timed(this.#log.open(request));
    return result.state;
  }

  async #waitForOwner(topic: string, fence: number): Promise<TopicState> {
    const deadline = this.#clock.now() + OWNER_MS;
    for (;;) {
      await new Promise<void>((resolve) => this.#clock.after(OWNER_POLL_MS, resolve));
      const state = await this.#state(topic, fence);
      if (state.complete || this.#clock.now() >= deadline) return state;
    }
  }

  async #rows(reader: Reader, id: string): Promise<ConversationSnapshot> {
    const read = (maxBytes: number) => this.#store.conversations.snapshot(reader, id, maxBytes);
    let rows = await read(SNAPSHOT_BYTES);
    const answer = rows?.activeRun?.assistantMessageId;
    // Long messages that wait in the queue may have left no room for the answer that streams.
    if (answer !== undefined && !rows?.messages.some((message) => message.id === answer)) rows = await read(WIDE_BYTES);
    if (rows === null) throw new ParleyError("NOT_FOUND");
    return rows;
  }

  #timed<T>(work: Promise<T>): Promise<T> {
    return withDeadline(this.#clock, LOG_MS, work);
  }
}
