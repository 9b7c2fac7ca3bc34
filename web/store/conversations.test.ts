import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, upserted } from "./conversations.ts";

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

test("what is pinned stands first, folders go by name, and a folder that is gone holds nothing", () => {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const folder = (id: string, name: string) => ({ id, name, createdAt: at(id, 0).createdAt });
  const items = [
    { ...at("a", 9), folderId: "f2" },
    at("b", 8),
    { ...at("c", 7), folderId: "f10" },
    { ...at("d", 6), folderId: "gone" },
    { ...at("e", 5), folderId: "f2", pinnedAt: at("e", 5).createdAt },
  ];
  const { pinned, folders, rest } = arranged(items, [folder("f10", "Part 10"), folder("f2", "part 2")], compare);
  assert.equal(ids(pinned), "e");
  assert.deepEqual(
    folders.map((one) => [one.folder.name, ids(one.items)]),
    [
      ["part 2", "a"],
      ["Part 10", "c"],
    ],
  );
  assert.equal(ids(rest), "bd");
});
