/** A node that can't reach what it needs while the others can: its clients go to them. When none can, all stay. */
import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import type { Parley } from "../support/parley.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";
import type { World } from "./world.ts";

/** Through nginx, so that a third of them is at each node. */
const CLIENTS = 30;
/** Within which the node has to notice, to tell, and to be left. */
const LEFT_MS = 60_000;
const CUT_FOR_ALL_MS = 35_000;

async function sendsAway({ url }: Parley): Promise<boolean> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return /^parley_sending_away 1$/m.test(metrics);
}

const nodeOf = (client: Client): string | undefined => client.hello?.nodeId;

async function gathered(world: World): Promise<Client[]> {
  const clients = Array.from({ length: CLIENTS }, () => world.connect());
  await Promise.all(clients.map((client) => client.whenReady()));
  return clients;
}

/** `name` is the one behind the network that is cut. */
export async function oneNodeCutOff({ world }: Scene, which: "redis" | "postgres", name: string): Promise<void> {
  const cut = world.nodes.find((_, i) => "abc".charAt(i) === name);
  assert.ok(cut);
  const others = world.nodes.filter((node) => node !== cut);
  const clients = await gathered(world);
  try {
    assert.ok(
      clients.some((client) => nodeOf(client) === name),
      "some are at the node that is cut off",
    );
    const began = performance.now();
    world.network[which].cut();
    const left = () =>
      clients.every(
        (client) => client.state.phase === "ready" && nodeOf(client) !== undefined && nodeOf(client) !== name,
      );
    await until(left, "all clients to be at the other nodes", LEFT_MS);
    console.error(
      `  all ${CLIENTS} clients are at nodes that can serve them after ${Math.round(performance.now() - began)} ms`,
    );
    assert.ok(await sendsAway(cut));
    assert.deepEqual(await Promise.all(others.map(sendsAway)), [false, false]);
    // While it is still cut off, nobody there is refused anything, and nobody comes back to it.
    await Promise.all(clients.map((client) => client.call("conversation.list", { limit: 1 })));
    await world.lasts(5_000);
    assert.ok(left(), "they stay where they are");
    world.network[which].mend();
    await until(async () => !(await sendsAway(cut)), "the node to keep its clients again", LEFT_MS);
    const again = world.connect(cut);
    await again.whenReady();
    assert.equal(nodeOf(again), name);
    again.close();
  } finally {
    world.network[which].mend();
    for (const client of clients) client.close();
  }
}

export async function cutOffForAll({ world }: Scene): Promise<void> {
  const clients = await gathered(world);
  try {
    let moved = 0;
    for (const client of clients) {
      client.onState(({ phase }) => {
        if (phase !== "ready") moved++;
      });
    }
    const wake = await world.pausePostgres();
    try {
      const end = performance.now() + CUT_FOR_ALL_MS;
      while (performance.now() < end) {
        assert.deepEqual(await Promise.all(world.nodes.map(sendsAway)), [false, false, false]);
        await world.lasts(500);
      }
    } finally {
      wake();
    }
    await world.ready();
    assert.equal(moved, 0, "nobody moved");
  } finally {
    for (const client of clients) client.close();
  }
}
