/** Where Parley stores what the benchmark of chats says: within itself, or in servers of the benchmark's own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../test/support/postgres.ts";
import { startRedis } from "../test/support/redis.ts";
import type { StoreKind } from "./chat-table.ts";

export interface ChatStore {
  /** For each program that is measured a database of its own: none meets the rows of another. */
  of(program: number): Promise<{ readonly env: Readonly<Record<string, string>>; readonly dataDir: string }>;
  stop(): Promise<void>;
}

/** They run on the cores of this process. */
export async function startStore(kind: StoreKind): Promise<ChatStore> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const postgres = kind === "embedded" ? undefined : await startPostgres();
  const redis = kind === "cluster" ? await startRedis() : undefined;
  return {
    of: async (program) => ({
      dataDir: join(folder, String(program)),
      env: {
        ...(postgres !== undefined && { DATABASE_URL: await postgres.createDatabase(`bench_${program}`) }),
        ...(redis !== undefined && { REDIS_URL: redis.url, PARLEY_KEY_PREFIX: `bench${program}` }),
      },
    }),
    stop: async () => {
      await Promise.all([postgres?.stop(), redis?.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
