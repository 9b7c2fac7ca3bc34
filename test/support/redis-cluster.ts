/** A Redis Cluster of this test's own: three masters that share the slots, no replicas. */
import { Redis as Client } from "ioredis";
import { freePort } from "./free-port.ts";
import { type Redis, startRedis } from "./redis.ts";
import { until } from "./until.ts";

const SLOTS = 16_384;
const MASTERS = 3;

export interface RedisCluster {
  readonly url: string;
  readonly masters: readonly Redis[];
  stop(): Promise<void>;
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const buses = await Promise.all(Array.from({ length: MASTERS }, () => freePort()));
  const masters = await Promise.all(
    buses.map((bus) => startRedis({ "cluster-enabled": "yes", "cluster-port": String(bus) })),
  );
  const clients = masters.map(({ port }) => new Client(port, "127.0.0.1"));
  const [first, ...others] = clients;
  if (first === undefined) throw new Error("a cluster has masters");
  for (const [i, client] of clients.entries()) {
    const from = Math.floor((SLOTS * i) / MASTERS);
    await client.cluster("ADDSLOTSRANGE", from, Math.floor((SLOTS * (i + 1)) / MASTERS) - 1);
  }
  for (const [i] of others.entries()) {
    await first.call("CLUSTER", "MEET", "127.0.0.1", String(masters[i + 1]?.port), String(buses[i + 1]));
  }
  for (const client of clients) {
    await until(async () => {
      const info = String(await client.cluster("INFO"));
      return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${MASTERS}`);
    }, "the cluster");
    client.disconnect();
  }
  return {
    url: `redis-cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    masters,
    stop: async () => {
      await Promise.all(masters.map((master) => master.stop()));
    },
  };
}
