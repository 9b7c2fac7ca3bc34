import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import pg from "pg";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { migrationsDir } from "../../test/support/pglite.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { newConversation, newUser, send, trySend, worldOf } from "../../test/support/store-world.ts";
import { until } from "../../test/support/until.ts";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { openPostgres, type PostgresOptions, versionProblem } from "./database.postgres.ts";
import { readingFromStandby } from "./database.standby.ts";
import type { Database } from "./database.ts";
import { statement } from "./statement.ts";
import { createStore } from "./store.drizzle.ts";

let postgres: Postgres;
let url: string;
before(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase("parley");
});
after(() => postgres.stop());

const unavailable = (error: unknown): boolean => error instanceof ParleyError && error.code === "UNAVAILABLE";

const tooMuch = (error: ParleyError): boolean => error.message.includes("too much");

const one = statement<Record<string, never>, { one: number }>("test_one", () => sql`select 1 as one`);
const nap = statement<{ seconds: number }, unknown>("test_nap", (p) => sql`select pg_sleep(${p.seconds})`);
const divide = statement<Record<string, never>, unknown>("test_divide", () => sql`select 1 / 0`);

async function withDatabase(
  options: Partial<PostgresOptions>,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await openPostgres({ url, migrationsDir, ...options });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

const works = async (database: Database): Promise<void> =>
  assert.deepEqual(await database.transaction("system", (tx) => tx.run(one, {})), [{ one: 1 }]);

/** What a pooler does to a connection between two of its clients, and a failover behind one. */
const forget = statement<Record<string, never>, unknown>("test_forget", () => sql`deallocate all`);

async function asAdmin(text: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(text);
  await client.end();
}

test("a server that went away is UNAVAILABLE, and used again when it is back", async () => {
  const idle: Error[] = [];
  await withDatabase({ onIdleError: (error) => idle.push(error), connectTimeoutMs: 1_000 }, async (database) => {
    await Promise.all([works(database), works(database), works(database)]);
    await postgres.kill();
    await until(() => idle.length > 0, "a broken idle connection to be told");
    assert(
      idle.every((error) => !("client" in error)),
      "a whole connection is no part of an error",
    );
    await assert.rejects(works(database), unavailable);
    await assert.rejects(database.probe(1_000), unavailable);
    await postgres.restart();
    await database.probe(5_000);
    await works(database);
  });
});

test("a connection that breaks in a transaction is UNAVAILABLE and not used again", async () => {
  await withDatabase({ maxConnections: 1 }, async (database) => {
    const broken = database.transaction("system", async (tx) => {
      await tx.run(one, {});
      await asAdmin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'parley'");
      await tx.run(one, {});
    });
    await assert.rejects(broken, unavailable);
    await works(database);
  });
});

/** Refuses connections that ask for settings, as PgBouncer does; passes on all others. */
async function pooler(target: number): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((client) => {
    client.once("data", (startup: Buffer) => {
      if (startup.includes("statement_timeout")) {
        const fields = ["SFATAL", "C08P01", "Munsupported startup parameter: statement_timeout", ""].join("\0");
        const body = Buffer.from(`${fields}\0`);
        const head = Buffer.from("E\0\0\0\0");
        head.writeInt32BE(body.length + 4, 1);
        client.end(Buffer.concat([head, body]));
        return;
      }
      const upstream = connectTcp(target, "127.0.0.1");
      upstream.write(startup);
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test("a pooler that refuses the settings of a connection is told at the start, with what to do", async () => {
  const { port, close } = await pooler(postgres.port);
  const through = url.replace(`:${postgres.port}/`, `:${port}/`);
  await assert.rejects(openPostgres({ url: through, migrationsDir }), (error: Error) => {
    assert(error instanceof StartError);
    assert.match(error.message, /\(unsupported startup parameter: statement_timeout\).*Behind a pooler/);
    return true;
  });
  close();
});

test("a connection that has forgotten its statements is taught them again, and nobody notices", async () => {
  await withDatabase({ maxConnections: 1 }, async (database) => {
    const world = worldOf(database);
    const scope = await newUser(world);
    for (let i = 0; i < 3; i++) {
      const { id } = await newConversation(world, scope);
      await send(world, scope, id);
      await works(database);
      await database.transaction("system", (tx) => tx.run(forget, {})).catch(() => undefined);
      // The whole of a transaction in one round trip, and one of several.
      assert.deepEqual(await database.transaction("system", (tx) => tx.last(one, {})), [{ one: 1 }]);
      await database.transaction("system", (tx) => tx.run(forget, {})).catch(() => undefined);
      const other = await newConversation(world, scope);
      await send(world, scope, other.id);
      const { messages } = (await world.store.conversations.snapshot(scope, other.id, 100_000))!;
      assert.equal(messages.length, 1, "it happened once");
    }
  });
});

test("statements forgotten within a transaction that has begun: nothing of it happened, and it may be tried again", async () => {
  await withDatabase({ maxConnections: 1 }, async (database) => {
    const world = worldOf(database);
    const scope = await newUser(world);
    await works(database);
    let runs = 0;
    const broken = database.transaction("system", async (tx) => {
      runs++;
      await tx.run(one, {});
      await tx.run(forget, {});
      await tx.run(one, {});
    });
    await assert.rejects(broken, unavailable);
    assert.equal(runs, 1);
    await works(database);
    assert.ok((await newConversation(world, scope)).id);
  });
});

test("a server that falls silent is given up", async () => {
  const sockets = new Set<Socket>();
  let silent = false;
  const proxy = createServer((client) => {
    const server = connectTcp(postgres.port, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (!silent) to.write(data);
      });
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const options = {
    url: `postgres://postgres@127.0.0.1:${port}/parley`,
    statementTimeoutMs: 200,
    connectTimeoutMs: 500,
    maxConnections: 1,
  };
  try {
    await withDatabase(options, async (database) => {
      await works(database);
      silent = true;
      await assert.rejects(database.probe(100), unavailable);
      await assert.rejects(works(database), unavailable);
      await assert.rejects(works(database), unavailable);
      silent = false;
      await works(database);
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  }
});

test("a statement that takes too long is UNAVAILABLE, and its connection is fit for the next", async () => {
  await withDatabase({ statementTimeoutMs: 200, maxConnections: 1 }, async (database) => {
    await assert.rejects(
      database.transaction("system", (tx) => tx.run(nap, { seconds: 30 })),
      unavailable,
    );
    await works(database);
  });
});

test("a lock that is not to be had is UNAVAILABLE, and nothing was changed", async () => {
  await withDatabase({ lockTimeoutMs: 200 }, async (database) => {
    const world = worldOf(database);
    const alice = await newUser(world);
    const { id } = await newConversation(world, alice);
    await database.transaction(
      alice,
      async (tx) => {
        await tx.run(one, {});
        await assert.rejects(trySend(world, alice, id), unavailable);
      },
      { lock: id },
    );
    assert.deepEqual((await world.store.conversations.snapshot(alice, id, 1_000))?.messages, []);
    await send(world, alice, id);
  });
});

test("a deadlock ends one of the two with UNAVAILABLE", async () => {
  await withDatabase({}, async (database) => {
    const lock = statement<{ n: number }, unknown>(
      "test_lock",
      (p) => sql`select pg_advisory_xact_lock(${p.n}::bigint)`,
    );
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const take = (a: number, b: number, mine: PromiseWithResolvers<void>, other: PromiseWithResolvers<void>) =>
      database.transaction("system", async (tx) => {
        await tx.run(lock, { n: a });
        mine.resolve();
        await other.promise;
        await tx.run(lock, { n: b });
      });
    const results = await Promise.allSettled([take(1, 2, first, second), take(2, 1, second, first)]);
    const rejected = results.filter((result) => result.status === "rejected");
    assert.equal(rejected.length, 1);
    assert(unavailable(rejected[0]?.reason));
  });
});

test("more transactions than may wait are refused, and a wait has an end", async () => {
  await withDatabase({ maxConnections: 1, maxWaiting: 1, connectTimeoutMs: 300 }, async (database) => {
    const alice = await newUser(worldOf(database));
    const asks = () => database.transaction(alice, (tx) => tx.run(nap, { seconds: 0 }));
    const begun = Promise.withResolvers<void>();
    const long = database.transaction("system", (tx) => {
      begun.resolve();
      return tx.run(nap, { seconds: 1.5 });
    });
    await begun.promise;
    // The server's own, which keeps leases, waits behind the requests where those are refused.
    const outcomes = await Promise.allSettled([asks(), asks(), works(database)]);
    const refused = outcomes.map((one) => one.status === "rejected" && unavailable(one.reason) && tooMuch(one.reason));
    assert.deepEqual(refused, [false, true, false]);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    await long;
    await works(database);
  });
});

test("a mistake in a statement is told as it is, and its connection is fit for the next", async () => {
  await withDatabase({ maxConnections: 1 }, async (database) => {
    for (let i = 0; i < 2; i++) {
      await assert.rejects(
        database.transaction("system", (tx) => tx.run(divide, {})),
        (error) => error instanceof pg.DatabaseError && error.code === "22012",
      );
      await works(database);
    }
  });
});

test("nothing of a scope is left on a connection", async () => {
  await withDatabase({ maxConnections: 1 }, async (database) => {
    const alice = await newUser(worldOf(database));
    const who = statement<Record<string, never>, Record<string, unknown>>(
      "test_who",
      () => sql`select current_user as role, parley_tenant() as tenant, parley_user() as "user"`,
    );
    const ask = (access: Parameters<Database["transaction"]>[0]) =>
      database.transaction(access, (tx) => tx.run(who, {}));
    const mine = [{ role: "parley_app", tenant: alice.tenantId, user: alice.userId }];
    const nobody = [{ role: "parley_system", tenant: null, user: null }];
    assert.deepEqual([await ask("system"), await ask(alice), await ask("system")], [nobody, mine, nobody]);
  });
});

test("an id that is none never becomes a part of a statement", async () => {
  await withDatabase({}, async (database) => {
    const scope = { tenantId: "x', true); drop table messages; --", userId: "y" };
    await assert.rejects(
      database.transaction(scope, (tx) => tx.run(one, {})),
      /Not an id/,
    );
  });
});

test("opening fails with UNAVAILABLE where nobody listens", async () => {
  const options = { url: "postgres://postgres@127.0.0.1:1/none", migrationsDir };
  await assert.rejects(openPostgres(options), unavailable);
});

test("close may be repeated, and refuses what comes after", async () => {
  const database = await openPostgres({ url, migrationsDir });
  await Promise.all([database.close(), database.close()]);
  await assert.rejects(works(database), unavailable);
  await assert.rejects(database.probe(1_000), unavailable);
});

test("a database keeps its name, another one has another, and what is too old is named", async () => {
  const migrated = async (at: string) => {
    const database = await openPostgres({ url: at, migrationsDir });
    await database.close();
    return database.deployment;
  };
  const other = await postgres.createDatabase("another_deployment");
  const names = [await migrated(url), await migrated(url), await migrated(other)];
  assert.match(names[0] ?? "", /^\d{8}\.\d{6}\.\d{6}$/);
  assert.equal(names[0], names[1]);
  assert.notEqual(names[0], names[2]);
  assert.equal(versionProblem(150_000), undefined);
  assert.match(versionProblem(140_011) ?? "", /PostgreSQL 14 is too old: version 15 or newer/);
});

test("a standby is used as it is: nothing is asked of it before, and lists are read from it", async () => {
  const [primary, standby] = [
    await openPostgres({ url, migrationsDir }),
    await openPostgres({ url, migrationsDir: undefined }),
  ];
  const nobody = await openPostgres({ url: "postgres://postgres@127.0.0.1:1/none", migrationsDir: undefined });
  for (const other of [standby, nobody]) {
    const reading = readingFromStandby({ standby: other, primary, logger: recordingLogger() });
    const store = createStore(primary, reading);
    assert.deepEqual(await store.conversations.list({ tenantId: uuidv7(), userId: uuidv7() }, { limit: 10 }), {
      conversations: [],
      nextCursor: null,
    });
  }
  await Promise.all([primary.close(), standby.close(), nobody.close()]);
});
