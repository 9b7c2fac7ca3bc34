/**
 * Files in a bucket of S3, or of a server that speaks its protocol: one object each, `<prefix><key>`.
 *
 * The SDK signs and retries; here every call has a time limit, what it failed with is told in a word of our own (the
 * SDK's errors hold whole requests and answers), and a body that breaks off is read again. The prefix belongs to one
 * database: what its rows do not know is removed by the sweeper. Only objects that bear an id are ever told.
 */
import type { Readable } from "node:stream";
import { type FileStore, FileStoreError } from "../ports/files.ts";
import type { S3Objects, S3Options } from "./s3-objects.ts";

export interface S3FileOptions extends S3Options {
  /** Before each key, with its slash. */
  readonly prefix: string;
  /** Of one call with its retries. Default: 30 s. */
  readonly limitMs?: number;
}

const LIMIT_MS = 30_000;
/** Of reading a body. */
const ATTEMPTS = 3;

const KEY = /^[A-Za-z0-9-]{8,64}$/;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createS3FileStore(options: S3FileOptions): FileStore {
  const { prefix, limitMs = LIMIT_MS } = options;
  let loading: Promise<S3Objects> | undefined;
  let closed = false;

  const nameOf = (key: string): string => {
    if (!KEY.test(key)) throw new Error("A file's key is an id.");
    return prefix + key;
  };

  /** Loads the SDK with the first call. The work is given up at its time limit, whether or not it obeys the signal. */
  async function call<T>(what: string, work: (s3: S3Objects, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (closed) throw new FileStoreError("The file store is closed.");
    const limit = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new KnownError(`no answer within ${limitMs} ms`));
      limit.abort();
    }, limitMs);
    try {
      loading ??= import("./s3-objects.ts").then(({ openS3 }) => openS3(options));
      return await Promise.race([loading.then((s3) => work(s3, limit.signal)), late]);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      // No cause: it would be logged, with the request and its signature.
      throw new FileStoreError(`The file store could not ${what}: ${reasonOf(error)}.`);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async put(key, bytes) {
      const name = nameOf(key);
      await call("put a file", (s3, signal) => s3.put(name, bytes, signal));
    },

    async get(key, maxBytes) {
      const name = nameOf(key);
      return call("get a file", async (s3, signal) => {
        for (let attempt = 1; ; attempt++) {
          try {
            const body = await s3.get(name, signal);
            if (body === undefined) throw new KnownError("an answer without a body");
            return await readWhole(body, maxBytes, signal);
          } catch (error) {
            if (isMissing(error)) return null;
            // The SDK has asked again where the answer had not begun.
            if (attempt === ATTEMPTS || signal.aborted || !(error instanceof CutError)) throw error;
          }
        }
      });
    },

    async delete(key) {
      const name = nameOf(key);
      await call("delete a file", async (s3, signal) => {
        try {
          await s3.delete(name, signal);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      });
    },

    // A cursor is the last key.
    list: (after, limit) =>
      call("list its files", async (s3, signal) => {
        const behind = after === undefined ? undefined : prefix + after;
        const { objects, more } = await s3.list(prefix, behind, limit, signal);
        const listed = objects.map(({ name, putAt }) => ({ key: name.slice(prefix.length), putAt }));
        return { files: listed.filter(({ key }) => ID.test(key)), next: more ? (listed.at(-1)?.key ?? null) : null };
      }),

    async close() {
      closed = true;
      const s3 = await loading?.catch(() => undefined);
      s3?.close();
    },
  };
}

/** Its message is ours. */
class KnownError extends Error {}
class CutError extends KnownError {}

/** Reads no more than `maxBytes` and one piece. */
async function readWhole(body: Readable, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const abort = (): void => {
    body.destroy(new CutError("the body broke off"));
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > maxBytes) throw new RangeError(`The file has more than ${maxBytes} bytes.`);
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof RangeError ? error : new CutError("the body broke off");
  } finally {
    signal.removeEventListener("abort", abort);
    body.destroy();
  }
  return new Uint8Array(Buffer.concat(pieces, size));
}

const fieldOf = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? (error as Readonly<Record<string, unknown>>)[name] : undefined;

const isMissing = (error: unknown): boolean => fieldOf(error, "name") === "NoSuchKey";

/** S3's own word, and the status; or the system's word for what the network did. */
function reasonOf(error: unknown): string {
  if (error instanceof KnownError) return error.message;
  const status = fieldOf(fieldOf(error, "$metadata"), "httpStatusCode");
  const words = [fieldOf(error, "name"), fieldOf(error, "code")].filter(
    (word): word is string => typeof word === "string" && word !== "Error" && /^\w{1,60}$/.test(word),
  );
  const reason = [...new Set(words)].join(" ") || "it failed";
  return typeof status === "number" ? `${reason}, status ${status}` : reason;
}
