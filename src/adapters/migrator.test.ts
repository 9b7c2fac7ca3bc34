import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { migrationsDir, pgliteFolder } from "../../test/support/pglite.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { uuidv7 } from "../protocol/id.ts";
import { openPglite } from "./database.pglite.ts";
import { openPostgres } from "./database.postgres.ts";
import { createStore } from "./store.drizzle.ts";

/** A copy of the migrations that a test may change. */
async function copyOfMigrations(): Promise<string> {
  const path = join(tempDir("parley-migrations-").path, "migrations");
  await cp(migrationsDir, path, { recursive: true });
  return path;
}

const last = async (dir: string) =>
  (await readdir(dir))
    .filter((file) => file.endsWith(".sql"))
    .toSorted()
    .at(-1)!;
const next = "9999_later.sql";

describe("migrations on a server", () => {
  let postgres: Postgres;
  let databases = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());
  const newDatabase = () => postgres.createDatabase(`migrator_${++databases}`);
  const start = async (url: string, dir = migrationsDir) => {
    const database = await openPostgres({ url, migrationsDir: dir });
    await database.close();
  };
  const rows = async (url: string, text: string) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  test("a new database gets all of them, once, however often it is started", async () => {
    const url = await newDatabase();
    await start(url);
    const applied = await rows(url, "select * from parley_migrations order by name");
    const files = (await readdir(migrationsDir)).filter((file) => file.endsWith(".sql")).toSorted();
    assert.deepEqual(
      applied.map(({ name }) => `${String(name)}.sql`),
      files,
    );
    await start(url);
    assert.deepEqual(await rows(url, "select * from parley_migrations order by name"), applied);
  });

  test("several processes may start at once, on one database and on several of a cluster", async () => {
    // A cluster without the roles, so that their creation meets itself too.
    const other = await startPostgres();
    try {
      const urls = await Promise.all(["a", "b", "c"].map((name) => other.createDatabase(name)));
      await Promise.all([...urls, ...urls, ...urls].map((url) => start(url)));
      for (const url of urls) {
        assert.equal(
          (await rows(url, "select from parley_migrations")).length,
          (await readdir(migrationsDir)).length - 1,
        );
      }
    } finally {
      await other.stop();
    }
  });

  test("a new migration is applied to a database that has the others", async () => {
    const url = await newDatabase();
    await start(url);
    const dir = await copyOfMigrations();
    await writeFile(join(dir, next), "create table later (id int);");
    await start(url, dir);
    assert.deepEqual(await rows(url, "select * from later"), []);
  });

  test("a database that a newer version has migrated is refused, by name", async () => {
    const url = await newDatabase();
    const dir = await copyOfMigrations();
    await writeFile(join(dir, next), "select 1;");
    await start(url, dir);
    await assert.rejects(start(url), /migration 9999_later, which this program does not know.*newer version/);
  });

  test("an applied migration whose file was changed is refused, by name", async () => {
    const url = await newDatabase();
    await start(url);
    const dir = await copyOfMigrations();
    const name = await last(dir);
    await writeFile(join(dir, name), `${await readFile(join(dir, name), "utf8")}-- changed\n`);
    await assert.rejects(
      start(url, dir),
      new RegExp(`${name.replace(".sql", "")} differs from the one that was applied`),
    );
  });

  test("line ends do not change a migration", async () => {
    const url = await newDatabase();
    await start(url);
    const dir = await copyOfMigrations();
    for (const name of await readdir(dir)) {
      if (!name.endsWith(".sql")) continue;
      await writeFile(join(dir, name), (await readFile(join(dir, name), "utf8")).replaceAll("\n", "\r\n"));
    }
    await start(url, dir);
  });

  test("a migration that fails leaves the database as it was", async () => {
    const url = await newDatabase();
    const dir = await copyOfMigrations();
    await writeFile(join(dir, next), "create table half (id int); select broken;");
    await assert.rejects(start(url, dir), /broken/);
    assert.deepEqual(await rows(url, "select relname from pg_class where relnamespace = 'public'::regnamespace"), []);
    await start(url);
  });

  test("an installation without migrations says so", async () => {
    const dir = join(tempDir().path, "none");
    await mkdir(dir);
    await assert.rejects(start(await newDatabase(), dir), /No migrations in .*incomplete/);
    await rm(dir, { recursive: true });
    await assert.rejects(start(await newDatabase(), dir), /ENOENT/);
  });

  test("a user who owns the database but is no superuser can start, and is bound by the policies", async () => {
    await rows(postgres.url, "create role plain login createrole");
    await newDatabase();
    const name = `migrator_${databases}`;
    await rows(postgres.url, `alter database ${name} owner to plain`);
    // The roles of the other tests' superuser: somebody must let this one in.
    await rows(postgres.url, "grant parley_app, parley_system, parley_reader, parley_purger, parley_insights to plain");
    const url = `postgres://plain@127.0.0.1:${postgres.port}/${name}`;
    const database = await openPostgres({ url, migrationsDir });
    try {
      const { tenant, user } = await createStore(database).sessions.owner();
      const { conversations } = createStore(database);
      const input = { id: uuidv7(), title: "", model: null };
      assert((await conversations.create({ tenantId: tenant.id, userId: user.id }, input, undefined)).ok);
      assert.equal(await conversations.find({ tenantId: tenant.id, userId: uuidv7() }, input.id), null);
    } finally {
      await database.close();
    }
  });

  test("a user who may not make the roles is told what to ask for", async () => {
    const other = await startPostgres();
    try {
      await rows(other.url, "create role weak login");
      await rows(other.url, "create database weak owner weak");
      const url = `postgres://weak@127.0.0.1:${other.port}/weak`;
      await assert.rejects(start(url), /Ask its administrator to run: create role parley_app nologin/);
      await rows(other.url, "create role parley_app nologin");
      await rows(
        other.url,
        "create role parley_system nologin; create role parley_reader nologin; create role parley_purger nologin; " +
          "create role parley_insights nologin",
      );
      await assert.rejects(
        start(url),
        /grant parley_app, parley_system, parley_reader, parley_purger, parley_insights to/,
      );
      await rows(other.url, "grant parley_app, parley_system, parley_reader, parley_purger, parley_insights to weak");
      await start(url);
    } finally {
      await other.stop();
    }
  });

  test("a role that could bypass row-level security is refused", async () => {
    const other = await startPostgres();
    try {
      await rows(other.url, "create role parley_app nologin bypassrls");
      await assert.rejects(start(other.url), /parley_app can bypass row-level security/);
    } finally {
      await other.stop();
    }
  });
});

test("migrations on PGlite: once, and refused when newer or changed", async () => {
  const dataDir = await pgliteFolder();
  const dir = await copyOfMigrations();
  await writeFile(join(dir, next), "select 1;");
  const start = async (from: string) => {
    const database = await openPglite({ dataDir, migrationsDir: from });
    await database.close();
  };
  await start(migrationsDir);
  await start(migrationsDir);
  await start(dir);
  await assert.rejects(start(migrationsDir), /9999_later, which this program does not know/);
  await writeFile(join(dir, next), "select 2;");
  await assert.rejects(start(dir), /9999_later differs/);
});
