import assert from "node:assert/strict";
import { test } from "node:test";
import { createDrafts, MAX_DRAFT, MAX_DRAFTS, NO_DRAFT } from "./drafts.ts";
import { memoryStorage } from "./memory-storage.fake.ts";
import { keyValues } from "./storage.ts";

test("a draft is there again for the same person, and for nobody else", () => {
  const storage = memoryStorage();
  createDrafts(storage, "ada").write("c1", { text: "half a thought" });
  assert.equal(createDrafts(storage, "ada").read("c1").text, "half a thought");
  assert.equal(createDrafts(storage, "ada").read("c2").text, "");
  assert.equal(createDrafts(storage, "bob").read("c1").text, "");
});

test("an empty draft is forgotten", () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, "ada");
  drafts.write("c1", { text: "text" });
  drafts.write("c1", { text: " \n" });
  assert.deepEqual(storage.keys(), []);
});

test("text, files and the model are kept apart, and forgotten when nothing is left", () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, "ada");
  const file = { type: "file", fileId: "f", name: "a.txt", mediaType: "text/plain", size: 3 } as const;
  drafts.write("c1", { text: "with a file" });
  drafts.write("c1", { files: [file] });
  drafts.write("c1", { model: "demo" });
  assert.deepEqual(drafts.read("c1"), { text: "with a file", files: [file], model: "demo" });
  drafts.write("c1", { text: "" });
  assert.deepEqual(drafts.read("c1"), { text: "", files: [file], model: "demo" });
  drafts.write("c1", { files: [], model: undefined });
  assert.deepEqual(storage.keys(), []);
});

test("the drafts longest untouched make room", () => {
  const storage = memoryStorage();
  let now = 0;
  const drafts = createDrafts(storage, "ada", () => ++now);
  for (let i = 0; i < MAX_DRAFTS; i++) drafts.write(`c${i}`, { text: "text" });
  drafts.write("c0", { text: "touched again" });
  drafts.write("new", { text: "one more" });
  assert.equal(storage.keys().length, MAX_DRAFTS);
  assert.equal(drafts.read("c0").text, "touched again");
  assert.equal(drafts.read("c1").text, "");
  assert.equal(drafts.read("new").text, "one more");
});

test("a draft is cut where a message would be", () => {
  const drafts = createDrafts(memoryStorage(), "ada");
  drafts.write("c1", { text: "x".repeat(MAX_DRAFT + 10) });
  assert.equal(drafts.read("c1").text.length, MAX_DRAFT);
});

test("what somebody else wrote into the storage is no draft", () => {
  const storage = memoryStorage();
  for (const [i, value] of [
    "{",
    "null",
    "[]",
    '{"text":1,"files":[{"type":"file"}, 3],"model":{},"at":"x"}',
    '"text"',
  ].entries()) {
    storage.set(`draft.ada.c${i}`, value);
    assert.deepEqual(createDrafts(storage, "ada").read(`c${i}`), NO_DRAFT);
  }
});

test("a storage that is full or missing loses drafts and nothing else", () => {
  for (const storage of [memoryStorage(0), keyValues(undefined)]) {
    const drafts = createDrafts(storage, "ada");
    drafts.write("c1", { text: "text" });
    assert.equal(drafts.read("c1").text, "");
  }
});
