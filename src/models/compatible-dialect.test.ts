import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelMessage } from "../ports/model.ts";
import { dialectOf } from "./compatible-dialect.ts";
import { chatMessages } from "./compatible-messages.ts";

test("dialects: usage is asked for everywhere but at Mistral, which tells it unasked", () => {
  assert.equal(dialectOf("https://api.mistral.ai/v1", "mistral-large-latest").asksUsage, false);
  for (const url of ["https://mistral.ai.example/v1", "http://127.0.0.1:8000/v1", "no address"]) {
    assert.equal(dialectOf(url, "mistral-large-latest").asksUsage, true);
  }
});

test("dialects: ids of calls by the model, wherever it runs", () => {
  const kind = (model: string) => dialectOf("http://127.0.0.1:8000/v1", model).callIds;
  assert.equal(kind("mistralai/Mistral-Small-3.2"), "nine");
  assert.equal(kind("devstral:24b"), "nine");
  assert.equal(kind("moonshotai/Kimi-K2-Thinking"), "counted");
  assert.equal(kind("qwen3:8b"), "any");
});

test("dialects: DeepSeek gets the reasoning of each answer that called tools, empty if there is none", () => {
  const call = (id: string, thought: string): ModelMessage[] => [
    {
      role: "assistant",
      content: [
        ...(thought === "" ? [] : [{ type: "reasoning" as const, text: thought }]),
        { type: "tool-call", toolCallId: id, name: "clock", args: {} },
      ],
    },
    { role: "tool", results: [{ toolCallId: id, name: "clock", content: "1", isError: false }] },
  ];
  const messages: ModelMessage[] = [
    { role: "user", content: [{ type: "text", text: "?" }] },
    ...call("a", "Hm."),
    ...call("b", ""),
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "So" },
        { type: "text", text: "1" },
      ],
    },
  ];
  const dialect = dialectOf("https://api.deepseek.com", "deepseek-v4-pro");
  const sent = chatMessages(messages, "deepseek-v4-pro", dialect).filter(({ role }) => role === "assistant");
  assert.deepEqual(
    sent.map((message) => (message as { reasoning_content?: string }).reasoning_content),
    ["Hm.", "", undefined],
  );
});
