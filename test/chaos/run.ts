// node test/chaos/run.ts [--seed N] [--rounds N] [--streams N] [--only "beginning of a case's name"] …
// Plays every case on real processes of its own and prints a table; ends with 1 when a reader lost or doubled anything. The
// seed decides the order of the cases, which node one of them is about, and the moments of their faults.
import { parseArgs } from "node:util";
import { cases, named } from "./cases.ts";
import { HEADER, line, passed, play } from "./check.ts";
import { shuffled, startWorld, TOPOLOGIES } from "./world.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "1" },
    streams: { type: "string", default: "8" },
    only: { type: "string", multiple: true },
  },
});
const chosen = values.only === undefined ? cases : named(values.only);
if (chosen.length === 0) throw new Error("no case has such a name");

const seed = Number(values.seed);
let failures = 0;
console.log(HEADER);
for (const topology of TOPOLOGIES) {
  const here = chosen.filter((one) => (one.topology ?? "single") === topology);
  if (here.length === 0) continue;
  const world = await startWorld(seed, topology);
  try {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const one of shuffled(here, () => world.random())) {
        const row = await play(world, one, Number(values.streams));
        console.log(line(row));
        for (const problem of row.problems) console.error(`  ${problem}`);
        if (passed(row, one)) continue;
        failures++;
        for (const node of world.nodes) console.error(`--- ${node.url}\n${node.errors.slice(-4_000)}`);
      }
    }
  } finally {
    await world.remove();
  }
}
console.error(failures === 0 ? "all is well" : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
