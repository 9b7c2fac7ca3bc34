import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { emptyDatabase } from "../../scripts/empty-database.ts";
import { migrationsDir, openTestPglite, pgliteFolder } from "../../test/support/pglite.ts";
import { newConversation, newUser, runAsAdmin, send, trySend, worldOf } from "../../test/support/store-world.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { until } from "../../test/support/until.ts";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { openPglite } from "./database.pglite.ts";
import { freeBytesOf, LEAST_FREE_BYTES } from "./disk-space.ts";
import { initialise } from "./pglite-folder.ts";
import { statement } from "./statement.ts";
import { createStore } from "./store.drizzle.ts";

const writer = fileURLToPath(new URL("../../test/support/pglite-writer.ts", import.meta.url));
const unavailable = (error: unknown): boolean => error instanceof ParleyError && error.code === "UNAVAILABLE";

const one = statement<Record<string, never>, { one: number }>("test_one", () => sql`select 1 as one`);
const divide = statement<Record<string, never>, unknown>("test_divide", () => sql`select 1 / 0`);

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("a new database is a copy of the empty one that is named, and nobody else may enter it", async (t) => {
  const dir = tempDir();
  t.after(() => dir.remove());
  const { folder } = await emptyDatabase();
  // What only a copy has.
  const marked = join(dir.path, "empty");
  await cp(folder, marked, { recursive: true });
  await writeFile(join(marked, "pg_ident.conf"), "# copied");
  const dataDir = join(dir.path, "new", "postgres");
  const database = await openPglite({ dataDir, migrationsDir, emptyDatabase: marked });
  assert.deepEqual(await database.transaction("system", (tx) => tx.run(one, {})), [{ one: 1 }]);
  await database.close();
  assert.equal(await readFile(join(dataDir, "pg_ident.conf"), "utf8"), "# copied");
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(dirname(dataDir)), ["postgres"]);
});

test("without an empty one of this version that can be read, a new database is made", async (t) => {
  const dir = tempDir();
  t.after(() => dir.remove());
  const old = join(dir.path, "old");
  await mkdir(old);
  await writeFile(join(old, "PG_VERSION"), "12");
  const broken = join(dir.path, "broken");
  await mkdir(broken);
  await writeFile(join(broken, "PG_VERSION"), "18\n");
  // Nobody copies a socket, whoever he is.
  const socket = createServer().listen(join(broken, "socket"));
  await once(socket, "listening");
  t.after(() => socket.close());
  for (const named of [old, broken, join(dir.path, "none")]) {
    const dataDir = join(dir.path, `from-${basename(named)}`);
    await initialise(dataDir, named);
    assert.equal(await readFile(join(dataDir, "PG_VERSION"), "utf8"), "18\n");
    assert.ok(existsSync(join(dataDir, "global/pg_control")));
  }
});

describe("transactions on PGlite", () => {
  test("run one at a time, in the order they were asked for", async () => {
    const database = await openTestPglite();
    const order: string[] = [];
    const run = (name: string) =>
      database.transaction("system", async (tx) => {
        order.push(`${name} begins`);
        for (let i = 0; i < 3; i++) await tx.run(one, {});
        order.push(`${name} ends`);
      });
    await Promise.all(["a", "b", "c"].map(run));
    assert.deepEqual(
      order,
      ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
    await database.close();
  });

  test("more than may wait are refused, and the others are not", async () => {
    const dataDir = await pgliteFolder();
    const database = await openPglite({ dataDir, migrationsDir, maxWaiting: 3 });
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => database.transaction("system", (tx) => tx.run(one, {}))),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
    );
    for (const result of results) if (result.status === "rejected") assert(unavailable(result.reason));
    assert.deepEqual(await database.transaction("system", (tx) => tx.run(one, {})), [{ one: 1 }]);
    await database.close();
  });

  test("one that fails changes nothing and leaves the next alone", async () => {
    const world = worldOf(await openTestPglite());
    const alice = await newUser(world);
    const { id } = await newConversation(world, alice, "Before");
    const rename = statement<{ id: string }, unknown>(
      "test_rename",
      (p) => sql`update conversations set title = 'After' where id = ${p.id}`,
    );
    await assert.rejects(
      world.database.transaction(alice, async (tx) => {
        await tx.run(rename, { id });
        await tx.run(divide, {});
      }),
      /division by zero/,
    );
    assert.equal((await world.store.conversations.find(alice, id))?.conversation.title, "Before");
    // The same failing statement again: it is prepared now.
    await assert.rejects(
      world.database.transaction("system", (tx) => tx.run(divide, {})),
      /division by zero/,
    );
    assert.deepEqual(await world.database.transaction("system", (tx) => tx.run(one, {})), [{ one: 1 }]);
    await world.store.close();
  });

  test("the last statement commits, and nothing comes after it; one that fails changes nothing", async () => {
    const world = worldOf(await openTestPglite());
    const alice = await newUser(world);
    const { id } = await newConversation(world, alice, "Before");
    const titled = async () => (await world.store.conversations.find(alice, id))?.conversation.title;
    const rename = statement<{ id: string; by: number }, unknown>(
      "test_rename_by",
      (p) => sql`update conversations set title = 'After ' || 2 / ${p.by}::int where id = ${p.id}`,
    );
    await assert.rejects(
      world.database.transaction(alice, (tx) => tx.last(rename, { id, by: 0 })),
      /division by zero/,
    );
    assert.equal(await titled(), "Before");
    const late = world.database.transaction(alice, async (tx) => {
      assert.throws(() => tx.now, /no time before its first statement/);
      await tx.last(rename, { id, by: 1 });
      assert.match(tx.now, /^\d{4}-.*Z$/);
      await tx.run(one, {});
    });
    await assert.rejects(late, /after the last one/);
    assert.equal(await titled(), "After 2");
    await world.store.close();
  });

  test("close waits for what was asked before, refuses what comes after, and may be repeated", async () => {
    const database = await openTestPglite();
    const before = database.transaction("system", (tx) => tx.run(one, {}));
    const closed = [database.close(), database.close()];
    await assert.rejects(
      database.transaction("system", (tx) => tx.run(one, {})),
      unavailable,
    );
    assert.deepEqual(await before, [{ one: 1 }]);
    await Promise.all(closed);
    await assert.rejects(database.probe(1_000), unavailable);
  });
});

describe("a full disk under PGlite", () => {
  test("refuses what writes and goes on reading, and takes everything again when there is room", async () => {
    let free = LEAST_FREE_BYTES;
    const freeBytes = () => free;
    const world = worldOf(await openPglite({ dataDir: await pgliteFolder(), migrationsDir, freeBytes }));
    const alice = await newUser(world);
    const { id } = await newConversation(world, alice, "Before");
    await world.database.probe(1_000);

    free--;
    const rename = () => world.store.conversations.rename(alice, id, "After");
    // It looks at the disk once a second.
    await until(() => rename().then(() => false, unavailable), "a write that is refused");
    await assert.rejects(trySend(world, alice, id), unavailable);
    await assert.rejects(world.database.probe(1_000), unavailable);
    await world.database.maintain();
    const found = await world.store.conversations.find(alice, id);
    assert(found !== null && ["Before", "After"].includes(found.conversation.title));
    assert.notEqual(await world.store.conversations.snapshot(alice, id, 1_000), null);

    free++;
    await until(
      () =>
        rename().then(
          () => true,
          () => false,
        ),
      "a write that is taken",
    );
    await send(world, alice, id);
    await world.store.close();
  });

  test("a start without room says so, and touches nothing", async () => {
    const dataDir = join(tempDir("parley-full-").path, "db");
    await assert.rejects(
      openPglite({ dataDir, migrationsDir, freeBytes: () => LEAST_FREE_BYTES - 1 }),
      (error) => error instanceof StartError && error.message.includes("64 MB"),
    );
    assert(!existsSync(dataDir));
  });

  test("what is free is what the file system says, also before the folder exists", () => {
    const { path } = tempDir("parley-free-");
    for (const folder of [path, join(path, "later")]) {
      const free = freeBytesOf(folder);
      assert(free > 0 && Number.isFinite(free), String(free));
    }
    assert.equal(freeBytesOf("/nowhere/at/all"), Infinity);
  });
});

describe("the folder of PGlite", () => {
  test("[R1] kill -9 loses nothing that was acknowledged, time after time", async () => {
    const dataDir = await pgliteFolder();
    const open = async () => worldOf(await openPglite({ dataDir, migrationsDir }));
    let world = await open();
    const alice = await newUser(world);
    await world.store.close();

    const acknowledged: string[] = [];
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [writer, dataDir, alice.tenantId, alice.userId], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const enough = acknowledged.length + 15 + round * 17;
      for await (const id of createInterface(child.stdout)) {
        acknowledged.push(id);
        if (acknowledged.length >= enough) child.kill("SIGKILL");
      }
    }
    world = await open();
    for (const id of acknowledged) assert.notEqual(await world.store.conversations.find(alice, id), null, id);
    assert(acknowledged.length > 4 * 10);
    await world.store.close();
  });

  test("a first start that is killed leaves nothing that stops the next", async () => {
    const dataDir = join(tempDir("parley-first-").path, "deep/db");
    for (const ms of [300, 1_200, 2_500]) {
      const child = spawn(process.execPath, [writer, dataDir], { stdio: "ignore" });
      await sleep(ms);
      await kill(child);
      assert(!existsSync(dataDir) || existsSync(join(dataDir, "global/pg_control")));
    }
    const database = await openPglite({ dataDir, migrationsDir });
    await createStore(database).sessions.owner();
    await database.close();
    // A killed start's child may write on for a moment; what it leaves goes with a later start.
    for (;;) {
      await (await openPglite({ dataDir, migrationsDir })).close();
      if ((await readdir(dirname(dataDir))).length === 1) break;
    }
  });

  const damages: [string, (dir: string) => Promise<void>][] = [
    ["no control file", (dir) => rm(join(dir, "global/pg_control"))],
    ["a short control file", (dir) => truncate(join(dir, "global/pg_control"), 10)],
    ["no write-ahead log", (dir) => rm(join(dir, "pg_wal"), { recursive: true })],
    ["no tables", (dir) => rm(join(dir, "base"), { recursive: true })],
  ];
  for (const [what, damage] of damages) {
    test(`a damaged one (${what}) is refused with what to do about it`, async () => {
      const dataDir = await pgliteFolder();
      await damage(dataDir);
      const before = await readdir(dataDir, { recursive: true });
      await assert.rejects(openPglite({ dataDir, migrationsDir }), /cannot be opened; its files are damaged.*backup/);
      // The database's own cache may go, nothing else.
      const lost = before.filter((file) => !file.endsWith("pg_internal.init") && !existsSync(join(dataDir, file)));
      assert.deepEqual(lost, []);
    });
  }

  test("one of another Postgres version, and one with other files, are refused", async () => {
    const dataDir = await pgliteFolder();
    await writeFile(join(dataDir, "PG_VERSION"), "17\n");
    await assert.rejects(openPglite({ dataDir, migrationsDir }), /made by Postgres 17, and this program reads 18/);
    await rm(join(dataDir, "PG_VERSION"));
    await assert.rejects(openPglite({ dataDir, migrationsDir }), /holds files but no database/);
  });

  test("a copy that was taken while nobody used it opens as a backup", async () => {
    const dataDir = await pgliteFolder();
    let world = worldOf(await openPglite({ dataDir, migrationsDir }));
    const alice = await newUser(world);
    const { id } = await newConversation(world, alice);
    await world.store.close();
    const copy = join(tempDir().path, "copy");
    await mkdir(copy);
    await cp(dataDir, copy, { recursive: true });
    world = worldOf(await openPglite({ dataDir: copy, migrationsDir }));
    assert.notEqual(await world.store.conversations.find(alice, id), null);
    await world.store.close();
  });

  test("upkeep makes a checkpoint when the write-ahead log has grown, and only then", async () => {
    const dataDir = await pgliteFolder();
    const world = worldOf(await openPglite({ dataDir, migrationsDir, maintainAfterBytes: 200_000 }));
    const alice = await newUser(world);
    const checkpoint = async () => {
      await world.store.sweep();
      return (
        await runAsAdmin<{ at: string }>(world, "select checkpoint_lsn::text as at from pg_control_checkpoint()")
      )[0]?.at;
    };
    const first = await checkpoint();
    await newConversation(world, alice);
    assert.equal(await checkpoint(), first);
    // Text that does not compress.
    const bulk = () => Array.from({ length: 500 }, () => Math.random().toString(36)).join("");
    for (let i = 0; i < 100; i++) await newConversation(world, alice, bulk());
    assert.notEqual(await checkpoint(), first);
    await world.store.close();
  });
});
