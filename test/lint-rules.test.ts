import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import config from "../oxlint.config.ts";
import { tempDir } from "./support/temp-dir.ts";

// A lint rule that matches nothing looks exactly like clean code. So every restriction is broken here on
// purpose, once for each folder it holds in, and what each folder is allowed to do must stay quiet.

const root = join(import.meta.dirname, "..");

interface Case {
  file: string;
  code: string;
  /** The rule that must report the file; without one, none may. */
  rule?: string;
}

const cases: Case[] = [];

/** `where` is the file, or the folder when its name does not matter. */
function add(where: string, code: string, rule?: string) {
  const file = where.endsWith(".ts") ? where : `${where}/case-${cases.length}.ts`;
  cases.push({ file, code, ...(rule !== undefined && { rule }) });
}

const forbidden = (folder: string, ...from: string[]) => {
  for (const path of from) add(folder, `import { x } from '${path}'\nexport const y = [x]\n`, "no-restricted-imports");
};
const allowed = (folder: string, ...from: string[]) => {
  for (const path of from) add(folder, `import { x } from '${path}'\nexport const y = [x]\n`);
};
const typesOnly = (folder: string, ...from: string[]) => {
  forbidden(folder, ...from);
  for (const path of from) add(folder, `import type { X } from '${path}'\nexport type Y = [X]\n`);
};

const tree = ["ports", "sessions", "gateway", "agent", "models", "tools", "adapters", "transports", "client"];
const others = (...except: string[]) =>
  ["protocol", ...tree].filter((name) => !except.includes(name)).map((name) => `../${name}/a.ts`);
const outside = ["../main.ts", "../app.ts", "../config.ts", "../../handlers/a.ts", "../../web/a.ts", "../../test/a.ts"];

// The table of layers.
forbidden("src/protocol", ...others("protocol"), ...outside, "pg", "lit", "node:fs", "fs", "node:test/reporters");
allowed("src/protocol", "zod", "zod/mini", "./a.ts", "./methods/a.ts");
forbidden("src/protocol/methods", "../../ports/a.ts", "../../config.ts", "pg");
allowed("src/protocol/methods", "zod", "../a.ts", "./a.ts");

forbidden("src/ports", ...others("protocol", "ports"), ...outside, "pg", "zod", "node:fs");
typesOnly("src/ports", "../protocol/a.ts", "../protocol/methods/a.ts");
allowed("src/ports", "./a.ts");

for (const name of ["sessions", "agent", "models", "tools", "adapters"]) {
  forbidden(`src/${name}`, ...others("protocol", "ports", name), ...outside);
  allowed(`src/${name}`, "../protocol/a.ts", "../ports/a.ts", "./a.ts", "./deep/a.ts", "zod", "node:fs");
  forbidden(`src/${name}/deep`, "../../gateway/a.ts", "../../config.ts", "../../../web/a.ts");
  allowed(`src/${name}/deep`, "../a.ts", "../gateway/a.ts", "../../ports/a.ts", "./a.ts");
}

forbidden("src/gateway", ...others("protocol", "ports", "sessions", "gateway"), ...outside);
allowed("src/gateway", "../protocol/a.ts", "../ports/a.ts", "../sessions/a.ts", "./a.ts", "node:fs");

forbidden("src/transports", ...others("protocol", "ports", "gateway", "transports"), ...outside);
allowed("src/transports", "../protocol/a.ts", "../ports/a.ts", "../gateway/a.ts", "./a.ts", "uWebSockets.js");

forbidden("src/client", ...others("protocol", "client"), ...outside, "lit", "zod");
allowed("src/client", "../protocol/a.ts", "./a.ts");

const fromHandlers = (...names: string[]) => names.map((name) => `../src/${name}`);
forbidden("handlers", ...fromHandlers("gateway/a.ts", "adapters/a.ts", "sessions/a.ts", "models/a.ts"));
forbidden("handlers", ...fromHandlers("tools/a.ts", "transports/a.ts", "client/a.ts", "config.ts", "app.ts"));
typesOnly("handlers", "../src/ports/a.ts");
allowed(
  "handlers",
  "../src/protocol/a.ts",
  "../src/agent/a.ts",
  "../src/sessions/user-context.ts",
  "../src/sessions/handler.ts",
  "zod",
);

forbidden("web", ...fromHandlers("ports/a.ts", "agent/a.ts", "sessions/a.ts", "config.ts", "main.ts"));
allowed("web", "../src/protocol/a.ts", "../src/client/a.ts", "./a.ts", "./views/a.ts", "lit", "marked");
forbidden("web/views", "../../src/agent/a.ts", "../../src/config.ts");
allowed("web/views", "../a.ts", "../../src/client/a.ts");

typesOnly("src", "./config.ts");
forbidden("src", "./adapters/a.ts", "./transports/a.ts", "./main.ts");
allowed("src", "./gateway/a.ts", "./ports/a.ts");
allowed("src/main.ts", "./adapters/a.ts");
allowed("src/agent/own.test.ts", "../adapters/a.ts");
allowed("test", "../src/adapters/a.ts");
allowed("bench", "../src/adapters/a.ts", "node:fs");

// Forms of import other than `import { x } from`.
add("src/agent", `export * from '../gateway/a.ts'\n`, "no-restricted-imports");
add("src/agent", `export const x = await import('../gateway/a.ts')\n`, "no-restricted-imports");
add("src/agent", `import type { X } from '../gateway/a.ts'\nexport type Y = X\n`, "no-restricted-imports");

// Everything else that is an error.
const union = `type U = 'a' | 'b'\nexport function f(u: U) {\n  switch (u) {\n    case 'a':\n      return 1\n  }\n  return 2\n}\n`;
const promise = `const p = async () => 1\n`;
for (const folder of ["src/agent", "handlers", "web", "test"]) {
  add(folder, union, "switch-exhaustiveness-check");
  add(folder, `${promise}export function f() {\n  p()\n}\n`, "no-floating-promises");
  add(folder, `${promise}export function f() {\n  void p()\n}\n`, "no-floating-promises");
  add(folder, `${promise}export const f = [1].filter(p)\n`, "no-misused-promises");
  add(folder, `export const x: any = 1\n`, "no-explicit-any");
}
add("test", `import { test } from 'node:test'\ntest('a', async () => {})\n`);

for (const folder of ["src/agent", "handlers", "web"]) {
  add(folder, `export const x = process.env.HOME\n`, "no-process-env");
  forbidden(folder, "node:process", "process");
  add(folder, `console.log(1)\n`, "no-console");
  add(folder, `export const f = (x?: string) => x!.length\n`, "no-non-null-assertion");
}
add("src/config.ts", `export const x = process.env.HOME\n`);
add("scripts", `console.log(process.env.HOME)\n`);
add("test", `export const f = (x?: string) => [x!.length, process.env.HOME]\n`);

for (const folder of ["src/protocol", "src/protocol/methods", "src/client", "web", "web/views"]) {
  for (const name of ["node:fs", "fs", "events", "node:test/reporters"]) {
    add(folder, `import { x } from '${name}'\nexport const y = [x]\n`, "no-nodejs-modules");
  }
}
for (const name of ["process", "Buffer", "window", "document", "localStorage"]) {
  add("src/client", `export const x = () => ${name}\n`, "no-restricted-globals");
}

const lines = (n: number) => Array.from({ length: n }, (_, i) => `export const x${i} = ${i}\n\n// why\n`).join("");
add("src/agent", lines(400));
add("src/agent", lines(401), "max-lines");
add("test", lines(800));
add("test", lines(801), "max-lines");

add("src/tools/one.ts", `import { two } from './two.ts'\nexport const one = () => two\n`, "no-cycle");
add("src/tools/two.ts", `import { one } from './one.ts'\nexport const two = () => one\n`, "no-cycle");

interface Report {
  diagnostics: { code: string; filename: string; message: string }[];
}

const dir = tempDir();
after(() => dir.remove());

test("every lint restriction fires where it should and nowhere else", () => {
  for (const name of ["oxlint.config.ts", "tsconfig.json", "package.json"]) {
    copyFileSync(join(root, name), join(dir.path, name));
  }
  symlinkSync(join(root, "node_modules"), join(dir.path, "node_modules"));
  for (const { file, code } of cases) {
    mkdirSync(dirname(join(dir.path, file)), { recursive: true });
    writeFileSync(join(dir.path, file), code);
  }

  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const folders = [...new Set(cases.map(({ file }) => file.split("/")[0]!))];
  const run = spawnSync(process.execPath, [oxlint, "--format=json", ...folders], {
    cwd: dir.path,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(run.status, 1, run.stderr || run.stdout);

  const rules = new Map<string, string[]>();
  for (const { filename, code } of (JSON.parse(run.stdout) as Report).diagnostics) {
    const rule = /\(([^)]+)\)/.exec(code)?.[1] ?? code;
    rules.set(filename, [...(rules.get(filename) ?? []), rule]);
  }
  const wrong = cases.filter(({ file, rule }) =>
    rule === undefined ? rules.has(file) : !rules.get(file)?.includes(rule),
  );
  assert.deepEqual(
    wrong.map((one) => ({ ...one, code: one.code.slice(0, 200), reported: rules.get(one.file) ?? [] })),
    [],
  );
});

test("every folder of src has its row in the table", () => {
  const covered = new Set(config.overrides?.flatMap(({ files }) => files));
  const entries = readdirSync(join(root, "src"), { withFileTypes: true });
  const missing = entries.filter((entry) => entry.isDirectory() && !covered.has(`src/${entry.name}/*.ts`));
  assert.deepEqual(
    missing.map((entry) => entry.name),
    [],
  );
});
