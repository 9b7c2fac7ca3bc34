/** What a connection that says nothing takes of a server's memory. */
import { setTimeout as sleep } from "node:timers/promises";
import { residentKiB } from "./process-cost.ts";
import { Load, type Target } from "./servers.ts";

/** For what came last to be over, and its garbage to be collected. */
const SETTLE_MS = 5_000;

export async function connect(load: Load, { port, token }: Target, count: number): Promise<void> {
  await load.order({ op: "connect", port, count, ...(token === undefined ? {} : { token }) });
}

/**
 * KiB of resident memory for each, with a session and a topic of its own. Their rows are made by one process and the
 * connections counted in the next, with the same store: what a database inside takes for them is not a connection's.
 */
export async function idleParley(start: () => Promise<Target>, count: number): Promise<number> {
  const load = new Load();
  let server = await start();
  try {
    await connect(load, server, count);
    await load.order({ op: "subscribe" });
    await server.stop();
    server = await start();
    // The first ones also pay for what a server needs once: code, pools, a heap that has found its size.
    const early = Math.round(count / 3);
    await load.order({ op: "return", port: server.port, count: early });
    await sleep(SETTLE_MS);
    const before = residentKiB(server.pid);
    await load.order({ op: "return", port: server.port, count: count - early });
    await sleep(SETTLE_MS);
    return (residentKiB(server.pid) - before) / (count - early);
  } finally {
    await load.stop();
    await server.stop();
  }
}
