import assert from "node:assert/strict";
import { test } from "node:test";
import { upserted } from "./conversations.ts";

const at = (id: string, minute: number, title = id) => {
  const time = new Date(Date.UTC(2026, 10, 21, 5, minute)).toISOString();
  return { id, title, model: null, headMessageId: null, createdAt: time, updatedAt: time };
};

const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).join("");

test("the most recently active stands first", () => {
  const list = upserted([at("a", 3), at("b", 2)], [at("b", 5), at("c", 4)]);
  assert.equal(ids(list), "bca");
});

test("meeting a change twice, or late, changes nothing", () => {
  const list = upserted([at("a", 3, "new")], []);
  assert.deepEqual(upserted(list, [at("a", 3, "new")]), list);
  assert.deepEqual(upserted(list, [at("a", 1, "old")]), list);
});

test("a rename that changes no time counts", () => {
  assert.equal(upserted([at("a", 3, "old")], [at("a", 3, "new")])[0]?.title, "new");
});
