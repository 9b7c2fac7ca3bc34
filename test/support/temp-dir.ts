import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir {
  path: string;
  remove(): Promise<void>;
}

// Holds the reading end of a pipe whose writing end only this process has: however the process ends, kill -9
// included, the pipe closes and the folder goes. Servers that still write into it get five seconds to die.
const janitor = `cat >/dev/null; for i in $(seq 50); do rm -rf "$1" 2>/dev/null && break; sleep 0.1; done`;

/** A new folder that is gone when `remove` was called, and otherwise when this process has ended. */
export function tempDir(prefix = "parley-"): TempDir {
  const path = mkdtempSync(join(tmpdir(), prefix));
  const child = spawn("sh", ["-c", janitor, "sh", path], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  const pipe = child.stdin as typeof child.stdin & { unref(): void };
  pipe.unref();

  async function remove() {
    await rm(path, { recursive: true, force: true, maxRetries: 20 });
    pipe.destroy();
  }
  return { path, remove };
}
