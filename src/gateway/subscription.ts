/** One topic on one connection: carries out what the delivery machine says. */
import type { Connection } from "../ports/connection.ts";
import type { LogEntry, ReadResult } from "../ports/event-log.ts";
import { frameHead, type FrameHead } from "../protocol/codec.ts";
import type { Position } from "../protocol/shapes.ts";
import type { DeliveryCounters } from "./delivery-types.ts";
import { type DeliveryInput, type DeliveryState, type ReadEntries, step } from "./delivery.ts";
import type { LogReader, Reading } from "./log-reader.ts";
import { liveFrames, mergedItems, packFrames } from "./merge.ts";
import { LOW_WATER } from "./pressure.ts";
import type { TextDeltas } from "./text-deltas.ts";

export type Frame = string | Uint8Array;

/** The entries of an input, as frames. */
interface FrameSource {
  /** Frames of the entries but for the first `skip`. */
  frames(skip: number): readonly Frame[];
}

const utf8 = new TextEncoder();

/** One turn's new entries of a topic, encoded once for all subscribers that take them as they are [L8]. */
export class LiveBatch implements FrameSource {
  readonly #head: FrameHead;
  readonly #entries: readonly LogEntry[];
  readonly #shared: boolean;
  #whole: readonly Frame[] | undefined = undefined;

  constructor(head: FrameHead, entries: readonly LogEntry[], shared: boolean) {
    this.#head = head;
    this.#entries = entries;
    this.#shared = shared;
  }

  frames(skip: number): readonly Frame[] {
    if (skip > 0) return liveFrames(this.#head, this.#entries, skip);
    if (this.#whole === undefined) {
      const frames = liveFrames(this.#head, this.#entries, 0);
      this.#whole = this.#shared ? frames.map((frame) => utf8.encode(frame)) : frames;
    }
    return this.#whole;
  }
}

/** The connection of a subscription. */
export interface SubscriptionOwner {
  readonly connection: Connection;
  readonly reader: LogReader;
  readonly counters: DeliveryCounters;
  /** A frame was not taken at once. */
  notePressure(): void;
  /** A frame was not taken at all: the connection is gone. */
  close(): void;
  /** The log can't go on from where this subscription stands. */
  resync(subscription: Subscription): void;
}

const UNREAD: DeliveryInput = { type: "unread" };
const UNREADABLE: DeliveryInput = { type: "unreadable" };
export const PRESSURE: DeliveryInput = { type: "pressure" };
export const RELIEVED: DeliveryInput = { type: "relieved" };
export const DOUBT: DeliveryInput = { type: "doubt" };
export const STOPPED: DeliveryInput = { type: "stopped" };

const seqOf = (state: DeliveryState): number => (state.kind === "ended" ? 0 : state.seq);

export class Subscription implements Reading {
  readonly topic: string;
  state: DeliveryState;
  readonly #owner: SubscriptionOwner;
  /** The owner's, at hand: they are asked for with every event. */
  readonly #connection: Connection;
  readonly #counters: DeliveryCounters;
  /** Sent before the log is read. */
  #text: TextDeltas | undefined;
  /** What was published did not join; nothing has been read since. */
  #gap = false;

  constructor(owner: SubscriptionOwner, topic: string, position: Position, text: TextDeltas | undefined) {
    this.#owner = owner;
    this.#connection = owner.connection;
    this.#counters = owner.counters;
    this.topic = topic;
    this.state = { kind: "held", epoch: position.epoch, seq: position.seq };
    this.#text = text;
  }

  /** Takes an input of the machine; `source` gives the frames of the entries it speaks of. */
  feed(input: DeliveryInput, source?: FrameSource): void {
    const before = this.state;
    const { state, actions } = step(before, input);
    this.state = state;
    if (state.kind !== before.kind) this.#changed(before, state);
    for (const action of actions) {
      switch (action.type) {
        case "send":
          if (source !== undefined) this.#send(source.frames(action.skip), input, seqOf(state) - seqOf(before));
          break;
        case "read":
          this.#read();
          break;
        case "resync":
          this.#owner.resync(this);
          break;
      }
    }
  }

  /** What is never sent again [L10]: only to who takes it at once, so that nothing else waits for it. */
  pass(frame: Frame): void {
    const { kind } = this.state;
    if (kind !== "live" && kind !== "catching-up") return;
    if (this.#connection.bufferedBytes > LOW_WATER) return;
    this.#settle(this.#write(frame));
  }

  #changed(before: DeliveryState, state: DeliveryState): void {
    if (state.kind === "lagging") this.#counters.lagged++;
    else if (before.kind === "live" && state.kind === "catching-up") this.#gap = true;
    else if (state.kind === "ended") this.#text = undefined;
  }

  #send(frames: readonly Frame[], input: DeliveryInput, events: number): void {
    const counters = this.#counters;
    counters.events += events;
    if (this.#gap && input.type === "entries") {
      this.#gap = false;
      counters.gapsHealed++;
    }
    let outcome: ReturnType<Connection["send"]> = "sent";
    const [first] = frames;
    if (frames.length === 1 && first !== undefined) outcome = this.#write(first);
    else {
      this.#connection.cork(() => {
        for (const frame of frames) {
          outcome = this.#write(frame);
          if (outcome === "closed") return;
        }
      });
    }
    this.#settle(outcome);
  }

  #write(frame: Frame): ReturnType<Connection["send"]> {
    this.#counters.bytes += typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    return this.#connection.send(frame);
  }

  #settle(outcome: ReturnType<Connection["send"]>): void {
    switch (outcome) {
      case "sent":
        return;
      case "buffered":
        return this.#owner.notePressure();
      case "closed":
        return this.#owner.close();
    }
  }

  /** The text that goes before the log, or a read of the log. */
  #read(): void {
    const { state } = this;
    if (state.kind !== "catching-up") return this.feed(UNREAD);
    if (this.#text === undefined || state.seq >= this.#text.head) {
      this.#text = undefined;
      return this.#owner.reader.request(this);
    }
    const { items, last } = this.#text.items(state.seq);
    // The log comes next in any case: what it has is not known here.
    const input: ReadEntries = { type: "entries", first: state.seq + 1, last, head: Infinity };
    const head = frameHead(this.topic, state.epoch);
    this.feed(input, { frames: () => packFrames(head, items) });
  }

  readFrom(): Position | undefined {
    return this.state.kind === "catching-up" ? this.state : undefined;
  }

  readSkipped(): void {
    this.feed(UNREAD);
  }

  readDone(result: ReadResult): void {
    if (!result.ok) return this.feed(UNREADABLE);
    const { entries, head } = result;
    const input: ReadEntries = { type: "entries", first: entries[0]?.seq ?? 0, last: entries.at(-1)?.seq ?? 0, head };
    if (this.state.kind === "ended") return;
    const beginning = frameHead(this.topic, this.state.epoch);
    this.feed(input, {
      frames: (skip) => packFrames(beginning, mergedItems(skip === 0 ? entries : entries.slice(skip))),
    });
  }
}
