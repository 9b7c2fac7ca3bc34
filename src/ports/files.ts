/**
 * Bytes of uploaded files. Their rows (name, type, owner) are in the store, which alone decides who sees them.
 *
 * Keys are ids that the server made. `put` is atomic: a reader sees all of a file or none. A file is written before
 * its row, so bytes without a row may be left by a crash; the sweeper removes those older than a day.
 *
 * Every call ends within a time limit of the adapter's. What it rejects with may be logged: it holds no secret.
 */
export interface FileStore {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** null when there is none. Reads at most `maxBytes`; a longer one rejects with a RangeError. */
  get(key: string, maxBytes: number): Promise<Uint8Array | null>;
  /** Idempotent. Takes any key that `list` tells. */
  delete(key: string): Promise<void>;
  /**
   * All that is stored, page by page, in an order that stays: what was there before the first page and is still there
   * at the last is told once. Names also what a crash left of a `put`, under a key that is no id.
   */
  list(after: string | undefined, limit: number): Promise<FilePage>;
  close(): Promise<void>;
}

/** Whatever holds the files is away or refuses: trying later may help. Its message is for the log. */
export class FileStoreError extends Error {
  override readonly name = "FileStoreError";
}

export interface FilePage {
  /** At most `limit`; a page that is not the last may be empty. */
  readonly files: readonly ListedFile[];
  /** For the next page, unread; null after the last. */
  readonly next: string | null;
}

export interface ListedFile {
  readonly key: string;
  /** When it was put, in milliseconds since 1970 by the clock of whatever holds it. */
  readonly putAt: number;
}
