/**
 * Is there room left for an embedded database to write? Without room for the next file of its write-ahead log, 16 MB,
 * Postgres panics, which in WebAssembly is a loop without end: it has to stop writing well before that.
 */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ParleyError } from "../protocol/errors.ts";

/** Four files of the log. */
export const LEAST_FREE_BYTES = 64 * 1024 * 1024;
/** How often the disk is asked; in that time no database writes this much. */
const LOOK_MS = 1_000;

export class DiskSpace {
  readonly #freeBytes: () => number;
  readonly #now: () => number;
  #lookedAt = -Infinity;
  #low = false;

  /** `freeBytes` is what may be written; a `now` is of a monotonic clock, in milliseconds. */
  constructor(freeBytes: () => number, now: () => number = () => performance.now()) {
    this.#freeBytes = freeBytes;
    this.#now = now;
  }

  get low(): boolean {
    const now = this.#now();
    if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      this.#low = this.#freeBytes() < LEAST_FREE_BYTES;
    }
    return this.#low;
  }
}

/** What this user may still write on the disk of a folder; Infinity where the file system does not say. */
export function freeBytesOf(folder: string): number {
  try {
    const { blocks, bavail, bsize } = statfsSync(existsSync(folder) ? folder : dirname(folder));
    return blocks === 0 ? Infinity : bavail * bsize;
  } catch {
    return Infinity;
  }
}

/** Nothing was changed, and the same request succeeds once there is room. */
export const diskFull = (cause?: unknown): ParleyError =>
  new ParleyError("UNAVAILABLE", {
    message: "The server's disk is full: what is there can be read, and nothing new is taken until there is room.",
    ...(cause === undefined ? {} : { cause }),
  });
