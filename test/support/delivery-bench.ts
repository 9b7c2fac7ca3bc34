/** Delivery on a log in memory, with connections that record what they were sent and clients that the test plays. */
import assert from "node:assert/strict";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { MemoryPresence } from "../../src/adapters/presence.memory.ts";
import { DeliveryHub } from "../../src/gateway/delivery-hub.ts";
import { type DeliveryCounters, type DeliveryLink, newDeliveryCounters } from "../../src/gateway/delivery-types.ts";
import type { Connection, SendOutcome } from "../../src/ports/connection.ts";
import { type Accumulate, type Append, type DeltaKey, type EventLog, TEXT } from "../../src/ports/event-log.ts";
import { deltaHead, encodeDelta } from "../../src/protocol/codec.ts";
import type { EventItem } from "../../src/protocol/frames.ts";
import type { Result } from "../../src/protocol/methods.ts";
import type { Position } from "../../src/protocol/shapes.ts";
import { FakeClock } from "./clock.fake.ts";
import { FakeConversations, scopeOf } from "./conversations.fake.ts";
import { recordingLogger } from "./logger.fake.ts";

export class RecordingConnection implements Connection {
  readonly id: string;
  readonly remoteAddress = "127.0.0.1";
  readonly cookieToken = undefined;
  readonly userAgent = "";
  readonly sent: (string | Uint8Array)[] = [];
  closedWith: number | undefined = undefined;
  /** Bytes that stay in memory until the test sets `bufferedBytes`; before, everything is taken at once. */
  reads = true;
  bufferedBytes = 0;
  /** The transport has lost the peer and has not said so yet. */
  lost = false;

  constructor(id = "recording") {
    this.id = id;
  }

  send(frame: string | Uint8Array): SendOutcome {
    if (this.lost || this.closedWith !== undefined) return "closed";
    this.sent.push(frame);
    if (this.reads) return "sent";
    this.bufferedBytes += typeof frame === "string" ? Buffer.byteLength(frame) : frame.length;
    return "buffered";
  }

  cork(write: () => void): void {
    write();
  }

  close(code: number): void {
    this.closedWith ??= code;
  }

  /** The frames so far, which are then forgotten. */
  take(): { readonly method: string; readonly params: Record<string, unknown> }[] {
    return this.sent
      .splice(0)
      .map((frame) => JSON.parse(typeof frame === "string" ? frame : new TextDecoder().decode(frame)));
  }

  /** The events so far: `[fromSeq, seq, delta or type]`. */
  takeEvents(): unknown[] {
    return this.take().flatMap(({ method, params }): unknown[] => {
      if (method === "resync") return ["resync"];
      const items = (method === "events" ? params["events"] : [params]) as EventItem[];
      return items.map(({ fromSeq, seq, event }) => [
        fromSeq ?? seq,
        seq,
        event.type === "TEXT_MESSAGE_CONTENT" ? event.delta : event.type,
      ]);
    });
  }
}

export interface BenchPeer {
  readonly connection: RecordingConnection;
  readonly link: DeliveryLink;
}

const TOPIC = "conversation:c";

export class Bench {
  readonly clock = new FakeClock();
  readonly logger = recordingLogger();
  readonly store = new FakeConversations();
  readonly counters: DeliveryCounters = newDeliveryCounters();
  readonly presence = new MemoryPresence({ now: () => this.clock.now() });
  readonly log: MemoryEventLog;
  readonly hub: DeliveryHub;
  epoch = "e1";
  #n = 0;
  #writers = 0;

  /** `wrap` puts something between delivery and the log. */
  constructor(wrap: (log: MemoryEventLog) => EventLog = (log) => log, maxSubscriptions = 3) {
    this.log = new MemoryEventLog();
    const { clock, logger, counters } = this;
    const store = this.store.store;
    this.hub = new DeliveryHub({
      log: wrap(this.log),
      store,
      presence: this.presence,
      clock,
      logger,
      counters,
      maxSubscriptions,
      random: () => 0.5,
    });
    this.store.add("c", "u");
  }

  connect(id?: string): BenchPeer {
    const connection = new RecordingConnection(id);
    return { connection, link: this.hub.open(connection) };
  }

  /** Subscribes as the user "u"; the answer is not written yet. */
  ask({ link }: BenchPeer, position?: Position, topic = TOPIC): Promise<Result<"topic.subscribe">> {
    return link.subscribe(scopeOf("u"), { topic, position });
  }

  /** Subscribes, writes the answer, and waits for what it has to catch up with. */
  async subscribe(peer: BenchPeer, position?: Position, topic = TOPIC): Promise<Result<"topic.subscribe">> {
    const answer = await this.ask(peer, position, topic);
    peer.link.release(answer);
    await settle();
    return answer;
  }

  async openTopic(texts: readonly string[] = [], topic = TOPIC): Promise<void> {
    this.#writers++;
    this.#n = 0;
    this.epoch = `e${this.#writers}`;
    const accumulators = texts.map((text, partIndex) => ({ messageId: "m", partIndex, part: TEXT, text }));
    const result = await this.log.open({ topic, epoch: this.epoch, fence: 1, accumulators, owner: true });
    assert.ok(result.ok);
  }

  /** Deltas of the message "m", in one turn. Returns the seq of the last. */
  async deltas(offset: number, ...texts: readonly string[]): Promise<number> {
    let at = offset;
    return this.append(
      texts.map((text) => {
        const delta: DeltaKey = { part: "text", messageId: "m", partIndex: 0, offset: at, text };
        const accumulate: Accumulate = { kind: "extend", messageId: "m", partIndex: 0, offset: at, delta: text };
        at += text.length;
        return { event: encodeDelta(deltaHead(TEXT, "m", 0), delta.offset, text), delta, accumulate };
      }),
    );
  }

  /** Events without a meaning, in one turn. */
  note(count = 1, padding = ""): Promise<number> {
    const event = JSON.stringify({ type: "CUSTOM", name: "note", value: padding });
    return this.append(Array.from({ length: count }, () => ({ event })));
  }

  async append(entries: readonly Pick<Append, "event" | "delta" | "accumulate">[], topic = TOPIC): Promise<number> {
    const results = await this.log.append(
      entries.map((entry) => ({
        ...entry,
        topic,
        epoch: this.epoch,
        identity: { writer: `w${this.#writers}`, n: ++this.#n, fence: 1 },
      })),
    );
    const last = results.at(-1);
    assert.ok(last?.ok, JSON.stringify(last));
    return last.seq;
  }

  position(seq: number): Position {
    return { epoch: this.epoch, seq };
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.log.close();
    assert.deepEqual(
      this.logger.lines.filter(({ level }) => level === "error"),
      [],
    );
  }
}

/** Everything that does not wait for time has happened. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}
