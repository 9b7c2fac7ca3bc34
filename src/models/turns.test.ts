import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelMessage, ModelToolResult } from "../ports/model.ts";
import { createCallIds } from "./call-ids.ts";
import { callIdsOf, pairResults } from "./turns.ts";

const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });
const calls = (...ids: string[]): ModelMessage => ({
  role: "assistant",
  content: ids.map((toolCallId) => ({ type: "tool-call", toolCallId, name: "clock", args: {} })),
});
const result = (toolCallId: string, content = "12:00"): ModelToolResult => ({
  toolCallId,
  name: "clock",
  content,
  isError: false,
});
const results = (...all: ModelToolResult[]): ModelMessage => ({ role: "tool", results: all });

test("a transcript in which every call has its result stays as it is", () => {
  const messages = [user("hi"), calls("a", "b"), results(result("a"), result("b")), calls("c"), results(result("c"))];
  assert.deepEqual(pairResults(messages), messages);
});

test("results come in the order of their calls, one each, in one message", () => {
  assert.deepEqual(
    pairResults([calls("a", "b"), results(result("b"), result("a", "first")), results(result("a", "again"))]),
    [calls("a", "b"), results(result("a", "first"), result("b"))],
  );
});

test("a call without a result is answered as interrupted, at the end too", () => {
  const paired = pairResults([calls("a", "b"), results(result("b")), user("go on"), calls("c")]);
  assert.deepEqual(
    paired.map((message) =>
      message.role === "tool" ? message.results.map((each) => [each.toolCallId, each.isError]) : message.role,
    ),
    [
      "assistant",
      [
        ["a", true],
        ["b", false],
      ],
      "user",
      "assistant",
      [["c", true]],
    ],
  );
});

test("a result whose call is not there is left out", () => {
  assert.deepEqual(pairResults([user("hi"), results(result("x")), calls("a"), results(result("a"), result("x"))]), [
    user("hi"),
    calls("a"),
    results(result("a")),
  ]);
});

test("an id that is missing, unusable or taken is replaced by one that is made", () => {
  let made = 0;
  const ids = createCallIds(callIdsOf([calls("a"), user("hi"), calls("b")]), () => `made_${++made}`);
  assert.deepEqual(
    ["c", "c", "a", undefined, "", "x".repeat(65), "a b", "toolu_01"].map((given) => ids.claim(given)),
    ["c", "made_1", "made_2", "made_3", "made_4", "made_5", "made_6", "toolu_01"],
  );
});
