/** A master, its replica and a Sentinel that watches them, of this test's own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis as Client } from "ioredis";
import { freePort } from "./free-port.ts";
import { type Redis, startRedis } from "./redis.ts";
import { serverProcess } from "./server-process.ts";
import { tempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

const NAME = "parley-test";

export interface RedisSentinel {
  readonly url: string;
  /** Master at first. */
  readonly one: Redis;
  /** Its replica at first. */
  readonly two: Redis;
  /** Port of the master that the Sentinel knows. */
  masterPort(): Promise<number>;
  /** Asks for a failover although the master is well. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const one = await startRedis();
  const two = await startRedis({ replicaof: `127.0.0.1 ${one.port}` });
  const dir = tempDir("parley-sentinel-");
  const port = await freePort();
  const file = join(dir.path, "sentinel.conf");
  await writeFile(
    file,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${dir.path}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${one.port} 1`,
      `sentinel down-after-milliseconds ${NAME} 500`,
      `sentinel failover-timeout ${NAME} 3000`,
      "",
    ].join("\n"),
  );
  const server = serverProcess({
    command: ["redis-server", file, "--sentinel"],
    ready: /Sentinel ID is/,
    stopSignal: "SIGTERM",
    cwd: dir.path,
  });
  await server.start();
  const sentinel = new Client(port, "127.0.0.1");
  const knows = async (what: string): Promise<boolean> => {
    const replicas = (await sentinel.call("SENTINEL", "REPLICAS", NAME)) as unknown[];
    return JSON.stringify(replicas).includes(what);
  };
  await until(() => knows(`"master-link-status","ok"`), "the Sentinel to know the replica", 20_000);
  return {
    url: `redis-sentinel://127.0.0.1:${port}/${NAME}`,
    one,
    two,
    masterPort: async () => {
      const [, at] = (await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)) as string[];
      return Number(at);
    },
    failover: async () => {
      await until(async () => {
        const asked = await sentinel.call("SENTINEL", "FAILOVER", NAME).catch((error: unknown) => String(error));
        return asked === "OK";
      }, "the Sentinel to agree");
    },
    stop: async () => {
      sentinel.disconnect();
      await server.stop();
      await dir.remove();
      await one.stop();
      await two.stop();
    },
  };
}
