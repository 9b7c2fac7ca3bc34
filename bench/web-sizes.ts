/** What a browser has to fetch before a page of ours can do its work, as gzip -9 sends it. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { gzipSync } from "node:zlib";

export const dist = new URL("../dist/web/", import.meta.url).pathname;

const source = (file: string): string => readFileSync(dist + file, "utf8");
const gzipped = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(dist + file), { level: 9 }).length / 1024, 0);

/** `entry`, and what it can't begin without: every import that is not a call. */
function needed(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, path = ""] of source(entry).matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+\.js)"/g)) {
    needed(posix.join(posix.dirname(entry), path), seen);
  }
  return seen;
}

/** Every script of the page, and what they can't begin without. */
function neededByApp(): ReadonlySet<string> {
  const scripts = [...source("index.html").matchAll(/<script\b[^>]*\ssrc="\/([^"]+)"/g)];
  if (scripts.length === 0) throw new Error("dist/web/index.html names no script: run the build first");
  const seen = new Set<string>();
  for (const [, entry = ""] of scripts) needed(entry, seen);
  return seen;
}

/** In KB. `admin`: what the owner's page of figures needs beyond the app; undefined where the build has none. */
export function sizes(): { readonly app: number; readonly embed: number; readonly admin: number | undefined } {
  const app = neededByApp();
  const admin = readdirSync(`${dist}assets`).find((file) => /^insights-.*\.js$/.test(file));
  const beyond = admin === undefined ? undefined : [...needed(`assets/${admin}`)].filter((file) => !app.has(file));
  return {
    app: gzipped(app),
    embed: gzipped(needed("embed.js")),
    admin: beyond === undefined ? undefined : gzipped(beyond),
  };
}
