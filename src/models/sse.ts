/**
 * Decoder of an event stream (HTML, "Server-sent events"): text in pieces of any size, events out in the same turn.
 * Lines may end in LF, CRLF or CR. `id` and `retry` mean nothing here. An event that the stream's end cuts off in front
 * of its blank line counts, as servers leave the line out.
 */

import { ModelError } from "../ports/model.ts";

/** `data` of several lines is joined with LF; `event` is "" where the stream names none. */
export type SseListener = (data: string, event: string) => void;

export interface SseDecoder {
  /** Throws a `ModelError` when an event is longer than the limit. */
  push(text: string): void;
  end(): void;
}

/** UTF-16 units of one event: a whole answer with its encrypted reasoning may be repeated in the last. */
const MAX_EVENT = 32 * 1024 * 1024;

export function createSseDecoder(listener: SseListener, maxEvent = MAX_EVENT): SseDecoder {
  let line = "";
  let data: string | undefined;
  let event = "";
  /** A CR at the end of a piece: whether it is half a CRLF shows in the next one. */
  let heldReturn = false;
  let first = true;

  function push(piece: string): void {
    let text = first && piece.startsWith("\uFEFF") ? piece.slice(1) : piece;
    if (piece !== "") first = false;
    if (heldReturn) text = `\r${text}`;
    heldReturn = false;
    if (text.includes("\r")) {
      heldReturn = text.endsWith("\r");
      text = (heldReturn ? text.slice(0, -1) : text).replaceAll(/\r\n?/g, "\n");
    }
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      const whole = line === "" ? text.slice(from, to) : line + text.slice(from, to);
      line = "";
      from = to + 1;
      takeLine(whole);
    }
    line += text.slice(from);
    if (line.length + (data?.length ?? 0) > maxEvent) {
      throw new ModelError("transport", "An event of the model's stream is too long.");
    }
  }

  function takeLine(whole: string): void {
    if (whole === "") return dispatch();
    if (whole.startsWith("data: ")) return addData(whole.slice(6));
    const colon = whole.indexOf(":");
    const name = colon < 0 ? whole : whole.slice(0, colon);
    if (name !== "data" && name !== "event") return;
    const start = whole.charAt(colon + 1) === " " ? colon + 2 : colon + 1;
    const value = colon < 0 ? "" : whole.slice(start);
    if (name === "event") event = value;
    else addData(value);
  }

  function addData(value: string): void {
    data = data === undefined ? value : `${data}\n${value}`;
  }

  function dispatch(): void {
    const of = event;
    const complete = data;
    event = "";
    data = undefined;
    if (complete !== undefined) listener(complete, of);
  }

  return {
    push,
    end() {
      if (heldReturn) push("\n");
      const rest = line;
      line = "";
      if (rest !== "") takeLine(rest);
      dispatch();
    },
  };
}
