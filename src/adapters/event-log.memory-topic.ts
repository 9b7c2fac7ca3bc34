import { type Append, type AppendResult, headAtOpen, type OpenRequest, type TopicState } from "../ports/event-log.ts";
import { Accumulators } from "./event-log.memory-accumulators.ts";
import { RetainedEntries, type Retention } from "./event-log.memory-entries.ts";

/** Each claim of a run is a writer, and all but the newest are fenced: more than a few are never asked for. */
const MAX_WRITERS = 64;
const REMEMBERED_IDS = 4096;

interface WriterState {
  n: number;
  seq: number;
}

/** The newest ids and their seqs: at least `REMEMBERED_IDS`, at most twice as many. */
class RecentIds {
  #newer = new Map<string, number>();
  #older = new Map<string, number>();

  get(id: string): number | undefined {
    return this.#newer.get(id) ?? this.#older.get(id);
  }

  add(id: string, seq: number): void {
    if (this.#newer.size >= REMEMBERED_IDS) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(id, seq);
  }
}

/** One epoch of one topic. */
export class MemoryTopic {
  readonly name: string;
  readonly epoch: string;
  readonly entries: RetainedEntries;
  fence: number;
  /** Milliseconds of the log's clock, at the last append, open or seal. */
  usedAt: number;
  /** First seq that subscribers have yet to hear of; 0 for none. */
  publishFrom = 0;
  readonly #accumulators: Accumulators;
  readonly #writers = new Map<string, WriterState>();
  readonly #ids = new RecentIds();

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
    return {
      epoch: this.epoch,
      seq: this.entries.head,
      fence: this.fence,
      accumulators: this.#accumulators.list(),
      complete: this.#accumulators.complete,
    };
  }

  append(append: Append, ts: string): AppendResult {
    if (append.epoch !== null && append.epoch !== this.epoch) {
      return { ok: false, reason: "WRONG_EPOCH", epoch: this.epoch };
    }
    const { identity } = append;
    return "writer" in identity
      ? this.#appendFenced(append, identity.writer, identity.n, identity.fence, ts)
      : this.#appendUnfenced(append, identity.eventId, ts);
  }

  #appendFenced(append: Append, writer: string, n: number, fence: number, ts: string): AppendResult {
    let state = this.#writers.get(writer);
    if (state !== undefined && n <= state.n) {
      return { ok: true, seq: this.entries.seqOf(writer, n) ?? state.seq, duplicate: true };
    }
    if (this.fence > fence) return { ok: false, reason: "FENCED", fence: this.fence };
    const expected = (state?.n ?? 0) + 1;
    if (n !== expected) return { ok: false, reason: "HOLE", expected };
    state ??= this.#newWriter(writer);
    state.n = n;
    state.seq = this.#push(append, ts, writer, n);
    return { ok: true, seq: state.seq, duplicate: false };
  }

  #appendUnfenced(append: Append, eventId: string, ts: string): AppendResult {
    const known = this.#ids.get(eventId);
    if (known !== undefined) return { ok: true, seq: known, duplicate: true };
    const seq = this.#push(append, ts, "", 0);
    this.#ids.add(eventId, seq);
    return { ok: true, seq, duplicate: false };
  }

  #push(append: Append, ts: string, writer: string, n: number): number {
    if (append.accumulate !== undefined) this.#accumulators.apply(append.accumulate);
    return this.entries.push(ts, append.event, append.delta, writer, n);
  }

  #newWriter(writer: string): WriterState {
    if (this.#writers.size >= MAX_WRITERS) {
      for (const oldest of this.#writers.keys()) {
        this.#writers.delete(oldest);
        break;
      }
    }
    const state = { n: 0, seq: 0 };
    this.#writers.set(writer, state);
    return state;
  }
}
