/**
 * The four calls to S3 that files need. A module of its own, with the SDK behind it, to be loaded by the first of them:
 * of a CommonJS package like that one a bundle gives an `import()` no names.
 */
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** Of another server than Amazon's; its buckets are in the path. */
  readonly endpoint?: string;
  /** Default: the SDK looks in the environment, in its files, and asks the machine. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

export interface ObjectPage {
  readonly objects: readonly { readonly name: string; readonly putAt: number }[];
  readonly more: boolean;
}

export interface S3Objects {
  put(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Undefined for an answer without a body. The signal covers the head only. */
  get(name: string, signal: AbortSignal): Promise<Readable | undefined>;
  delete(name: string, signal: AbortSignal): Promise<void>;
  /** By name, those behind `after`. */
  list(prefix: string, after: string | undefined, limit: number, signal: AbortSignal): Promise<ObjectPage>;
  close(): void;
}

/** Requests of one call: the SDK asks again when the server is busy, or nobody answers. */
const ATTEMPTS = 3;
const CONNECT_MS = 3_000;
/** Of one request. */
const SILENCE_MS = 10_000;
const CONNECTIONS = 50;
/** S3 lists no more at once. */
const MAX_LISTED = 1_000;

export function openS3({ bucket: Bucket, region, endpoint, credentials }: S3Options): S3Objects {
  const client = new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: CONNECTIONS },
      httpsAgent: { maxSockets: CONNECTIONS },
    },
    // Other servers do not all know the newer checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return {
    async put(Key, Body, abortSignal) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }), { abortSignal });
    },
    async get(Key, abortSignal) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal });
      return Body instanceof Readable ? Body : undefined;
    },
    async delete(Key, abortSignal) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal });
    },
    async list(Prefix, StartAfter, limit, abortSignal) {
      const MaxKeys = Math.min(limit, MAX_LISTED);
      const command = new ListObjectsV2Command({
        Bucket,
        Prefix,
        MaxKeys,
        ...(StartAfter !== undefined && { StartAfter }),
      });
      const { Contents = [], IsTruncated } = await client.send(command, { abortSignal });
      const objects = Contents.map(({ Key = "", LastModified }) => ({
        name: Key,
        // What does not say its age is young.
        putAt: LastModified?.getTime() ?? Date.now(),
      }));
      return { objects, more: IsTruncated === true };
    },
    close: () => client.destroy(),
  };
}
