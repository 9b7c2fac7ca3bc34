import {
  type Append,
  type AppendResult,
  headAtOpen,
  type LogEntry,
  type OpenRequest,
  type TopicState,
} from "../ports/event-log.ts";
import { Accumulators } from "./event-log.memory-accumulators.ts";
import { RetainedEntries, type Retention } from "./event-log.memory-entries.ts";

/** Each claim of a run is a writer, and all but the newest are fenced: more than a few are never asked for. */
const MAX_WRITERS = 64;
const REMEMBERED_IDS = 4096;
/** Deltas that are added to the accumulators together: their bytes lie beside each other. */
const MAX_UNSEEN = 64;

/** Numbers of one writer are spread over this many stretches between other events, or the oldest are forgotten. */
const MAX_STRETCHES = 64;

/** What a writer has appended: `n` and the seq it got differ by a constant, until another event comes between. */
class WriterState {
  n = 0;
  seq = 0;
  readonly #stretches: { readonly from: number; readonly seq: number }[] = [];

  append(n: number, seq: number): void {
    if (seq - n !== this.seq - this.n || this.n === 0) this.#begin(n, seq);
    this.n = n;
    this.seq = seq;
  }

  /** The seq that an `n` got; undefined when it is forgotten. */
  seqOf(n: number): number | undefined {
    const stretch = this.#stretches.findLast(({ from }) => from <= n);
    return stretch === undefined ? undefined : stretch.seq + (n - stretch.from);
  }

  #begin(from: number, seq: number): void {
    if (this.#stretches.length >= MAX_STRETCHES) this.#stretches.shift();
    this.#stretches.push({ from, seq });
  }
}

/** The newest ids and their seqs: at least `REMEMBERED_IDS`, at most twice as many. */
class RecentIds {
  #newer = new Map<string, number>();
  #older: ReadonlyMap<string, number> | undefined = undefined;

  get(id: string): number | undefined {
    return this.#newer.get(id) ?? this.#older?.get(id);
  }

  add(id: string, seq: number): void {
    if (this.#newer.size >= REMEMBERED_IDS) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(id, seq);
  }
}

/** The moment of a call, in both forms; made once a call. */
export interface Now {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly ts: string;
}

/** One epoch of one topic. */
export class MemoryTopic {
  readonly name: string;
  readonly epoch: string;
  readonly entries: RetainedEntries;
  fence: number;
  /** Milliseconds of the log's clock, at the last append, open or seal. */
  usedAt: number;
  /** Has it subscribers? Then what is appended is kept as news for them. */
  heard = false;
  /** What subscribers have yet to hear of; nearly always one entry. */
  news: LogEntry[] | undefined = undefined;
  readonly #accumulators: Accumulators;
  /** Made with the first of them, as `#ids` is: most topics lie idle. */
  #writers: Map<string, WriterState> | undefined = undefined;
  /** The one that appended last: nearly always the next as well. */
  #lastWriter = "";
  #lastState: WriterState | undefined = undefined;
  #ids: RecentIds | undefined = undefined;

  constructor(request: OpenRequest, retention: Retention, now: number) {
    this.name = request.topic;
    this.epoch = request.epoch;
    const accumulators = request.owner ? request.accumulators : [];
    this.entries = new RetainedEntries(retention, headAtOpen(accumulators));
    this.fence = request.fence;
    this.usedAt = now;
    this.#accumulators = new Accumulators(accumulators, request.owner);
  }

  state(): TopicState {
    this.entries.visit(this.#accumulators);
    return {
      epoch: this.epoch,
      seq: this.entries.head,
      fence: this.fence,
      accumulators: this.#accumulators.list(),
      complete: this.#accumulators.complete,
    };
  }

  /** Forgets its entries, and nothing else. */
  clear(): void {
    this.entries.visit(this.#accumulators);
    this.entries.clear();
  }

  append(append: Append, now: Now): AppendResult {
    if (append.epoch !== null && append.epoch !== this.epoch) {
      return { ok: false, reason: "WRONG_EPOCH", epoch: this.epoch };
    }
    const { identity } = append;
    return "writer" in identity
      ? this.#appendFenced(append, identity.writer, identity.n, identity.fence, now)
      : this.#appendUnfenced(append, identity.eventId, now);
  }

  #appendFenced(append: Append, writer: string, n: number, fence: number, now: Now): AppendResult {
    let state = writer === this.#lastWriter ? this.#lastState : this.#writers?.get(writer);
    if (state !== undefined && n <= state.n) {
      return { ok: true, seq: state.seqOf(n) ?? state.seq, duplicate: true };
    }
    if (this.fence > fence) return { ok: false, reason: "FENCED", fence: this.fence };
    const expected = (state?.n ?? 0) + 1;
    if (n !== expected) return { ok: false, reason: "HOLE", expected };
    state ??= this.#newWriter(writer);
    this.#lastWriter = writer;
    this.#lastState = state;
    const seq = this.#push(append, now);
    state.append(n, seq);
    return { ok: true, seq, duplicate: false };
  }

  #appendUnfenced(append: Append, eventId: string, now: Now): AppendResult {
    const known = this.#ids?.get(eventId);
    if (known !== undefined) return { ok: true, seq: known, duplicate: true };
    const seq = this.#push(append, now);
    this.#ids ??= new RecentIds();
    this.#ids.add(eventId, seq);
    return { ok: true, seq, duplicate: false };
  }

  #push({ event, accumulate, delta }: Append, { time, ts }: Now): number {
    const { entries } = this;
    // What extends a part is in its entry, and is added to the text when somebody asks for that, or many at once.
    const later = accumulate?.kind === "extend" && delta !== undefined;
    if (!later && (accumulate !== undefined || delta !== undefined)) {
      entries.visit(this.#accumulators);
      if (accumulate !== undefined) this.#accumulators.apply(accumulate);
    }
    const seq = entries.push(time, event, delta);
    if (!later && delta !== undefined) entries.passBy();
    if (entries.unseen >= MAX_UNSEEN) entries.visit(this.#accumulators);
    entries.trim(this.#accumulators);
    if (this.heard) {
      const entry: LogEntry = delta === undefined ? { seq, ts, event } : { seq, ts, event, delta };
      if (this.news === undefined) this.news = [entry];
      else this.news.push(entry);
    }
    return seq;
  }

  #newWriter(writer: string): WriterState {
    const writers = (this.#writers ??= new Map());
    if (writers.size >= MAX_WRITERS) {
      for (const oldest of writers.keys()) {
        writers.delete(oldest);
        break;
      }
    }
    const state = new WriterState();
    writers.set(writer, state);
    return state;
  }
}
