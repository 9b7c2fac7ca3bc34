import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test, { after, before } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "../../test/support/postgres.ts";
import { tcpProxy } from "../../test/support/tcp-proxy.ts";
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

const through = (url: string, port: number): string => url.replace(/:\d+\//, `:${port}/`);

test("a node that was cut off and finds another in its place is told so", { timeout: 30_000 }, async (t) => {
  const url = await server.createDatabase("lock_lost");
  const network = await tcpProxy(server.port);
  t.after(() => network.close());
  const lost = Promise.withResolvers<StartError>();
  const first = await takeSingleNodeLock(through(url, network.port), lost.resolve);
  network.cut();
  let second: Awaited<ReturnType<typeof takeSingleNodeLock>> | undefined;
  while (second === undefined) {
    // The server frees the lock when it has noticed.
    second = await takeSingleNodeLock(url, never).catch(() => undefined);
  }
  network.mend();
  assert.match((await lost.promise).message, /Another Parley uses this database/);
  await Promise.all([first.release(), second.release()]);
});

test("a lock that is released while it is taken again is not kept", { timeout: 30_000 }, async (t) => {
  const url = await server.createDatabase("lock_released");
  const connections: Socket[] = [];
  const gone = Promise.withResolvers<void>();
  const network = await tcpProxy(server.port, (client) => {
    connections.push(client);
    if (connections.length < 2) return;
    lock.release().catch(gone.reject);
    client.once("close", () => gone.resolve());
  });
  t.after(() => network.close());
  const lock = await takeSingleNodeLock(through(url, network.port), never);
  connections[0]?.resetAndDestroy();
  await gone.promise;
  let next: Awaited<ReturnType<typeof takeSingleNodeLock>> | undefined;
  while (next === undefined) next = await takeSingleNodeLock(url, never).catch(() => undefined);
  await next.release();
});

test("a server that goes away while it is asked for the lock is an error with what to check", async (t) => {
  const url = await server.createDatabase("lock_broken");
  const network = await tcpProxy(server.port, (client) => {
    client.on("data", (chunk: Buffer) => {
      if (chunk.includes("pg_try_advisory_lock")) client.resetAndDestroy();
    });
  });
  t.after(() => network.close());
  const secret = through(url, network.port).replace("postgres@", "postgres:a-password@");
  await assert.rejects(takeSingleNodeLock(secret, never), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /DATABASE_URL can't be used.*Check that the server runs/);
    assert.doesNotMatch(error.message, /a-password/);
    return true;
  });
});
