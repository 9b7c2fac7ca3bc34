/**
 * Removes uploads that no message ever referred to, and bytes that no row names: an upload that crashed between its bytes
 * and its row, and a row whose bytes could not be deleted with it.
 *
 *   page of keys ─▶ unused for `unusedMs`: the row goes ─┐
 *                └▶ older than a day, without a row ─────┴▶ deleted        then the next page, a moment later
 *
 * A row goes before its bytes: whoever dies between leaves bytes without a row, for the next pass.
 *
 * Nothing is deleted until a row of some file was found: a store of rows that knows none is most likely not the one
 * that these files belong to.
 */
import type { FileStore, ListedFile } from "../ports/files.ts";
import type { Logger } from "../ports/logger.ts";
import type { FileRows } from "../ports/store.ts";

export interface FileSweeper {
  /** Looks at one page. Rejects when that fails; the page is looked at again. */
  readonly sweep: () => Promise<void>;
  /** How long to wait before the next, after so many failures in a row. */
  readonly pauseMs: (failures: number) => number;
}

export interface FileSweeperOptions {
  readonly files: Pick<FileStore, "list" | "delete">;
  readonly rows: Pick<FileRows, "known" | "removeUnused">;
  /** So old is an upload that nobody will use any more; undefined: it is kept. */
  readonly unusedMs: number | undefined;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly random?: () => number;
  /** Keys of a page. */
  readonly pageSize?: number;
}

/** An upload writes its row seconds after its bytes; the rest is for clocks that differ. */
const KEPT_MS = 24 * 60 * 60_000;
const PAGE_SIZE = 500;
/** Deletions at a time. */
const LANES = 4;
const FIRST_MS = 60_000;
const NEXT_PAGE_MS = 5_000;
const NEXT_PASS_MS = 6 * 60 * 60_000;

export function createFileSweeper(options: FileSweeperOptions): FileSweeper {
  const { files, rows, unusedMs, logger, now = Date.now, random = Math.random, pageSize = PAGE_SIZE } = options;
  let after: string | undefined;
  let begun = false;
  let anyKnown = false;
  let warned = false;

  async function orphansOf(listed: readonly ListedFile[]): Promise<readonly ListedFile[]> {
    const known = new Set(await rows.known(listed.map(({ key }) => key)));
    anyKnown ||= known.size > 0;
    const bound = now() - KEPT_MS;
    for (const key of await removeUnused(listed.filter(({ key }) => known.has(key)))) known.delete(key);
    return listed.filter(({ key, putAt }) => putAt < bound && !known.has(key));
  }

  /** The store looks at the rows; what was put lately is not worth its time. */
  async function removeUnused(listed: readonly ListedFile[]): Promise<readonly string[]> {
    if (unusedMs === undefined) return [];
    const bound = now() - unusedMs;
    const old = listed.filter(({ putAt }) => putAt < bound).map(({ key }) => key);
    const removed = old.length === 0 ? [] : await rows.removeUnused(old, unusedMs);
    if (removed.length > 0) logger.info({ files: removed.length }, "uploads that no message used were removed");
    return removed;
  }

  async function remove(orphans: readonly ListedFile[]): Promise<void> {
    const left = orphans.values();
    const lane = async (): Promise<void> => {
      for (const { key } of left) await files.delete(key);
    };
    const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    if (orphans.length > 0) logger.info({ files: orphans.length }, "files without a row were removed");
  }

  return {
    async sweep() {
      begun = true;
      const { files: listed, next } = await files.list(after, pageSize);
      const orphans = listed.length === 0 ? [] : await orphansOf(listed);
      if (anyKnown) await remove(orphans);
      else if (orphans.length > 0 && !warned) {
        warned = true;
        logger.warn({}, "no file has a row; nothing is removed, as these files may be another database's");
      }
      after = next ?? undefined;
    },

    // Nodes that share the files look at different times.
    pauseMs(failures) {
      const ms = !begun || failures > 0 ? FIRST_MS : after === undefined ? NEXT_PASS_MS : NEXT_PAGE_MS;
      return ms * (1 + random());
    },
  };
}
