import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { startRedis } from "./redis.ts";

/** One command in Redis's inline form, and its answer. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${command}\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString().trim();
}

test("answers, takes options, dies and comes back empty", async (t) => {
  const redis = await startRedis({ maxmemory: "32mb" });
  t.after(() => redis.stop());
  assert.equal(redis.url, `redis://127.0.0.1:${redis.port}`);
  assert.equal(await ask(redis.port, "SET key value"), "+OK");
  assert.match(await ask(redis.port, "CONFIG GET maxmemory"), /33554432/);
  assert.match(await ask(redis.port, "CONFIG GET save"), /\$0$/);

  await redis.kill();
  await assert.rejects(ask(redis.port, "PING"), { code: "ECONNREFUSED" });
  await redis.restart();
  assert.equal(await ask(redis.port, "EXISTS key"), ":0");
});

test("two run side by side", async (t) => {
  const one = await startRedis();
  t.after(() => one.stop());
  const two = await startRedis({ replicaof: `127.0.0.1 ${one.port}` });
  t.after(() => two.stop());
  assert.match(await ask(two.port, "INFO replication"), /role:slave/);
});
