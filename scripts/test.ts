// npm test [-- file or pattern …]: builds, makes sure that the servers the tests start are installed, and
// runs the tests of the given files, or all but the long ones: `npm run test:kill` is a script of its own.
//
// With CI=true, files that failed run once more, one at a time: servers, browsers and kills share two cores there. What
// passes then is named at the end with what it said the first time; it is a fault to look at, of the test or of the code.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureSystemPackages } from "./system-packages.ts";

const root = join(import.meta.dirname, "..");
/** A server that is killed with -9 at its calls, case after case: minutes on a quiet machine, an hour for all of them. */
const LONG = "test/kill/";
/** More than that is no accident. */
const MAX_AGAIN = 5;
/** Files at a time, on two cores: those that play a story with browsers and servers mostly wait. */
const AT_ONCE = 3;

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

interface Failures {
  readonly files: readonly string[];
  readonly report: string;
}

/** Runs the files; undefined when all passed. */
function failuresOf(files: readonly string[], concurrency: number): Failures | undefined {
  const folder = mkdtempSync(join(tmpdir(), "parley-test-"));
  const report = join(folder, "failures");
  try {
    const status = run(
      "--test",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=./scripts/failed-files.ts",
      `--test-reporter-destination=${report}`,
      `--test-concurrency=${concurrency}`,
      // Of a whole file: the runner stops the file, not the test that hangs in it.
      "--test-timeout=300000",
      ...args.filter((arg) => arg.startsWith("-")),
      ...files,
    );
    if (status === 0) return undefined;
    const text = readFileSync(report, "utf8");
    const named = new Set(text.split("\n").flatMap((line) => (line.startsWith("file ") ? [line.slice(5)] : [])));
    return { files: [...named], report: text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function test(): number {
  const first = failuresOf(files.length > 0 ? files : everything(), AT_ONCE);
  if (first === undefined) return 0;
  if (process.env["CI"] !== "true" || first.files.length === 0 || first.files.length > MAX_AGAIN) return 1;
  console.log(`\nAgain, one at a time: ${first.files.join(" ")}`);
  if (failuresOf(first.files, 1) !== undefined) return 1;
  console.log(`\nFAILED AT FIRST, passed when run again:\n${first.report}`);
  return 0;
}

// A chosen test may do without the servers; the whole suite cannot.
const ready = ensureSystemPackages() || files.length > 0;
process.exitCode = ready ? run("scripts/build.ts") || test() : 1;
