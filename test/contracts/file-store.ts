/** What every `FileStore` does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStore, ListedFile } from "../../src/ports/files.ts";
import { uuidv7 } from "../../src/protocol/id.ts";

/** `make` answers an empty store each time. */
export function fileStoreContract(name: string, make: () => FileStore | Promise<FileStore>): void {
  test(`${name}: what was put is got, byte by byte, until it is deleted`, async () => {
    const store = await make();
    const key = uuidv7();
    assert.equal(await store.get(key, 10), null);
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await store.put(key, bytes);
    const got = await store.get(key, 256);
    assert.ok(got);
    assert.deepEqual([...got], [...bytes]);
    await store.delete(key);
    await store.delete(key);
    assert.equal(await store.get(key, 256), null);
    await store.close();
  });

  test(`${name}: a large file comes back whole`, async () => {
    const store = await make();
    const key = uuidv7();
    const bytes = new Uint8Array(10 * 1024 * 1024).map((_, i) => (i * 31) >> 5);
    await store.put(key, bytes);
    const got = await store.get(key, bytes.length);
    assert.ok(got && Buffer.compare(got, bytes) === 0);
    await store.close();
  });

  test(`${name}: no more is read than was allowed`, async () => {
    const store = await make();
    const key = uuidv7();
    await store.put(key, new Uint8Array(11));
    await assert.rejects(store.get(key, 10), RangeError);
    assert.equal((await store.get(key, 11))?.length, 11);
    await store.close();
  });

  test(`${name}: what is put keeps no hold on the caller's bytes`, async () => {
    const store = await make();
    const key = uuidv7();
    const bytes = new Uint8Array([1, 2, 3]);
    await store.put(key, bytes);
    bytes.fill(0);
    assert.deepEqual([...((await store.get(key, 3)) ?? [])], [1, 2, 3]);
    await store.close();
  });

  test(`${name}: writers of one key at the same time leave one whole file`, async () => {
    const store = await make();
    const key = uuidv7();
    await Promise.all([1, 2, 3].map((n) => store.put(key, new Uint8Array(1000).fill(n))));
    const bytes = await store.get(key, 1000);
    assert.equal(bytes?.length, 1000);
    assert.ok(bytes.every((byte) => byte === bytes[0]));
    assert.deepEqual(await keysOf(store, 10), [key]);
    await store.close();
  });

  test(`${name}: all keys are told once, page by page, with the time of their put`, async () => {
    const store = await make();
    assert.deepEqual(await store.list(undefined, 10), { files: [], next: null });
    const from = Date.now();
    const keys = Array.from({ length: 25 }, () => uuidv7());
    await Promise.all(keys.map((key) => store.put(key, new Uint8Array(1))));
    for (const limit of [1, 4, 24, 25, 26, 1000]) {
      assert.deepEqual((await keysOf(store, limit)).toSorted(), keys.toSorted(), `${limit} a page`);
    }
    // Some keep whole seconds only.
    for (const { putAt } of await allOf(store, 10)) assert.ok(putAt >= from - 1_000 && putAt <= Date.now() + 1_000);
    await store.close();
  });

  test(`${name}: deletions between two pages hide nothing of what is left`, async () => {
    const store = await make();
    const keys = Array.from({ length: 12 }, () => uuidv7());
    await Promise.all(keys.map((key) => store.put(key, new Uint8Array(1))));
    const told: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.list(after, 3);
      for (const { key } of page.files) {
        told.push(key);
        await store.delete(key);
      }
      after = page.next ?? undefined;
    } while (after !== undefined);
    assert.deepEqual(told.toSorted(), keys.toSorted());
    assert.deepEqual(await keysOf(store, 5), []);
    await store.close();
  });

  test(`${name}: closing it twice does nothing more`, async () => {
    const store = await make();
    await store.close();
    await store.close();
  });
}

async function allOf(store: FileStore, limit: number): Promise<ListedFile[]> {
  const all: ListedFile[] = [];
  let after: string | undefined;
  do {
    const { files, next } = await store.list(after, limit);
    assert.ok(files.length <= limit);
    all.push(...files);
    after = next ?? undefined;
  } while (after !== undefined);
  return all;
}

const keysOf = async (store: FileStore, limit: number): Promise<string[]> =>
  (await allOf(store, limit)).map(({ key }) => key);
