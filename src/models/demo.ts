/**
 * The demo model: deterministic, no key, no network, so that Parley runs out of the box and tests and load generators
 * can rely on the text. What it says is in `demo-script.ts`; this is its pace.
 *
 * One timer serves all streams, a slot of them at a time, so that a thousand streams are many short bursts of work and
 * not one long one:
 *
 *   tick ──▶ slots whose time has come ──▶ each stream: due = 1 + ⌊elapsed × rate⌋ ──▶ its sink: token sent … due − 1
 *
 * A stream is a handful of numbers beside its script.
 */
import {
  ModelError,
  type ModelAnswer,
  type ModelErrorKind,
  type ModelMessage,
  type ModelProvider,
  type ModelRequest,
  type ModelSink,
} from "../ports/model.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { ModelInfo } from "../protocol/shapes.ts";
import type { Piece } from "./demo-pieces.ts";
import { scriptFor } from "./demo-script.ts";

/** What goes wrong with a stream after so many of its tokens. `silence`: it says nothing more, and does not end. */
export interface DemoFault {
  readonly after: number;
  readonly kind: ModelErrorKind | "silence";
}

export interface DemoOptions {
  /** Default 50, about the pace of a fast reader. */
  readonly tokensPerSecond?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
  /** For tests: what goes wrong with this request, asked once for each. */
  readonly fault?: (request: ModelRequest) => DemoFault | undefined;
}

interface Stream {
  readonly script: readonly Piece[];
  /** How it ends when all of it was said. */
  readonly ending: ModelAnswer["stop"];
  readonly sink: ModelSink;
  readonly startedAt: number;
  readonly fault: DemoFault | undefined;
  /** Tokens, of the whole script. */
  sent: number;
  /** Index of the piece that is said now, and what had been sent when it began. */
  piece: number;
  pieceFrom: number;
  /** Of the tool call that streams now. */
  callId: string;
  /** False once it ended; the sink may abort from inside of a delta. */
  live: boolean;
  readonly end: (stop: ModelAnswer["stop"]) => void;
  readonly fail: (error: unknown) => void;
}

/** Up to this pace each token is a delta of its own; above it, a tick's tokens share one. */
const SEPARATE_UP_TO = 100;
/** UTF-16 units of one merged delta. */
const DELTA_LENGTH = 2048;
/** Tokens that one stream may send in one tick: a stalled process catches up without stalling again. */
const TOKENS_PER_TICK = 5000;
/** Streams are spread over so many slots, each of which is served once a round. */
const SLOTS = 5;

const BROKE = "The demo model broke off its answer.";

const INFO: ModelInfo = {
  id: "demo",
  provider: "demo",
  name: "Demo",
  demo: true,
  hint:
    "The built-in demo model: no key, fixed answers. For a real one, set ANTHROPIC_API_KEY, OPENAI_API_KEY, " +
    'GEMINI_API_KEY or COMPATIBLE_BASE_URL. Meanwhile, send "count to 20".',
  available: true,
};

/** Words, without making an array of them. */
function countWords(text: string): number {
  let words = 0;
  let inWord = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const space = code === 32 || (code >= 9 && code <= 13);
    if (!space && !inWord) words++;
    inWord = !space;
  }
  return words;
}

/** What a request holds, in words. */
function inputOf(messages: readonly ModelMessage[]): number {
  let count = 0;
  for (const message of messages) {
    switch (message.role) {
      case "system":
        count += countWords(message.text);
        break;
      case "user":
        for (const part of message.content) if (part.type === "text") count += countWords(part.text);
        break;
      case "assistant":
        for (const part of message.content) {
          count += countWords(part.type === "tool-call" ? JSON.stringify(part.args) : part.text);
        }
        break;
      case "tool":
        for (const { content } of message.results) count += countWords(content);
    }
  }
  return count;
}

/** Sends what is due of a stream; true when it was the last of it. Throws the fault that is due. */
function advance(stream: Stream, now: number, rate: number): boolean {
  const { script, startedAt, fault } = stream;
  const elapsed = Math.max(0, now - startedAt);
  const paced = Math.min(1 + Math.floor((elapsed * rate) / 1000), stream.sent + TOKENS_PER_TICK);
  const due = fault === undefined ? paced : Math.min(paced, fault.after);
  while (stream.live && stream.sent < due) {
    const piece = script[stream.piece];
    if (piece === undefined) break;
    if (piece.kind === "call" && stream.sent === stream.pieceFrom) {
      stream.callId = uuidv7();
      stream.sink.toolCall(stream.callId, piece.name);
    }
    const end = stream.pieceFrom + piece.tokens;
    say(stream, piece, Math.min(due, end), rate);
    if (stream.sent < end) break;
    stream.piece++;
    stream.pieceFrom = end;
  }
  if (!stream.live) return false;
  if (fault !== undefined && stream.sent >= fault.after && fault.kind !== "silence") {
    throw new ModelError(fault.kind, `The demo model was told to fail (${fault.kind}).`);
  }
  return stream.piece === script.length;
}

/** Sends the tokens of a piece up to `until`, counted over the whole script. */
function say(stream: Stream, piece: Piece, until: number, rate: number): void {
  if (rate <= SEPARATE_UP_TO) {
    while (stream.live && stream.sent < until) send(stream, piece, piece.token(stream.sent++ - stream.pieceFrom));
    return;
  }
  let delta = "";
  while (stream.live && stream.sent < until) {
    delta += piece.token(stream.sent++ - stream.pieceFrom);
    if (delta.length >= DELTA_LENGTH || stream.sent === until) {
      send(stream, piece, delta);
      delta = "";
    }
  }
}

function send({ sink, callId }: Stream, { kind }: Piece, delta: string): void {
  switch (kind) {
    case "text":
      return sink.text(delta);
    case "reasoning":
      return sink.reasoning(delta);
    case "call":
      return sink.toolArgs(callId, delta);
  }
}

export function createDemoModel(options: DemoOptions = {}): ModelProvider {
  const rate = options.tokensPerSecond ?? 50;
  if (!(rate > 0 && Number.isFinite(rate))) throw new Error("tokensPerSecond must be a positive number");
  const now = options.now ?? (() => performance.now());
  // Twice as often as tokens are due, so that a late tick rarely sends two of them.
  const roundMs = Math.min(50, Math.max(5, 500 / rate));
  const slotMs = roundMs / SLOTS;
  const slots = Array.from({ length: SLOTS }, () => new Set<Stream>());
  let live = 0;
  /** Slots that have been served since the clock began, by its count. */
  let served = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const slotAt = (time: number) => Math.floor(time / slotMs);
  /** The next to be served when it started, so that its first token is soon. */
  const slotOf = (stream: Stream) => slots[(slotAt(stream.startedAt) + 1) % SLOTS];

  function add(stream: Stream): void {
    slotOf(stream)?.add(stream);
    live++;
    if (timer !== undefined) return;
    served = slotAt(stream.startedAt);
    timer = setInterval(tick, slotMs);
  }

  function remove(stream: Stream): void {
    stream.live = false;
    if (slotOf(stream)?.delete(stream) !== true || --live > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function tick(): void {
    const time = now();
    const last = slotAt(time);
    for (let slot = Math.max(served, last - SLOTS) + 1; slot <= last; slot++) serve(slots[slot % SLOTS], time);
    served = Math.max(served, last);
  }

  function serve(streams: Iterable<Stream> | undefined, time: number): void {
    if (streams === undefined) return;
    for (const stream of streams) {
      try {
        if (advance(stream, time, rate)) stream.end(stream.ending);
      } catch (error) {
        stream.fail(error);
      }
    }
  }

  function stream(request: ModelRequest, sink: ModelSink, signal: AbortSignal): Promise<ModelAnswer> {
    if (closed) return Promise.reject(new ModelError("transport", "The demo model was closed."));
    return new Promise((resolve, reject) => {
      const abort = () => entry.end("aborted");
      const forget = () => {
        remove(entry);
        signal.removeEventListener("abort", abort);
      };
      const script = scriptFor(request);
      const ending = script.some(({ kind }) => kind === "call") ? "tool-calls" : "end";
      const inputTokens = inputOf(request.messages);
      const entry: Stream = {
        script,
        ending,
        sink,
        startedAt: now(),
        fault: options.fault?.(request),
        sent: 0,
        piece: 0,
        pieceFrom: 0,
        callId: "",
        live: true,
        end(stop) {
          forget();
          resolve({ stop, usage: { inputTokens, outputTokens: entry.sent } });
        },
        fail(error) {
          forget();
          reject(error instanceof ModelError ? error : new ModelError("transport", BROKE, { cause: error }));
        },
      };
      add(entry);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  return {
    name: "demo",
    list: () => [INFO],
    passesThrough: false,
    stream,
    close() {
      closed = true;
      for (const slot of slots) for (const open of slot) open.end("aborted");
    },
  };
}
