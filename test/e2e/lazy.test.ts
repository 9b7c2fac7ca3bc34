/** What a start does not need is not loaded by it: bundles of their own, behind an `import()`. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const server = join(import.meta.dirname, "../../dist/server");
const LAZY = [
  "openai",
  "@anthropic-ai/sdk",
  "@google/genai",
  "@aws-sdk/client-s3",
  "mathjs",
  "prom-client",
  "pg",
  "ioredis",
  "rate-limiter-flexible",
];

/** The file and what it imports statically, at any depth. */
function loaded(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, path = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|} from|export .* from) .*?"(\.[^"]+)";$/gm,
  )) {
    loaded(join(dirname(file), path), found);
  }
  return found;
}

/** Packages whose files are in the bundle: it names each file that it holds. */
const packages = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/^\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(
    ([, name = ""]) => name,
  );

test("the SDKs of model providers and of S3, and other large packages, are not loaded by a start", () => {
  const entries = [
    join(server, "main.js"),
    ...readdirSync(join(server, "handlers")).map((name) => join(server, "handlers", name)),
  ];
  const eager = new Set<string>();
  for (const entry of entries.filter((name) => name.endsWith(".js"))) loaded(entry, eager);
  const names = new Set([...eager].flatMap(packages));
  assert.ok(names.has("zod"), "the bundle does not name its packages any more");
  assert.deepEqual(
    LAZY.filter((name) => names.has(name)),
    [],
  );
  const all = new Set(
    readdirSync(server)
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => packages(join(server, name))),
  );
  for (const name of ["openai", "@anthropic-ai/sdk", "@aws-sdk/client-s3"])
    assert.ok(all.has(name), `${name} is not bundled`);
});
