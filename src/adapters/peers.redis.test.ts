import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { peersContract } from "../../test/contracts/peers.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis, startRedis } from "../../test/support/redis.ts";
import { ParleyError } from "../protocol/errors.ts";
import { createRedisPeers } from "./peers.redis.ts";
import { createRedisConnections } from "./redis-connection.ts";

let server: Redis;
let prefixes = 0;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

async function connect(t: TestContext) {
  const connections = createRedisConnections({ url: server.url, logger: recordingLogger(), commandMs: 500 });
  t.after(() => connections.close());
  await connections.start();
  return connections;
}

peersContract("peers.redis", async (t) => {
  const connections = await connect(t);
  const keyPrefix = `test${++prefixes}:`;
  const node = (name: string) => createRedisPeers({ connections, keyPrefix, node: name });
  return [node("a"), node("b"), node("c")];
});

test("[R8] peers.redis: a key ends by itself, and what nobody understands counts for nobody", async (t) => {
  const connections = await connect(t);
  const peers = createRedisPeers({ connections, keyPrefix: "p:", node: "a" });
  await connections.client.hset("p:nodes", "b", "1", "c", "99999999999999 yes", "d", "0 1");
  assert.equal(await peers.tell(true, 60_000), 0);
  assert.deepEqual(Object.keys(await connections.client.hgetall("p:nodes")), ["a"]);
  assert.ok((await connections.client.pttl("p:nodes")) > 0);
});

test("[R8] peers.redis: without Redis it is UNAVAILABLE", async (t) => {
  const connections = await connect(t);
  const peers = createRedisPeers({ connections, keyPrefix: "q:", node: "a" });
  connections.close();
  await assert.rejects(
    peers.tell(true, 1_000),
    (error) => error instanceof ParleyError && error.code === "UNAVAILABLE",
  );
});
