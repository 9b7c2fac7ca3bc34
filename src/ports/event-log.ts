/**
 * The ordered log of a topic: the only way to a subscriber [L1].
 *
 *   topic ─┬─ meta: epoch, head, fence, complete?
 *          ├─ entries: seq (first…head], bounded by retention [L9]
 *          └─ accumulators: (messageId, partIndex) → text so far, of messages that stream now
 *
 * An adapter does each call atomically per topic. It may lose everything at any time (that is a new epoch), and its
 * subscriptions may lose, double, delay and reorder; `read` and `heads` are the truth, and delivery repairs from them.
 * Contract suite: `test/contracts/event-log.ts`; the faulty wrapper of the same folder runs it too.
 */
import type { Position } from "../protocol/shapes.ts";

/** What kind of part grows. The text of a tool call is the JSON of its arguments. */
export type PartKind =
  | { readonly type: "text" | "reasoning" }
  | { readonly type: "tool"; readonly toolCallId: string; readonly name: string };

/** Text that a snapshot of an active run shows: one part of one message. UTF-16 text, at most 1 MiB. */
export interface Accumulator {
  readonly messageId: string;
  readonly partIndex: number;
  readonly part: PartKind;
  readonly text: string;
}

/** What an entry does to the accumulators, applied in the same atomic step as the entry. */
export type Accumulate =
  /**
   * Extend a part. `offset` is its UTF-16 length before; the adapter appends `delta.slice(length − offset)` [W5].
   * An offset beyond the text, or text beyond 1 MiB, is not applied and leaves the accumulators incomplete. A part that
   * nothing has begun begins as text.
   */
  | {
      readonly kind: "extend";
      readonly messageId: string;
      readonly partIndex: number;
      readonly offset: number;
      readonly delta: string;
    }
  /**
   * Cut a part back to `length` and drop later parts of that message. With `length` 0 the part goes too, unless `part`
   * says what begins there. The accumulators are complete from here, unless the part is shorter than `length`: then
   * they are incomplete.
   */
  | {
      readonly kind: "reset";
      readonly messageId: string;
      readonly partIndex: number;
      readonly length: number;
      /** Only with `length` 0. */
      readonly part?: PartKind;
    }
  /** The message is complete in the store: forget its parts. */
  | { readonly kind: "drop"; readonly messageId: string };

export const TEXT: PartKind = { type: "text" };

/** Who appends, so that a repeat after a lost reply is recognised [L3]. */
export type AppendIdentity =
  /**
   * A run's owner: `n` counts up by 1 within `writer`, from 1, anew in each epoch. Refused when the topic's fence is
   * above `fence`. One writer appends to one topic.
   */
  | { readonly writer: string; readonly n: number; readonly fence: number }
  /** An unfenced event with a stable id (an outbox row). */
  | { readonly eventId: string };

export interface Append {
  readonly topic: string;
  /** The epoch the caller writes to; null for an unfenced event: whatever is current. */
  readonly epoch: string | null;
  readonly identity: AppendIdentity;
  /** The event's JSON, at most 64 KiB. Encoded once, here; every reader gets these very bytes [L8]. */
  readonly event: string;
  readonly accumulate?: Accumulate;
  /**
   * Set for a delta of any kind, so that delivery may merge neighbours for a slow reader [W5]. It says what the event's JSON
   * says: an adapter may store only one of them.
   */
  readonly delta?: DeltaKey;
}

/** What makes two adjacent deltas mergeable: same message, same part, offsets that join. */
export interface DeltaKey {
  readonly part: PartKind["type"];
  /** Of a tool call's arguments. */
  readonly toolCallId?: string;
  readonly messageId: string;
  readonly partIndex: number;
  readonly offset: number;
  readonly text: string;
}

export type AppendResult =
  | { readonly ok: true; readonly seq: number; readonly duplicate: boolean }
  /** No such topic: somebody must `open` it. Append never creates one. */
  | { readonly ok: false; readonly reason: "NO_EPOCH" }
  | { readonly ok: false; readonly reason: "WRONG_EPOCH"; readonly epoch: string }
  /** A newer owner sealed or opened the topic: stop at once [R4]. */
  | { readonly ok: false; readonly reason: "FENCED"; readonly fence: number }
  /** The writer skipped a number, or the log has forgotten it: nothing was appended. Its owner opens a new epoch. */
  | { readonly ok: false; readonly reason: "HOLE"; readonly expected: number };

export interface LogEntry {
  readonly seq: number;
  /** ISO 8601, when the log took it. */
  readonly ts: string;
  readonly event: string;
  readonly delta?: DeltaKey;
}

export interface Head extends Position {
  readonly fence: number;
}

export interface TopicState extends Head {
  readonly accumulators: readonly Accumulator[];
  /** False after a non-owner's `open`: an active run's text may be missing until its owner opens or resets. */
  readonly complete: boolean;
}

export interface OpenRequest {
  readonly topic: string;
  /** A fresh random epoch: uuidv7. */
  readonly epoch: string;
  /** The conversation's fence, read from the store just before; 0 for topics without runs. */
  readonly fence: number;
  /** The owner's text so far; [] for anybody else. */
  readonly accumulators: readonly Accumulator[];
  /** True for the owner of the active run. */
  readonly owner: boolean;
}

/**
 * The head of a fresh epoch. What its owner brings takes the first seqs (nobody can read them: TRIMMED), so that a
 * subscriber gets what of it does not fit a snapshot as deltas, numbered up to the head. A delta holds at least 4,000
 * UTF-16 units of a part, and one part that is no longer than that fits any snapshot.
 */
export const headAtOpen = (accumulators: readonly Accumulator[]): number =>
  accumulators.reduce((head, { text }) => head + Math.floor(text.length / 4_000), 0) +
  (accumulators.length > 1 ? accumulators.length : 0);

export type OpenResult =
  | { readonly ok: true; readonly state: TopicState }
  /** The topic exists and may not be replaced: not the owner, or an older fence. `state` is what stands. */
  | { readonly ok: false; readonly reason: "EXISTS" | "FENCED"; readonly state: TopicState };

export type SealResult =
  | { readonly ok: true; readonly state: TopicState }
  | Extract<AppendResult, { readonly reason: "NO_EPOCH" | "FENCED" }>;

export type ReadResult =
  /** Entries after − exclusive, ascending, the first is after + 1; [] when `after` is the head. */
  | { readonly ok: true; readonly entries: readonly LogEntry[]; readonly head: number }
  /** That continuation is not to be had: trimmed, ahead of the head, another epoch, or no topic. */
  | { readonly ok: false; readonly reason: "TRIMMED" | "AHEAD" | "WRONG_EPOCH" | "NO_EPOCH" };

/** One turn's new entries of a topic, ascending and adjacent. Best effort: see the contract above. */
export interface Published {
  readonly epoch: string;
  readonly entries: readonly LogEntry[];
}

export type LogListener = (published: Published) => void;

export interface EventLog {
  /**
   * Creates the topic with this epoch [L4]. An owner with a fence ≥ the topic's replaces what stands. A repeat (the
   * epoch that stands) changes nothing and is answered ok.
   */
  open(request: OpenRequest): Promise<OpenResult>;
  /**
   * Appends in order; one result each, same order. Entries of one topic are published together. A rejected promise
   * means "unknown": the caller repeats the same appends, and those already applied are answered as duplicates.
   * After a failed append of a writer, later ones of that writer in the batch fail too (no holes).
   *
   * Checked in this order: topic, epoch, duplicate, fence, hole. So a repeat of what was applied is answered with its
   * stored seq even after a newer owner sealed the topic. At least the newest 4,096 event ids of a topic are
   * remembered; of a writer whose number it has forgotten, the seq of its last one is answered.
   */
  append(batch: readonly Append[]): Promise<readonly AppendResult[]>;
  /** Refuses every fence below this one from now on, and returns the state that a claimer continues from [R4]. */
  seal(topic: string, fence: number): Promise<SealResult>;
  /** At most `limit` entries and 256 KiB after a position. */
  read(topic: string, after: Position, limit: number): Promise<ReadResult>;
  /** Where each topic stands; null for one that does not exist. */
  heads(topics: readonly string[]): Promise<readonly (Head | null)[]>;
  /** Head and accumulators in one atomic look; null when there is no topic [L11]. */
  state(topic: string): Promise<TopicState | null>;
  /**
   * Calls back with new entries, best effort, in this process's turn order, never before the append's own result is
   * decided. Returns the way to stop, after which nothing is called.
   */
  subscribe(topic: string, listener: LogListener): () => void;
  /**
   * Calls back when publications of any topic may have been missed, because what brings them was lost and is back: look
   * at the heads at once [L6]. May be called for nothing. Returns the way to stop.
   */
  onReconnect(listener: () => void): () => void;
  close(): Promise<void>;
}
