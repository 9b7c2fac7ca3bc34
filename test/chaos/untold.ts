/**
 * A node dies between a commit and the append of what announces it [L11]: its way to Redis lets nothing through from the
 * append on, and at that moment it is killed with -9. Another node has to tell it, and to end what was begun.
 */
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { type Client, createClient } from "../../src/client/client.ts";
import { openConversation, type OpenConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { ACCESS_TOKEN, type Parley } from "../support/parley.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";
import { shuffled, type World } from "./world.ts";

interface Announced {
  /** In its JSON. */
  readonly mark: string;
  /** What leads to it. */
  readonly question: string;
  /** A person decides; the mark of that comes from the node that dies too. */
  readonly asks?: boolean;
  /** It is told exactly once in such a conversation. */
  readonly once?: boolean;
}

const CALCULATE = "use the calculator: 1+1";
const DELETE = "delete the file tides.txt";
const RENAME = "rename";

const ANNOUNCED: readonly Announced[] = [
  { mark: '"name":"conversation.renamed"', question: RENAME, once: true },
  { mark: '"name":"message.created"', question: "count to 5", once: true },
  { mark: '"type":"RUN_STARTED"', question: "count to 5" },
  { mark: '"type":"STEP_FINISHED"', question: CALCULATE },
  { mark: '"type":"TOOL_CALL_RESULT"', question: CALCULATE, once: true },
  { mark: '"name":"plan.updated"', question: "plan a picnic" },
  { mark: '"name":"approval.requested"', question: DELETE, asks: true, once: true },
  { mark: '"name":"approval.decided"', question: DELETE, asks: true, once: true },
  { mark: '"type":"RUN_FINISHED"', question: "count to 5", once: true },
];
const END_MS = 90_000;
/** Another node may claim what was sent to this one. */
const TRIES = 6;
const CAUGHT_MS = 20_000;

/** As the log's script is told it: the topic, and then its events, in a JSON of their own. */
const appendOf = (conversationId: string, mark: string): RegExp =>
  new RegExp(
    `conversation:${conversationId}[^]{0,8000}${(/[\w.]+(?="$)/.exec(mark)?.[0] ?? mark).replaceAll(".", "\\.")}`,
  );

/** Counts what comes over its wire, beside what it shows. */
class Witness {
  readonly client: Client;
  #received = "";

  constructor({ url }: Parley) {
    this.client = createClient({
      url: `${url}/ws`,
      auth: { kind: "token", provider: () => ACCESS_TOKEN },
      connect: (to, protocol) => {
        const socket = new WebSocket(to, protocol, { perMessageDeflate: false });
        socket.on("message", (data: Buffer) => (this.#received += data.toString()));
        return socket;
      },
    });
  }

  count(mark: string): number {
    return this.#received.split(mark).length - 1;
  }
}

/** Every announcement in turn, in an order of the seed's. */
export async function killedBeforeTelling(scene: Scene): Promise<void> {
  const { world } = scene;
  const times: number[] = [];
  for (const announced of shuffled(ANNOUNCED, () => world.random())) {
    let told: number | undefined;
    for (let i = 0; i < TRIES && told === undefined; i++) told = await once(scene, announced);
    assert.ok(told !== undefined, `node c died with ${announced.mark} committed and not told`);
    times.push(told);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const [middle, worst] = [sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0];
  console.error(
    `  told by another node after ${Math.round(middle)} ms in the middle, ${Math.round(worst)} at the most`,
  );
}

/** How long it took another node to tell it; undefined when the node did not die, as another one had the run. */
async function once(
  { world, more }: Scene,
  { mark, question, asks, once: single }: Announced,
): Promise<number | undefined> {
  await world.ready();
  await more(1);
  const [a, , c] = world.nodes;
  assert.ok(a && c);
  const writer = world.connect(c);
  const witness = new Witness(a);
  const { redis } = world.network;
  let died = 0;
  try {
    const { conversation } = await writer.call("conversation.create", {});
    const open = openConversation(witness.client, conversation.id);
    await until(() => open.state.status === "open", "the witness to follow", END_MS);
    const deciding = mark.includes("decided");
    const arm = () =>
      redis.trap(appendOf(conversation.id, mark), () => {
        died = performance.now();
        c.kill().catch((error: unknown) => console.error(error));
      });
    if (!deciding) arm();
    // Its answer may never come.
    if (question === RENAME)
      writer.call("conversation.rename", { conversationId: conversation.id, title: "Tides" }).catch(() => {});
    else writer.send(conversation.id, question);
    if (deciding) {
      const approvalId = await approvalOf(witness.client, conversation.id);
      arm();
      writer.call("approval.decide", { approvalId, decision: "approve" }).catch(() => {});
    }
    await until(() => died > 0, "the death of node c", CAUGHT_MS).catch(() => {});
    const before = witness.count(mark);
    if (died > 0 && single === true) assert.equal(before, 0, `${mark} was not told by the node that died`);
    let told = 0;
    if (died > 0) {
      await until(() => witness.count(mark) > before, `${mark} to be told`, END_MS);
      told = performance.now() - died;
    }
    if (asks === true && !deciding) await approve(witness.client, conversation.id);
    await ended(world, open, conversation.id, question);
    if (single === true) assert.equal(witness.count(mark), 1, `${mark} is told once`);
    return died > 0 ? told : undefined;
  } finally {
    redis.mend();
    writer.close();
    witness.client.close();
    if (died > 0) await c.start();
  }
}

/** One run, its whole end seen by a reader, and nothing left to tell. */
async function ended(world: World, open: OpenConversation, id: string, question: string): Promise<void> {
  if (question === RENAME) {
    await until(() => open.state.transcript.conversation?.title === "Tides", "the new title", END_MS);
  } else {
    const answered = () =>
      messagesOf(open.state.transcript).some(({ role, status }) => role === "assistant" && status === "complete");
    await until(answered, `the answer to ${question}`, END_MS);
    const runs = await world.sql<{ status: string }>("select status from runs where conversation_id = $1", [id]);
    assert.deepEqual(runs, [{ status: "completed" }]);
  }
  const left = async () =>
    (await world.sql("select 1 from outbox where topic = $1", [`conversation:${id}`])).length === 0;
  await until(left, "the outbox to be cleared", END_MS);
}

async function approvalOf(client: Client, conversationId: string): Promise<string> {
  let id: string | undefined;
  const asked = async () => {
    const { approvals } = await client.call("approval.list", {});
    return (id = approvals.find((one) => one.conversationId === conversationId)?.id) !== undefined;
  };
  await until(asked, "the question", END_MS);
  return id ?? "";
}

async function approve(client: Client, conversationId: string): Promise<void> {
  const approvalId = await approvalOf(client, conversationId);
  await client.call("approval.decide", { approvalId, decision: "approve" });
}
