// Bundles the server into dist/server and the web app into dist/web, and puts an empty database beside them. One bundle
// starts several times faster than hundreds of source files; a folder that does not exist is skipped. `--sizes` lists
// what the browser may fetch.
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { brotliCompress, constants, gzipSync } from "node:zlib";
import { build, type BuildOptions, type Metafile, type OutputFile, type Plugin, transform } from "esbuild";
import { ownAreas } from "./text-areas.ts";

const root = join(import.meta.dirname, "..");
const text = new TextEncoder();

/** Bytes. A file of the page's that is larger is compressed here. */
const LARGE = 32 * 1024;

const common: BuildOptions & { write: false; metafile: true } = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  write: false,
  metafile: true,
  logLevel: "warning",
};

/**
 * Shared chunks, because main and a handler bundled apart would each have their own AsyncLocalStorage.
 * External is what loads binaries from beside its own files. The banner serves bundled CommonJS packages.
 */
async function server() {
  const handlers = (await filesIn("handlers")).filter((file) => /^[^/]+\.ts$/.test(file) && !file.endsWith(".test.ts"));
  const { outputFiles } = await build({
    ...common,
    entryPoints: [
      { in: "src/main.ts", out: "main" },
      ...handlers.map((file) => ({
        in: `handlers/${file}`,
        out: `handlers/${file.slice(0, -".ts".length)}`,
      })),
    ],
    outdir: "dist/server",
    splitting: true,
    platform: "node",
    target: "node22",
    sourcemap: "linked",
    external: ["uWebSockets.js", "@electric-sql/pglite", "pg-native"],
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
    },
  });
  return outputFiles;
}

/** esbuild leaves the text of template literals alone, and a third of the web app's sheets is space and comments. */
const sheets: Plugin = {
  name: "sheets",
  setup(bundle) {
    bundle.onLoad({ filter: /(?:\.style|styles\/\w+|menu)\.ts$/, namespace: "file" }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const sheet = /(?<=\bcss`)[^`$\\]+(?=`)/g;
      const small = await Promise.all(
        [...source.matchAll(sheet)].map(([css]) => transform(css, { loader: "css", minify: true })),
      );
      return { contents: source.replace(sheet, () => small.shift()?.code.trim() ?? ""), loader: "ts" };
    });
  },
};

/** What the app's store needs, and an element's has no use for. */
const noApp: Plugin = {
  name: "no app",
  setup(bundle) {
    bundle.onResolve(
      { filter: /^\.\/(?:organise|search|conversations|shared|attachments|sign-in)\.ts$/ },
      ({ importer }) =>
        importer.endsWith("web/store/app.ts") ? { path: join(root, "web/embed/app-only.ts") } : undefined,
    );
  },
};

/**
 * What the page begins with is one chunk, and not one for each set of others that share a part of it: whatever is
 * fetched later imports all that `entry` does, which is there by then. Every request costs a slow network a round trip.
 */
const begunWithAll = (entry: string): Plugin => ({
  name: "begun with all",
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
      kind === "dynamic-import" ? { path: relative(root, join(resolveDir, path)), namespace: "later" } : undefined,
    );
    bundle.onLoad({ filter: /^/, namespace: "later" }, async ({ path }) => {
      const source = await readFile(join(root, entry), "utf8");
      const imported = source.matchAll(/^import (?!type\b)[^"';]*["'](\.[^"']+)["']/gm);
      const first = [...imported].map(([, file]) => `import "${file}";`);
      const later = JSON.stringify(join(root, path));
      return { contents: `${first.join("")}export * from ${later};`, loader: "ts", resolveDir: join(root, "web") };
    });
  },
});

const browser: typeof common & { minify: true } = {
  ...common,
  charset: "utf8",
  plugins: [sheets],
  platform: "browser",
  target: "es2022",
  minify: true,
  loader: Object.fromEntries(
    [".svg", ".png", ".ico", ".woff2", ".webmanifest"].map((extension) => [extension, "copy" as const]),
  ),
};

/**
 * web/index.html is the template: the files of web/ that it refers to are the entries, and each reference
 * becomes the address of its bundle, named after its content so that it may be cached for ever.
 */
async function web() {
  const template = await readFile(join(root, "web/index.html"), "utf8").catch(() => undefined);
  const reference = /(?<=\s(?:src|href)=")(?:\.?\/)?([^":?#]+\.[a-z0-9]+)(?=")/g;
  const referred = [...(template ?? "").matchAll(reference)].map(([, file]) => join("web", file ?? ""));
  const entries = [...new Set(["web/app.ts", ...referred])].filter((file) => existsSync(join(root, file)));
  const { outputFiles, metafile } = await build({
    ...browser,
    plugins: [sheets, begunWithAll("web/app.ts")],
    entryPoints: entries,
    outbase: "web",
    outdir: "dist/web",
    splitting: true,
    entryNames: "assets/[name]-[hash]",
    chunkNames: "assets/[name]-[hash]",
    assetNames: "assets/[name]-[hash]",
  });
  if (template === undefined) return outputFiles;

  const address = new Map<string, string>();
  for (const [output, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
    // A copied file has no entry point, but exactly one input.
    const source = entryPoint ?? Object.keys(inputs)[0];
    if (source && !address.has(source)) address.set(source, `/${relative("dist/web", output)}`);
  }
  const html = template.replace(reference, (found, file: string) => address.get(join("web", file)) ?? found);
  const first = firstOf(html, metafile);
  const packed = await Promise.all(outputFiles.filter(({ path }) => first.has(relative(root, path))).map(compressed));
  return [...outputFiles, ...packed.flat(), asset("dist/web/index.html", preloading(html, first))];
}

/** The page's scripts, and what they import at once. */
function firstOf(html: string, { outputs }: Metafile): ReadonlySet<string> {
  const chunks = new Set<string>();
  const follow = (output: string): void => {
    for (const { path, kind } of outputs[output]?.imports ?? []) {
      if (kind !== "import-statement" || chunks.has(path)) continue;
      chunks.add(path);
      follow(path);
    }
  };
  for (const [, script = ""] of html.matchAll(/<script\b[^>]*\ssrc="\/([^"]+)"/g)) {
    chunks.add(`dist/web/${script}`);
    follow(`dist/web/${script}`);
  }
  return chunks;
}

/** Beside a large file, what the server would else make of it while the first reader waits: and smaller. */
async function compressed({ path, contents }: OutputFile): Promise<Asset[]> {
  if (contents.length < LARGE) return [];
  const params = { [constants.BROTLI_PARAM_QUALITY]: 10 };
  return [{ path: `${path}.br`, contents: await promisify(brotliCompress)(contents, { params }) }];
}

/** What the page's scripts import at once is fetched with them, not after them. */
function preloading(html: string, first: ReadonlySet<string>): string {
  const links = [...first]
    .map((path) => `/${relative("dist/web", path)}`)
    .filter((path) => !html.includes(`"${path}"`))
    .map((path) => `<link rel="modulepreload" href="${path}" />`);
  return html.replace(/(?=<script\b)/, links.join("\n    ") + (links.length > 0 ? "\n    " : ""));
}

/** The embeddable element: other people's pages name it, so it keeps its name. Its parts are its own, apart from the app's. */
async function embed() {
  const options = {
    ...browser,
    absWorkingDir: root,
    entryPoints: ["web/embed.ts"],
    outdir: "dist/web",
    splitting: true,
    chunkNames: "assets/embed/[name]-[hash]",
    plugins: [sheets, noApp],
  };
  const { outputFiles } = await build({ ...options, plugins: [...options.plugins, await ownAreas(options)] });
  return outputFiles;
}

type Asset = Pick<OutputFile, "path" | "contents">;

const asset = (path: string, content: string): Asset => ({
  path: join(root, path),
  contents: text.encode(content),
});

/**
 * Makes the folder hold exactly these files. A file that is the same stays untouched and a new one appears
 * whole, so that a server which runs from the folder, or a second build, does not meet half a file.
 */
async function replaceFolder(folder: string, files: Asset[]) {
  const wanted = new Set(files.map(({ path }) => path));
  await Promise.all(
    files.map(async ({ path, contents }) => {
      const old = await readFile(path).catch(() => undefined);
      if (old?.equals(contents)) return;
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${process.pid}.tmp`;
      await writeFile(temporary, contents);
      await rename(temporary, path);
    }),
  );
  const stale = (await filesIn(folder)).map((file) => join(root, folder, file)).filter((path) => !wanted.has(path));
  await Promise.all(stale.filter((path) => !path.endsWith(".tmp")).map((path) => rm(path, { force: true })));
}

/** Every file below the folder, relative to it; none when there is no such folder. */
async function filesIn(folder: string): Promise<string[]> {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(path, join(entry.parentPath, entry.name)));
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

function report(files: Asset[]) {
  for (const { path, contents } of files) {
    if (![".js", ".css", ".html"].includes(extname(path))) continue;
    console.log(`  ${relative(root, path)}  ${kib(contents.length)}, ${kib(gzipSync(contents).length)} gzip`);
  }
}

async function part(name: string, entry: string, run: () => Promise<Asset[]>): Promise<Asset[]> {
  if (!existsSync(join(root, entry))) {
    console.log(`${name}: skipped, no ${entry}`);
    return [];
  }
  const start = performance.now();
  const files = await run();
  const code = files.filter(({ path }) => !/\.(?:map|br)$/.test(path));
  const size = code.reduce((sum, { contents }) => sum + contents.length, 0);
  console.log(`${name}: ${code.length} files, ${kib(size)}, ${Math.round(performance.now() - start)} ms`);
  return files;
}

/** An empty database, which the first start of the program copies: to make one takes seconds. */
async function database(): Promise<void> {
  if (!existsSync(join(root, "src/adapters/pglite-folder.ts"))) return;
  const { emptyDatabase, put } = await import("./empty-database.ts");
  const { folder, version } = await emptyDatabase();
  const target = join(root, "dist/database");
  const mark = `${target}.version`;
  if (existsSync(target) && (await readFile(mark, "utf8").catch(() => "")) === version) return;
  const temporary = `${target}.${process.pid}.tmp`;
  await cp(folder, temporary, { recursive: true });
  // There is nothing in it yet, and in an image the program's user is another one.
  for (const file of await readdir(temporary, { recursive: true, withFileTypes: true }))
    await chmod(join(file.parentPath, file.name), file.isDirectory() ? 0o755 : 0o644);
  await chmod(temporary, 0o755);
  await rm(target, { recursive: true, force: true });
  put(temporary, target);
  await writeFile(mark, version);
}

const [serverFiles, webFiles, embedFiles] = await Promise.all([
  part("server", "src/main.ts", server),
  part("web", "web/app.ts", web),
  part("embed", "web/embed.ts", embed),
  database(),
]);
if (process.argv.includes("--sizes")) report([...webFiles, ...embedFiles]);
await replaceFolder("dist/server", serverFiles);
await replaceFolder("dist/web", [...webFiles, ...embedFiles]);
