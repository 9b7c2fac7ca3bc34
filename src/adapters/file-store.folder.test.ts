import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileStoreContract } from "../../test/contracts/file-store.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { uuidv7 } from "../protocol/id.ts";
import { createFolderFileStore } from "./file-store.folder.ts";

fileStoreContract("folder", () => createFolderFileStore(join(tempDir().path, "files")));

test("a key never leads out of the folder", async () => {
  const dir = tempDir().path;
  const store = createFolderFileStore(join(dir, "files"));
  const unfinished = "../../etc/passwd.01234567-89ab-cdef-0123-456789abcdef";
  for (const key of ["../../../etc/passwd", "..", "a/b/c/d/e/f", "", "x".repeat(65), unfinished]) {
    await assert.rejects(async () => store.put(key, new Uint8Array(1)));
    await assert.rejects(async () => store.get(key, 1));
    await assert.rejects(async () => store.delete(key));
  }
  assert.deepEqual(readdirSync(dir), []);
});

test("many writers of a key leave nothing beside it", async () => {
  const dir = tempDir().path;
  const store = createFolderFileStore(dir);
  const key = uuidv7();
  await Promise.all([1, 2, 3].map((n) => store.put(key, new Uint8Array(1000).fill(n))));
  assert.deepEqual(readdirSync(join(dir, key.slice(-2))), [key]);
});

test("what a crash left of a put is listed and can be deleted; what is not ours is neither", async () => {
  const dir = tempDir().path;
  const store = createFolderFileStore(dir);
  const key = uuidv7();
  const folder = join(dir, key.slice(-2));
  const unfinished = `${key}.01234567-89ab-4def-8123-456789abcdef`;
  mkdirSync(folder);
  writeFileSync(join(folder, unfinished), "half");
  writeFileSync(join(folder, "notes of a person.txt"), "…");
  writeFileSync(join(dir, "README"), "…");
  const { files, next } = await store.list(undefined, 10);
  assert.deepEqual([files.map((file) => file.key), next], [[unfinished], null]);
  await store.delete(unfinished);
  assert.deepEqual(readdirSync(folder), ["notes of a person.txt"]);
});
