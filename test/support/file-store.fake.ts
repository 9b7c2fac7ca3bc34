import type { FilePage, FileStore } from "../../src/ports/files.ts";

/** Files that are gone with the test. */
export class MemoryFileStore implements FileStore {
  readonly files = new Map<string, Uint8Array>();
  /** When each was put; a test may change it. */
  readonly putAt = new Map<string, number>();

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.files.set(key, bytes.slice());
    this.putAt.set(key, Date.now());
  }

  async get(key: string, maxBytes: number): Promise<Uint8Array | null> {
    const bytes = this.files.get(key);
    if (bytes !== undefined && bytes.length > maxBytes) throw new RangeError("too large");
    return bytes ?? null;
  }

  async delete(key: string): Promise<void> {
    this.files.delete(key);
  }

  async list(after: string | undefined, limit: number): Promise<FilePage> {
    const keys = [...this.files.keys()].filter((key) => after === undefined || key > after).toSorted();
    const files = keys.slice(0, limit).map((key) => ({ key, putAt: this.putAt.get(key) ?? 0 }));
    return { files, next: keys.length > limit ? (files.at(-1)?.key ?? null) : null };
  }

  async close(): Promise<void> {}
}
