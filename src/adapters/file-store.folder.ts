/**
 * Files in a folder of this machine: `<dir>/<last two of the key>/<key>`; the end of a UUIDv7 is random.
 *
 * Written to a name of its own first, `<key>.<random id>`, and then renamed, so that a reader sees all of a file or
 * none, also after kill -9.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, opendir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileStore, ListedFile } from "../ports/files.ts";

/** Keys are ids of the server's making; anything else never becomes a path. */
const KEY = /^[A-Za-z0-9-]{8,64}$/;
/** A file whose writer died before it renamed it. */
const UNFINISHED = /^([A-Za-z0-9-]{8,64})\.[0-9a-f-]{36}$/;
const FOLDER = /^[A-Za-z0-9-]{2}$/;

export function createFolderFileStore(dir: string): FileStore {
  const pathOf = (key: string): string => {
    if (!KEY.test(key)) throw new Error("A file's key is an id.");
    return join(dir, folderOf(key), key);
  };

  return {
    async put(key, bytes) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const unfinished = `${path}.${randomUUID()}`;
      try {
        await writeFile(unfinished, bytes, { flag: "wx", mode: 0o600 });
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },

    async get(key, maxBytes) {
      const path = pathOf(key);
      try {
        const { size } = await stat(path);
        if (size > maxBytes) throw new RangeError(`The file has ${size} bytes, more than ${maxBytes}.`);
        const file = await open(path, "r");
        try {
          const bytes = new Uint8Array(size);
          const { bytesRead } = await file.read(bytes, 0, size, 0);
          return bytes.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },

    async delete(key) {
      const unfinished = UNFINISHED.exec(key)?.[1];
      await rm(unfinished === undefined ? pathOf(key) : join(dirname(pathOf(unfinished)), key), { force: true });
    },

    // A cursor is `<folder>/<name>`: folder by folder, each by name.
    async list(after, limit) {
      const [from = "", name = ""] = after?.split("/", 2) ?? [];
      const files: ListedFile[] = [];
      const folders = (await unlessMissing(readdir(dir), [])).filter((folder) => FOLDER.test(folder)).toSorted();
      for (const folder of folders.filter((each) => each >= from)) {
        const room = limit - files.length;
        const { names, more } = await firstNames(join(dir, folder), folder === from ? name : "", room);
        for (const key of names) {
          const found = await unlessMissing(stat(join(dir, folder, key)), undefined);
          if (found?.isFile() === true) files.push({ key, putAt: found.mtimeMs });
        }
        const last = names.at(-1);
        if (more || names.length === room) return { files, next: `${folder}/${last ?? ""}` };
      }
      return { files, next: null };
    },

    close: async () => {},
  };
}

const folderOf = (key: string): string => key.slice(-2);

/** The lowest `limit` names behind `after`. Holds no more than twice as many, however many there are. */
async function firstNames(
  path: string,
  after: string,
  limit: number,
): Promise<{ readonly names: readonly string[]; readonly more: boolean }> {
  let names: string[] = [];
  let more = false;
  const folder = await unlessMissing(opendir(path), undefined);
  if (folder === undefined) return { names, more };
  const cut = (): void => {
    more ||= names.length > limit;
    names = names.toSorted().slice(0, limit);
  };
  for await (const { name } of folder) {
    if (name <= after || !(KEY.test(name) || UNFINISHED.test(name))) continue;
    names.push(name);
    if (names.length >= 2 * limit) cut();
  }
  cut();
  return { names, more };
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

async function unlessMissing<T, Else>(found: Promise<T>, otherwise: Else): Promise<T | Else> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}
