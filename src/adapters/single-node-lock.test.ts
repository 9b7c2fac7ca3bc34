import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "../../test/support/postgres.ts";
import { StartError } from "../ports/start-error.ts";
import { takeSingleNodeLock } from "./single-node-lock.ts";

let server: Awaited<ReturnType<typeof startPostgres>>;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

const never = () => assert.fail("the lock was lost");

test("a second node on the same database is refused with what to do, until the first has gone", async () => {
  const url = await server.createDatabase("lock_one");
  const first = await takeSingleNodeLock(url, never);
  await assert.rejects(takeSingleNodeLock(url, never), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /Another Parley uses this database.*Stop that one first/);
    return true;
  });
  const elsewhere = await takeSingleNodeLock(await server.createDatabase("lock_two"), never);
  await first.release();
  const second = await takeSingleNodeLock(url, never);
  await Promise.all([second.release(), elsewhere.release()]);
});

/** Backends that hold the lock now. */
async function holders(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    "select pid from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())",
  );
  return rows.map(({ pid }) => pid);
}

test("a lock whose connection was cut is taken again", { timeout: 30_000 }, async (t) => {
  const url = await server.createDatabase("lock_cut");
  const lock = await takeSingleNodeLock(url, never);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.after(() => client.end());
  const [before] = await holders(client);
  await client.query("select pg_terminate_backend($1)", [before]);
  let again: number | undefined;
  while (again === undefined || again === before) {
    await sleep(20);
    [again] = await holders(client);
  }
  await lock.release();
});
