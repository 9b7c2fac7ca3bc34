import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createAnthropic } from "../../src/models/anthropic.ts";
import { anthropicEvents, anthropicReply, anthropicText, type WireBlock } from "./anthropic-wire.ts";
import { behaviourTests, never, request, world } from "./behaviour.ts";
import { sinkLog, type SinkCall } from "./sink-log.ts";
import { failed, streamed } from "./sse-server.ts";
import { transcriptTests, type Transcripts } from "./transcript.ts";

const KEY = "sk-ant-test-0123456789";
const MODEL = "anthropic/claude-opus-5-5";

const transcripts: Transcripts = {
  provider: "anthropic",
  model: MODEL,
  create: (baseUrl) => createAnthropic({ apiKey: KEY, baseUrl }),
  eventName: (data) => (data as { type: string }).type,
  without: {},
};
transcriptTests(transcripts);

behaviourTests({
  ...transcripts,
  answer: (deltas) => anthropicText(anthropicEvents([{ text: deltas }])),
  // Without the end of the block, of the message, and of the stream.
  beginning: (deltas) => anthropicText(anthropicEvents([{ text: deltas }]).slice(0, -3)),
});

const ask = request(MODEL);

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const texts = fc.array(text, { minLength: 1, maxLength: 4 });
const wireBlock: fc.Arbitrary<WireBlock> = fc.oneof(
  texts.map((each) => ({ text: each })),
  texts.map((each) => ({ thinking: each, signature: "c2ln" })),
  fc.constant({ redacted: "ZGF0YQ==" }),
  texts.map((each) => ({ call: "toolu_x", name: "clock", args: each })),
);

test("any answer comes to the same calls of the sink, wherever its bytes are cut", async (t) => {
  let body = "";
  let splitAt: readonly number[] = [];
  const { provider } = await world(t, transcripts.create, () => streamed(body, { splitAt }));
  const answers = fc.record({
    blocks: fc.array(wireBlock, { maxLength: 4 }),
    splits: fc.array(fc.nat(4000), { maxLength: 40 }),
    lineEnd: fc.constantFrom("\n" as const, "\r\n" as const),
  });
  await fc.assert(
    fc.asyncProperty(answers, async ({ blocks: made, splits, lineEnd }) => {
      const blocks = made.map((block, index) => ("call" in block ? { ...block, call: `toolu_${index}` } : block));
      body = anthropicText(anthropicEvents(blocks, { stop: "tool_use" }), lineEnd);
      splitAt = splits;
      const log = sinkLog();
      const answer = await provider.stream(ask, log.sink, never);
      const expected = blocks.flatMap((block): SinkCall[] => {
        if ("text" in block) return block.text.map((delta) => ["text", delta]);
        if ("thinking" in block) return block.thinking.map((delta) => ["reasoning", delta]);
        if ("redacted" in block) return [];
        const args = block.args.map((delta): SinkCall => ["toolArgs", block.call, delta]);
        return [["toolCall", block.call, block.name], ...args];
      });
      assert.deepEqual(log.calls, expected);
      assert.equal(answer.stop, blocks.some((block) => "call" in block) ? "tool-calls" : "end");
      assert.deepEqual(answer.usage, { inputTokens: 10, outputTokens: 20 });
    }),
    { numRuns: 60 },
  );
});

test("in a loop of tools the thoughts go back unread, and ids are not given twice", async (t) => {
  const call = { call: "toolu_1", name: "clock", args: ['{"zone":"CET"}'] };
  const { server, provider } = await world(t, transcripts.create, [
    anthropicReply(
      [
        { text: ["Let me look."] },
        { thinking: ["The clock, ", "then."], signature: "c2lnMQ==" },
        { redacted: "cmVk" },
        call,
      ],
      { stop: "tool_use" },
    ),
    anthropicReply([call], { stop: "tool_use" }),
  ]);
  const first = await provider.stream(ask, sinkLog().sink, never);
  const second = sinkLog();
  await provider.stream(
    {
      ...ask,
      messages: [
        ...ask.messages,
        {
          role: "assistant",
          content: [
            { type: "text", text: "Let me look." },
            { type: "reasoning", text: "The clock, then." },
            { type: "tool-call", toolCallId: "toolu_1", name: "clock", args: { zone: "UTC" } },
          ],
          // It may have been stored meanwhile.
          continuation: JSON.parse(JSON.stringify(first.continuation)),
        },
        { role: "tool", results: [{ toolCallId: "toolu_1", name: "clock", content: "12:00", isError: false }] },
      ],
    },
    second.sink,
    never,
  );
  const sent = server.requests[1]?.body as { messages: { content: unknown }[] } | undefined;
  assert.deepEqual(sent?.messages[1]?.content, [
    { type: "text", text: "Let me look." },
    { type: "thinking", thinking: "The clock, then.", signature: "c2lnMQ==" },
    { type: "redacted_thinking", data: "cmVk" },
    { type: "tool_use", id: "toolu_1", name: "clock", input: { zone: "UTC" } },
  ]);
  const [begun] = second.calls;
  assert.equal(begun?.[0], "toolCall");
  assert.match(begun[1], /^call_/);
});

test("thoughts that are too long for a continuation are not sent back", async (t) => {
  const { provider } = await world(t, transcripts.create, [
    anthropicReply([{ thinking: ["é".repeat(140_000)], signature: "c2ln" }]),
  ]);
  const answer = await provider.stream(ask, sinkLog().sink, never);
  assert.deepEqual([answer.stop, answer.continuation], ["end", undefined]);
});

test("the key goes into its header, and no error tells it", async (t) => {
  const { server, provider } = await world(t, transcripts.create, [
    failed(400, {
      type: "error",
      error: { type: "invalid_request_error", message: `bad ${KEY} at ${"https://x/?k=1"}` },
    }),
  ]);
  await assert.rejects(provider.stream(ask, sinkLog().sink, never), {
    name: "ModelError",
    kind: "request",
    message: "Anthropic did not accept the request: bad … at …",
  });
  const [asked] = server.requests;
  assert.deepEqual(
    [asked?.method, asked?.path, asked?.headers.authorization],
    ["POST", "/v1/messages", `Bearer ${KEY}`],
  );
  assert.equal(JSON.stringify(asked?.body).includes(KEY), false);
});
