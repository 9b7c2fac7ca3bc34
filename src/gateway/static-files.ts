/** The files of a folder, in memory, each with what HTTP needs to know of it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** In the order in which we would rather send them. */
export const ENCODINGS = ["br", "gzip"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** A web app that is larger than this is not one; the folder is probably a wrong one. */
const MAX_TOTAL = 64 * 1024 * 1024;
/** Below this, a compressed answer saves no packet. */
const MIN_COMPRESSED = 1024;
/** 11 takes a second per 100 KiB; 9 takes some milliseconds and is a few per cent larger. */
const BROTLI_QUALITY = 9;

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".woff2": "font/woff2",
};
/** These are compressed already. */
const PACKED = new Set([".png", ".woff2"]);
const SUFFIX: Readonly<Record<Encoding, string>> = { br: ".br", gzip: ".gz" };

const compressors: Readonly<Record<Encoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

export class StaticFile {
  readonly bytes: Uint8Array;
  readonly type: string;
  /** Of the content, without quotes. */
  readonly tag: string;
  readonly #compressible: boolean;
  /** Ready ones; at most one for each encoding. */
  readonly #variants = new Map<Encoding, Uint8Array>();
  readonly #making = new Map<Encoding, Promise<Uint8Array>>();

  constructor(name: string, bytes: Uint8Array, variants: ReadonlyMap<Encoding, Uint8Array>) {
    const extension = extname(name).toLowerCase();
    this.bytes = bytes;
    this.type = TYPES[extension] ?? "application/octet-stream";
    this.tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
    this.#compressible = !PACKED.has(extension) && bytes.length >= MIN_COMPRESSED;
    for (const [encoding, variant] of variants) this.#variants.set(encoding, variant);
  }

  /** Is it worth sending in this encoding? */
  has(encoding: Encoding): boolean {
    return this.#compressible || this.#variants.has(encoding);
  }

  /** Its bytes in an encoding that it `has`; at once when the build or an earlier request made them. */
  in(encoding: Encoding): Uint8Array | Promise<Uint8Array> {
    const ready = this.#variants.get(encoding);
    if (ready !== undefined) return ready;
    const running = this.#making.get(encoding);
    if (running !== undefined) return running;
    const making = compressors[encoding](this.bytes).then((variant) => {
      this.#variants.set(encoding, variant);
      this.#making.delete(encoding);
      return variant;
    });
    this.#making.set(encoding, making);
    return making;
  }
}

/**
 * Address → file; undefined when there is no such folder. `x.br` and `x.gz` beside `x` are its encodings and no
 * addresses of their own; hidden files and links are left out.
 */
export async function readStaticFiles(folder: string): Promise<ReadonlyMap<string, StaticFile> | undefined> {
  const contents = await readContents(folder);
  if (contents === undefined) return undefined;
  const files = new Map<string, StaticFile>();
  for (const [name, bytes] of contents) {
    if (ENCODINGS.some((encoding) => name.endsWith(SUFFIX[encoding]))) continue;
    const variants = new Map<Encoding, Uint8Array>();
    for (const encoding of ENCODINGS) {
      const variant = contents.get(name + SUFFIX[encoding]);
      if (variant !== undefined) variants.set(encoding, variant);
    }
    files.set(`/${name}`, new StaticFile(name, bytes, variants));
  }
  return files;
}

async function readContents(folder: string): Promise<Map<string, Uint8Array> | undefined> {
  let entries;
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const contents = new Map<string, Uint8Array>();
  let total = 0;
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (!entry.isFile() || name.split("/").some((part) => part.startsWith("."))) continue;
    const bytes = await readFile(path);
    total += bytes.length;
    if (total > MAX_TOTAL) throw new Error(`${folder} holds more than ${MAX_TOTAL} bytes: is it the built web app?`);
    contents.set(name, bytes);
  }
  return contents;
}
