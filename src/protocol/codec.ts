/** Text frames ↔ values. Pure, and free of zod: the browser loads it too. */
import { MAX_DEPTH } from "./constants.ts";
import { ParleyError } from "./errors.ts";
import type { ErrorFrame, RequestFrame, RequestId, ServerFrame } from "./frames.ts";

/** A request could be read, or the error to answer with and the id to answer to. */
export type Decoded =
  | { readonly ok: true; readonly request: RequestFrame }
  | { readonly ok: false; readonly id: RequestId | null; readonly error: ParleyError };

const refuse = (id: RequestId | null, error: ParleyError): Decoded => ({ ok: false, id, error });

/**
 * Reads one incoming frame. The caller has checked its size, so parsing is bounded; V8's JSON parser does not recurse.
 * Unknown members are ignored, as JSON-RPC asks; a notification (no id) is refused, since this protocol has none
 * from the client.
 */
export function decodeRequest(text: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(null, new ParleyError("PARSE_ERROR"));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(null, new ParleyError("INVALID_REQUEST"));
  }
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  const known = (typeof id === "string" && id.length <= 64) || Number.isSafeInteger(id);
  const requestId = known ? (id as RequestId) : null;
  if (jsonrpc !== "2.0" || requestId === null || typeof method !== "string") {
    return refuse(requestId, new ParleyError("INVALID_REQUEST"));
  }
  if (params !== undefined && (typeof params !== "object" || params === null || Array.isArray(params))) {
    return refuse(requestId, new ParleyError("INVALID_REQUEST", { message: "params must be an object." }));
  }
  // Two levels are spent on the request and its params. Text too short to nest that deep is not walked.
  if (text.length > 2 * MAX_DEPTH && deeperThan(params, MAX_DEPTH - 1)) {
    return refuse(requestId, new ParleyError("TOO_DEEP"));
  }
  return { ok: true, request: { jsonrpc: "2.0", id: requestId, method, params: params ?? {} } };
}

/** Is a value nested deeper than `levels`? Iterative and level by level: it holds one level at a time. */
function deeperThan(root: unknown, levels: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (depth >= levels) return true;
      for (const child of Object.values(value)) if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

export const encodeResult = (id: RequestId, result: unknown): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`;

export function encodeError(id: RequestId | null, error: ParleyError): string {
  const frame: ErrorFrame = {
    jsonrpc: "2.0",
    id,
    error: { code: error.row.rpc, message: error.message, data: error.data() },
  };
  return JSON.stringify(frame);
}

export const encodeNotification = (method: string, params: unknown): string =>
  `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;

/** What goes before the items of a frame; made once a topic and epoch and kept, as it is the same for every event. */
export interface FrameHead {
  readonly event: string;
  readonly events: string;
}

export function frameHead(topic: string, epoch: string): FrameHead {
  const params = `"params":{"topic":${JSON.stringify(topic)},"epoch":${JSON.stringify(epoch)},`;
  return {
    event: flat('{"jsonrpc":"2.0","method":"event",', params, '"seq":'),
    events: flat('{"jsonrpc":"2.0","method":"events",', params, '"events":[{"seq":'),
  };
}

/** What `+` and templates make is kept as a tree, which would be walked again for every frame that begins with it. */
const flat = (...pieces: readonly string[]): string => pieces.join("");

/** One item of an `event` or `events` frame, from the value of its `seq` on. `event` is its JSON already [L8]. */
export const encodeItem = (fromSeq: number, seq: number, ts: string, event: string): string =>
  fromSeq === seq
    ? `${seq},"ts":"${ts}","event":${event}`
    : `${seq},"fromSeq":${fromSeq},"ts":"${ts}","event":${event}`;

export const encodeEvent = (head: FrameHead, item: string): string => `${head.event}${item}}}`;

export const encodeEvents = (head: FrameHead, items: readonly string[]): string =>
  `${head.events}${items.join('},{"seq":')}}]}}`;

/** What kind of part a delta belongs to. */
export type DeltaPart =
  | { readonly type: "text" | "reasoning" }
  | { readonly type: "tool"; readonly toolCallId: string };

/** The same, of a delta's key in the log. */
export const deltaPart = ({
  part,
  toolCallId = "",
}: {
  readonly part: DeltaPart["type"];
  readonly toolCallId?: string;
}): DeltaPart => (part === "tool" ? { type: part, toolCallId } : { type: part });

/** The beginning of every delta of a part; made once and kept. */
export function deltaHead(part: DeltaPart, messageId: string, partIndex: number): string {
  const place = `"messageId":${JSON.stringify(messageId)},"partIndex":${partIndex},"offset":`;
  switch (part.type) {
    case "text":
      return flat('{"type":"TEXT_MESSAGE_CONTENT",', place);
    case "reasoning":
      return flat('{"type":"REASONING_MESSAGE_CONTENT",', place);
    case "tool":
      return flat('{"type":"TOOL_CALL_ARGS","toolCallId":', JSON.stringify(part.toolCallId), ",", place);
  }
}

/** The JSON of a delta, without building the object first: this is the hot path, once per token. */
export const encodeDelta = (head: string, offset: number, delta: string): string =>
  isPlain(delta) ? `${head}${offset},"delta":"${delta}"}` : `${head}${offset},"delta":${JSON.stringify(delta)}}`;

/** Deltas are a word or so; a longer text is looked through faster by `JSON.stringify` itself. */
const SHORT = 64;

/** Does a text stand in JSON as it is? Cheaper to find out for a short one than to call the serializer. */
function isPlain(text: string): boolean {
  if (text.length > SHORT) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit <= 0xdfff)) return false;
  }
  return true;
}

/** Reads a frame from the server; undefined when it is none (a client ignores what it does not know). */
export function decodeServerFrame(text: string): ServerFrame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "jsonrpc" in value) return value as ServerFrame;
  } catch {
    return undefined;
  }
  return undefined;
}
