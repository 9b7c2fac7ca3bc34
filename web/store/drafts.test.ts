import assert from "node:assert/strict";
import { test } from "node:test";
import { createDrafts, MAX_DRAFT, MAX_DRAFTS } from "./drafts.ts";
import { memoryStorage } from "./memory-storage.fake.ts";
import { keyValues } from "./storage.ts";

test("a draft is there again for the same person, and for nobody else", () => {
  const storage = memoryStorage();
  createDrafts(storage, "ada").write("c1", "half a thought");
  assert.equal(createDrafts(storage, "ada").read("c1"), "half a thought");
  assert.equal(createDrafts(storage, "ada").read("c2"), "");
  assert.equal(createDrafts(storage, "bob").read("c1"), "");
});

test("an empty draft is forgotten", () => {
  const storage = memoryStorage();
  const drafts = createDrafts(storage, "ada");
  drafts.write("c1", "text");
  drafts.write("c1", " \n");
  assert.deepEqual(storage.keys(), []);
});

test("the drafts longest untouched make room", () => {
  const storage = memoryStorage();
  let now = 0;
  const drafts = createDrafts(storage, "ada", () => ++now);
  for (let i = 0; i < MAX_DRAFTS; i++) drafts.write(`c${i}`, "text");
  drafts.write("c0", "touched again");
  drafts.write("new", "one more");
  assert.equal(storage.keys().length, MAX_DRAFTS);
  assert.equal(drafts.read("c0"), "touched again");
  assert.equal(drafts.read("c1"), "");
  assert.equal(drafts.read("new"), "one more");
});

test("a draft is cut where a message would be", () => {
  const drafts = createDrafts(memoryStorage(), "ada");
  drafts.write("c1", "x".repeat(MAX_DRAFT + 10));
  assert.equal(drafts.read("c1").length, MAX_DRAFT);
});

test("what somebody else wrote into the storage is no draft", () => {
  const storage = memoryStorage();
  for (const [i, value] of ["{", "null", "[]", '{"text":1,"at":2}', '"text"'].entries()) {
    storage.set(`draft.ada.c${i}`, value);
    assert.equal(createDrafts(storage, "ada").read(`c${i}`), "");
  }
});

test("a storage that is full or missing loses drafts and nothing else", () => {
  for (const storage of [memoryStorage(0), keyValues(undefined)]) {
    const drafts = createDrafts(storage, "ada");
    drafts.write("c1", "text");
    assert.equal(drafts.read("c1"), "");
  }
});
