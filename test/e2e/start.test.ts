/** Starts: one that serves, and those that are refused with exit code 2, what to do, and no harm to what is there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { ACCESS_TOKEN, type Parley, runParley, startParley } from "../support/parley.ts";
import { tempDir } from "../support/temp-dir.ts";

let parley: Parley;
before(async () => {
  parley = await startParley({}, { prepared: false });
});
after(() => parley.remove());

const LIMIT = { timeout: 90_000 };

function refused(run: { code: number | null; output: string }, ...says: RegExp[]): void {
  assert.equal(run.code, 2, run.output);
  for (const pattern of says) assert.match(run.output, pattern);
  assert.doesNotMatch(run.output, /\n\s+at .*\.(js|ts):\d+/, "a stack is no message");
}

test("what a client does is seen in the metrics of the program", LIMIT, async (t) => {
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  const { conversation } = await client.call("conversation.create", {});
  // A second subscribe replaces the first.
  for (const time of ["first", "second"]) {
    await client.call("topic.subscribe", { topic: `conversation:${conversation.id}` });
    const metrics = await (await fetch(`${parley.url}/metrics`)).text();
    assert.match(metrics, /^parley_connections 1$/m);
    assert.match(metrics, /^parley_sessions 1$/m);
    assert.match(metrics, /^parley_topics 1$/m);
    assert.match(metrics, /^parley_subscriptions 1$/m, `${time} subscribe`);
  }
});

test("a bad environment is refused with all of its problems at once", LIMIT, async () => {
  const run = await runParley({ PARLEY_WS_PORT: "http", PARLEY_LOG_LEVEL: "loud", REDIS_URL: "redis://127.0.0.1:1" });
  refused(run, /PARLEY_WS_PORT/, /PARLEY_LOG_LEVEL/, /REDIS_URL/);
});

test("a port in use is refused", LIMIT, async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const address = other.address();
  assert.ok(typeof address === "object" && address !== null);
  const data = tempDir();
  t.after(() => data.remove());
  const run = await runParley({ PARLEY_WS_PORT: String(address.port), PARLEY_DATA_DIR: data.path });
  refused(run, /in use/, /PARLEY_WS_PORT/);
});

test("a data folder in use is refused, and its owner goes on", LIMIT, async () => {
  const run = await runParley({ PARLEY_WS_PORT: "0", PARLEY_DATA_DIR: join(parley.dataDir, "data") });
  refused(run, /Another Parley uses the data folder/, /PARLEY_DATA_DIR/);
  const response = await fetch(`${parley.url}/readyz`);
  assert.equal(response.status, 200);
});

test("a damaged data folder is refused, and left as it is", LIMIT, async (t) => {
  const data = tempDir();
  t.after(() => data.remove());
  const folder = join(data.path, "postgres");
  mkdirSync(folder);
  writeFileSync(join(folder, "notes.txt"), "not a database");
  refused(await runParley({ PARLEY_WS_PORT: "0", PARLEY_DATA_DIR: data.path }), /no database/);
  assert.deepEqual(readdirSync(folder), ["notes.txt"]);
});

test("a database whose files are damaged is refused with what to do", LIMIT, async (t) => {
  const broken = await startParley();
  t.after(() => broken.remove());
  await broken.kill();
  const folder = join(broken.dataDir, "data");
  writeFileSync(join(folder, "postgres/global/pg_control"), "x".repeat(8192));
  const run = await runParley({ PARLEY_WS_PORT: "0", PARLEY_DATA_DIR: folder });
  refused(run, /damaged/, /backup/);
  assert.ok(existsSync(join(folder, "postgres/PG_VERSION")));
});

test("a database server that does not answer is refused, without its password", LIMIT, async () => {
  const run = await runParley({ PARLEY_WS_PORT: "0", DATABASE_URL: "postgres://parley:hunter2@127.0.0.1:1/parley" });
  refused(run, /DATABASE_URL/);
  assert.doesNotMatch(run.output, /hunter2/);
});
