/** What is done to the cluster while clients read. In every case they must see their answers whole, and once. */
import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import type { Parley } from "../support/parley.ts";
import { until } from "../support/until.ts";
import { cutOffForAll, oneNodeCutOff } from "./cut-off.ts";
import { oneByOne, ownerKilledAtSteps } from "./owner-killed.ts";
import { slowReader } from "./slow-reader.ts";
import { STORM, storm } from "./storm.ts";
import type { Stream } from "./streams.ts";
import { killedBeforeTelling } from "./untold.ts";
import type { Topology, World } from "./world.ts";

export interface Scene {
  readonly world: World;
  /** Answers that are being written. */
  readonly streams: readonly Stream[];
  /** Begins more of them, which are read and counted as the others are. */
  readonly more: (count: number) => Promise<void>;
}

export interface ChaosCase {
  readonly name: string;
  /** Requests may be refused with UNAVAILABLE: what they need is away. */
  readonly callsMayFail?: boolean;
  /** Of Redis; one server when absent. */
  readonly topology?: Topology;
  /** Resolves when nothing is broken any more. Rejects when it saw what must not be. */
  fault(scene: Scene): Promise<void>;
}

const LEASE_MS = 15_000;

/** The node that has most of the runs. */
async function ownerOf(world: World): Promise<Parley> {
  const active = async ({ url }: Parley) =>
    Number(/^parley_runs_active (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0);
  const counts = await Promise.all(world.nodes.map(active));
  const owner = world.nodes[counts.indexOf(Math.max(...counts))];
  assert.ok(owner);
  return owner;
}

/** Its runs go on elsewhere while it sleeps, and it finds that out when it wakes. */
async function sleepingOwner({ world }: Scene): Promise<void> {
  interface Held extends Record<string, unknown> {
    readonly id: string;
    readonly fence: string;
    readonly status: string;
  }
  const owner = await ownerOf(world);
  owner.pause();
  try {
    const held = await world.sql<Held>("select id, fence, status from runs where status = 'running'");
    const fences = new Map(held.map(({ id, fence }) => [id, Number(fence)]));
    const taken = async () => {
      const rows = await world.sql<Held>("select id, fence, status from runs where id = any($1)", [[...fences.keys()]]);
      const claimed = rows.filter(({ id, fence }) => Number(fence) > (fences.get(id) ?? 0));
      return claimed.length > 0 && rows.every((row) => row.status !== "running" || claimed.includes(row));
    };
    await until(taken, "another node to take its runs over", LEASE_MS + 10_000);
    await world.lasts(2_000);
  } finally {
    owner.resume();
  }
}

/** The master dies, its replica takes its place, and the other way round: twice what was written last is lost. */
async function failoverAndBack(world: World): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const before = await world.master();
    await before.kill();
    await until(async () => (await world.master()) !== before, "the replica to be master", 30_000);
    await before.restart();
    await world.lasts(3_000 + 1_000 * world.random());
  }
}

async function restartOneOf(world: World): Promise<void> {
  const server = world.redisServers[Math.floor(world.random() * world.redisServers.length)];
  assert.ok(server);
  await server.kill();
  await world.lasts(500 + 1_000 * world.random());
  await server.restart();
}

const nodeAt = (world: World, index: number): Parley => {
  const node = world.nodes[index];
  assert.ok(node);
  return node;
};

/** Two clients at two nodes, for as long as `work` takes. */
async function atTwoNodes(world: World, work: (a: Client, b: Client) => Promise<void>): Promise<void> {
  const [a, b] = [world.connect(nodeAt(world, 0)), world.connect(nodeAt(world, 1))];
  try {
    await Promise.all([a.whenReady(), b.whenReady()]);
    await work(a, b);
  } finally {
    a.close();
    b.close();
  }
}

async function oneKeyTwoNodes(world: World): Promise<void> {
  await atTwoNodes(world, async (a, b) => {
    const { conversation } = await a.call("conversation.create", {});
    for (let i = 0; i < 20; i++) {
      const params = { conversationId: conversation.id, text: "count to 2", idempotencyKey: crypto.randomUUID() };
      const both = await Promise.all([a.call("chat.send", params), b.call("chat.send", params)]);
      assert.deepEqual(both[0], both[1], "both are told the same");
      const done = async () =>
        (await world.sql("select 1 from runs where conversation_id = $1 and status <> 'completed'", [conversation.id]))
          .length === 0;
      await until(done, "the run", 60_000);
    }
    const rows = await world.sql("select role from messages where conversation_id = $1", [conversation.id]);
    assert.equal(rows.length, 40, "20 questions, 20 answers");
  });
}

async function oneApprovalTwoNodes(world: World): Promise<void> {
  await atTwoNodes(world, async (a, b) => {
    for (let i = 0; i < 5; i++) {
      const { conversation } = await a.call("conversation.create", {});
      a.send(conversation.id, `delete the file notes-${i}.txt`);
      let approvalId: string | undefined;
      const asked = async () => {
        const { approvals } = await b.call("approval.list", {});
        return (approvalId = approvals.find((one) => one.conversationId === conversation.id)?.id) !== undefined;
      };
      await until(asked, "the question", 60_000);
      assert.ok(approvalId !== undefined);
      const [approved, denied] = await Promise.allSettled([
        a.call("approval.decide", { approvalId, decision: "approve" }),
        b.call("approval.decide", { approvalId, decision: "deny" }),
      ]);
      const won = [approved, denied].filter(({ status }) => status === "fulfilled");
      const refused = [approved, denied].flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
      assert.equal(won.length, 1, "one decision");
      assert.deepEqual(refused, ["ALREADY_DECIDED"]);
      const [row] = await world.sql<{ status: string }>("select status from approvals where id = $1", [approvalId]);
      assert.equal(row?.status, approved.status === "fulfilled" ? "approved" : "denied");
      const done = async () =>
        (await world.sql("select 1 from runs where conversation_id = $1 and status = 'completed'", [conversation.id]))
          .length === 1;
      await until(done, "the run to go on", 60_000);
    }
  });
}

async function cutFor(world: World, which: "redis" | "postgres", ms: number): Promise<void> {
  world.network[which].cut();
  try {
    await world.lasts(ms);
  } finally {
    world.network[which].mend();
  }
}

export const cases: readonly ChaosCase[] = [
  {
    name: "the owner sleeps past its lease, and wakes",
    fault: sleepingOwner,
  },
  {
    name: "Redis loses everything (FLUSHALL)",
    fault: async ({ world }) => {
      await world.redis("FLUSHALL");
    },
  },
  {
    name: "pub/sub connections killed, three times",
    fault: async ({ world }) => {
      for (let i = 0; i < 3; i++) {
        const killed = await world.redis("CLIENT", "KILL", "TYPE", "pubsub");
        assert.ok(Number(killed) >= 1, "there was one to kill");
        await world.lasts(500 + 1_000 * world.random());
      }
    },
  },
  {
    name: "Redis paused for 5 s",
    callsMayFail: true,
    fault: async ({ world }) => {
      const wake = await world.pauseRedis();
      await world.lasts(5_000);
      wake();
    },
  },
  {
    name: "Redis killed, and started again with nothing",
    callsMayFail: true,
    fault: ({ world }) => restartOneOf(world),
  },
  {
    name: "PostgreSQL killed, and started again",
    callsMayFail: true,
    fault: ({ world }) => world.crashPostgres(),
  },
  {
    name: "connections of one node to Redis cut, ten times",
    callsMayFail: true,
    // Now and then after a script ran, and before its answer came.
    fault: async ({ world }) => {
      for (let i = 0; i < 10; i++) {
        world.network.redis.cut();
        world.network.redis.mend();
        await world.lasts(200 + 300 * world.random());
      }
    },
  },
  {
    name: "PostgreSQL paused for 20 s",
    callsMayFail: true,
    fault: async ({ world }) => {
      const wake = await world.pausePostgres();
      await world.lasts(20_000);
      wake();
    },
  },
  {
    name: "connections to PostgreSQL cut, three times",
    // A statement under way on a connection that is cut: nobody knows how it ended, so the caller decides.
    callsMayFail: true,
    fault: async ({ world }) => {
      for (let i = 0; i < 3; i++) {
        await world.sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and application_name <> 'chaos'",
        );
        await world.lasts(500 + 1_000 * world.random());
      }
    },
  },
  {
    name: "one node cut off from Redis for 6 s",
    callsMayFail: true,
    fault: ({ world }) => cutFor(world, "redis", 6_000),
  },
  {
    name: "one node cut off from PostgreSQL for 20 s",
    callsMayFail: true,
    fault: ({ world }) => cutFor(world, "postgres", 20_000),
  },
  {
    name: "one node cut off from PostgreSQL until its clients have gone to the others",
    callsMayFail: true,
    fault: (scene) => oneNodeCutOff(scene, "postgres", "b"),
  },
  {
    name: "one node cut off from Redis until its clients have gone to the others",
    callsMayFail: true,
    fault: (scene) => oneNodeCutOff(scene, "redis", "c"),
  },
  { name: "PostgreSQL paused for 35 s: nobody is sent away", callsMayFail: true, fault: cutOffForAll },
  { name: "one idempotency key at two nodes at once, 20 times", fault: ({ world }) => oneKeyTwoNodes(world) },
  { name: "one approval decided at two nodes at once, 5 times", fault: ({ world }) => oneApprovalTwoNodes(world) },
  { name: `a storm of ${STORM} reconnects, each to the next node`, fault: storm },
  { name: "a reader that reads nothing for 20 s", fault: slowReader },
  { name: "the owner killed at steps of answers with tools", fault: ownerKilledAtSteps },
  { name: "a node killed between commit and append", fault: killedBeforeTelling },
  { name: "each node killed, one after the other", fault: oneByOne },
  {
    name: "Sentinel: the master is killed, and later its successor",
    topology: "sentinel",
    callsMayFail: true,
    fault: ({ world }) => failoverAndBack(world),
  },
  {
    name: "Redis Cluster: one of three masters killed, and started again with nothing",
    topology: "cluster",
    callsMayFail: true,
    fault: ({ world }) => restartOneOf(world),
  },
  {
    name: "rolling restart of all three nodes",
    fault: async ({ world, more }) => {
      for (const node of world.nodes) {
        await more(2);
        assert.equal(await node.stop(), 0, node.errors.slice(-2_000));
        await node.start();
        await world.ready();
      }
    },
  },
];

/** Cases by their names' beginnings, in the order of the table. */
export const named = (beginnings: readonly string[]): readonly ChaosCase[] =>
  cases.filter(({ name }) => beginnings.some((beginning) => name.startsWith(beginning)));
