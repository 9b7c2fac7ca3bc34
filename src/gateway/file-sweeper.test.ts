import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MemoryFileStore } from "../../test/support/file-store.fake.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { uuidv7 } from "../protocol/id.ts";
import { createFileSweeper, type FileSweeper } from "./file-sweeper.ts";

const NOW = Date.parse("2026-03-04T05:06:07Z");
const HOUR = 3_600_000;

let files: MemoryFileStore;
let known: Set<string>;
let logger: ReturnType<typeof recordingLogger>;
let sweeper: FileSweeper;
/** Of those that are known: no message refers to them. */
let unused: Set<string>;
const rows = {
  known: async (ids: readonly string[]) => ids.filter((id) => known.has(id)),
  removeUnused: async (ids: readonly string[]) => ids.filter((id) => unused.has(id) && known.delete(id)),
};
const options = () => ({ files, rows, logger, now: () => NOW, random: () => 0, pageSize: 3 });
beforeEach(() => {
  files = new MemoryFileStore();
  known = new Set();
  logger = recordingLogger();
  unused = new Set();
  sweeper = createFileSweeper({ ...options(), unusedMs: 30 * 24 * HOUR });
});

/** In the order of their keys. */
async function put(ageHours: number, { row = false } = {}): Promise<string> {
  const key = uuidv7();
  await files.put(key, new Uint8Array(1));
  files.putAt.set(key, NOW - ageHours * HOUR);
  if (row) known.add(key);
  return key;
}

async function pass(): Promise<number> {
  for (let pages = 1; ; pages++) {
    await sweeper.sweep();
    if (sweeper.pauseMs(0) > HOUR) return pages;
  }
}

test("bytes without a row go when they are older than a day; nothing else does", async () => {
  const kept = [await put(100, { row: true }), await put(23), await put(0)];
  const orphans = await Promise.all(Array.from({ length: 20 }, () => put(25)));
  kept.push(await put(1, { row: true }), await put(24.1, { row: true }));
  assert.equal(await pass(), 9);
  assert.deepEqual([...files.files.keys()].toSorted(), kept.toSorted());
  assert.ok(orphans.every((key) => !files.files.has(key)));
  assert.equal(
    logger.lines.reduce((sum, { fields }) => sum + (fields as { files: number }).files, 0),
    20,
  );
});

test("bytes whose row went away go with the next look", async () => {
  const key = await put(48, { row: true });
  const other = await put(48, { row: true });
  await pass();
  assert.ok(files.files.has(key));
  known.delete(key);
  await pass();
  assert.deepEqual([...files.files.keys()], [other]);
});

/** An upload that no message refers to. */
async function upload(ageDays: number): Promise<string> {
  const key = await put(ageDays * 24, { row: true });
  unused.add(key);
  return key;
}

test("an upload that no message used goes when it is old enough, row and bytes; with a setting it stays", async () => {
  const kept = [await upload(29), await put(40 * 24, { row: true }), await upload(1)];
  const gone = await Promise.all(Array.from({ length: 7 }, () => upload(31)));
  await createFileSweeper({ ...options(), unusedMs: undefined }).sweep();
  assert.equal(files.files.size, 10);
  await pass();
  assert.deepEqual([...files.files.keys()].toSorted(), kept.toSorted());
  assert.ok(gone.every((key) => !known.has(key)));
});

test("who dies between the row of an unused upload and its bytes leaves them to the next pass", async () => {
  const [key, other] = [await upload(31), await put(48, { row: true })];
  files.delete = () => new Promise(() => {});
  const killed = sweeper.sweep();
  while (known.has(key)) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(files.files.has(key), "the row goes first");
  files.delete = MemoryFileStore.prototype.delete.bind(files);
  sweeper = createFileSweeper({ ...options(), unusedMs: 30 * 24 * HOUR });
  await pass();
  assert.deepEqual([...files.files.keys()], [other]);
  assert.equal(await Promise.race([killed, Promise.resolve("under way")]), "under way");
});

test("where no file has a row nothing is removed, and that is said once", async () => {
  for (let i = 0; i < 7; i++) await put(48);
  await pass();
  await pass();
  assert.equal(files.files.size, 7);
  assert.deepEqual(
    logger.lines.map(({ level, message }) => [level, /another database's/.test(message)]),
    [["warn", true]],
  );
  await put(48, { row: true });
  await pass();
  await pass();
  assert.equal(files.files.size, 1);
});

test("a page that failed is looked at again, sooner than the next pass", async () => {
  await put(48, { row: true });
  const orphan = await put(48);
  files.delete = async () => {
    throw new Error("away");
  };
  await assert.rejects(sweeper.sweep(), /away/);
  assert.equal(sweeper.pauseMs(1), 60_000);
  files.delete = MemoryFileStore.prototype.delete.bind(files);
  await sweeper.sweep();
  assert.ok(!files.files.has(orphan));
  assert.equal(sweeper.pauseMs(0), 6 * HOUR);
});

test("no more than a few files are deleted at once", async () => {
  sweeper = createFileSweeper({ files, rows, unusedMs: undefined, logger, now: () => NOW });
  await put(48, { row: true });
  for (let i = 0; i < 50; i++) await put(48);
  let atOnce = 0;
  let most = 0;
  files.delete = async (key) => {
    most = Math.max(most, ++atOnce);
    await MemoryFileStore.prototype.delete.call(files, key);
    atOnce--;
  };
  await sweeper.sweep();
  assert.equal(files.files.size, 1);
  assert.ok(most <= 4, String(most));
});
