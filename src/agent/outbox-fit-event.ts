/** Events within their 64 KiB [W11]: what is longer is cut, says so (`length`), and is read by `message.read`. */
import { MAX_EVENT } from "../protocol/constants.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { Message, Part } from "../protocol/shapes.ts";

/** UTF-16 units that are left of an error's sentence when an event has to be cut. */
const MAX_SENTENCE = 2_000;

const bytesOf = (json: string): number => Buffer.byteLength(json);

/** Cuts to at most `length` UTF-16 units, never inside a surrogate pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** An event's JSON, cut so that it fits `MAX_EVENT`. Throws when there is nothing left to cut. */
export function encodeFitted(event: ParleyEvent): string {
  const json = JSON.stringify(event);
  // No UTF-16 unit is more than three bytes.
  if (json.length * 3 <= MAX_EVENT || bytesOf(json) <= MAX_EVENT) return json;
  const cut = JSON.stringify(cutEvent(event));
  if (bytesOf(cut) > MAX_EVENT) throw new Error(`An event of type ${event.type} can't be cut to ${MAX_EVENT} bytes.`);
  return cut;
}

function cutEvent(event: ParleyEvent): ParleyEvent {
  switch (event.type) {
    case "RUN_STARTED":
      return fitMessage(event.message, (message) => ({ ...event, message }));
    case "RUN_ERROR": {
      const { error } = event.run;
      const run = { ...event.run, error: error && { ...error, message: cutText(error.message, MAX_SENTENCE) } };
      return { ...event, message: cutText(event.message, MAX_SENTENCE), run };
    }
    case "CUSTOM":
      return event.name === "message.created" || event.name === "message.updated"
        ? fitMessage(event.value.message, (message) => ({ ...event, value: { message } }))
        : event;
    case "TEXT_MESSAGE_START":
    case "TEXT_MESSAGE_CONTENT":
    case "TEXT_MESSAGE_END":
    case "RUN_FINISHED":
      return event;
  }
}

/** Keeps the beginning: parts in order, as long as there is room. */
function fitMessage(message: Message, wrap: (message: Message) => ParleyEvent): ParleyEvent {
  const empty = message.parts.map((part) => cutPart(part, 0));
  let room = MAX_EVENT - bytesOf(JSON.stringify(wrap({ ...message, parts: empty })));
  const parts = message.parts.map((part) => {
    const kept = cutPart(part, longestWithin(part.text, room));
    room -= costOf(kept.text);
    return kept;
  });
  return wrap({ ...message, parts });
}

function cutPart(part: Part, length: number): Part {
  const text = cutText(part.text, length);
  return text === part.text ? part : { ...part, text, length: part.length ?? part.text.length };
}

/** Bytes of a text in JSON, without its quotes. */
const costOf = (text: string): number => bytesOf(JSON.stringify(text)) - 2;

/** How many UTF-16 units of a text fit so many bytes of JSON. */
function longestWithin(text: string, bytes: number): number {
  let low = 0;
  let high = Math.min(text.length, Math.max(0, bytes));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (costOf(cutText(text, middle)) <= bytes) low = middle;
    else high = middle - 1;
  }
  return low;
}
