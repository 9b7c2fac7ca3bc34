import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createGemini } from "../../src/models/gemini.ts";
import { behaviourTests, never, request, world } from "./behaviour.ts";
import { geminiEvents, geminiReply, geminiText, type WirePart } from "./gemini-wire.ts";
import { type SinkCall, sinkLog } from "./sink-log.ts";
import { failed, streamed } from "./sse-server.ts";
import { transcriptTests, type Transcripts } from "./transcript.ts";

const KEY = "AIza-test-0123456789";
const MODEL = "google/gemini-3.8-flash";

const transcripts: Transcripts = {
  provider: "google",
  model: MODEL,
  create: (baseUrl) => createGemini({ apiKey: KEY, baseUrl }),
  without: { "status-529": "Google does not use this status: an overload is a 503." },
};
transcriptTests(transcripts);

behaviourTests({
  ...transcripts,
  answer: (deltas) => geminiText(geminiEvents(deltas.map((text) => [{ text }]))),
  beginning: (deltas) => geminiText(geminiEvents(deltas.map((text) => [{ text }])).slice(0, -1)),
});

const ask = request(MODEL);

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const wirePart: fc.Arbitrary<WirePart> = fc.oneof(
  text.map((each) => ({ text: each })),
  text.map((each) => ({ text: each, thought: true as const })),
  text.map((zone) => ({ functionCall: { name: "clock", args: { zone } } })),
);

test("any answer comes to the same calls of the sink, wherever its bytes are cut", async (t) => {
  let body = "";
  let splitAt: readonly number[] = [];
  const { provider } = await world(t, transcripts.create, () => streamed(body, { splitAt }));
  const answers = fc.record({
    events: fc.array(fc.array(wirePart, { maxLength: 3 }), { maxLength: 5 }),
    splits: fc.array(fc.nat(3000), { maxLength: 40 }),
    lineEnd: fc.constantFrom("\n" as const, "\r\n" as const),
  });
  await fc.assert(
    fc.asyncProperty(answers, async ({ events: made, splits, lineEnd }) => {
      let calls = 0;
      const events = made.map((parts) =>
        parts.map((part) =>
          "functionCall" in part ? { functionCall: { ...part.functionCall, id: `fc_${calls++}` } } : part,
        ),
      );
      body = geminiText(geminiEvents(events), lineEnd);
      splitAt = splits;
      const log = sinkLog();
      const answer = await provider.stream(ask, log.sink, never);
      const expected = events.flat().flatMap((part): SinkCall[] => {
        if ("text" in part) return [["thought" in part ? "reasoning" : "text", part.text]];
        const { id, name, args } = part.functionCall;
        return [
          ["toolCall", id, name],
          ["toolArgs", id, JSON.stringify(args)],
        ];
      });
      assert.deepEqual(log.calls, expected);
      assert.equal(answer.stop, calls > 0 ? "tool-calls" : "end");
      assert.deepEqual(answer.usage, { inputTokens: 10, outputTokens: 20 });
    }),
    { numRuns: 60 },
  );
});

test("in a loop of tools the signatures go back on their parts, and calls get ids where they have none", async (t) => {
  const { server, provider } = await world(t, transcripts.create, [
    geminiReply([
      [{ text: "Hm.", thought: true }],
      [{ text: "I look." }],
      [
        { functionCall: { name: "clock", args: { zone: "CET" } }, thoughtSignature: "c2ln" },
        { functionCall: { name: "clock" } },
      ],
    ]),
    geminiReply([[{ text: "Noon." }]]),
  ]);
  const log = sinkLog();
  const first = await provider.stream(ask, log.sink, never);
  const [one = "", two = ""] = log.calls.flatMap((call) => (call[0] === "toolCall" ? call[1] : []));
  assert.match(one, /^call_/);
  assert.notEqual(one, two);
  const messages = [
    ...ask.messages,
    {
      role: "assistant" as const,
      content: [
        { type: "reasoning" as const, text: "Hm." },
        { type: "text" as const, text: "I look." },
        { type: "tool-call" as const, toolCallId: one, name: "clock", args: { zone: "UTC" } },
        { type: "tool-call" as const, toolCallId: two, name: "clock", args: {} },
      ],
      // It may have been stored meanwhile.
      continuation: JSON.parse(JSON.stringify(first.continuation)) as unknown,
    },
    {
      role: "tool" as const,
      results: [
        { toolCallId: one, name: "clock", content: '{"time":"12:00"}', isError: false },
        { toolCallId: two, name: "clock", content: "No zone.", isError: true },
      ],
    },
  ];
  const last = await provider.stream({ ...ask, messages }, sinkLog().sink, never);
  assert.equal(last.stop, "end");
  const sent = server.requests[1]?.body as { contents: unknown[] } | undefined;
  assert.deepEqual(sent?.contents.slice(1), [
    {
      role: "model",
      parts: [
        { text: "I look." },
        { functionCall: { id: one, name: "clock", args: { zone: "UTC" } }, thoughtSignature: "c2ln" },
        { functionCall: { id: two, name: "clock", args: {} } },
      ],
    },
    {
      role: "user",
      parts: [
        { functionResponse: { id: one, name: "clock", response: { output: { time: "12:00" } } } },
        { functionResponse: { id: two, name: "clock", response: { error: "No zone." } } },
      ],
    },
  ]);
});

test("an abort in the midst of an event silences the rest of it", async (t) => {
  const parts = [{ text: "a" }, { functionCall: { name: "clock", id: "fc_1" } }, { text: "b", thought: true as const }];
  const { provider } = await world(t, transcripts.create, [geminiReply([parts])]);
  const abort = new AbortController();
  const log = sinkLog();
  const text = (delta: string) => {
    log.sink.text(delta);
    abort.abort();
    log.close();
  };
  assert.equal((await provider.stream(ask, { ...log.sink, text }, abort.signal)).stop, "aborted");
  assert.deepEqual(log.calls, [["text", "a"]]);
});

test("the key goes into its header, and neither the address nor an error tells it", async (t) => {
  const { server, provider } = await world(t, transcripts.create, [
    failed(400, { error: { code: 400, status: "INVALID_ARGUMENT", message: `bad ${KEY} at https://x/?key=1` } }),
  ]);
  await assert.rejects(provider.stream(ask, sinkLog().sink, never), {
    name: "ModelError",
    kind: "request",
    message: "Gemini did not accept the request: bad … at …",
  });
  const [asked] = server.requests;
  assert.equal(asked?.path, "/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
  assert.equal(asked.headers["x-goog-api-key"], KEY);
});

test("an id that would lead to another address is refused before it is asked", async (t) => {
  const { server, provider } = await world(t, transcripts.create, []);
  for (const model of ["google/../files", "google/a/b", "google/x?key=1", "google/x:generateContent#", "google/"]) {
    await assert.rejects(provider.stream(request(model), sinkLog().sink, never), { kind: "request" }, model);
  }
  assert.equal(server.requests.length, 0);
});
