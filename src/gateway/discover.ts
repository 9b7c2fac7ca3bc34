import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Entry, registerHandlers } from "./registry.ts";

/** Sources, or the bundles made of them; no tests, declarations or source maps. */
const isHandlerFile = (name: string): boolean => /^[a-z][a-z0-9-]*\.(ts|js)$/.test(name);

/** Loads every file of the handlers' folder: one a namespace, an array of handlers as its default export. */
export async function discoverHandlers(folder: string): Promise<ReadonlyMap<string, Entry>> {
  const names = (await readdir(folder)).filter(isHandlerFile).toSorted();
  const found = new Map<string, unknown>();
  for (const name of names) {
    const module = (await import(pathToFileURL(join(folder, name)).href)) as { readonly default?: unknown };
    found.set(name, module.default);
  }
  return registerHandlers(found);
}
