/**
 * A client of delivery alone: applies the rules of [W5] to the frames it gets, and checks what the server promised:
 * the answer precedes its events [W6], and within a subscription nothing is skipped or repeated.
 */
import assert from "node:assert/strict";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { EventItem } from "../../src/protocol/frames.ts";
import type { Result } from "../../src/protocol/methods.ts";
import type { Message, MessageStatus, Position } from "../../src/protocol/shapes.ts";

export interface ShownPart {
  text: string;
  /** The whole part's length where `text` is only the beginning. */
  length: number | undefined;
}
export interface ShownMessage {
  parts: ShownPart[];
  status: MessageStatus;
}

interface View {
  /** Last event that was applied. */
  cursor: Position | undefined;
  messages: Map<string, ShownMessage>;
  /** What the server has to send next, since its last answer on this connection. */
  stream: { readonly epoch: string; next: number } | undefined;
  /** Id of the newest request that has not been answered. */
  waiting: number | undefined;
  wantsSubscribe: "no" | "with position" | "without position";
}

const newView = (): View => ({
  cursor: undefined,
  messages: new Map(),
  stream: undefined,
  waiting: undefined,
  wantsSubscribe: "with position",
});

const lengthOf = (part: ShownPart | undefined): number => part?.length ?? part?.text.length ?? 0;

export class DeliveryClient {
  readonly views = new Map<string, View>();
  applied = 0;
  resyncs = 0;
  gaps = 0;

  constructor(topics: readonly string[]) {
    for (const topic of topics) this.views.set(topic, newView());
  }

  view(topic: string): View {
    const view = this.views.get(topic);
    assert.ok(view, `nobody asked for ${topic}`);
    return view;
  }

  /** The connection is gone: what waits is lost, what is shown stays. */
  disconnected(): void {
    for (const view of this.views.values()) {
      view.stream = undefined;
      view.waiting = undefined;
      if (view.wantsSubscribe === "no") view.wantsSubscribe = "with position";
    }
  }

  receive(frame: string): void {
    const { method, params, id, topic, result, error } = JSON.parse(frame);
    if (id !== undefined) return this.#answered(topic, id, result, error);
    switch (method) {
      case "event":
        return this.#events(params.topic, params.epoch, [params]);
      case "events":
        return this.#events(params.topic, params.epoch, params.events);
      case "heartbeat":
        return this.#heartbeat(params.positions);
      case "resync": {
        this.resyncs++;
        const view = this.view(params.topic);
        view.stream = undefined;
        this.#again(view, "with position");
        return;
      }
      default:
        assert.fail(`unknown frame ${frame.slice(0, 100)}`);
    }
  }

  #again(view: View, how: "with position" | "without position"): void {
    if (view.wantsSubscribe !== "without position") view.wantsSubscribe = how;
  }

  #answered(topic: string, id: number, result: Result<"topic.subscribe"> | undefined, error: string | undefined): void {
    const view = this.view(topic);
    const newest = view.waiting === id;
    if (newest) view.waiting = undefined;
    if (result === undefined) {
      assert.ok(error === "UNAVAILABLE" || error === "CANCELLED", `refused: ${error}`);
      if (newest) this.#again(view, "with position");
      return;
    }
    view.stream = { epoch: result.position.epoch, next: result.position.seq + 1 };
    if (result.mode === "snapshot") {
      assert.ok("messages" in result.snapshot);
      view.messages = new Map(result.snapshot.messages.map((row) => [row.id, shown(row)]));
      view.cursor = result.position;
    } else {
      assert.equal(view.cursor?.epoch, result.position.epoch, "a replay of an epoch that the client does not know");
    }
  }

  #heartbeat(positions: Record<string, Position>): void {
    for (const [topic, view] of this.views) {
      if (view.waiting !== undefined || view.cursor === undefined) continue;
      const sent = positions[topic];
      if (sent?.epoch === view.cursor.epoch && sent.seq === view.cursor.seq) continue;
      this.#again(view, "with position");
    }
  }

  #events(topic: string, epoch: string, items: readonly EventItem[]): void {
    const view = this.view(topic);
    for (const { fromSeq, seq, event } of items) {
      const from = fromSeq ?? seq;
      assert.ok(view.stream, `an event of ${topic} without an answer before it`);
      assert.equal(epoch, view.stream.epoch, "an event of another epoch than the answer's");
      assert.equal(from, view.stream.next, "the server skipped or repeated an event");
      view.stream.next = seq + 1;
      this.#take(view, epoch, from, seq, event);
    }
  }

  #take(view: View, epoch: string, from: number, seq: number, event: ParleyEvent): void {
    if (view.cursor?.epoch !== epoch) return this.#again(view, "with position");
    if (seq <= view.cursor.seq) return;
    if (from > view.cursor.seq + 1) {
      this.gaps++;
      return this.#again(view, "with position");
    }
    if (!apply(view.messages, event)) {
      this.gaps++;
      this.#again(view, "without position");
    }
    this.applied++;
    view.cursor = { epoch, seq };
  }
}

const shown = ({ parts, status }: Message): ShownMessage => ({
  parts: parts.map(({ text, length }) => ({ text, length })),
  status,
});

/** False when the event shows that something is missing here. A finished row is ahead of the events that led to it. */
function apply(messages: Map<string, ShownMessage>, event: ParleyEvent): boolean {
  switch (event.type) {
    case "TEXT_MESSAGE_START":
      if (!messages.has(event.messageId)) messages.set(event.messageId, { parts: [], status: "streaming" });
      return true;
    case "TEXT_MESSAGE_CONTENT": {
      if (isFinished(messages, event.messageId)) return true;
      const part = partOf(messages, event.messageId, event.partIndex);
      if (part === undefined || event.offset > lengthOf(part)) return false;
      part.text += event.delta.slice(part.text.length - event.offset);
      return true;
    }
    case "TEXT_MESSAGE_END": {
      if (isFinished(messages, event.messageId)) return true;
      const found = messages.get(event.messageId);
      if (found === undefined || lengthOf(found.parts[event.partIndex]) !== event.length) return false;
      found.status = event.status;
      return true;
    }
    case "CUSTOM":
      if (event.name === "message.created") messages.set(event.value.message.id, shown(event.value.message));
      if (event.name === "message.reset") return reset(messages, event.value);
      return true;
    case "RUN_STARTED":
    case "RUN_FINISHED":
    case "RUN_ERROR":
      return true;
  }
}

function isFinished(messages: Map<string, ShownMessage>, messageId: string): boolean {
  const found = messages.get(messageId);
  return found !== undefined && found.status !== "streaming";
}

function partOf(messages: Map<string, ShownMessage>, messageId: string, partIndex: number): ShownPart | undefined {
  const found = messages.get(messageId);
  if (found === undefined || partIndex > found.parts.length) return undefined;
  return (found.parts[partIndex] ??= { text: "", length: undefined });
}

function reset(
  messages: Map<string, ShownMessage>,
  { messageId, partIndex, length }: { messageId: string; partIndex: number; length: number },
): boolean {
  if (isFinished(messages, messageId)) return true;
  const found = messages.get(messageId);
  const part = partOf(messages, messageId, partIndex);
  if (part === undefined || found === undefined || length > lengthOf(part)) return false;
  part.text = part.text.slice(0, length);
  found.parts.length = partIndex + 1;
  return true;
}
