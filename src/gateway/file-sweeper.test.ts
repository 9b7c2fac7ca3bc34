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
const rows = { known: async (ids: readonly string[]) => ids.filter((id) => known.has(id)) };
beforeEach(() => {
  files = new MemoryFileStore();
  known = new Set();
  logger = recordingLogger();
  sweeper = createFileSweeper({ files, rows, logger, now: () => NOW, random: () => 0, pageSize: 3 });
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
  sweeper = createFileSweeper({ files, rows, logger, now: () => NOW });
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
