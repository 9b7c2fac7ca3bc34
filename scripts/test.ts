// npm test [-- file or pattern …]: builds, makes sure that the servers the tests start are installed, and
// runs the tests of the given files, or all but the long ones: `npm run test:kill` is a script of its own.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { ensureSystemPackages } from "./system-packages.ts";

const root = join(import.meta.dirname, "..");
/** A server that is killed with -9 at its calls, case after case: minutes on a quiet machine, an hour for all of them. */
const LONG = "test/kill/";
const everything = (): string[] =>
  ["src", "handlers", "web", "test"]
    .flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }))
    .filter((file) => !file.startsWith(LONG))
    .toSorted();

const args = process.argv.slice(2);
const files = args.filter((arg) => !arg.startsWith("-"));

function run(...command: string[]): number {
  return spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" }).status ?? 1;
}

// A chosen test may do without the servers; the whole suite cannot.
const ready = ensureSystemPackages() || files.length > 0;
process.exitCode = ready
  ? run("scripts/build.ts") ||
    run(
      "--test",
      "--test-reporter=spec",
      "--test-concurrency=2",
      // Of a whole file: the runner stops the file, not the test that hangs in it.
      "--test-timeout=300000",
      ...args.filter((arg) => arg.startsWith("-")),
      ...(files.length > 0 ? files : everything()),
    )
  : 1;
