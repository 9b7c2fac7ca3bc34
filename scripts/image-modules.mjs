// node scripts/image-modules.mjs DIR: puts into DIR what a container needs to run the built server, and nothing else:
// dist, migrations, package.json, and the packages that the bundle leaves outside.
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("Say into which folder.");
const OUTSIDE = ["uWebSockets.js", "@electric-sql/pglite"];

mkdirSync(target, { recursive: true });
for (const path of ["dist", "migrations", "package.json", "LICENSE"]) {
  cpSync(path, join(target, path), { recursive: true });
}
for (const name of OUTSIDE) {
  const path = join("node_modules", name);
  cpSync(path, join(target, path), { recursive: true, dereference: true, filter: isNeeded });
}

/** The native module comes for every platform and version of Node; one of them runs here. */
function isNeeded(path) {
  if (!path.endsWith(".node")) return true;
  return path.endsWith(`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`);
}
