/**
 * Golden transcripts: test/transcripts/<provider>/<case>.jsonl says what a provider sends and what the adapter makes of
 * it, line by line in their order. A line is one of
 *
 *   {"note": "…"}                    for the reader
 *   {"request": {…}}                 what of the `ModelRequest` is not the default; bytes are base64
 *   {"sent": {…}}                    these fields of the body that the provider got, whole
 *   {"status": 429, "headers": {…}}  no stream; a header may say "$date+30" (an HTTP date in 30 s)
 *   {"body": … }                     of such a reply
 *   {"wire": {…}}                    data of one event; a string stands for itself
 *   {"raw": "…"}                     text between events: comments, pings, something malformed
 *   {"sink": ["text", "Hi"]}         a call of the sink, after what stands above it
 *   {"end": "cut"}                   behind the last event; or "stall", and the request is aborted then; "dropped": no
 *                                    answer at all; "lockstep": each event waits until the sink has got what stands
 *                                    above it
 *   {"answer": {…}}                  what `stream` resolved with, or
 *   {"error": {…}}                   fields of the ModelError; retryAfterMs may be "30000±2000"
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ModelError, type ModelAnswer, type ModelProvider, type ModelRequest } from "../../src/ports/model.ts";
import { until } from "../support/until.ts";
import { CASES, type CaseName } from "./cases.ts";
import { type SinkCall, sinkLog } from "./sink-log.ts";
import { dropped, failed, type Reply, sse, startProvider, type Step, split } from "./sse-server.ts";

type Line =
  | { readonly note: string }
  | { readonly request: Partial<ModelRequest> }
  | { readonly sent: Readonly<Record<string, unknown>> }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly body: string | object }
  | { readonly wire: unknown }
  | { readonly raw: string }
  | { readonly sink: SinkCall }
  | { readonly end: "cut" | "stall" | "lockstep" | "dropped" }
  | { readonly answer: ModelAnswer }
  | { readonly error: Readonly<Record<string, unknown>> };

export interface Transcripts {
  /** Folder below test/transcripts. */
  readonly provider: string;
  /** Model of a request that names none. */
  readonly model: string;
  readonly create: (url: string) => ModelProvider;
  /** The `event:` line of an event, where the provider writes one. */
  readonly eventName?: (data: unknown) => string | undefined;
  /** Cases that this provider cannot have, and why. */
  readonly without: Partial<Record<CaseName, string>>;
}

/** How the bytes of a stream come. */
interface Splitting {
  readonly name: string;
  readonly lineEnd: "\n" | "\r\n";
  chunks(body: string): readonly Uint8Array[];
}

const every = (bytes: number) => (body: string) =>
  split(
    body,
    Array.from({ length: Math.floor(Buffer.byteLength(body) / bytes) }, (_, index) => (index + 1) * bytes),
  );

const SPLITTINGS: readonly Splitting[] = [
  { name: "whole", lineEnd: "\n", chunks: (body) => split(body, []) },
  { name: "CRLF, whole", lineEnd: "\r\n", chunks: (body) => split(body, []) },
  { name: "byte by byte", lineEnd: "\n", chunks: every(1) },
  { name: "CRLF, byte by byte", lineEnd: "\r\n", chunks: every(1) },
  { name: "7 bytes", lineEnd: "\n", chunks: every(7) },
  { name: "CRLF, 61 bytes", lineEnd: "\r\n", chunks: every(61) },
];

const folder = (provider: string) => new URL(`../transcripts/${provider}/`, import.meta.url);

function read(provider: string, name: string): Line[] {
  const text = readFileSync(new URL(`${name}.jsonl`, folder(provider)), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

function pick<T>(lines: readonly Line[], choose: (line: Line) => T | undefined): T | undefined {
  for (const line of lines) {
    const found = choose(line);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Registers a test for each transcript of the provider and each splitting, and one for the list of cases. */
export function transcriptTests(transcripts: Transcripts): void {
  const { provider, without } = transcripts;
  const names = readdirSync(folder(provider))
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => file.slice(0, -".jsonl".length));

  test(`${provider} has a transcript of each case, or says why not`, () => {
    for (const name of CASES) {
      assert.equal(names.includes(name), without[name] === undefined, `${provider}: ${name}`);
    }
  });

  for (const name of names) {
    const lines = read(provider, name);
    // Without a body that can be split, one way is enough.
    const whole = lines.some(
      (line) => "status" in line || ("end" in line && (line.end === "lockstep" || line.end === "dropped")),
    );
    for (const splitting of whole ? SPLITTINGS.slice(0, 1) : SPLITTINGS) {
      test(`${provider} transcript: ${name} (${splitting.name})`, () => replay(transcripts, lines, splitting));
    }
  }
}

/** Also for tests that make up their own lines or splittings. */
export async function replay(transcripts: Transcripts, lines: readonly Line[], splitting: Splitting): Promise<void> {
  const log = sinkLog();
  const server = await startProvider([replyOf(transcripts, lines, splitting, log.calls)]);
  const provider = transcripts.create(server.url);
  try {
    const abort = new AbortController();
    const outcome = provider.stream(requestOf(transcripts, lines), log.sink, abort.signal).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    const expected = lines.flatMap((line) => ("sink" in line ? [line.sink] : []));
    if (lines.some((line) => "end" in line && line.end === "stall")) {
      await until(
        () => log.calls.length >= expected.length && server.requests.length === 1,
        "what comes before the stall",
      );
      abort.abort();
      log.close();
    }
    const result = await outcome;
    assert.deepEqual(log.calls, expected);
    assertOutcome(lines, result);
    for (const line of lines) if ("sent" in line) assertSent(server.requests[0]?.body, line.sent);
    assert.equal(server.requests.length, 1, "a provider never retries");
  } finally {
    provider.close();
    await server.close();
  }
}

function requestOf(transcripts: Transcripts, lines: readonly Line[]): ModelRequest {
  const given = pick(lines, (line) => ("request" in line ? line.request : undefined));
  const request: ModelRequest = {
    model: transcripts.model,
    messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    tools: [],
    cacheKey: "conversation-1",
    ...given,
  };
  const messages = request.messages.map((message) => {
    if (message.role !== "user") return message;
    const content = message.content.map((part) =>
      part.type === "text" ? part : { ...part, data: new Uint8Array(Buffer.from(String(part.data), "base64")) },
    );
    return { ...message, content };
  });
  return { ...request, messages };
}

function replyOf(
  transcripts: Transcripts,
  lines: readonly Line[],
  splitting: Splitting,
  calls: readonly SinkCall[],
): Reply {
  const plain = pick(lines, (line) => ("status" in line ? line : undefined));
  if (plain !== undefined) {
    const body = pick(lines, (line) => ("body" in line ? line.body : undefined)) ?? "";
    const headers = Object.entries(plain.headers ?? {}).map(([name, value]) => [name, dated(value)]);
    return failed(plain.status, body, Object.fromEntries(headers));
  }
  const end = pick(lines, (line) => ("end" in line ? line.end : undefined));
  if (end === "dropped") return dropped;
  const event = (line: Line): string => {
    if ("raw" in line) return sse([line.raw], splitting.lineEnd);
    if (!("wire" in line)) return "";
    const name = transcripts.eventName?.(line.wire);
    const data = typeof line.wire === "string" ? line.wire : JSON.stringify(line.wire);
    return sse([{ data, ...(name !== undefined && { event: name }) }], splitting.lineEnd);
  };
  const steps: Step[] = [];
  if (end === "lockstep") {
    let above = 0;
    for (const line of lines) {
      if ("sink" in line) above++;
      const text = event(line);
      if (text === "") continue;
      const due = above;
      steps.push({ wait: () => until(() => calls.length >= due, `call ${due} of the sink before the next event`) });
      steps.push({ send: text });
    }
  } else {
    for (const chunk of splitting.chunks(lines.map(event).join(""))) steps.push({ send: chunk });
    if (end !== undefined) steps.push({ end });
  }
  return { steps };
}

const dated = (value: string) =>
  value.replace(/^\$date\+(\d+)$/, (_, seconds) => new Date(Date.now() + Number(seconds) * 1000).toUTCString());

function assertOutcome(lines: readonly Line[], result: { answer: ModelAnswer } | { error: unknown }): void {
  const answer = pick(lines, (line) => ("answer" in line ? line.answer : undefined));
  if (answer !== undefined) {
    if ("error" in result) throw result.error;
    assert.deepEqual(result.answer, answer);
    return;
  }
  const expected = pick(lines, (line) => ("error" in line ? line.error : undefined));
  assert.ok(expected !== undefined, "a transcript ends with an answer or an error");
  assert.ok("error" in result, `expected an error, got ${JSON.stringify(result)}`);
  const { error } = result;
  if (!(error instanceof ModelError)) throw error;
  const { retryAfterMs, ...rest } = expected;
  const about = /^(\d+)±(\d+)$/.exec(String(retryAfterMs));
  if (about === null) assert.equal(error.retryAfterMs, retryAfterMs);
  else
    assert.ok(Math.abs((error.retryAfterMs ?? 0) - Number(about[1])) <= Number(about[2]), String(error.retryAfterMs));
  const { kind, status, message } = error;
  assert.deepEqual({ kind, message, ...(status !== undefined && { status }) }, rest);
}

function assertSent(body: unknown, sent: Readonly<Record<string, unknown>>): void {
  if (typeof body !== "object" || body === null) throw new Error("the provider got no JSON object");
  const fields = new Map(Object.entries(body));
  for (const [name, value] of Object.entries(sent)) assert.deepEqual(fields.get(name), value, name);
}
