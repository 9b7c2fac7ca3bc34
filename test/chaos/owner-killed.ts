/** Nodes that die in the middle of what they do: kill -9 as soon as the database shows how far they are. */
import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import type { Message } from "../../src/protocol/shapes.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";
import { shuffled } from "./world.ts";

interface Step {
  readonly question: string;
  /** Of the run `r`: true from that step on. */
  readonly reached: string;
}

const step = (kind: "model" | "tool", status: string) =>
  `exists (select from steps s where s.run_id = r.id and s.kind = '${kind}' and s.status ${status})`;

const CALCULATE = "use the calculator: 1+1 and what time is it";
/** Asks a person first. */
const DELETE = "delete the file tides.txt";
/** Its tool takes seconds. */
const RESEARCH = "research tides";

const STEPS: readonly Step[] = [
  { question: CALCULATE, reached: "r.status = 'running'" },
  { question: CALCULATE, reached: step("model", "= 'completed'") },
  { question: RESEARCH, reached: step("tool", "= 'running'") },
  { question: CALCULATE, reached: step("tool", "= 'completed'") },
  { question: DELETE, reached: "r.status = 'waiting'" },
  { question: "remember", reached: step("tool", "is not null") },
  { question: CALCULATE, reached: "r.status = 'completed'" },
];
const END_MS = 90_000;

const isWholeAnswer = ({ role, status }: Message): boolean => role === "assistant" && status === "complete";

/**
 * A node is asked directly, so that it most likely owns the run, and dies at that step; another one ends what it began. Answers of a
 * text are written meanwhile, so that it owns some of those too.
 */
export async function ownerKilledAtSteps({ world, more }: Scene): Promise<void> {
  for (const { question, reached } of shuffled(STEPS, () => world.random())) {
    await world.ready();
    await more(2);
    const node = world.nodes[Math.floor(world.random() * world.nodes.length)];
    assert.ok(node);
    const [client, reader] = [world.connect(node), world.connect()];
    try {
      const { conversation } = await client.call("conversation.create", {});
      const open = openConversation(reader, conversation.id);
      const fact = `a fact ${conversation.id}`;
      const remembers = question === "remember";
      client.send(conversation.id, remembers ? `remember ${fact}` : question);
      const rows = (condition: string) =>
        world.sql(`select 1 from runs r where conversation_id = $1 and ${condition}`, [conversation.id]);
      await until(async () => (await rows(reached)).length > 0, `the step ${reached}`, END_MS);
      await node.kill();
      if (question === DELETE) await approve(reader, conversation.id);
      await until(async () => (await rows("status = 'completed'")).length > 0, `its end after ${reached}`, END_MS);
      await node.start();
      const answered = () => messagesOf(open.state.transcript).some(isWholeAnswer);
      await until(answered, `a reader to see the end after ${reached}`, END_MS);
      assert.equal((await rows("true")).length, 1, "one run");
      const saved = await world.sql("select 1 from memories where text = $1", [fact]);
      assert.equal(saved.length, remembers ? 1 : 0, `what was remembered, after ${reached}`);
    } finally {
      client.close();
      reader.close();
    }
  }
}

async function approve(client: Client, conversationId: string): Promise<void> {
  const { approvals } = await client.call("approval.list", {});
  const asked = approvals.find((one) => one.conversationId === conversationId);
  assert.ok(asked);
  await client.call("approval.decide", { approvalId: asked.id, decision: "approve" });
}

/** In mid-answer, whatever it does. */
export async function oneByOne({ world, more }: Scene): Promise<void> {
  for (const node of shuffled(world.nodes, () => world.random())) {
    await more(2);
    await world.lasts(2_000 * world.random());
    await node.kill();
    await world.lasts(1_000 * world.random());
    await node.start();
    await world.ready();
  }
}
