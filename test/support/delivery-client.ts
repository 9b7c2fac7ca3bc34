/**
 * A client of delivery alone: applies events as the SDK does, and checks what the server promised: the answer precedes
 * its events [W6], and within a subscription nothing is skipped or repeated.
 */
import assert from "node:assert/strict";
import { reduce } from "../../src/client/transcript-reduce.ts";
import { EMPTY, type Transcript } from "../../src/client/transcript.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { EventItem } from "../../src/protocol/frames.ts";
import type { Result } from "../../src/protocol/methods.ts";
import type { Message, Position } from "../../src/protocol/shapes.ts";

interface View {
  /** Last event that was applied. */
  cursor: Position | undefined;
  transcript: Transcript;
  /** What the server has to send next, since its last answer on this connection. */
  stream: { readonly epoch: string; next: number } | undefined;
  /** Id of the newest request that has not been answered. */
  waiting: number | undefined;
  wantsSubscribe: "no" | "with position" | "without position";
  /** Something is missing: until a snapshot comes, events say nothing. */
  fresh: boolean;
}

const newView = (): View => ({
  cursor: undefined,
  transcript: EMPTY,
  stream: undefined,
  waiting: undefined,
  wantsSubscribe: "with position",
  fresh: false,
});

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

  /** Every message that is shown, by id. */
  messages(topic: string): ReadonlyMap<string, Message> {
    const { settled, live } = this.view(topic).transcript;
    return new Map([...settled, ...live]);
  }

  /** The connection is gone: what waits is lost, what is shown stays. */
  disconnected(): void {
    for (const view of this.views.values()) {
      view.stream = undefined;
      view.waiting = undefined;
      if (view.wantsSubscribe === "no") this.#again(view, "with position");
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
    if (view.wantsSubscribe !== "without position") view.wantsSubscribe = view.fresh ? "without position" : how;
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
      const { snapshot } = result;
      assert.ok("messages" in snapshot);
      view.transcript = reduce(view.transcript, { type: "snapshot", snapshot }).state;
      view.cursor = result.position;
      view.fresh = false;
    } else {
      if (view.fresh) this.#again(view, "without position");
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
    if (view.fresh) return;
    if (view.cursor?.epoch !== epoch) return this.#again(view, "with position");
    if (seq <= view.cursor.seq) return;
    if (from > view.cursor.seq + 1) {
      this.gaps++;
      return this.#again(view, "with position");
    }
    const { state, gap } = reduce(view.transcript, { type: "event", event });
    view.transcript = state;
    if (gap) {
      this.gaps++;
      view.fresh = true;
      return this.#again(view, "without position");
    }
    this.applied++;
    view.cursor = { epoch, seq };
  }
}
