import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startPostgres } from "./postgres.ts";

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<[unknown]>({ text: sql, rowMode: "array" });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test("answers, takes settings, and makes databases", async (t) => {
  const postgres = await startPostgres({ max_connections: "37" });
  t.after(() => postgres.stop());
  assert.equal(await ask(postgres.url, "SHOW max_connections"), "37");
  assert.equal(await ask(postgres.url, "SHOW fsync"), "off");
  const url = await postgres.createDatabase('odd "name"'.replaceAll(/\W/g, "_"));
  assert.equal(await ask(url, "SELECT current_database()"), "odd__name_");
});

test("dies with open connections and comes back with what was committed", async (t) => {
  const postgres = await startPostgres();
  t.after(() => postgres.stop());
  await ask(postgres.url, "CREATE TABLE t AS SELECT 1 AS x");
  await ask(postgres.url, "CHECKPOINT");
  const client = new pg.Client(postgres.url);
  client.on("error", () => {});
  await client.connect();

  await postgres.kill();
  await assert.rejects(ask(postgres.url, "SELECT 1"), { code: "ECONNREFUSED" });
  await postgres.restart();
  assert.equal(await ask(postgres.url, "SELECT x FROM t"), 1);
});

test("server and data are gone when the test process is killed", async () => {
  const script = `
    import { startPostgres } from ${JSON.stringify(join(import.meta.dirname, "postgres.ts"))}
    const postgres = await startPostgres()
    const { Client } = (await import("pg")).default
    const client = new Client(postgres.url)
    await client.connect()
    const { rows } = await client.query("SHOW data_directory")
    console.log(JSON.stringify({ url: postgres.url, data: rows[0].data_directory }))`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { url, data } = JSON.parse(line.toString()) as { url: string; data: string };
  assert.ok(existsSync(data));
  assert.equal(await ask(url, "SELECT 1"), 1);

  child.kill("SIGKILL");
  for (let i = 0; existsSync(data) && i < 100; i++) await sleep(50);
  assert.ok(!existsSync(join(data, "..")));
  await assert.rejects(ask(url, "SELECT 1"), { code: "ECONNREFUSED" });
});
