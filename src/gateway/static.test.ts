import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { httpRequest } from "../../test/support/http-request.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { staticRoute } from "./static.ts";

const dir = tempDir();
after(() => dir.remove());

const script = "console.log('hello');\n".repeat(500);
const files: Readonly<Record<string, string>> = {
  "index.html": "<!doctype html><title>Parley</title>",
  "embed.js": "export {};",
  "assets/app-3KJ2LQ7B.js": script,
  "assets/embed/chunk-ABCD1234.js": script,
  "assets/style.css": "body{}",
  "assets/logo-ABCD1234.png": "\x89PNG".repeat(1000),
  "icon.svg": "<svg/>",
  "with space é.txt": "odd name",
  ".hidden": "secret",
  ".git/config": "secret",
  "packed.js": script,
  "packed.js.br": "made by the build",
};
const root = join(dir.path, "web");
for (const [name, content] of Object.entries(files)) {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content, "latin1");
}
writeFileSync(join(dir.path, "outside.txt"), "secret");
symlinkSync(join(dir.path, "outside.txt"), join(root, "link.txt"));
const route = await staticRoute(root);

const get = async (path: string, headers: Record<string, string> = {}) => route.handle(httpRequest(path, headers));
const text = ({ body }: { readonly body: string | Uint8Array }) => Buffer.from(body).toString();
const PAGE = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

const types: readonly (readonly [path: string, type: string, cache: string])[] = [
  ["/", "text/html; charset=utf-8", "no-cache"],
  ["/index.html", "text/html; charset=utf-8", "no-cache"],
  ["/embed.js", "text/javascript; charset=utf-8", "no-cache"],
  ["/assets/app-3KJ2LQ7B.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
  ["/assets/style.css", "text/css; charset=utf-8", "no-cache"],
  ["/assets/logo-ABCD1234.png", "image/png", "public, max-age=31536000, immutable"],
  ["/icon.svg", "image/svg+xml; charset=utf-8", "no-cache"],
  ["/with%20space%20%C3%A9.txt", "text/plain; charset=utf-8", "no-cache"],
];
for (const [path, type, cache] of types) {
  test(`${path} has its type and its time to live`, async () => {
    const { status, headers } = await get(path);
    assert.equal(status, 200);
    assert.equal(headers["content-type"], type);
    assert.equal(headers["cache-control"], cache);
    assert.match(headers["etag"] ?? "", /^"[\w-]{22}"$/);
  });
}

const missing = [
  "/nothing.js",
  "/.hidden",
  "/.git/config",
  "/link.txt",
  "/../outside.txt",
  "/assets/../../outside.txt",
  "/%2e%2e/outside.txt",
  "/..%2foutside.txt",
  "//index.html",
  "/%",
  "/assets/",
  "/packed.js.br",
  "/__proto__",
];
for (const path of missing) {
  test(`${path} is not there`, async () => {
    const answer = await get(path);
    assert.equal(answer.status, 404);
    assert.equal(JSON.parse(text(answer)).error.code, "NOT_FOUND");
  });
}

test("an address of the app is the page, for whoever navigates", async () => {
  const answer = await get("/c/0190-some-conversation", PAGE);
  assert.equal(answer.status, 200);
  assert.equal(text(answer), files["index.html"]);
  assert.equal((await get("/c/0190-some-conversation", { accept: "*/*" })).status, 404);
  assert.equal((await get("/assets/old-00000000.js", PAGE)).status, 404);
});

test("an ETag saves the body", async () => {
  const { headers } = await get("/");
  const etag = headers["etag"] ?? "";
  for (const match of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const again = await get("/", { "if-none-match": match });
    assert.equal(again.status, 304, match);
    assert.equal(again.headers["etag"], etag);
    assert.equal(again.body, "");
  }
  assert.equal((await get("/", { "if-none-match": '"other"' })).status, 200);
});

const encodings: readonly (readonly [accepts: string, path: string, expected: string | undefined])[] = [
  ["gzip, deflate, br", "/assets/app-3KJ2LQ7B.js", "br"],
  ["gzip", "/assets/app-3KJ2LQ7B.js", "gzip"],
  ["GZIP;q=0.5", "/assets/app-3KJ2LQ7B.js", "gzip"],
  ["br;q=0, gzip", "/assets/app-3KJ2LQ7B.js", "gzip"],
  ["identity", "/assets/app-3KJ2LQ7B.js", undefined],
  ["", "/assets/app-3KJ2LQ7B.js", undefined],
  ["br", "/index.html", undefined],
  ["br, gzip", "/assets/logo-ABCD1234.png", undefined],
];
for (const [accepts, path, expected] of encodings) {
  test(`${path} for Accept-Encoding ${accepts || "nothing"} is ${expected ?? "as it is"}`, async () => {
    const first = await get(path, { "accept-encoding": accepts });
    const second = await get(path, { "accept-encoding": accepts });
    assert.equal(first.headers["content-encoding"], expected);
    assert.equal(first.headers["vary"], "accept-encoding");
    assert.deepEqual(second, first);
    if (expected === undefined) return;
    const bytes = Buffer.from(first.body);
    assert.equal((expected === "br" ? brotliDecompressSync(bytes) : gunzipSync(bytes)).toString(), script);
    const plain = await get(path);
    assert.notEqual(first.headers["etag"], plain.headers["etag"], "two representations, two tags");
  });
}

test("what the build has compressed is sent as it is", async () => {
  const answer = await get("/packed.js", { "accept-encoding": "br" });
  assert.equal(answer.headers["content-encoding"], "br");
  assert.equal(text(answer), files["packed.js.br"]);
});

test("other sites may load the embeddable script and its parts, and only those", async () => {
  for (const path of ["/embed.js", "/assets/embed/chunk-ABCD1234.js"]) {
    const { headers } = await get(path);
    assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
    assert.equal(headers["access-control-allow-origin"], "*");
  }
  for (const path of ["/", "/assets/app-3KJ2LQ7B.js"]) {
    const { headers } = await get(path);
    assert.equal(headers["cross-origin-resource-policy"], undefined);
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
});

test("without a build, a page says what to do", async () => {
  const unbuilt = await staticRoute(join(dir.path, "no-such-folder"));
  const page = await unbuilt.handle(httpRequest("/", PAGE));
  assert.equal(page.status, 503);
  assert.match(text(page), /npm run build/);
  assert.equal((await unbuilt.handle(httpRequest("/assets/x.js"))).status, 404);
});
