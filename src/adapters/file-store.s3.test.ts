import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { fileStoreContract } from "../../test/contracts/file-store.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type S3, startS3 } from "../../test/support/s3.ts";
import { uuidv7 } from "../protocol/id.ts";
import { createS3FileStore, type S3FileOptions } from "./file-store.s3.ts";

let s3: S3;
before(async () => {
  s3 = await startS3();
});
after(() => s3?.stop());

const storeAt = (prefix: string) => createS3FileStore({ ...s3, region: "us-east-1", prefix });

fileStoreContract("S3", () => storeAt(`${uuidv7()}/`));

test("what lies in the bucket beside its prefix, or bears no id, is not told", async () => {
  const [mine, others] = [storeAt("mine/"), storeAt("mine-too/")];
  const key = uuidv7();
  await mine.put(key, new Uint8Array(1));
  await others.put(uuidv7(), new Uint8Array(1));
  await mine.put("backup-of-2026", new Uint8Array(1));
  const { files } = await mine.list(undefined, 10);
  assert.deepEqual(
    files.map((file) => file.key),
    [key],
  );
  await Promise.all([mine.close(), others.close()]);
});

test("a key is nothing but an id", async () => {
  const store = storeAt("ids/");
  for (const key of ["../other/file", "", "a/b", "x".repeat(65)]) {
    await assert.rejects(async () => store.put(key, new Uint8Array(1)));
    await assert.rejects(async () => store.get(key, 1));
    await assert.rejects(async () => store.delete(key));
  }
  await store.close();
});

// ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────────

const SECRET = "secret-of-the-bucket-0123456789";
const ID = "key-id-of-the-bucket";
const key = uuidv7();

/** A server that answers its n-th request as the n-th function does, and the last for ever. */
async function faulty(
  t: TestContext,
  ...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]
): Promise<{ options: S3FileOptions; asked: () => number }> {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    request.resume();
    request.on("end", () => answer?.(response, request));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: ID, secretAccessKey: SECRET };
  return {
    options: { bucket: "b", prefix: "p/", region: "us-east-1", endpoint, credentials },
    asked: () => asked,
  };
}

const refuses = (status: number, code: string) => (response: ServerResponse) =>
  response
    .writeHead(status, { "content-type": "application/xml" })
    .end(`<Error><Code>${code}</Code><Message>${SECRET}</Message><AWSAccessKeyId>${ID}</AWSAccessKeyId></Error>`);
const gives = (response: ServerResponse) => response.writeHead(200, { "content-length": 3 }).end("abc");
const cut = (response: ServerResponse) => {
  response.writeHead(200, { "content-length": 3 });
  response.write("a", () => response.destroy());
};
const silent = () => {};

test("a busy server and a body that breaks off are asked again", async (t) => {
  const { options, asked } = await faulty(t, refuses(503, "SlowDown"), cut, gives);
  const store = createS3FileStore(options);
  assert.deepEqual([...((await store.get(key, 3)) ?? [])], [97, 98, 99]);
  assert.equal(asked(), 3);
  await store.close();
});

test("no call goes on for ever: retries are counted, and silence has its limit", async (t) => {
  const busy = await faulty(t, refuses(503, "SlowDown"));
  const store = createS3FileStore(busy.options);
  await assert.rejects(store.put(key, new Uint8Array(1)), /could not put a file: SlowDown, status 503/);
  assert.equal(busy.asked(), 3);
  await store.close();

  const torn = await faulty(t, cut);
  const tornStore = createS3FileStore(torn.options);
  await assert.rejects(tornStore.get(key, 3), /could not get a file: the body broke off/);
  assert.equal(torn.asked(), 3);
  await tornStore.close();

  const mute = await faulty(t, silent);
  const started = performance.now();
  const muteStore = createS3FileStore({ ...mute.options, limitMs: 300 });
  await assert.rejects(muteStore.list(undefined, 1), /could not list its files: no answer within 300 ms/);
  await assert.rejects(muteStore.delete(key), /could not delete a file: no answer within 300 ms/);
  assert.ok(performance.now() - started < 5_000);
  await muteStore.close();

  const stalled = await faulty(t, (response) => {
    response.writeHead(200, { "content-length": 3 });
    response.write("a");
  });
  const stalledStore = createS3FileStore({ ...stalled.options, limitMs: 300 });
  await assert.rejects(stalledStore.get(key, 3), /could not get a file: no answer within 300 ms/);
  await stalledStore.close();
});

test("a body that is longer than was allowed is not read to its end", async (t) => {
  const { options } = await faulty(t, (response) => {
    response.writeHead(200);
    const more = () => void (!response.destroyed && response.write(Buffer.alloc(64 * 1024), more));
    more();
  });
  const store = createS3FileStore(options);
  await assert.rejects(store.get(key, 100_000), RangeError);
  await store.close();
});

test("no error holds a key, a signature or what the server said of them", async (t) => {
  const { options } = await faulty(t, refuses(403, "SignatureDoesNotMatch"));
  const refused = createS3FileStore(options);
  const nobody = createS3FileStore({ ...options, endpoint: `http://127.0.0.1:${await freePort()}` });
  for (const store of [refused, nobody]) {
    for (const work of [
      () => store.put(key, new Uint8Array(1)),
      () => store.get(key, 1),
      () => store.list(undefined, 1),
    ]) {
      const error: unknown = await work().then(
        () => assert.fail("it was not refused"),
        (reason: unknown) => reason,
      );
      assert.match(
        String(error),
        /^FileStoreError: The file store could not .*: (?:Signature\w+, status 403|ECONNREFUSED)/,
      );
      const told = inspect(error, { depth: 20, showHidden: true });
      for (const secret of [SECRET, ID, "AWS4-HMAC"]) assert.ok(!told.includes(secret), told);
    }
    await store.close();
  }
});

test("a bucket that is not there is no missing file", async (t) => {
  const { options } = await faulty(t, refuses(404, "NoSuchBucket"));
  const store = createS3FileStore(options);
  await assert.rejects(store.get(key, 1), /NoSuchBucket, status 404/);
  await store.close();
  await assert.rejects(store.get(key, 1), /closed/);
});
