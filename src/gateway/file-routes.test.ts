import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MemoryFileStore } from "../../test/support/file-store.fake.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { FileStoreError } from "../ports/files.ts";
import type { HttpResponse } from "../ports/http.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { Scope, StoredFile } from "../ports/store.ts";
import { ParleyError } from "../protocol/errors.ts";
import { hashSecret } from "../sessions/secrets.ts";
import { fileRoutes, MAX_FILE_BYTES } from "./file-routes.ts";
import { httpRouter } from "./http-router.ts";
import { originPolicy } from "./origin.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
const TOKEN = "A".repeat(43);
const sessionOf = (name: string) => ({
  id: name,
  user: { id: `user-${name}`, name },
  tenant: { id: "tenant", name: "Tenant" },
  roles: [],
  device: "",
  createdAt: "",
  lastSeenAt: "",
  expiresAt: "",
});

let files: MemoryFileStore;
let rows: Map<string, StoredFile & { readonly userId: string }>;
let ask: (method: string, path: string, headers?: Record<string, string>, body?: Uint8Array) => Promise<HttpResponse>;

beforeEach(() => {
  files = new MemoryFileStore();
  rows = new Map();
  const known = (token: string) => (["ann", "bob"].includes(token) ? sessionOf(token) : null);
  const router = httpRouter(
    fileRoutes({
      sessions: {
        resume: async (token) => {
          const session = known(token);
          if (session === null) throw new ParleyError("SESSION_ENDED");
          return session;
        },
        resumeCookie: async (token) => known(token),
      },
      rows: {
        create: async (scope: Scope, file) => {
          const row = { ...file, conversationId: null, createdAt: "", userId: scope.userId };
          rows.set(file.fileId, row);
          return row;
        },
        find: async ({ userId, shareHash }, fileId) => {
          const row = rows.get(fileId);
          const reads = shareHash === undefined ? row?.userId === userId : shareHash === hashSecret(TOKEN);
          return row !== undefined && reads ? row : null;
        },
      },
      files,
      origins: originPolicy({ allowedOrigins: [], boundTo: "0.0.0.0" }),
      metrics: noMetrics,
      log: recordingLogger(),
    }),
  );
  ask = async (method, path, headers = {}, body = new Uint8Array(0)) => {
    const routed = router(method, path);
    if (!routed.found) return routed.answer;
    const { signal } = new AbortController();
    return routed.route.handle({
      method,
      path,
      query: "",
      headers: new Map(Object.entries({ host: "parley.example", ...headers })),
      body,
      remoteAddress: "10.0.0.1",
      signal,
    });
  };
});

const ann = { cookie: "parley_session=ann" };
const png = { ...ann, "content-type": "image/png", "x-file-name": "a%20b.png" };
const codeOf = ({ body }: HttpResponse): unknown => JSON.parse(String(body)).error?.code;
async function upload(headers: Record<string, string> = png, body: Uint8Array = PNG): Promise<string> {
  const answer = await ask("POST", "/files", headers, body);
  assert.equal(answer.status, 201, String(answer.body));
  return JSON.parse(String(answer.body)).file.fileId;
}

test("a file comes back as it was sent", async () => {
  const answer = await ask("POST", "/files", png, PNG);
  const { file } = JSON.parse(String(answer.body));
  assert.deepEqual({ ...file, fileId: "" }, { fileId: "", name: "a b.png", mediaType: "image/png", size: PNG.length });
  const back = await ask("GET", `/files/${file.fileId}`, ann);
  assert.deepEqual([back.status, back.body], [200, PNG]);
});

test("while whatever holds the files is away a person may try again, and no row is written", async () => {
  const path = `/files/${await upload()}`;
  files.put = files.get = async () => {
    throw new FileStoreError("The file store could not put a file: SlowDown, status 503.");
  };
  for (const answer of [await ask("POST", "/files", png, PNG), await ask("GET", path, ann)]) {
    assert.deepEqual([answer.status, codeOf(answer)], [503, "UNAVAILABLE"]);
    assert.doesNotMatch(String(answer.body), /SlowDown/);
  }
  assert.equal(rows.size, 1);
});

test("a bearer token does as well as the cookie", async () => {
  const { cookie: _, ...rest } = png;
  const fileId = await upload({ ...rest, authorization: "Bearer ann" });
  assert.equal((await ask("GET", `/files/${fileId}`, ann)).status, 200);
});

test("whoever reads by a link gets its files with its token, and keeps none; another token opens nothing", async () => {
  const path = `/files/${await upload()}`;
  const bob = { cookie: "parley_session=bob" };
  assert.equal((await ask("GET", path, bob)).status, 404);
  const read = await ask("GET", path, { ...bob, "x-share-token": TOKEN });
  assert.deepEqual([read.status, read.body, read.headers["cache-control"]], [200, PNG, "private, no-store"]);
  for (const token of ["", "x", `${TOKEN}x`, "B".repeat(43)])
    assert.equal((await ask("GET", path, { ...bob, "x-share-token": token })).status, 404, token);
  assert.equal(codeOf(await ask("GET", path, { "x-share-token": TOKEN })), "UNAUTHENTICATED");
  assert.equal((await ask("GET", path, ann)).headers["cache-control"], "private, max-age=31536000, immutable");
});

test("without a session nobody gets in", async () => {
  const fileId = await upload();
  const { cookie: _, ...anonymous } = png;
  assert.equal(codeOf(await ask("POST", "/files", anonymous, PNG)), "UNAUTHENTICATED");
  assert.equal(codeOf(await ask("GET", `/files/${fileId}`)), "UNAUTHENTICATED");
  assert.equal(codeOf(await ask("GET", `/files/${fileId}`, { cookie: "parley_session=old" })), "UNAUTHENTICATED");
  assert.equal(codeOf(await ask("GET", `/files/${fileId}`, { authorization: "Bearer old" })), "SESSION_ENDED");
});

test("another user's file is as if it did not exist", async () => {
  const fileId = await upload();
  assert.equal((await ask("GET", `/files/${fileId}`, { cookie: "parley_session=bob" })).status, 404);
  assert.equal((await ask("GET", `/files/nothing`, ann)).status, 404);
});

test("another site's page can neither send nor read", async () => {
  const fileId = await upload();
  const origin = { origin: "https://evil.example" };
  assert.equal(codeOf(await ask("POST", "/files", { ...png, ...origin }, PNG)), "ORIGIN_REFUSED");
  assert.equal(codeOf(await ask("GET", `/files/${fileId}`, { ...ann, ...origin })), "ORIGIN_REFUSED");
});

test("a browser runs nothing of what it gets", async () => {
  const picture = await ask("GET", `/files/${await upload()}`, ann);
  assert.match(picture.headers["content-security-policy"] ?? "", /sandbox/);
  const page = { ...png, "content-type": "text/html", "x-file-name": "x.html" };
  const text = await ask("GET", `/files/${await upload(page, new TextEncoder().encode("<script>"))}`, ann);
  assert.match(text.headers["content-disposition"] ?? "", /^attachment; filename\*=UTF-8''x\.html$/);
});

const refused: readonly [string, Record<string, string>, Uint8Array, string][] = [
  ["a program", { "content-type": "image/svg+xml" }, PNG, "FILE_REFUSED"],
  ["no type", { "content-type": "" }, PNG, "FILE_REFUSED"],
  ["what only says that it is a picture", { "content-type": "image/jpeg" }, PNG, "FILE_REFUSED"],
  ["no name", { "x-file-name": "" }, PNG, "FILE_REFUSED"],
  ["a name that is not encoded", { "x-file-name": "100%" }, PNG, "FILE_REFUSED"],
  ["a name without end", { "x-file-name": "x".repeat(201) }, PNG, "FILE_REFUSED"],
  ["nothing", {}, new Uint8Array(0), "FILE_REFUSED"],
  ["too much", {}, new Uint8Array(MAX_FILE_BYTES + 1), "FILE_TOO_LARGE"],
];
for (const [what, headers, body, code] of refused) {
  test(`${what} is refused, and leaves nothing`, async () => {
    assert.equal(codeOf(await ask("POST", "/files", { ...png, ...headers }, body)), code);
    assert.deepEqual([rows.size, files.files.size], [0, 0]);
  });
}

test("a name is a name and no path", async () => {
  const fileId = await upload({ ...png, "x-file-name": encodeURIComponent("../../etc/pass\u202ewd\n.png") });
  assert.equal(rows.get(fileId)?.name, "pass wd .png");
});
