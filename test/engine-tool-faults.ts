/**
 * One run with parallel calls of all four effects, over and over: each time another call of its process to the store or
 * the log fails, loses its answer, or is the last that the process ever makes. A person answers what is asked, and never
 * lets an interrupted unsafe call be repeated. Whatever happens: the run is completed, what is transactional happened
 * once, what is unsafe at most once, and nothing under two keys.
 */
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { MemoryEventLog } from "../src/adapters/event-log.memory.ts";
import type { ModelProvider } from "../src/ports/model.ts";
import type { Fault, FaultKind } from "./engine-ports.ts";
import { Process } from "./engine-process.ts";
import { Reading } from "./engine-reading.ts";
import { CountingTools } from "./engine-tools.ts";
import { EngineWorld } from "./engine-world.ts";
import { outboxOf, send } from "./support/store-world.ts";
import { until } from "./support/until.ts";

const TIMES = { leaseMs: 600, renewMs: 15, pollMs: 50, outboxMs: 50 };
/** Every call that a run with tools has to do with, and how many of each are tried; what follows is like them. */
const CALLS: Readonly<Record<string, number>> = {
  "store.runs.claim": 3,
  "log.seal": 2,
  "log.open": 1,
  "log.append": 5,
  "store.runs.renew": 1,
  "store.runs.commit": 4,
  "store.runs.commitWith": 1,
  "store.outbox.clear": 2,
};
const EFFECTS = ["read", "idempotent", "unsafe", "transactional"] as const;

let world: EngineWorld;
/** The model answers when it resolves: an answer that is faster than the first renewal of its lease has none to fail. */
let renewed: () => Promise<void>;
/** Calls all the tools at once, then says what came of them. What it does depends on nothing but what it reads. */
const caller: ModelProvider = {
  name: "demo",
  passesThrough: false,
  list: () => [{ id: "demo", provider: "demo", name: "Caller", available: true }],
  async stream({ messages }, sink) {
    await renewed();
    const usage = { inputTokens: 1, outputTokens: 1 };
    const last = messages.at(-1);
    if (last?.role === "tool") {
      sink.text(`${last.results.length} done`);
      return { stop: "end", usage };
    }
    const what = last?.role === "user" && last.content[0]?.type === "text" ? last.content[0].text : "";
    sink.text("I act.");
    for (const name of EFFECTS) {
      sink.toolCall(`call-${name}`, name);
      sink.toolArgs(`call-${name}`, JSON.stringify({ what }));
    }
    return { stop: "tool-calls", usage };
  },
  close() {},
};

/** Answers every question: yes to a call, no to a repeat. */
async function answerAll(process: Process, conversationId: string): Promise<void> {
  for (const approval of await world.store.approvals.pending(world.scope)) {
    if (approval.conversationId !== conversationId) continue;
    const decision = { approve: approval.reason === "call", args: null, remember: false };
    const decided = await world.store.approvals.decide(world.scope, approval.id, decision);
    if (decided === null) continue;
    await process.engine.announce(decided.announce);
    process.engine.wake();
  }
}

interface Outcome {
  readonly hit: boolean;
  readonly unsafe: number;
}

async function play(fault: Fault, logSurvives: boolean, approval: "never" | "ask"): Promise<Outcome> {
  const tools = new CountingTools(approval);
  const conversationId = await world.converse();
  const topic = `conversation:${conversationId}`;
  const what = conversationId;
  const { runId, announce } = await send(world.world, world.scope, conversationId, { text: what });
  const over = async () => {
    const { status } = await world.run(runId);
    return ["completed", "failed", "stopped"].includes(status) && (await outboxOf(world.world, topic)).length === 0;
  };
  const options = {
    store: world.store,
    log: world.log,
    exclusive: true,
    times: TIMES,
    model: caller,
    tools: tools.all,
  };
  const first = new Process({ ...options, fault });
  const { ports, engine } = first;
  const hasRenewed = () => ports.dead || ports.calls.includes("store.runs.renew");
  renewed = () => until(hasRenewed, "a renewal");
  await engine.start();
  engine.announce(announce).catch(() => {});
  engine.wake();
  const name = JSON.stringify(fault);
  const step = async (process: Process) => {
    await answerAll(process, conversationId);
    return over();
  };
  await until(async () => ports.dead || (await step(first)), `the end of ${name}`, 15_000);
  let last = first;
  if (ports.dead) {
    await first.kill();
    if (!logSurvives) world.useLog(new MemoryEventLog());
    last = new Process({ ...options, log: world.log });
    await last.engine.start();
    await until(() => step(last), `the end after ${name}`, 15_000);
  }
  await last.stop();
  // A process that is dead still waits here for what it was doing; that it gives up is no bug.
  assert.deepEqual([...(ports.dead ? [] : first.errors), ...last.errors], [], name);

  const run = await world.run(runId);
  assert.equal(run.status, "completed", `${name}: ${JSON.stringify(run.error)}`);
  const snapshot = await world.store.conversations.snapshot(world.scope, conversationId, 100_000);
  const answer = snapshot?.messages.find(({ id }) => id === run.assistantMessageId);
  const parts = answer?.parts ?? [];
  assert.deepEqual(
    parts.map((part) => (part.type === "tool" ? part.name : part.type === "text" ? part.text : part.type)),
    ["I act.", ...EFFECTS, "4 done"],
    name,
  );
  const unsafe = tools.of("unsafe", what);
  const status = (effect: string) => parts.find((part) => part.type === "tool" && part.name === effect);
  assert.ok(unsafe <= 1, `${name}: unsafe ran ${unsafe} times`);
  const told = status("unsafe");
  if (told?.type === "tool" && told.status === "completed") assert.equal(unsafe, 1, name);
  for (const effect of ["read", "idempotent"] as const) {
    const part = status(effect);
    assert.ok(part?.type === "tool" && part.status === "completed", `${name}: ${effect}`);
    assert.ok(tools.of(effect, what) >= 1, name);
  }
  const keys = new Set(tools.deeds.filter(({ effect }) => effect === "idempotent").map(({ toolCallId }) => toolCallId));
  assert.equal(keys.size, 1, `${name}: one key`);
  const { memories } = await world.store.memories.list(world.scope, { limit: 100 });
  assert.equal(memories.filter(({ text }) => text === what).length, 1, `${name}: transactional once`);
  assert.equal(run.steps.filter(({ kind }) => kind === "model").length, 2, name);

  const reading = await Reading.of(world.log, topic);
  if (world.log === options.log) assert.deepEqual(reading.ended, [runId], `${name}: one end`);
  else assert.ok(reading.ended.length <= 1, `${name}: one end`);
  return { hit: ports.hit, unsafe };
}

export type Case = readonly [kind: FaultKind, logSurvives: boolean, approval: "never" | "ask"];

/** The cases of one test file; each has three minutes. */
export function toolFaults(cases: readonly Case[]): void {
  before(async () => {
    world = await EngineWorld.embedded();
  });
  after(() => world.store.close());
  for (const each of cases) {
    const [kind, logSurvives, approval] = each;
    const rest = `${logSurvives ? "" : ", the log gone as well"}${approval === "ask" ? ", with approvals" : ""}`;
    test(`[R5] ${kind} at each call to a port, four effects at once${rest}`, (t) => playAll(t, each));
  }
}

async function playAll(t: TestContext, [kind, logSurvives, approval]: Case): Promise<void> {
  const cases = new Map<string, number>();
  let [never, once] = [0, 0];
  for (const [call, most] of Object.entries(CALLS)) {
    let hits = 0;
    for (let nth = 1; nth <= most; nth++) {
      const { hit, unsafe } = await play({ kind, call, nth }, logSurvives, approval);
      if (unsafe === 0) never++;
      else once++;
      if (!hit) break;
      hits++;
    }
    cases.set(call, hits);
  }
  const total = [...cases.values()].reduce((sum, count) => sum + count);
  t.diagnostic(
    `${total} faults: ${[...cases].map(([call, count]) => `${call} ${count}`).join(", ")}; ` +
      `0 lost; unsafe ran once in ${once}, not at all in ${never}, twice in 0`,
  );
  for (const [call, count] of cases) assert.ok(count > 0, `${call} was hit`);
}
