import assert from "node:assert/strict";
import { test } from "node:test";
import type { Files } from "../../src/client/files.ts";
import { type ErrorCode, ParleyError } from "../../src/protocol/errors.ts";
import type { FilePart } from "../../src/protocol/shapes.ts";
import { Attachments, type Chosen } from "./attachments.ts";
import { createDrafts } from "./drafts.ts";
import { MAX_FILE_BYTES, MAX_FILES } from "./file-kind.ts";
import { memoryStorage } from "./memory-storage.fake.ts";

interface Upload {
  readonly name: string;
  readonly mediaType: string;
  readonly signal: AbortSignal | undefined;
  readonly done: (part: FilePart) => void;
  readonly fail: (error: unknown) => void;
}

function world() {
  const uploads: Upload[] = [];
  const files: Files = {
    upload: (name, mediaType, _, { signal } = {}) =>
      new Promise((done, fail) => uploads.push({ name, mediaType, signal, done, fail })),
    url: (fileId) => `https://parley.example/files/${fileId}`,
  };
  const urls = new Set<string>();
  const drafts = createDrafts(memoryStorage(), "ada");
  const attachments = new Attachments({
    files,
    drafts: () => drafts,
    urls: {
      createObjectURL: () => {
        const url = `blob:${urls.size}`;
        urls.add(url);
        return url;
      },
      revokeObjectURL: (url) => void urls.delete(url),
    },
  });
  const finish = async (index: number): Promise<FilePart> => {
    const { name, mediaType, done } = uploads[index]!;
    const part: FilePart = { type: "file", fileId: `id-${name}`, name, mediaType, size: 3 };
    done(part);
    await settled();
    return part;
  };
  return { attachments, uploads, urls, drafts, finish };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const file = (name: string, type = "", content = "abc"): Chosen => new File([content], name, { type });
const states = (attachments: Attachments) => attachments.of("c").map(({ name, state }) => `${name} ${state.kind}`);

test("a file is uploaded when it is chosen, kept with the draft, and taken by the message", async () => {
  const { attachments, uploads, urls, drafts, finish } = world();
  attachments.add("c", [file("photo.png", "image/png"), file("main.ts", "video/mp2t")]);
  assert.deepEqual(states(attachments), ["photo.png uploading", "main.ts uploading"]);
  assert.deepEqual([attachments.uploading("c"), attachments.uploading("d")], [true, false]);
  assert.equal(uploads[1]?.mediaType, "text/plain", "a program is text, whatever the browser calls it");
  const [photo, code] = [await finish(0), await finish(1)];
  assert.equal(attachments.uploading("c"), false);
  assert.deepEqual(drafts.read("c").files, [photo, code]);
  assert.deepEqual([...urls], ["blob:0"]);
  assert.deepEqual(attachments.take("c"), [photo, code]);
  assert.deepEqual([[...urls], drafts.read("c").files, attachments.of("c")], [[], [], []]);
});

test("what an earlier visit had uploaded is there again, once", async () => {
  const { attachments, drafts } = world();
  const part: FilePart = { type: "file", fileId: "f", name: "a.png", mediaType: "image/png", size: 5 };
  drafts.write("c", { files: [part] });
  attachments.restore("c");
  attachments.restore("c");
  assert.deepEqual(states(attachments), ["a.png ready"]);
  assert.equal(attachments.of("c")[0]?.preview, "https://parley.example/files/f");
  attachments.remove(attachments.of("c")[0]!.id);
  assert.deepEqual(drafts.read("c").files, []);
});

test("what the server will not take is refused before it is sent", () => {
  const { attachments, uploads } = world();
  const large = Object.defineProperty(file("large.txt", "text/plain"), "size", { value: MAX_FILE_BYTES + 1 });
  attachments.add("c", [file("movie.mp4", "video/mp4"), file("empty.txt", "text/plain", ""), large]);
  assert.deepEqual(states(attachments), ["movie.mp4 refused", "empty.txt refused", "large.txt refused"]);
  assert.equal(uploads.length, 0);
  attachments.add(
    "c",
    Array.from({ length: MAX_FILES + 1 }, (_, i) => file(`${i}.txt`, "text/plain")),
  );
  assert.equal(uploads.length, MAX_FILES);
  assert.equal(states(attachments).at(-1), `${MAX_FILES}.txt refused`);
  assert.equal(attachments.of("d").length, 0);
});

test("a refusal of the server is final, a lost upload may be tried again", async () => {
  const { attachments, uploads, finish } = world();
  const refuse = async (index: number, code: ErrorCode) => {
    uploads[index]?.fail(new ParleyError(code));
    await settled();
  };
  attachments.add("c", [file("a.txt", "text/plain"), file("b.txt", "text/plain")]);
  await refuse(0, "FILE_REFUSED");
  await refuse(1, "UNAVAILABLE");
  const [a, b] = attachments.of("c");
  assert.deepEqual(
    [a, b].map((one) => one?.state.kind === "refused" && one.state.again),
    [false, true],
  );
  attachments.retry(a!.id);
  attachments.retry(b!.id);
  assert.equal(uploads.length, 3);
  const part = await finish(2);
  assert.deepEqual(attachments.ready("c"), [part]);
});

test("one that is removed is given up, and does not come back", async () => {
  const { attachments, uploads, drafts, finish } = world();
  attachments.add("c", [file("a.txt", "text/plain")]);
  attachments.remove(attachments.of("c")[0]!.id);
  assert.equal(uploads[0]?.signal?.aborted, true);
  await finish(0);
  assert.deepEqual([attachments.of("c"), drafts.read("c").files], [[], []]);
});

test("whoever signs in next finds nothing of whoever was there before", async () => {
  const { attachments, uploads, urls, finish } = world();
  attachments.add("c", [file("a.png", "image/png")]);
  await finish(0);
  attachments.add("c", [file("b.png", "image/png")]);
  attachments.clear();
  assert.deepEqual([attachments.of("c"), [...urls], uploads[1]?.signal?.aborted], [[], [], true]);
});
