/**
 * Delivery in a world whose every step the test decides: when a call to the log or the store happens and whether its
 * answer arrives, which publications are lost, doubled or late, how fast each client reads, when time passes.
 *
 *   Producer ──▶ MemoryEventLog ──hints, calls──▶ DeliveryHub ──▶ SimConnection ──▶ DeliveryClient
 *   (the truth)                                       └──calls──▶ FakeConversations
 */
import assert from "node:assert/strict";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { MemoryPresence } from "../../src/adapters/presence.memory.ts";
import { DeliveryHub } from "../../src/gateway/delivery-hub.ts";
import { type DeliveryCounters, type DeliveryLink, newDeliveryCounters } from "../../src/gateway/delivery-types.ts";
import { HIGH_WATER } from "../../src/gateway/pressure.ts";
import type { Connection, SendOutcome } from "../../src/ports/connection.ts";
import type { EventLog, LogListener, Published } from "../../src/ports/event-log.ts";
import { encodeNotification } from "../../src/protocol/codec.ts";
import { MAX_FRAME_OUT } from "../../src/protocol/constants.ts";
import { bareToolPart } from "../../src/protocol/cut-part.ts";
import { isErrorCode, ParleyError } from "../../src/protocol/errors.ts";
import type { Part, Position } from "../../src/protocol/shapes.ts";
import { FakeClock } from "./clock.fake.ts";
import { FakeConversations, scopeOf, unavailable } from "./conversations.fake.ts";
import { DeliveryClient } from "./delivery-client.ts";
import { Producer, truthOf } from "./delivery-producer.ts";
import { recordingLogger } from "./logger.fake.ts";

export const SCOPE = scopeOf("u");
const TS_ORIGIN = Date.parse("2026-01-01T00:00:00Z");

/** Calls that have been made and not been answered. */
export class PendingCalls {
  readonly #calls: ((fails: boolean) => void)[] = [];
  readonly #working = new Set<Promise<unknown>>();
  #early = 0;

  get size(): number {
    return this.#calls.length;
  }

  /** Every other call happens when it is made and only its answer waits; the rest happen when they are answered. */
  readonly call = <T>(work: () => T | Promise<T>): Promise<T> => {
    const done = this.#early++ % 2 === 0 ? this.#start(work) : undefined;
    return new Promise<T>((resolve, reject) => {
      this.#calls.push((fails) => {
        const outcome = done ?? this.#start(work);
        if (fails) outcome.then(() => reject(unavailable()), reject);
        else outcome.then(resolve, reject);
      });
    });
  };

  /** Resolves when nothing that has begun is still at work: at once, unless the log is on another server. */
  async quiet(): Promise<void> {
    if (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  #start<T>(work: () => T | Promise<T>): Promise<T> {
    const outcome = settled(work);
    const done = (): boolean => this.#working.delete(outcome);
    this.#working.add(outcome);
    outcome.then(done, done);
    return outcome;
  }

  answer(index: number, fails: boolean): void {
    const [call] = this.#calls.splice(index % Math.max(1, this.#calls.length), 1);
    call?.(fails);
  }
}

async function settled<T>(work: () => T | Promise<T>): Promise<T> {
  return work();
}

/** An empty log that keeps so many events of a topic. `now`: milliseconds since 1970. */
export type MakeLog = (maxEvents: number, now: () => number) => EventLog;

const memoryLog: MakeLog = (maxEvents, now) => new MemoryEventLog({ maxEvents, now, sweepMs: 2 ** 30 });

/** A log whose calls wait in `PendingCalls`, and whose publications wait to be delivered, dropped or doubled. */
export class SimLog implements EventLog {
  inner: EventLog;
  readonly #make: MakeLog;
  readonly #calls: PendingCalls;
  readonly #clock: FakeClock;
  readonly #listeners = new Map<string, Set<LogListener>>();
  readonly #stops = new Map<string, () => void>();
  readonly hints: { readonly topic: string; readonly published: Published }[] = [];
  reads = 0;

  constructor(calls: PendingCalls, clock: FakeClock, make: MakeLog = memoryLog) {
    this.#make = make;
    this.#calls = calls;
    this.#clock = clock;
    this.inner = this.#empty();
  }

  #empty(): EventLog {
    return this.#make(40, () => TS_ORIGIN + this.#clock.now());
  }

  /** Everything in it is gone. */
  async lose(): Promise<void> {
    await this.inner.close();
    this.inner = this.#empty();
    for (const topic of this.#stops.keys()) this.#listen(topic);
  }

  subscribe(topic: string, listener: LogListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    listeners.add(listener);
    if (!this.#stops.has(topic)) this.#listen(topic);
    return () => listeners.delete(listener);
  }

  #listen(topic: string): void {
    this.#stops.set(
      topic,
      this.inner.subscribe(topic, (published) => this.hints.push({ topic, published })),
    );
  }

  /** The heads are looked at anyway, as time passes. */
  onReconnect(): () => void {
    return () => undefined;
  }

  deliver(index: number, how: "once" | "twice" | "drop" | "copy"): void {
    const at = index % Math.max(1, this.hints.length);
    const hint = this.hints[at];
    if (hint === undefined) return;
    if (how !== "copy") this.hints.splice(at, 1);
    for (let times = how === "drop" ? 0 : how === "twice" ? 2 : 1; times > 0; times--) {
      for (const listener of this.#listeners.get(hint.topic) ?? []) listener(hint.published);
    }
  }

  open: EventLog["open"] = (request) => this.#calls.call(() => this.inner.open(request));
  state: EventLog["state"] = (topic) => this.#calls.call(() => this.inner.state(topic));
  heads: EventLog["heads"] = (topics) => this.#calls.call(() => this.inner.heads(topics));
  read: EventLog["read"] = (topic, after, limit) => {
    this.reads++;
    return this.#calls.call(() => this.inner.read(topic, after, limit));
  };
  append: EventLog["append"] = () => Promise.reject(new Error("delivery appends nothing"));
  seal: EventLog["seal"] = () => Promise.reject(new Error("delivery seals nothing"));
  close: EventLog["close"] = () => this.inner.close();
}

/** Counts what the peer has not read; nothing arrives before `transmit`. */
export class SimConnection implements Connection {
  readonly id = "sim";
  readonly remoteAddress = "127.0.0.1";
  readonly cookieToken = undefined;
  readonly userAgent = "";
  readonly #queue: { readonly text: string; readonly bytes: number }[] = [];
  bufferedBytes = 0;
  mostBuffered = 0;
  closedWith: number | undefined = undefined;

  send(frame: string | Uint8Array): SendOutcome {
    if (this.closedWith !== undefined) return "closed";
    const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
    const bytes = Buffer.byteLength(text);
    assert.ok(bytes <= MAX_FRAME_OUT, `[W11] a frame of ${bytes} bytes`);
    if (text.includes('"method":"event')) {
      // What was allowed at the high-water mark may exceed it: one read, never more [L7].
      assert.ok(
        this.bufferedBytes <= HIGH_WATER + 256 * 1024,
        `[L7] events were queued behind ${this.bufferedBytes} bytes`,
      );
    }
    this.#queue.push({ text, bytes });
    this.bufferedBytes += bytes;
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedBytes);
    return "buffered";
  }

  cork(write: () => void): void {
    write();
  }

  close(code: number): void {
    this.closedWith ??= code;
  }

  /** Frames that the peer reads now. */
  take(frames: number): string[] {
    const taken = this.#queue.splice(0, frames);
    for (const { bytes } of taken) this.bufferedBytes -= bytes;
    return taken.map(({ text }) => text);
  }
}

interface SimPeer {
  readonly client: DeliveryClient;
  connection: SimConnection;
  link: DeliveryLink;
}

export class World {
  readonly clock = new FakeClock();
  readonly calls = new PendingCalls();
  readonly log: SimLog;
  readonly store = new FakeConversations();
  readonly counters: DeliveryCounters = newDeliveryCounters();
  readonly logger = recordingLogger();
  readonly producers: readonly Producer[];
  readonly peers: SimPeer[] = [];
  mostBuffered = 0;
  #hub: DeliveryHub;
  #requests = 0;

  constructor(topics: number, clients: number, makeLog?: MakeLog) {
    this.log = new SimLog(this.calls, this.clock, makeLog);
    this.store.when = this.calls.call;
    this.producers = Array.from({ length: topics }, (_, i) => new Producer(`c${i}`, this.log, this.store));
    this.#hub = this.#newHub();
    for (let i = 0; i < clients; i++) {
      const connection = new SimConnection();
      const client = new DeliveryClient(this.producers.map(({ topic }) => topic));
      this.peers.push({ client, connection, link: this.#hub.open(connection) });
    }
  }

  #newHub(): DeliveryHub {
    const { log, clock, counters, logger } = this;
    return new DeliveryHub({
      log,
      store: this.store.store,
      presence: new MemoryPresence(),
      clock,
      logger,
      counters,
      maxSubscriptions: 10,
      random: () => 0.5,
    });
  }

  get listening(): number {
    return this.#hub.topics;
  }

  /** The node is gone and another takes over. */
  restart(): void {
    this.#hub.close();
    this.#hub = this.#newHub();
    for (const peer of this.peers) this.reconnect(peer);
  }

  reconnect(peer: SimPeer): void {
    peer.link.close();
    this.mostBuffered = Math.max(this.mostBuffered, peer.connection.mostBuffered);
    peer.connection.close(1006);
    peer.connection = new SimConnection();
    peer.link = this.#hub.open(peer.connection);
    peer.client.disconnected();
  }

  /** The client subscribes, with its own position or another. */
  subscribe(peer: SimPeer, topic: string, position: Position | undefined): void {
    const { connection, link, client } = peer;
    const view = client.view(topic);
    const id = ++this.#requests;
    view.waiting = id;
    view.wantsSubscribe = "no";
    const answer = (fields: object) => connection.send(JSON.stringify({ id, topic, ...fields }));
    link
      .subscribe(SCOPE, { topic, position })
      .then(
        (result) => {
          answer({ result });
          link.notePressure();
          link.release(result);
        },
        (error: unknown) => {
          assert.ok(error instanceof ParleyError && isErrorCode(error.code), String(error));
          answer({ error: error.code });
        },
      )
      .catch((error: unknown) => {
        // A broken promise of the server fails the run, not the process.
        this.failure ??= error;
      });
  }
  failure: unknown = undefined;

  /** What the client wants to subscribe to, it does. */
  subscribeWanted(peer: SimPeer): void {
    for (const [topic, view] of peer.client.views) {
      if (view.wantsSubscribe === "no" || view.waiting !== undefined) continue;
      this.subscribe(peer, topic, view.wantsSubscribe === "with position" ? view.cursor : undefined);
    }
  }

  transmit(peer: SimPeer, frames: number): void {
    const { connection, client, link } = peer;
    if (connection.closedWith !== undefined) return this.reconnect(peer);
    for (const frame of connection.take(frames)) client.receive(frame);
    link.drain();
  }

  heartbeat(peer: SimPeer): void {
    if (peer.connection.closedWith !== undefined) return;
    peer.connection.send(encodeNotification("heartbeat", { time: "", positions: peer.link.positions() }));
    peer.link.notePressure();
  }

  /** Lets everything happen that has begun. */
  async turn(): Promise<void> {
    await turn();
    await this.calls.quiet();
  }

  /** Nothing fails or is lost any more, and everybody reads: until nothing happens any more. */
  async settle(): Promise<void> {
    for (const producer of this.producers) {
      // An owner notices with its next delta that the log lost its topic.
      if (producer.isStreaming) await producer.stream(1, 8);
      await producer.announce();
    }
    for (let round = 0; round < 40; round++) {
      for (let step = 0; step < 200; step++) {
        while (this.log.hints.length > 0) this.log.deliver(0, "once");
        while (this.calls.size > 0) this.calls.answer(0, false);
        for (const peer of this.peers) {
          this.transmit(peer, Infinity);
          this.subscribeWanted(peer);
        }
        await this.turn();
        if (this.failure !== undefined) throw this.failure;
        if (this.calls.size === 0 && this.peers.every(({ connection }) => connection.bufferedBytes === 0)) break;
      }
      this.clock.advance(1_000);
      await this.turn();
      if (round > 30) for (const peer of this.peers) this.heartbeat(peer);
    }
  }

  /** [L6, W5, W6] Every client shows the truth, and nothing was caught that should not have happened. */
  check(): void {
    assert.deepEqual(
      this.logger.lines.filter(({ level }) => level === "error"),
      [],
    );
    for (const { client, connection } of this.peers) {
      this.mostBuffered = Math.max(this.mostBuffered, connection.mostBuffered);
      for (const producer of this.producers) {
        const { cursor, stream, wantsSubscribe } = client.view(producer.topic);
        const messages = client.messages(producer.topic);
        assert.equal(wantsSubscribe, "no", "a client is still not content");
        assert.equal(stream?.next, (cursor?.seq ?? 0) + 1);
        for (const [id, shown] of messages) {
          const truth = producer.messages.find((found) => found.id === id);
          assert.ok(truth, `${id} is shown and does not exist`);
          assert.equal(shown.status, truth.status, `status of ${id}`);
          checkParts(shown.parts, truthOf(truth), id);
        }
        const newest = producer.messages.at(-1);
        if (newest !== undefined) assert.ok(messages.has(newest.id), `${newest.id} is not shown`);
      }
    }
  }

  async close(): Promise<void> {
    for (const { link } of this.peers) link.close();
    assert.equal(this.listening, 0, "somebody still listens to the log");
    this.#hub.close();
    await this.log.close();
  }
}

/** Parts that came cut show the beginning, or nothing, of what is there, and say how much that is. */
function checkParts(shown: readonly Part[], truth: readonly Part[], id: string): void {
  assert.deepEqual(
    shown.map(described),
    truth.map((part, i) => described(asCut(part, shown[i]))),
    `parts of ${id}`,
  );
  assert.equal(shown.length, truth.length, `parts of ${id}`);
}

function asCut(part: Part, shown: Part | undefined): Part {
  if (part.type === "tool") return shown?.type === "tool" && shown.length !== undefined ? bareToolPart(part) : part;
  const cut = part.type !== "file" && shown?.type === part.type && shown.length !== undefined;
  return cut ? { ...part, text: part.text.slice(0, shown.text.length), length: part.text.length } : part;
}

/** Long texts as a few of their letters. */
const described = (part: Part): unknown =>
  JSON.parse(JSON.stringify(part), (_key, value: unknown) =>
    typeof value === "string" && value.length > 60
      ? `${value.length}: ${value.slice(0, 20)}…${value.slice(-20)}`
      : value,
  );

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
