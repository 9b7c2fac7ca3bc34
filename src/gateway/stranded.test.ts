import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/clock.fake.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import type { Peers } from "../ports/peers.ts";
import { HYSTERESIS_MS, READY } from "./readiness.ts";
import { BELIEVED_MS, createStrandWatch, isStranded, STRANDED_MS } from "./stranded.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Said {
  readonly fit: boolean;
  readonly at: number;
}

/** Nodes that meet at two places, each of which may be cut off from one node or from all. */
class Cluster {
  readonly clock = new FakeClock();
  readonly nodes: Node[] = [];
  readonly said = { redis: new Map<Node, Said>(), postgres: new Map<Node, Said>() };

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.nodes.push(new Node(this));
  }

  /** Everybody looks every three seconds. */
  async pass(ms: number): Promise<void> {
    for (const end = this.clock.now() + ms; this.clock.now() < end;) {
      await Promise.all(this.nodes.map((node) => node.look()));
      this.clock.advance(3_000);
    }
  }
}

type Place = keyof Cluster["said"];

class Node {
  away = false;
  /** How often it was told to send its clients away, while it did not. */
  sent = 0;
  draining = false;
  readonly cut = new Set<Place>();
  readonly log = recordingLogger();
  readonly look: () => Promise<void>;
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    const { clock } = cluster;
    const watch = createStrandWatch({
      health: {
        problem: () =>
          Promise.resolve(this.cut.size > 0 ? `${[...this.cut].join(" and ")} can't be reached` : undefined),
      },
      peers: [this.at("redis"), this.at("postgres")],
      draining: () => this.draining,
      sendAway: (away) => {
        if (away && !this.away) this.sent++;
        this.away = away;
      },
      logger: this.log,
      clock,
    });
    this.look = () => watch.look();
  }

  private at(place: Place): Peers {
    const { said, clock } = this.cluster;
    return {
      tell: (fit, youngerThanMs) => {
        if (this.cut.has(place)) return Promise.reject(new Error("cut"));
        said[place].set(this, { fit, at: clock.now() });
        const others = [...said[place]].filter(([node]) => node !== this);
        return Promise.resolve(others.filter(([, one]) => one.fit && clock.now() - one.at < youngerThanMs).length);
      },
    };
  }
}

for (const place of ["redis", "postgres"] as const) {
  test(`[R8] a node cut off from ${place} alone sends its clients away, after the readiness, until it is back`, async () => {
    const cluster = new Cluster(3);
    const [a, b, c] = cluster.nodes as [Node, Node, Node];
    await cluster.pass(30_000);
    b.cut.add(place);
    await cluster.pass(HYSTERESIS_MS + 2_000);
    assert.equal(b.away, false, "a hiccup moves nobody");
    await cluster.pass(STRANDED_MS - HYSTERESIS_MS + 3_000);
    assert.deepEqual([a.away, b.away, c.away], [false, true, false]);
    b.cut.clear();
    await cluster.pass(3_000);
    assert.equal(b.away, false);
    assert.deepEqual(
      b.log.lines.map(({ level }) => level),
      ["warn", "info"],
      "each change is logged once",
    );
  });

  test(`[R8] when ${place} is away for all, whenever each finds out, nobody is sent anywhere`, async () => {
    const cluster = new Cluster(3);
    await cluster.pass(30_000);
    // One looks just before, one just after, one a while later.
    for (const node of cluster.nodes) {
      node.cut.add(place);
      await cluster.nodes[2]?.look();
      await node.look();
      cluster.clock.advance(2_900);
    }
    await cluster.pass(120_000);
    assert.deepEqual(
      cluster.nodes.map(({ sent }) => sent),
      [0, 0, 0],
    );
  });
}

test("[R8] a node cut off from both knows nothing of others, and keeps its clients; so does the last that is left", async () => {
  const cluster = new Cluster(2);
  const [a, b] = cluster.nodes as [Node, Node];
  await cluster.pass(30_000);
  a.cut.add("redis").add("postgres");
  await cluster.pass(60_000);
  assert.equal(a.sent, 0);
  b.cut.add("postgres");
  await cluster.pass(BELIEVED_MS);
  a.cut.delete("redis");
  await cluster.pass(60_000);
  assert.deepEqual([a.sent, b.sent], [0, 0], "neither could serve the other's");
});

test("[R8] a node that drains, or is dead, is no place to go to", async () => {
  const cluster = new Cluster(3);
  const [a, b, c] = cluster.nodes as [Node, Node, Node];
  await cluster.pass(30_000);
  b.draining = true;
  cluster.nodes.splice(cluster.nodes.indexOf(c), 1);
  await cluster.pass(BELIEVED_MS);
  a.cut.add("postgres");
  await cluster.pass(60_000);
  assert.equal(a.sent, 0);
});

test("[R8] a place that never answers holds nothing up, and is not asked again meanwhile", async () => {
  const clock = new FakeClock();
  const told: boolean[] = [];
  let asked = 0;
  const watch = createStrandWatch({
    health: { problem: () => Promise.resolve("the store does not answer") },
    peers: [
      {
        tell: () => {
          asked++;
          return new Promise(() => {});
        },
      },
      { tell: () => Promise.resolve(1) },
    ],
    draining: () => false,
    sendAway: (away) => told.push(away),
    logger: recordingLogger(),
    clock,
  });
  for (let i = 0; i < 10; i++) {
    const looked = watch.look();
    await turn();
    clock.advance(2_000);
    await looked;
  }
  assert.equal(asked, 1);
  assert.deepEqual(told.slice(-2), [true, true]);
});

test("[R8] stranded is who has failed for long enough while another is fit", () => {
  const failing = { kind: "failing", since: 1_000 } as const;
  const cases: [typeof READY | typeof failing, number, number, boolean][] = [
    [READY, 2, 1_000_000, false],
    [failing, 2, 1_000 + STRANDED_MS - 1, false],
    [failing, 2, 1_000 + STRANDED_MS, true],
    [failing, 0, 1_000 + STRANDED_MS, false],
  ];
  for (const [state, others, now, stranded] of cases) assert.equal(isStranded(state, others, now), stranded);
  assert.ok(STRANDED_MS > HYSTERESIS_MS && STRANDED_MS > BELIEVED_MS + 3_000);
});
