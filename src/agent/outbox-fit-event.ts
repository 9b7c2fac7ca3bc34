/** Events within their 64 KiB [W11]: what is longer is cut, says so (`length`), and is read by `message.read`. */
import { MAX_EVENT } from "../protocol/constants.ts";
import { barePart, bareToolPart, cutText } from "../protocol/cut-part.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { Approval, Message, Part, Run } from "../protocol/shapes.ts";

/** UTF-16 units that are left of a sentence when an event has to be cut. */
const MAX_SENTENCE = 2_000;

const bytesOf = (json: string): number => Buffer.byteLength(json);

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
    case "RUN_ERROR":
      return { ...event, message: cutText(event.message, MAX_SENTENCE), run: cutRun(event.run) };
    case "TOOL_CALL_RESULT":
      return fitResult(event);
    case "CUSTOM":
      return cutCustom(event);
    case "TEXT_MESSAGE_START":
    case "TEXT_MESSAGE_CONTENT":
    case "TEXT_MESSAGE_END":
    case "REASONING_MESSAGE_START":
    case "REASONING_MESSAGE_CONTENT":
    case "REASONING_MESSAGE_END":
    case "TOOL_CALL_START":
    case "TOOL_CALL_ARGS":
    case "TOOL_CALL_END":
    case "STEP_STARTED":
    case "STEP_FINISHED":
    case "RUN_FINISHED":
      return event;
  }
}

function cutCustom(event: Extract<ParleyEvent, { readonly type: "CUSTOM" }>): ParleyEvent {
  switch (event.name) {
    case "message.created":
    case "message.updated":
      return fitMessage(event.value.message, (message) => ({ ...event, value: { message } }));
    case "tool.updated":
      return { ...event, value: { ...event.value, part: bareToolPart(event.value.part) } };
    case "tool.progress":
      return { ...event, value: { ...event.value, message: cutText(event.value.message, MAX_SENTENCE) } };
    case "run.notice":
      return { ...event, value: { ...event.value, message: cutText(event.value.message, MAX_SENTENCE) } };
    case "run.updated":
      return { ...event, value: { run: cutRun(event.value.run) } };
    case "approval.requested":
    case "approval.decided":
      return { ...event, value: { approval: cutApproval(event.value.approval) } };
    case "message.reset":
    case "plan.updated":
    case "branch.selected":
    case "conversation.created":
    case "conversation.renamed":
    case "conversation.updated":
    case "conversation.deleted":
    case "conversation.restored":
    case "folder.updated":
    case "folder.deleted":
      return event;
  }
}

const cutRun = (run: Run): Run => ({
  ...run,
  error: run.error && { ...run.error, message: cutText(run.error.message, MAX_SENTENCE) },
});

/** Who decides reads the arguments in the call's part. */
const cutApproval = (approval: Approval): Approval => ({
  ...approval,
  args: {},
  summary: cutText(approval.summary, MAX_SENTENCE),
});

/** The part goes first: `message.read` gives it whole, and what the model was told is in it. */
function fitResult(event: Extract<ParleyEvent, { readonly type: "TOOL_CALL_RESULT" }>): ParleyEvent {
  const bare = { ...event, part: bareToolPart(event.part) };
  const room = MAX_EVENT - bytesOf(JSON.stringify({ ...bare, content: "" }));
  return { ...bare, content: cutText(event.content, longestWithin(event.content, room)) };
}

/** Keeps the beginning: parts in order, as long as there is room. */
function fitMessage(whole: Message, wrap: (message: Message) => ParleyEvent): ParleyEvent {
  const { error } = whole;
  const message =
    error === undefined ? whole : { ...whole, error: { ...error, message: cutText(error.message, MAX_SENTENCE) } };
  let room = MAX_EVENT - bytesOf(JSON.stringify(wrap({ ...message, parts: message.parts.map(barePart) })));
  const parts = message.parts.map((part) => {
    const [kept, bytes] = fitPart(part, room);
    room -= bytes;
    return kept;
  });
  return wrap({ ...message, parts });
}

/** As much of a part as `room` holds, and what it takes beside the bare part. */
function fitPart(part: Part, room: number): readonly [part: Part, bytes: number] {
  const bare = barePart(part);
  const more = bytesOf(JSON.stringify(part)) - bytesOf(JSON.stringify(bare));
  if (more <= room) return [part, Math.max(0, more)];
  if (part.type !== "text" && part.type !== "reasoning") return [bare, 0];
  const text = cutText(part.text, longestWithin(part.text, room));
  return [{ ...part, text, length: part.length ?? part.text.length }, costOf(text)];
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
