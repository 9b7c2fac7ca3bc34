/** Where Parley stores what the benchmark of chats says: within itself, or in servers of the benchmark's own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../test/support/postgres.ts";
import { startRedis } from "../test/support/redis.ts";
import type { StoreKind } from "./chat-table.ts";

export interface ChatStore {
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** They run on the cores of this process. */
export async function startStore(kind: StoreKind): Promise<ChatStore> {
  const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const postgres = kind === "embedded" ? undefined : await startPostgres();
  const redis = kind === "cluster" ? await startRedis() : undefined;
  return {
    env: {
      ...(postgres !== undefined && { DATABASE_URL: postgres.url }),
      ...(redis !== undefined && { REDIS_URL: redis.url }),
    },
    dataDir,
    stop: async () => {
      await Promise.all([postgres?.stop(), redis?.stop()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
