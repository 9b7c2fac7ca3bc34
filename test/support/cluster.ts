/** Several nodes of the built program on one PostgreSQL and one Redis of the test's own. */
import { type Parley, startParley } from "./parley.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { type Redis, startRedis } from "./redis.ts";

export interface TestCluster {
  readonly postgres: Postgres;
  readonly redis: Redis;
  /** Started together, named a, b, c … */
  readonly nodes: readonly Parley[];
  /** What a node needs to join. */
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export async function startCluster(count: number, more: Record<string, string> = {}): Promise<TestCluster> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, ...more };
  const nodes: Parley[] = [];
  const remove = async () => {
    await Promise.all(nodes.map((node) => node.remove()));
    await Promise.all([postgres.stop(), redis.stop()]);
  };
  const started = await Promise.allSettled(
    Array.from({ length: count }, async (_, i) => {
      const node = await startParley({ ...env, PARLEY_NODE_ID: String.fromCharCode(97 + i) }, { prepared: false });
      nodes[i] = node;
    }),
  );
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await remove();
    throw failed.reason;
  }
  return { postgres, redis, nodes, env, remove };
}
