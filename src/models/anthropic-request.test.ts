import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelMessage, ModelRequest } from "../ports/model.ts";
import { anthropicModels, traitsOf } from "./anthropic-models.ts";
import { anthropicBody } from "./anthropic-request.ts";

const MODEL = "claude-opus-5-5";
const CACHED = { cache_control: { type: "ephemeral" } };

const user = (...texts: string[]): ModelMessage => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const assistant = (text: string): ModelMessage => ({ role: "assistant", content: [{ type: "text", text }] });
const call = (toolCallId: string, continuation?: unknown): ModelMessage => ({
  role: "assistant",
  content: [
    { type: "reasoning", text: "Hm." },
    { type: "tool-call", toolCallId, name: "clock", args: { zone: "CET" } },
  ],
  ...(continuation !== undefined && { continuation }),
});
const result = (toolCallId: string, content = "12:00", isError = false): ModelMessage => ({
  role: "tool",
  results: [{ toolCallId, name: "clock", content, isError }],
});
const body = (messages: readonly ModelMessage[], more: Partial<ModelRequest> = {}, model = MODEL) =>
  anthropicBody(model, { model: `anthropic/${model}`, messages, tools: [], cacheKey: "c", ...more });

const used = { type: "tool_use", id: "a", name: "clock", input: { zone: "CET" } };
const signed = { type: "thinking", thinking: "Hm.", signature: "c2ln" };
const continuation = (model: string) => ({ model, thinking: [{ at: 0, block: signed }] });

test("roles alternate, the user begins, blank texts and empty turns are left out", () => {
  assert.deepEqual(
    body([assistant("Hello"), user("a", " \n"), user("b"), assistant("  "), user(""), assistant("c"), user("d")])
      .messages,
    [
      { role: "user", content: [{ type: "text", text: "[What was said before is left out.]" }] },
      { role: "assistant", content: [{ type: "text", text: "Hello" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b", ...CACHED },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "c" }] },
      { role: "user", content: [{ type: "text", text: "d", ...CACHED }] },
    ],
  );
});

test("a call has its result at the head of the next turn; one without gets an error", () => {
  assert.deepEqual(body([user("hi"), call("a"), result("a", ""), user("and?"), call("b")]).messages.slice(1), [
    { role: "assistant", content: [used] },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a" },
        { type: "text", text: "and?", ...CACHED },
      ],
    },
    { role: "assistant", content: [{ ...used, id: "b" }] },
    {
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "b",
          content: "The call was interrupted: it has no result.",
          is_error: true,
          ...CACHED,
        },
      ],
    },
  ]);
  assert.deepEqual(body([user("hi"), call("a"), result("a", " ", true)]).messages.at(-1)?.content, [
    { type: "tool_result", tool_use_id: "a", content: "It failed.", is_error: true, ...CACHED },
  ]);
});

test("lone surrogates do not reach the interface", () => {
  assert.deepEqual(body([user("a\ud83d")]).messages[0]?.content, [{ type: "text", text: "a\ufffd", ...CACHED }]);
});

test("system texts go first; tools, system and the last two turns of the user are marked, four at most", () => {
  const tool = { name: "clock", description: "The time", parameters: { type: "object", properties: {} } };
  const sent = body(
    [
      { role: "system", text: "A" },
      user("1"),
      assistant("2"),
      { role: "system", text: "B" },
      user("3"),
      call("a"),
      result("a"),
    ],
    { tools: [tool, { ...tool, name: "weather" }] },
  );
  assert.deepEqual(sent.system, [
    { type: "text", text: "A" },
    { type: "text", text: "B", ...CACHED },
  ]);
  assert.deepEqual(
    sent.tools?.map((each) => "cache_control" in each),
    [false, true],
  );
  assert.equal(JSON.stringify(sent).split('"cache_control"').length - 1, 4);
  assert.deepEqual(sent.messages.at(-1)?.content, [
    { type: "tool_result", tool_use_id: "a", content: "12:00", ...CACHED },
  ]);
  assert.equal(sent.tool_choice, undefined);
});

test("without tools the calls of earlier turns are still declared, and no further one is made", () => {
  const sent = body([user("hi"), call("a"), result("a")]);
  assert.deepEqual(sent.tools, [{ name: "clock", input_schema: { type: "object" }, ...CACHED }]);
  assert.deepEqual(sent.tool_choice, { type: "none" });
  assert.equal(body([user("hi")]).tools, undefined);
});

test("signed thoughts go back to the model that had them, in their place, and to no other", () => {
  const own = [user("hi"), call("a", continuation(MODEL)), result("a")];
  assert.deepEqual(body(own).messages[1]?.content, [signed, used]);
  const others: unknown[] = [
    continuation("claude-haiku-5-5"),
    { items: [] },
    "x",
    null,
    { model: MODEL, thinking: [{}] },
  ];
  for (const other of others) {
    assert.deepEqual(body([user("hi"), call("a", other), result("a")]).messages[1]?.content, [used]);
  }
});

test("a thought with nothing behind it is not sent: a turn may not end with one", () => {
  const message: ModelMessage = {
    role: "assistant",
    content: [{ type: "text", text: "Done." }],
    continuation: { model: MODEL, thinking: [{ at: 1, block: signed }] },
  };
  assert.deepEqual(body([user("hi"), message, user("?")]).messages[1]?.content, [{ type: "text", text: "Done." }]);
});

test("each model is asked to think as it can", () => {
  for (const { id } of anthropicModels) assert.notEqual(traitsOf(id.slice("anthropic/".length)).thinking, "none");
  for (const [model, thinking] of [
    ["claude-opus-5-5", "adaptive"],
    ["claude-opus-4-6", "adaptive"],
    ["claude-sonnet-4-8-20260401", "adaptive"],
    ["claude-next", "adaptive"],
    ["claude-haiku-4-5", "budget"],
    ["claude-haiku-4-5-20251001", "budget"],
    ["claude-opus-4-1-20250805", "budget"],
    ["claude-sonnet-4-20250514", "budget"],
    ["claude-3-5-haiku-latest", "none"],
    ["glm-5", "none"],
  ] as const) {
    assert.equal(traitsOf(model).thinking, thinking, model);
  }
  assert.deepEqual(body([user("hi")]).thinking, { type: "adaptive", display: "summarized" });
  assert.deepEqual(body([user("hi")], {}, "claude-haiku-4-5").thinking, { type: "enabled", budget_tokens: 8192 });
  assert.equal(body([user("hi")], {}, "glm-5").thinking, undefined);
});

test("a model with a budget goes on without thinking in a loop that it did not begin with a thought", () => {
  const haiku = "claude-haiku-4-5";
  assert.equal(body([user("hi"), call("a"), result("a")], {}, haiku).thinking, undefined);
  assert.notEqual(body([user("hi"), call("a", continuation(haiku)), result("a")], {}, haiku).thinking, undefined);
  assert.notEqual(
    body([user("hi"), call("a"), result("a"), assistant("12"), user("?")], {}, haiku).thinking,
    undefined,
  );
});
