import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelMessage } from "../ports/model.ts";
import { geminiModels, traitsOf } from "./gemini-models.ts";
import { geminiBody } from "./gemini-request.ts";

const MODEL = "gemini-3.8-flash";
const FOREIGN = "skip_thought_signature_validator";

const user = (...texts: string[]): ModelMessage => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const assistant = (text: string): ModelMessage => ({ role: "assistant", content: [{ type: "text", text }] });
const call = (toolCallId: string, continuation?: unknown): ModelMessage => ({
  role: "assistant",
  content: [
    { type: "reasoning", text: "Hm." },
    { type: "tool-call", toolCallId, name: "clock", args: {} },
    { type: "tool-call", toolCallId: `${toolCallId}2`, name: "clock", args: {} },
  ],
  ...(continuation !== undefined && { continuation }),
});
const results = (toolCallId: string): ModelMessage => ({
  role: "tool",
  results: [toolCallId, `${toolCallId}2`].map((id) => ({
    toolCallId: id,
    name: "clock",
    content: "12:00",
    isError: false,
  })),
});
const contents = (messages: readonly ModelMessage[], model = MODEL) =>
  geminiBody(model, { model: `google/${model}`, messages, tools: [], cacheKey: "c" }).contents;
/** Of the calls, in their order. */
const signatures = (messages: readonly ModelMessage[], model = MODEL) =>
  contents(messages, model).flatMap(({ parts = [] }) =>
    parts.flatMap((part) => (part.functionCall === undefined ? [] : [part.thoughtSignature])),
  );
const continuation = (model: string) => ({ model, signatures: [{ at: 0, signature: "c2ln" }] });

test("the user begins, blank texts and empty turns are left out, users in a row are one", () => {
  assert.deepEqual(contents([assistant("Hello"), user("a", " \n"), user("b"), assistant("  "), user("c\ud83d")]), [
    { role: "user", parts: [{ text: "[What was said before is left out.]" }] },
    { role: "model", parts: [{ text: "Hello" }] },
    { role: "user", parts: [{ text: "a" }, { text: "b" }, { text: "c\ufffd" }] },
  ]);
});

test("results stand apart from what the user says next; a call without one is answered", () => {
  const sent = contents([user("hi"), call("a"), user("and?")]);
  assert.deepEqual(
    sent.map(({ role, parts = [] }) => [role, parts.map((part) => Object.keys(part)[0])]),
    [
      ["user", ["text"]],
      ["model", ["functionCall", "functionCall"]],
      ["user", ["functionResponse", "functionResponse"]],
      ["user", ["text"]],
    ],
  );
  assert.deepEqual(sent[2]?.parts?.[0]?.functionResponse?.response, {
    error: "The call was interrupted: it has no result.",
  });
});

test("system texts are the instruction, wherever they stand", () => {
  const { config } = geminiBody(MODEL, {
    model: MODEL,
    messages: [{ role: "system", text: "A" }, user("1"), { role: "system", text: "B" }],
    tools: [],
    cacheKey: "c",
  });
  assert.deepEqual(config.systemInstruction, { parts: [{ text: "A" }, { text: "B" }] });
  assert.equal(config.tools, undefined);
});

test("signed calls go back to the model that made them as they came", () => {
  assert.deepEqual(signatures([user("hi"), call("a", continuation(MODEL)), results("a")]), ["c2ln", undefined]);
});

test("a call of the running turn that another model made passes as foreign; older ones need nothing", () => {
  for (const other of [undefined, continuation("gemini-4-argon"), { thinking: [] }, "x"]) {
    const messages = [user("hi"), call("a"), results("a"), user("?"), call("b", other), results("b")];
    assert.deepEqual(signatures(messages), [undefined, undefined, FOREIGN, undefined]);
  }
  assert.deepEqual(signatures([user("hi"), call("a"), results("a")], "gemini-2.5-pro"), [undefined, undefined]);
});

test("each model is asked for its thoughts if it has any to tell", () => {
  for (const { id } of geminiModels)
    assert.deepEqual(traitsOf(id.slice("google/".length)), { thinks: true, signs: true });
  for (const [model, thinks, signs] of [
    ["gemini-2.5-flash", true, false],
    ["gemini-2.0-flash-001", false, false],
    ["gemini-flash-latest", true, true],
    ["gemini-10", true, true],
    ["gemini-3.1-flash-image", false, false],
    ["gemma-4-31b-it", false, false],
  ] as const) {
    assert.deepEqual(traitsOf(model), { thinks, signs }, model);
  }
});
