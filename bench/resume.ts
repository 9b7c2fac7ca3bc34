/**
 * How long a reader is away whose connection is lost in mid-answer, and who comes back to the next node: `node bench/resume.ts
 * [--nodes 3] [--hops 300]`, after `npm run build`, with `postgres` and `redis-server` installed. From the moment that a
 * socket to the new node is asked for; the back-off before it, at most 250 ms at first, is left out, as it is a draw.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { createClient } from "../src/client/client.ts";
import { openConversation } from "../src/client/conversation.ts";
import { answerIn } from "../test/chaos/streams.ts";
import { until } from "../test/support/until.ts";
import { startCluster } from "./scale-cluster.ts";
import { percentile } from "./table.ts";

const { values } = parseArgs({
  options: { nodes: { type: "string", default: "3" }, hops: { type: "string", default: "300" } },
});
const HOPS = Number(values.hops);
/** Between two hops. */
const CALM_MS = 50;
const AGAIN_MS = 30_000;

interface Hop {
  readonly from: number;
  /** The subscription goes on from its position. */
  resumed: number;
  /** The first event of the answer is here. */
  live: number;
}

const cluster = await startCluster(Number(values.nodes));
try {
  const urls = cluster.nodes.map(({ port }) => `ws://127.0.0.1:${port}/ws`);
  const token = cluster.nodes[0]?.token ?? "";
  const hops: Hop[] = [];
  let socket: WebSocket | undefined;

  function connect(protocol: string): WebSocket {
    const hop: Hop = { from: performance.now(), resumed: 0, live: 0 };
    const opened = new WebSocket(urls[hops.push(hop) % urls.length] ?? "", protocol, { perMessageDeflate: false });
    opened.on("message", (data: Buffer) => {
      const now = performance.now();
      if (hop.resumed === 0 && data.includes('"mode":"replay"')) hop.resumed = now;
      else if (hop.resumed > 0 && hop.live === 0 && data.includes("TEXT_MESSAGE_CONTENT")) hop.live = now;
    });
    socket = opened;
    return opened;
  }

  const client = createClient({
    url: "ws://node/ws",
    auth: { kind: "token", provider: () => token },
    connect: (_, protocol) => connect(protocol),
  });
  client.onState(({ phase }) => {
    if (phase === "waiting") setImmediate(() => client.connectNow());
  });
  const { conversation } = await client.call("conversation.create", {});
  const reader = openConversation(client, conversation.id);
  reader.send("count to 1000000");
  await until(() => answerIn(reader).length > 20, "the answer", AGAIN_MS);
  while (hops.length <= HOPS) {
    const before = hops.length;
    socket?.terminate();
    await until(() => hops.length > before && (hops.at(-1)?.live ?? 0) > 0, "the answer to go on", AGAIN_MS);
    await sleep(CALM_MS);
  }
  const text = answerIn(reader);
  const numbers = text.match(/\d+/g) ?? [];
  if (numbers.some((number, i) => i < numbers.length - 1 && Number(number) !== i + 1)) throw new Error(`torn: ${text}`);
  client.close();

  const row = (of: (hop: Hop) => number): string => {
    const times = hops.slice(1).map(of);
    return [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1)).join(" | ");
  };
  console.log(`${HOPS} reconnects over ${urls.length} nodes, ${numbers.length} numbers read in order`);
  console.log("| until | median, ms | p99 | worst |\n|---|---:|---:|---:|");
  console.log(`| the subscription goes on | ${row(({ from, resumed }) => resumed - from)} |`);
  console.log(`| the next word of the answer is here | ${row(({ from, live }) => live - from)} |`);
} finally {
  await cluster.stop();
}
