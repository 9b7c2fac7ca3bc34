import assert from "node:assert/strict";
import { test } from "node:test";
import type { ToolArgs, ToolStatus } from "../../../src/protocol/shapes.ts";
import { toolIcon, toolPhrase } from "./tool-words.ts";

const phrase = (name: string, args: ToolArgs, status: ToolStatus) => toolPhrase({ name, args, status });

test("a call is said in the tense of its status", () => {
  const args = { name: "notes.txt" };
  assert.equal(phrase("file_delete", {}, "streaming"), "Deleting");
  assert.equal(phrase("file_delete", args, "waiting"), "Delete notes.txt");
  assert.equal(phrase("file_delete", args, "running"), "Deleting notes.txt");
  assert.equal(phrase("file_delete", args, "completed"), "Deleted notes.txt");
  assert.equal(phrase("file_delete", args, "denied"), "Delete notes.txt");
});

test("a tool that nobody knows is used, under its name in words", () => {
  assert.equal(phrase("web_search", {}, "running"), "Using web search");
  assert.equal(phrase("getWeatherNow", {}, "completed"), "Used get weather now");
  assert.equal(phrase("mcp:files/read-all", {}, "failed"), "Use mcp files read all");
  assert.equal(phrase("__", {}, "completed"), "Used a tool");
  assert.equal(phrase("constructor", {}, "completed"), "Used constructor");
  assert.equal(toolIcon("toString"), "wrench");
});

test("what a model writes as an argument stays one short line", () => {
  const long = phrase("research", { topic: `a\n\nb ${"x".repeat(500)}` }, "running");
  assert.match(long, /^Researching a b x+$/);
  assert.ok(long.length < 200);
  assert.equal(phrase("research", { topic: { not: "text" } }, "running"), "Researching");
});
