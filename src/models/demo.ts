/**
 * The demo model: deterministic, no key, no network, so that Parley runs out of the box and tests and load generators
 * can rely on the text. "count to N" streams `1 2 3 … N` and nothing else; anything else gets a short answer that says
 * what this is.
 *
 * One timer serves all streams, a slot of them at a time, so that a thousand streams are many short bursts of work and
 * not one long one:
 *
 *   tick ──▶ slots whose time has come ──▶ each stream: due = 1 + ⌊elapsed × rate⌋ ──▶ sink.text(token sent … due − 1)
 *
 * A stream is a handful of numbers: an answer is a function from a token's index to its text, never built as a whole.
 */
import type { ModelAnswer, ModelProvider, ModelRequest, ModelSink } from "../ports/model.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { ModelInfo } from "../protocol/shapes.ts";

export interface DemoOptions {
  /** Default 50, about the pace of a fast reader. */
  readonly tokensPerSecond?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

/** An answer, by token: about a word each. */
interface Answer {
  readonly tokens: number;
  token(index: number): string;
}

interface Stream {
  readonly answer: Answer;
  readonly sink: ModelSink;
  readonly startedAt: number;
  readonly inputTokens: number;
  sent: number;
  /** False once it ended; the sink may abort from inside of `text`. */
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
const COUNT_LIMIT = 1_000_000;

const HELP =
  "This is the demo model of Parley, and no real model stands behind it: its answers are fixed. " +
  'It can count. Send "count to 20" and watch the numbers stream; reload the page or stop the server ' +
  "meanwhile, and the answer still goes on to its end.";

const INFO: ModelInfo = {
  id: "demo",
  provider: "demo",
  name: "Demo",
  demo: true,
  hint: 'The built-in demo model: no key, fixed answers. It can count: send "count to 20".',
  available: true,
};

const counting = (to: number): Answer => ({
  tokens: to,
  token: (index) => (index === 0 ? "1" : ` ${index + 1}`),
});

function fixed(text: string): Answer {
  const words = text.match(/\s*\S+/g) ?? [];
  return { tokens: words.length, token: (index) => words[index] ?? "" };
}

const help = fixed(HELP);
const tooFar = fixed(`The demo model counts from 1 to a number of at most ${COUNT_LIMIT}. Try "count to 20".`);

/** The last message of a person decides; text around "count to N" does not matter. */
function answerTo(request: ModelRequest): Answer {
  const question = request.messages.findLast((message) => message.role === "user")?.text ?? "";
  const number = /\bcount to (\d+)\b/i.exec(question)?.[1];
  if (number === undefined) return help;
  const to = Number(number);
  return to >= 1 && to <= COUNT_LIMIT ? counting(to) : tooFar;
}

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

/** Sends what is due of a stream; true when it was the last of it. */
function advance(stream: Stream, now: number, rate: number): boolean {
  const { answer, sink } = stream;
  const elapsed = Math.max(0, now - stream.startedAt);
  const due = Math.min(answer.tokens, 1 + Math.floor((elapsed * rate) / 1000), stream.sent + TOKENS_PER_TICK);
  if (rate <= SEPARATE_UP_TO) {
    while (stream.live && stream.sent < due) sink.text(answer.token(stream.sent++));
  } else {
    let delta = "";
    while (stream.live && stream.sent < due) {
      delta += answer.token(stream.sent++);
      if (delta.length >= DELTA_LENGTH || stream.sent === due) {
        sink.text(delta);
        delta = "";
      }
    }
  }
  return stream.live && stream.sent === answer.tokens;
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
        if (advance(stream, time, rate)) stream.end("end");
      } catch (error) {
        stream.fail(error);
      }
    }
  }

  function stream(request: ModelRequest, sink: ModelSink, signal: AbortSignal): Promise<ModelAnswer> {
    if (closed) return Promise.reject(new ParleyError("MODEL_UNAVAILABLE"));
    return new Promise((resolve, reject) => {
      let inputTokens = 0;
      for (const message of request.messages) inputTokens += countWords(message.text);
      const abort = () => entry.end("aborted");
      const forget = () => {
        remove(entry);
        signal.removeEventListener("abort", abort);
      };
      const entry: Stream = {
        answer: answerTo(request),
        sink,
        startedAt: now(),
        inputTokens,
        sent: 0,
        live: true,
        end(stop) {
          forget();
          resolve({ stop, usage: { inputTokens, outputTokens: entry.sent } });
        },
        fail(error) {
          forget();
          reject(new ParleyError("MODEL_FAILED", { cause: error }));
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
    stream,
    close() {
      closed = true;
      for (const slot of slots) for (const open of slot) open.end("aborted");
    },
  };
}
