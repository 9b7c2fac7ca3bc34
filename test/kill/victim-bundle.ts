/** The victim as one bundle: it starts with half the processor time of its sources, and a case is two starts or more. */
import { globSync, mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(import.meta.dirname, "../..");
const victim = fileURLToPath(new URL("./victim.ts", import.meta.url));

/** Builds it in a folder, which it needs as long as it runs, and answers the program's path. */
export async function bundleVictim(dir: string): Promise<string> {
  mkdirSync(dir);
  for (const name of ["node_modules", "migrations"]) symlinkSync(join(root, name), join(dir, name));
  const outdir = join(dir, "test/kill");
  const handlers = globSync(join(root, "handlers/*.ts")).filter((file) => !file.endsWith(".test.ts"));
  await build({
    entryPoints: [
      { in: victim, out: "victim" },
      ...handlers.map((file) => ({ in: file, out: `handlers/${basename(file, ".ts")}` })),
    ],
    outdir,
    bundle: true,
    // What the victim and a handler share, such as a class, is there once.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    sourcemap: "linked",
    logLevel: "warning",
    // They load binaries from beside their own files.
    external: ["uWebSockets.js", "@electric-sql/pglite", "pg-native"],
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
  });
  return join(outdir, "victim.js");
}
