/** A reader of one topic who checks what the wire promises [W5, R11]. */
import assert from "node:assert/strict";
import type { Accumulator, EventLog, LogEntry } from "../src/ports/event-log.ts";
import type { ParleyEvent } from "../src/protocol/events.ts";

/** A log, and with what text each of its epochs was opened: what a snapshot of it begins with. */
export interface OpenedLog extends EventLog {
  readonly openings: ReadonlyMap<string, readonly Accumulator[]>;
}

export function withOpenings(log: EventLog): OpenedLog {
  const openings = new Map<string, readonly Accumulator[]>();
  const open: EventLog["open"] = async (request) => {
    if (request.owner) openings.set(request.epoch, request.accumulators);
    return log.open(request);
  };
  return new Proxy(log, {
    get(target, key) {
      if (key === "open") return open;
      if (key === "openings") return openings;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as OpenedLog;
}

/** What a reader of one epoch makes of its events, checked while it reads [W5, R11]. */
export class Reading {
  /** (message id, part index) → text. */
  readonly texts = new Map<string, string>();
  /** Ids of runs, one for each terminal event that was met. */
  readonly ended: string[] = [];
  readonly started: string[] = [];
  resets = 0;
  /** Parts that ended with another length than this reader has. */
  gaps = 0;
  readonly #starts = new Set<string>();
  readonly #closed = new Set<string>();
  #seq = 0;

  /** Of the epoch that stands. */
  static async of(log: OpenedLog, topic: string): Promise<Reading> {
    const reading = new Reading();
    const state = await log.state(topic);
    if (state === null) return reading;
    for (const { messageId, partIndex, text } of log.openings.get(state.epoch) ?? []) {
      reading.texts.set(`${messageId} ${partIndex}`, text);
    }
    for (let seq = 0; seq < state.seq;) {
      const page = await log.read(topic, { epoch: state.epoch, seq }, 500);
      assert.ok(page.ok, "the log has all of it");
      for (const entry of page.entries) reading.take(entry);
      seq = page.entries.at(-1)?.seq ?? Infinity;
    }
    return reading;
  }

  text(messageId: string): string {
    return this.texts.get(`${messageId} 0`) ?? "";
  }

  take(entry: LogEntry): void {
    assert.equal(entry.seq, ++this.#seq, "no seq is skipped or doubled");
    const event = JSON.parse(entry.event) as ParleyEvent;
    switch (event.type) {
      case "RUN_STARTED":
        this.started.push(event.runId);
        break;
      case "REASONING_MESSAGE_START":
      case "TOOL_CALL_START":
      case "TEXT_MESSAGE_START": {
        const part = `${event.messageId} ${event.partIndex}`;
        assert.ok(!this.#starts.has(part), "a part starts once");
        this.#starts.add(part);
        this.texts.set(part, "");
        break;
      }
      case "REASONING_MESSAGE_CONTENT":
      case "TOOL_CALL_ARGS":
      case "TEXT_MESSAGE_CONTENT": {
        const part = `${event.messageId} ${event.partIndex}`;
        const text = this.texts.get(part);
        assert.ok(text !== undefined, "a part starts before its text");
        assert.ok(!this.#closed.has(event.messageId), "[R11] no delta follows the end of its run");
        assert.ok(event.offset <= text.length, "no gap");
        this.texts.set(part, text + event.delta.slice(text.length - event.offset));
        break;
      }
      case "REASONING_MESSAGE_END":
      case "TOOL_CALL_END":
      case "TEXT_MESSAGE_END":
        if (this.texts.get(`${event.messageId} ${event.partIndex}`)?.length !== event.length) this.gaps++;
        break;
      case "RUN_FINISHED":
      case "RUN_ERROR":
        this.ended.push(event.runId);
        this.#closed.add(event.run.assistantMessageId);
        break;
      case "CUSTOM":
        if (event.name === "message.reset") this.#reset(event.value);
        break;
      case "STEP_STARTED":
      case "STEP_FINISHED":
      case "TOOL_CALL_RESULT":
        break;
      default:
        event satisfies never;
    }
  }

  #reset({ messageId, partIndex, length }: { messageId: string; partIndex: number; length: number }): void {
    this.resets++;
    assert.ok(!this.#closed.has(messageId), "[R11] no reset follows the end of its run");
    for (const [part, text] of this.texts) {
      const [id, index] = part.split(" ");
      if (id !== messageId) continue;
      if (Number(index) > partIndex || (Number(index) === partIndex && length === 0)) {
        this.texts.delete(part);
        this.#starts.delete(part);
      } else if (Number(index) === partIndex) {
        this.texts.set(part, text.slice(0, length));
      }
    }
  }
}
