/**
 * Delivery in a world whose every step the test decides: when a call to the log or the store happens and whether its
 * answer arrives, which publications are lost, doubled or late, how fast each client reads, when time passes.
 *
 *   Producer ──▶ MemoryEventLog ──hints, calls──▶ DeliveryHub ──▶ SimConnection ──▶ DeliveryClient
 *   (the truth)                                       └──calls──▶ FakeConversations
 */
import assert from "node:assert/strict";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { DeliveryHub } from "../../src/gateway/delivery-hub.ts";
import { type DeliveryCounters, type DeliveryLink, newDeliveryCounters } from "../../src/gateway/delivery-types.ts";
import { HIGH_WATER } from "../../src/gateway/pressure.ts";
import type { Connection, SendOutcome } from "../../src/ports/connection.ts";
import type { Accumulator, Append, EventLog, LogListener, Published } from "../../src/ports/event-log.ts";
import { deltaHead, encodeNotification, encodeTextDelta } from "../../src/protocol/codec.ts";
import { MAX_FRAME_OUT } from "../../src/protocol/constants.ts";
import { isErrorCode, ParleyError } from "../../src/protocol/errors.ts";
import type { Position } from "../../src/protocol/shapes.ts";
import { FakeClock } from "./clock.fake.ts";
import { FakeConversations, message, run, scopeOf, unavailable } from "./conversations.fake.ts";
import { DeliveryClient } from "./delivery-client.ts";
import { recordingLogger } from "./logger.fake.ts";

export const SCOPE = scopeOf("u");
const TS_ORIGIN = Date.parse("2026-01-01T00:00:00Z");

/** Calls that have been made and not been answered. */
export class PendingCalls {
  readonly #calls: ((fails: boolean) => void)[] = [];
  #early = 0;

  get size(): number {
    return this.#calls.length;
  }

  /** Every other call happens when it is made and only its answer waits; the rest happen when they are answered. */
  readonly call = <T>(work: () => T | Promise<T>): Promise<T> => {
    const done = this.#early++ % 2 === 0 ? settled(work) : undefined;
    return new Promise<T>((resolve, reject) => {
      this.#calls.push((fails) => {
        const outcome = done ?? settled(work);
        if (fails) outcome.then(() => reject(unavailable()), reject);
        else outcome.then(resolve, reject);
      });
    });
  };

  answer(index: number, fails: boolean): void {
    const [call] = this.#calls.splice(index % Math.max(1, this.#calls.length), 1);
    call?.(fails);
  }
}

async function settled<T>(work: () => T | Promise<T>): Promise<T> {
  return work();
}

/** A log whose calls wait in `PendingCalls`, and whose publications wait to be delivered, dropped or doubled. */
export class SimLog implements EventLog {
  inner: MemoryEventLog;
  readonly #calls: PendingCalls;
  readonly #clock: FakeClock;
  readonly #listeners = new Map<string, Set<LogListener>>();
  readonly #stops = new Map<string, () => void>();
  readonly hints: { readonly topic: string; readonly published: Published }[] = [];
  reads = 0;

  constructor(calls: PendingCalls, clock: FakeClock) {
    this.#calls = calls;
    this.#clock = clock;
    this.inner = this.#empty();
  }

  #empty(): MemoryEventLog {
    return new MemoryEventLog({ maxEvents: 40, now: () => TS_ORIGIN + this.#clock.now(), sweepMs: 2 ** 30 });
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

interface TrueMessage {
  readonly id: string;
  parts: string[];
  status: "streaming" | "complete";
}

/** The run's owner and the committer of one conversation: what it holds is the truth. */
export class Producer {
  readonly topic: string;
  readonly messages: TrueMessage[] = [];
  /** Committed, and not yet in the log. */
  readonly outbox: { readonly id: string; readonly event: object; readonly drop?: string }[] = [];
  readonly #id: string;
  readonly #log: SimLog;
  readonly #store: FakeConversations;
  #epoch: string | undefined;
  #writer = 0;
  #n = 0;
  #fence = 1;
  #ids = 0;
  events = 0;

  constructor(id: string, log: SimLog, store: FakeConversations) {
    this.#id = id;
    this.topic = `conversation:${id}`;
    this.#log = log;
    this.#store = store;
    store.add(id, "u");
  }

  get #row() {
    const row = this.#store.rows.get(this.#id);
    assert.ok(row);
    return row;
  }

  get #streaming(): TrueMessage | undefined {
    const last = this.messages.at(-1);
    return last?.status === "streaming" ? last : undefined;
  }

  get isStreaming(): boolean {
    return this.#streaming !== undefined;
  }

  get #accumulators(): Accumulator[] {
    const streaming = this.#streaming;
    if (streaming === undefined) return [];
    return streaming.parts.map((text, partIndex) => ({ messageId: streaming.id, partIndex, text }));
  }

  /** Streams on: starts a message if there is none, `count` deltas of `size` units in one turn. */
  async stream(count: number, size: number): Promise<void> {
    const appends: Omit<Append, "topic" | "epoch" | "identity">[] = [];
    let current = this.#streaming;
    if (current === undefined) {
      current = { id: `m${this.#id}${++this.#ids}`, parts: [""], status: "streaming" };
      this.messages.push(current);
      this.#row.messages.push(message(current.id, "streaming", [], this.#id));
      this.#row.activeRun = run(`r${current.id}`, this.#id, current.id);
      const event = { type: "TEXT_MESSAGE_START", messageId: current.id, role: "assistant", runId: "r", partIndex: 0 };
      appends.push({
        event: JSON.stringify(event),
        accumulate: { kind: "reset", messageId: current.id, partIndex: 0, length: 0 },
      });
    }
    const { id: messageId, parts } = current;
    const partIndex = parts.length - 1;
    for (let i = 0; i < count; i++) {
      const offset = parts[partIndex]?.length ?? 0;
      const text = `${offset}·😀`.padEnd(size, "x");
      parts[partIndex] += text;
      appends.push({
        event: encodeTextDelta(deltaHead(messageId, partIndex), offset, text),
        delta: { messageId, partIndex, offset, text },
        accumulate: { kind: "extend", messageId, partIndex, offset, delta: text },
      });
    }
    await this.#append(appends);
  }

  nextPart(): void {
    const current = this.#streaming;
    if (current !== undefined && current.parts.length < 3 && current.parts.at(-1) !== "") current.parts.push("");
  }

  /** Another process goes on with the message, from a shorter text. */
  async takeOver(keep: number): Promise<void> {
    const current = this.#streaming;
    if (current === undefined) return;
    this.#fence++;
    this.#row.fence = this.#fence;
    const sealed = await this.#log.inner.seal(this.topic, this.#fence);
    const partIndex = current.parts.length - 1;
    let length = Math.min(keep, current.parts[partIndex]?.length ?? 0);
    if (/[\udc00-\udfff]/.test(current.parts[partIndex]?.[length] ?? "")) length--;
    current.parts[partIndex] = current.parts[partIndex]?.slice(0, length) ?? "";
    this.#writer++;
    this.#n = 0;
    this.#epoch = sealed.ok ? sealed.state.epoch : undefined;
    const value = { messageId: current.id, partIndex, length, attempt: this.#fence, runId: "r" };
    const event = JSON.stringify({ type: "CUSTOM", name: "message.reset", value });
    await this.#append([{ event, accumulate: { kind: "reset", messageId: current.id, partIndex, length } }]);
  }

  /** Commits the message; its announcement waits in the outbox. */
  finish(): void {
    const current = this.#streaming;
    if (current === undefined) return;
    current.status = "complete";
    const row = this.#row;
    row.messages = row.messages.map((found) =>
      found.id === current.id ? message(found.id, "complete", current.parts, this.#id) : found,
    );
    row.activeRun = undefined;
    const partIndex = current.parts.length - 1;
    const length = current.parts[partIndex]?.length ?? 0;
    const event = { type: "TEXT_MESSAGE_END", messageId: current.id, partIndex, length, status: "complete" };
    this.outbox.push({ id: `end ${current.id}`, event, drop: current.id });
  }

  /** Commits a whole message. */
  post(size: number): void {
    if (this.#streaming !== undefined) return;
    const made = message(`p${this.#id}${++this.#ids}`, "complete", ["p".repeat(size)], this.#id);
    this.messages.push({ id: made.id, parts: made.parts.map(({ text }) => text), status: "complete" });
    this.#row.messages.push(made);
    this.outbox.push({ id: made.id, event: { type: "CUSTOM", name: "message.created", value: { message: made } } });
  }

  async announce(): Promise<void> {
    for (const { id, event, drop } of this.outbox.splice(0)) {
      const append: Append = {
        topic: this.topic,
        epoch: null,
        identity: { eventId: id },
        event: JSON.stringify(event),
        ...(drop === undefined ? {} : { accumulate: { kind: "drop", messageId: drop } }),
      };
      this.events++;
      const [result] = await this.#log.inner.append([append]);
      if (result?.ok) continue;
      await this.reopen(false);
      await this.#log.inner.append([append]);
    }
  }

  /** A new epoch; with `always`, also when the old one still stands. */
  async reopen(always: boolean): Promise<void> {
    const owner = this.#streaming !== undefined;
    if (!owner && always) return;
    this.#writer++;
    this.#n = 0;
    const request = {
      topic: this.topic,
      epoch: newEpoch(),
      fence: this.#fence,
      accumulators: this.#accumulators,
      owner,
    };
    const { state } = await this.#log.inner.open(request);
    this.#epoch = state.epoch;
  }

  async #append(appends: readonly Omit<Append, "topic" | "epoch" | "identity">[]): Promise<void> {
    this.events += appends.length;
    if (this.#epoch === undefined) return this.reopen(true);
    const epoch = this.#epoch;
    const results = await this.#log.inner.append(
      appends.map((append) => ({
        ...append,
        topic: this.topic,
        epoch,
        identity: { writer: `w${this.#writer}`, n: ++this.#n, fence: this.#fence },
      })),
    );
    if (results.every(({ ok }) => ok)) return;
    // The text is in the accumulators of the new epoch.
    await this.reopen(true);
  }
}

let epochs = 0;
const newEpoch = () => `epoch-${++epochs}`;

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
  readonly log = new SimLog(this.calls, this.clock);
  readonly store = new FakeConversations();
  readonly counters: DeliveryCounters = newDeliveryCounters();
  readonly logger = recordingLogger();
  readonly producers: readonly Producer[];
  readonly peers: SimPeer[] = [];
  mostBuffered = 0;
  #hub: DeliveryHub;
  #requests = 0;

  constructor(topics: number, clients: number) {
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
        await turn();
        if (this.failure !== undefined) throw this.failure;
        if (this.calls.size === 0 && this.peers.every(({ connection }) => connection.bufferedBytes === 0)) break;
      }
      this.clock.advance(1_000);
      await turn();
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
        const { messages, cursor, stream, wantsSubscribe } = client.view(producer.topic);
        assert.equal(wantsSubscribe, "no", "a client is still not content");
        assert.equal(stream?.next, (cursor?.seq ?? 0) + 1);
        for (const [id, shown] of messages) {
          const truth = producer.messages.find((found) => found.id === id);
          assert.ok(truth, `${id} is shown and does not exist`);
          assert.equal(shown.status, truth.status, `status of ${id}`);
          const texts = shown.parts.map(({ text }) => text);
          const expected = truth.parts.map((text, i) =>
            shown.parts[i]?.length === undefined ? text : text.slice(0, texts[i]?.length),
          );
          while (expected.at(-1) === "" && expected.length > texts.length) expected.pop();
          assert.deepEqual(texts.map(digest), expected.map(digest), `text of ${id}`);
          for (const [i, { length }] of shown.parts.entries())
            if (length !== undefined) assert.equal(length, truth.parts[i]?.length);
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

const digest = (text: string): string =>
  text.length > 60 ? `${text.length}: ${text.slice(0, 20)}…${text.slice(-20)}` : text;

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
