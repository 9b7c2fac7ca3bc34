/** The run's owner and the committer of one conversation, for tests of delivery: what it holds is the truth. */
import assert from "node:assert/strict";
import { encodeFitted } from "../../src/agent/outbox-fit-event.ts";
import type { Accumulator, Append, DeltaKey, PartKind, EventLog } from "../../src/ports/event-log.ts";
import { deltaHead, encodeDelta } from "../../src/protocol/codec.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { Message, Part, Run, ToolPart } from "../../src/protocol/shapes.ts";
import { type FakeConversations, message, run } from "./conversations.fake.ts";

interface Growing {
  readonly part: PartKind;
  text: string;
}

interface TrueMessage {
  readonly id: string;
  /** Of finished steps: in the row. */
  parts: Part[];
  /** In the log alone. */
  growing: Growing[];
  status: "streaming" | "complete";
}

type Entry = Omit<Append, "topic" | "epoch" | "identity">;

const MAX_PARTS = 8;

const isOpen = (part: Part): part is ToolPart =>
  part.type === "tool" && (part.status === "pending" || part.status === "running");

/** What a part is once its step is finished. */
const journaled = ({ part, text }: Growing): Part =>
  part.type === "tool" ? { ...part, args: { text }, status: "pending" } : { type: part.type, text };

/** What a reader is to see of a message. */
export const truthOf = ({ parts, growing }: TrueMessage): Part[] => [
  ...parts,
  ...growing.map(({ part, text }): Part =>
    part.type === "tool" ? { ...part, args: {}, argsText: text, status: "streaming" } : { type: part.type, text },
  ),
];

export class Producer {
  readonly topic: string;
  readonly messages: TrueMessage[] = [];
  /** Committed, and not yet in the log. */
  readonly outbox: { readonly id: string; readonly event: ParleyEvent; readonly drop?: string }[] = [];
  readonly #id: string;
  readonly #log: { readonly inner: EventLog };
  readonly #store: FakeConversations;
  #epoch: string | undefined;
  #writer = 0;
  #n = 0;
  #fence = 1;
  #ids = 0;
  events = 0;

  constructor(id: string, log: { readonly inner: EventLog }, store: FakeConversations) {
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
    const { id: messageId, parts, growing } = streaming;
    return growing.map(({ part, text }, i) => ({ messageId, partIndex: parts.length + i, part, text }));
  }

  /** Streams on: starts a message if there is none, `count` deltas of `size` units in one turn. */
  async stream(count: number, size: number): Promise<void> {
    const entries: Entry[] = [];
    let current = this.#streaming;
    if (current === undefined) {
      current = this.#begin();
      const started = this.#run(current.id);
      const answer = message(current.id, "streaming", [], this.#id);
      entries.push(
        entry({ type: "RUN_STARTED", threadId: this.#id, runId: started.id, run: started, message: answer }),
      );
    }
    if (current.growing.length === 0) entries.push(this.#start(current, { type: "text" }));
    const parallel = current.growing.filter(({ part }) => part.type === "tool");
    const last = current.growing.at(-1);
    const grows = last?.part.type === "tool" ? parallel : current.growing.slice(-1);
    for (let i = 0; i < count; i++) {
      const growing = grows[i % grows.length];
      if (growing !== undefined) entries.push(delta(current, growing, size));
    }
    await this.#append(entries);
  }

  #begin(): TrueMessage {
    const begun: TrueMessage = { id: `m${this.#id}${++this.#ids}`, parts: [], growing: [], status: "streaming" };
    this.messages.push(begun);
    this.#row.messages.push(message(begun.id, "streaming", [], this.#id));
    this.#row.activeRun = this.#run(begun.id);
    return begun;
  }

  #run(messageId: string): Run {
    return run(`r${messageId}`, this.#id, messageId);
  }

  #start(current: TrueMessage, part: PartKind): Entry {
    const { id: messageId, parts, growing } = current;
    const partIndex = parts.length + growing.length;
    growing.push({ part, text: "" });
    const place = { messageId, runId: "r", partIndex };
    const accumulate = { kind: "reset", messageId, partIndex, length: 0, part } as const;
    if (part.type === "tool") {
      const { toolCallId, name: toolCallName } = part;
      return entry(
        { type: "TOOL_CALL_START", toolCallId, toolCallName, parentMessageId: messageId, ...place },
        accumulate,
      );
    }
    return part.type === "reasoning"
      ? entry({ type: "REASONING_MESSAGE_START", role: "reasoning", ...place }, accumulate)
      : entry({ type: "TEXT_MESSAGE_START", role: "assistant", ...place }, accumulate);
  }

  async nextPart(type: PartKind["type"]): Promise<void> {
    const current = this.#streaming;
    if (current === undefined || current.parts.length + current.growing.length >= MAX_PARTS) return;
    const part: PartKind = type === "tool" ? { type, toolCallId: `t${++this.#ids}`, name: "clock" } : { type };
    await this.#append([this.#start(current, part)]);
  }

  /** Commits what the model said; what announces it waits in the outbox. */
  async journal(): Promise<void> {
    const current = this.#streaming;
    if (current === undefined) return;
    await this.#append(current.growing.map((growing, i) => entry(endOf(current, growing, i))));
    const from = current.parts.length;
    current.parts.push(...current.growing.splice(0).map(journaled));
    this.#commit(current);
    for (const [partIndex, part] of current.parts.entries()) {
      if (partIndex >= from && part.type === "tool") this.#announceTool(current, partIndex, part);
    }
  }

  /** A call goes on to what comes next. */
  act(share: number): void {
    const current = this.#streaming;
    const open = current?.parts.filter(isOpen) ?? [];
    const part = open[share % Math.max(1, open.length)];
    if (current === undefined || part === undefined) return;
    const partIndex = current.parts.indexOf(part);
    const next: ToolPart =
      part.status === "pending" ? { ...part, status: "running" } : { ...part, status: "completed", result: "done" };
    current.parts[partIndex] = next;
    this.#commit(current);
    this.#announceTool(current, partIndex, next);
  }

  #announceTool({ id: messageId }: TrueMessage, partIndex: number, part: ToolPart): void {
    const id = `tool ${++this.#ids}`;
    const { toolCallId } = part;
    const event: ParleyEvent = isOpen(part)
      ? { type: "CUSTOM", name: "tool.updated", value: { messageId, partIndex, part } }
      : { type: "TOOL_CALL_RESULT", messageId, toolCallId, role: "tool", content: "done", partIndex, part };
    this.outbox.push({ id, event });
  }

  #commit({ id, parts, status }: TrueMessage): void {
    const row = this.#row;
    row.messages = row.messages.map((found) => (found.id === id ? { ...found, parts: [...parts], status } : found));
  }

  /** Another process goes on with the message, from the finished steps, or from a shorter text of the one after. */
  async takeOver(keep: number): Promise<void> {
    const current = this.#streaming;
    if (current === undefined) return;
    this.#fence++;
    this.#row.fence = this.#fence;
    const sealed = await this.#log.inner.seal(this.topic, this.#fence);
    const [first] = current.growing;
    // It knows no more of an unfinished part than the log does.
    const known = sealed.ok && sealed.state.complete ? (first?.text.length ?? 0) : 0;
    let length = Math.min(keep, known);
    if (/[\udc00-\udfff]/.test(first?.text[length] ?? "")) length--;
    length = Math.max(0, length);
    if (first !== undefined) first.text = first.text.slice(0, length);
    current.growing.splice(length > 0 ? 1 : 0);
    this.#writer++;
    this.#n = 0;
    this.#epoch = sealed.ok ? sealed.state.epoch : undefined;
    const partIndex = current.parts.length;
    const value = { messageId: current.id, partIndex, length, attempt: this.#fence, runId: "r" };
    const accumulate = { kind: "reset", messageId: current.id, partIndex, length } as const;
    await this.#append([entry({ type: "CUSTOM", name: "message.reset", value }, accumulate)]);
  }

  /** Commits the end of the message; its announcement waits in the outbox. */
  finish(): void {
    const current = this.#streaming;
    if (current === undefined) return;
    current.parts.push(...current.growing.splice(0).map(journaled));
    current.status = "complete";
    for (const [partIndex, part] of current.parts.entries()) {
      if (!isOpen(part)) continue;
      const stopped: ToolPart = { ...part, status: "stopped" };
      current.parts[partIndex] = stopped;
      this.#announceTool(current, partIndex, stopped);
    }
    this.#commit(current);
    this.#row.activeRun = undefined;
    const messageId = current.id;
    for (const [partIndex, part] of current.parts.entries()) {
      if (part.type !== "text") continue;
      const event = { type: "TEXT_MESSAGE_END", messageId, partIndex, length: part.text.length } as const;
      this.outbox.push({ id: `end ${messageId} ${partIndex}`, event: { ...event, status: "complete" } });
    }
    const ended: Run = { ...this.#run(messageId), status: "completed" };
    const event: ParleyEvent = {
      type: "RUN_FINISHED",
      threadId: this.#id,
      runId: ended.id,
      outcome: { type: "success" },
      usage: [],
      run: ended,
    };
    this.outbox.push({ id: `end ${messageId}`, event, drop: messageId });
  }

  /** Commits a whole message. */
  post(size: number): void {
    if (this.#streaming !== undefined) return;
    const made: Message = message(`p${this.#id}${++this.#ids}`, "complete", ["p".repeat(size)], this.#id);
    this.messages.push({ id: made.id, parts: made.parts, growing: [], status: "complete" });
    this.#row.messages.push(made);
    this.outbox.push({ id: made.id, event: { type: "CUSTOM", name: "message.created", value: { message: made } } });
  }

  async announce(): Promise<void> {
    for (const { id, event, drop } of this.outbox.splice(0)) {
      const append: Append = {
        topic: this.topic,
        epoch: null,
        identity: { eventId: id },
        event: encodeFitted(event),
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

  async #append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    this.events += entries.length;
    if (this.#epoch === undefined) return this.reopen(true);
    const epoch = this.#epoch;
    const results = await this.#log.inner.append(
      entries.map((appended) => ({
        ...appended,
        topic: this.topic,
        epoch,
        identity: { writer: `w${this.#writer}`, n: ++this.#n, fence: this.#fence },
      })),
    );
    if (results.every(({ ok }) => ok)) return;
    // What grows is in the accumulators of the new epoch.
    await this.reopen(true);
  }
}

function entry(event: ParleyEvent, accumulate?: Append["accumulate"]): Entry {
  const json = JSON.stringify(event);
  return accumulate === undefined ? { event: json } : { event: json, accumulate };
}

function delta({ id: messageId, parts, growing }: TrueMessage, grows: Growing, size: number): Entry {
  const { part } = grows;
  const partIndex = parts.length + growing.indexOf(grows);
  const offset = grows.text.length;
  const text = `${offset}·😀`.padEnd(size, "x");
  grows.text += text;
  const place = { messageId, partIndex, offset, text };
  const key: DeltaKey =
    part.type === "tool" ? { part: "tool", toolCallId: part.toolCallId, ...place } : { part: part.type, ...place };
  return {
    event: encodeDelta(deltaHead(part, messageId, partIndex), offset, text),
    delta: key,
    accumulate: { kind: "extend", messageId, partIndex, offset, delta: text },
  };
}

function endOf({ id: messageId, parts }: TrueMessage, { part, text }: Growing, i: number): ParleyEvent {
  const place = { messageId, partIndex: parts.length + i, length: text.length };
  if (part.type === "tool") return { type: "TOOL_CALL_END", toolCallId: part.toolCallId, ...place };
  return part.type === "reasoning"
    ? { type: "REASONING_MESSAGE_END", ...place }
    : { type: "TEXT_MESSAGE_END", ...place, status: "streaming" };
}

let epochs = 0;
const newEpoch = () => `epoch-${++epochs}`;
