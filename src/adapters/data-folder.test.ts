import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { StartError } from "../ports/start-error.ts";
import { openDataFolder } from "./data-folder.ts";

const root = mkdtempSync(join(tmpdir(), "parley-folder-"));
after(() => rmSync(root, { recursive: true, force: true }));

const refusal = (pattern: RegExp) => (error: unknown) => error instanceof StartError && pattern.test(error.message);

test("a second holder of the folder is refused and told what to do, until the first lets go", () => {
  const dir = join(root, "one");
  const first = openDataFolder(dir);
  assert.throws(() => openDataFolder(dir), refusal(/Another Parley uses the data folder .*PARLEY_DATA_DIR/));
  first.release();
  openDataFolder(dir).release();
});

test("the lock of a process that was killed with -9 is gone at once", async () => {
  const dir = join(root, "killed");
  const script = `import { openDataFolder } from ${JSON.stringify(new URL("./data-folder.ts", import.meta.url).href)};
    openDataFolder(${JSON.stringify(dir)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(child.stdout, "data");
    assert.throws(() => openDataFolder(dir), refusal(/Another Parley/));
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  openDataFolder(dir).release();
});

test("a folder that can't be made, and a lock file that is none, are refused with what to do", () => {
  writeFileSync(join(root, "file"), "");
  assert.throws(() => openDataFolder(join(root, "file")), refusal(/can't be used.*PARLEY_DATA_DIR/));
  const dir = join(root, "garbage");
  openDataFolder(dir).release();
  writeFileSync(join(dir, "lock.db"), "x".repeat(5000));
  assert.throws(() => openDataFolder(dir), refusal(/delete it/));
});
