import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { tempDir } from "./support/temp-dir.ts";

// The build script in a small project of its own.

const root = join(import.meta.dirname, "..");
const dir = tempDir();
const at = (...path: string[]) => join(dir.path, ...path);
const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: dir.path, encoding: "utf8", stdio: "pipe" });
const build = () => node("scripts/build.ts");

function write(files: Record<string, string>) {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(at(file)), { recursive: true });
    writeFileSync(at(file), content);
  }
}

before(() => {
  mkdirSync(at("scripts"));
  for (const script of ["scripts/build.ts", "scripts/text-areas.ts"]) copyFileSync(join(root, script), at(script));
  copyFileSync(join(root, "package.json"), at("package.json"));
  symlinkSync(join(root, "node_modules"), at("node_modules"));
});
after(() => dir.remove());

test("a project without sources builds to nothing, and says so", () => {
  const output = build();
  assert.match(output, /server: skipped, no src\/main\.ts/);
  assert.match(output, /web: skipped, no web\/app\.ts/);
});

test("main and its handlers share one AsyncLocalStorage, and bundled and external packages load", () => {
  write({
    "src/context.ts": `import { AsyncLocalStorage } from 'node:async_hooks'
      export const context = new AsyncLocalStorage<string>()`,
    "handlers/ping.ts": `import { context } from '../src/context.ts'
      export const ping = () => context.getStore()`,
    "handlers/ping.test.ts": `throw new Error('tests are not handlers')`,
    "src/main.ts": `import { readdirSync } from 'node:fs'
      import pg from 'pg'
      import { App } from 'uWebSockets.js'
      import { context } from './context.ts'
      const folder = new URL('./handlers/', import.meta.url)
      const names = readdirSync(folder).filter((name) => name.endsWith('.js'))
      const { ping } = await import(new URL(names[0]!, folder).href)
      console.log(names.join(), context.run('same', ping), typeof pg.Pool, typeof App)`,
  });
  build();
  assert.equal(node("dist/server/main.js"), "ping.js same function function\n");
});

test("a stack trace names the source", () => {
  write({ "src/main.ts": `\n\nexport function broken(): never { throw new Error('x') }\nbroken()\n` });
  build();
  assert.throws(() => node("--enable-source-maps", "dist/server/main.js"), /src\/main\.ts:3/);
});

test("a handler that was removed leaves the build", () => {
  rmSync(at("handlers/ping.ts"));
  build();
  assert.ok(!readdirSync(at("dist/server"), { recursive: true }).some((file) => String(file).includes("ping")));
});

test("the page refers to its assets by content", () => {
  write({
    "web/index.html": `<link rel="icon" href="./icon.svg"><link rel="stylesheet" href="style.css" />
      <script type="module" src="/app.ts"></script><a href="https://example.com/app.ts">x</a>`,
    "web/icon.svg": "<svg/>",
    "web/style.css": "body { color: red }",
    "web/app.ts": `import('./later.ts')`,
    "web/later.ts": `export const later = 'one'`,
    "web/embed.ts": `import './later.ts'\ncustomElements.define('x-y', class extends HTMLElement {})`,
  });
  build();
  const page = () => readFileSync(at("dist/web/index.html"), "utf8");
  const [icon, style, app] = [...page().matchAll(/"\/(assets\/\w+-\w+\.\w+)"/g)].map(([, path]) => path!);
  assert.equal(readFileSync(at("dist/web", icon!), "utf8"), "<svg/>");
  assert.match(readFileSync(at("dist/web", style!), "utf8"), /^body\{color:red\}/);
  assert.match(readFileSync(at("dist/web", app!), "utf8"), /import\("\.\/later-\w+\.js"\)/);
  assert.match(page(), /href="https:\/\/example\.com\/app\.ts"/);
  assert.match(readFileSync(at("dist/web/embed.js"), "utf8"), /customElements/);

  const first = page();
  build();
  assert.equal(page(), first);
  write({ "web/later.ts": `export const later = 'two'` });
  build();
  assert.notEqual(page(), first);
  const assets = readdirSync(at("dist/web/assets"));
  assert.equal(assets.length, 4, assets.join());
});

test("the page begins with one chunk, compressed when it is large, whatever shares parts of it", () => {
  const words = Array.from({ length: 4_000 }, (_, i) => `word ${i}`).join(" ");
  write({
    "web/app.ts": `import { a } from './a.ts'\nimport { b } from './b.ts'
      console.log(a.length, b)\nawait import('./later.ts')\nawait import('./panels.ts')`,
    "web/a.ts": `console.log('a')\nexport const a = ${JSON.stringify(words)}`,
    "web/b.ts": `console.log('b')\nexport const b = { kind: 'b' }`,
    "web/later.ts": `import { a } from './a.ts'\nconsole.log('later', a.slice(-5))`,
    "web/panels.ts": `import { b } from './b.ts'\nconsole.log('panels', b.kind)`,
  });
  build();
  const page = readFileSync(at("dist/web/index.html"), "utf8");
  const chunks = [...page.matchAll(/<link rel="modulepreload" href="\/(.*?)"/g)].map(([, path]) => path!);
  assert.equal(chunks.length, 1, page);
  const [chunk] = chunks;
  assert.deepEqual(
    brotliDecompressSync(readFileSync(at("dist/web", `${chunk}.br`))),
    readFileSync(at("dist/web", chunk!)),
  );
  const [script = ""] = page.match(/(?<=src="\/)assets\/app-\w+\.js/) ?? [];
  const out = node("--input-type=module", "-e", `await import(${JSON.stringify(at("dist/web", script))})`);
  assert.deepEqual(out.trim().split("\n"), [
    "a",
    "b",
    `${words.length} { kind: 'b' }`,
    `later ${words.slice(-5)}`,
    "panels b",
  ]);
});
