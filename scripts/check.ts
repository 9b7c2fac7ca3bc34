// Runs every `check:*` script of package.json, side by side, and prints the output of those that fail.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { performance } from "node:perf_hooks";

const root = join(import.meta.dirname, "..");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const env = { ...process.env, PATH: [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter) };

async function run(name: string, command: string): Promise<boolean> {
  const start = performance.now();
  const child = spawn(command, { cwd: root, env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const passed = await new Promise<boolean>((resolve) => child.on("close", (code) => resolve(code === 0)));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${passed ? "ok  " : "FAIL"} ${name.padEnd(8)} ${seconds} s   ${command}`);
  if (!passed) console.log(output);
  return passed;
}

const parts = Object.entries(scripts).filter(([name]) => name.startsWith("check:"));
const results = await Promise.all(parts.map(([name, command]) => run(name.slice("check:".length), command)));
process.exitCode = results.every(Boolean) ? 0 : 1;
