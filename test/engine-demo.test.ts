/** The demo model with the built-in tools, over a real engine, store and log: what a person sees without any key. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { uuidv7 } from "../src/protocol/id.ts";
import type { Message } from "../src/protocol/shapes.ts";
import { createBuiltinTools } from "../src/tools/builtin.ts";
import type { Process, ProcessOptions } from "./engine-process.ts";
import { EngineWorld } from "./engine-world.ts";
import { MemoryFileStore } from "./support/file-store.fake.ts";
import { until } from "./support/until.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
afterEach(() => world.close());
after(() => world.store.close());

const tools = (stepMs = 1) =>
  createBuiltinTools({
    clock: { now: () => new Date("2026-11-21T09:03:04Z"), timeZone: "UTC" },
    research: { stepMs },
  });

async function started(options: Partial<ProcessOptions> = {}) {
  const process = await world.start({ tools: tools(), ...options });
  return { process, conversationId: await world.converse() };
}

const messagesOf = async (conversationId: string): Promise<readonly Message[]> => {
  const snapshot = await world.store.conversations.snapshot(world.scope, conversationId, 1_000_000);
  assert.ok(snapshot);
  return snapshot.messages;
};

async function answerOf(runId: string): Promise<Message> {
  const { assistantMessageId, conversationId } = await world.ended(runId);
  const message = (await messagesOf(conversationId)).find(({ id }) => id === assistantMessageId);
  assert.ok(message);
  return message;
}

/** `clock completed`, `text: …` */
const read = ({ parts }: Message): string[] =>
  parts.map((part) => {
    switch (part.type) {
      case "text":
      case "reasoning":
        return `${part.type}: ${part.text}`;
      case "tool":
        return `${part.name} ${part.status}`;
      case "file":
        return part.name;
    }
  });

async function ask(process: Process, conversationId: string, text: string): Promise<string[]> {
  const { runId } = await world.send(process, conversationId, text);
  return read(await answerOf(runId));
}

test("the demo model uses its tools, one, several, and each in its words", async () => {
  const { process, conversationId } = await started();
  for (const [question, ...parts] of [
    ["use the calculator: 2+3*4", "calculator completed", "text: `2+3*4` = 14"],
    [
      "use the calculator: 1+1 and what time is it",
      "calculator completed",
      "clock completed",
      "text: `1+1` = 2\n\nIt is 09:03:04 on Saturday, 2026-11-21 (UTC).",
    ],
    [
      "use the calculator: zeros(1e6,1e6)",
      "calculator failed",
      /^text: The tool calculator did not do it\. The calculator does not have the function zeros\(\)\./,
    ],
    ["remember that I like green tea", "memory_save completed", "text: I will remember: I like green tea"],
    ["what do you remember about tea?", "memory_search completed", "text: I remember:\n\n- I like green tea"],
    ["forget tea", "memory_forget completed", "text: I have forgotten one memory with the words: tea"],
    ["what do you remember about tea?", "memory_search completed", "text: I remember nothing about that."],
    ["think about whales", /^reasoning: I am asked to think about whales\./, /^text: I have thought about whales\./],
    ["research otters and seals", "research completed", "research completed", /^text: What to ask about otters:/],
    ["hello", /^text: This is the demo model/],
  ] as const) {
    const answer = await ask(process, conversationId, question);
    assert.equal(answer.length, parts.length, `${question}: ${answer.join(" | ")}`);
    for (const [i, part] of parts.entries()) {
      if (typeof part === "string") assert.equal(answer[i], part);
      else assert.match(answer[i] ?? "", part);
    }
  }
  assert.deepEqual(process.errors, []);
});

test("a plan is shown, worked off task by task, and done at the end", async () => {
  const { process, conversationId } = await started();
  const { runId } = await world.send(process, conversationId, "plan a picnic");
  const message = await answerOf(runId);
  assert.deepEqual(
    message.plan?.map(({ id, title, status }) => `${id} ${title}: ${status}`),
    [
      "1 Say what a picnic is for: completed",
      "2 List what a picnic needs: completed",
      "3 Put it in an order for a picnic: completed",
      "4 Check the plan for a picnic: completed",
    ],
  );
  const parts = read(message);
  assert.equal(parts.filter((part) => part === "plan completed").length, 5);
  assert.equal(parts.at(-1), "text: All 4 tasks of the plan are done.");
});

test("[R5] a plan goes on after its process was killed, from the task where it was", async () => {
  const whole = await started();
  const expected = await ask(whole.process, whole.conversationId, "plan a picnic");
  await world.close();
  const first = await started({ tokensPerSecond: 100 });
  const { runId } = await world.send(first.process, first.conversationId, "plan a picnic");
  const tasksDone = async () => {
    const messages = await messagesOf(first.conversationId);
    return messages.at(-1)?.plan?.filter(({ status }) => status === "completed").length ?? 0;
  };
  await until(async () => (await tasksDone()) >= 2, "two tasks");
  await world.kill(first.process);
  await world.start({ tools: tools() });
  assert.deepEqual(read(await answerOf(runId)), expected);
});

test("[R2] who steers a plan adds a task to it", async () => {
  const { process, conversationId } = await started({ tokensPerSecond: 100 });
  await world.send(process, conversationId, "plan a picnic");
  const planned = async () => (await messagesOf(conversationId)).some(({ plan }) => plan !== undefined);
  await until(planned, "the plan");
  const steered = await world.send(process, conversationId, "invite Bob", { whenBusy: "steer" });
  assert.equal(steered.state, "steered");
  await world.ended(steered.runId);
  const last = (await messagesOf(conversationId)).at(-1);
  assert.ok(last);
  assert.match(read(last)[0] ?? "", /^text: Then you said: “invite Bob”\n\n/);
  assert.deepEqual(last.plan?.at(-1), { id: "5", title: "invite Bob", status: "completed" });
  assert.equal(read(last).at(-1), "text: All 5 tasks of the plan are done.");
});

/** A conversation whose first message has brought a file. */
async function withFile(process: Process, files: MemoryFileStore, conversationId: string): Promise<string> {
  const fileId = uuidv7();
  await files.put(fileId, new TextEncoder().encode("notes"));
  await world.store.files.create(world.scope, { fileId, name: "notes.txt", mediaType: "text/plain", size: 5 });
  const { runId } = await world.send(process, conversationId, "hello", { fileIds: [fileId] });
  await world.ended(runId);
  return fileId;
}

async function decide(process: Process, approve: boolean): Promise<void> {
  const pending = async () => (await world.store.approvals.pending(world.scope))[0];
  await until(async () => (await pending()) !== undefined, "the question");
  const approval = await pending();
  assert.ok(approval);
  assert.equal(approval.summary, 'Delete the file "notes.txt" of this conversation, for good.');
  const decided = await world.store.approvals.decide(world.scope, approval.id, {
    approve,
    args: null,
    remember: false,
  });
  assert.ok(decided?.decided);
  await process.engine.announce(decided.announce);
  process.engine.wake();
}

test("[R7] a file is deleted when a person allows it, and only then", async () => {
  const files = new MemoryFileStore();
  const { process, conversationId } = await started({ files });
  const fileId = await withFile(process, files, conversationId);

  const denied = await world.send(process, conversationId, "delete the file notes.txt");
  await decide(process, false);
  assert.deepEqual(read(await answerOf(denied.runId)), [
    "file_delete denied",
    "text: The tool file_delete did not do it. The person did not allow this call.",
  ]);
  assert.ok(await world.store.files.find(world.scope, fileId));

  const allowed = await world.send(process, conversationId, "delete the file notes.txt");
  await decide(process, true);
  assert.deepEqual(read(await answerOf(allowed.runId)), [
    "file_delete completed",
    "text: The file notes.txt is deleted.",
  ]);
  assert.equal(await world.store.files.find(world.scope, fileId), null);
  assert.equal(files.files.size, 0);
});

test("research tells how far it is, and stops when it is told to", async () => {
  const { process, conversationId } = await started({ tools: tools(60_000) });
  const { runId } = await world.send(process, conversationId, "research otters");
  const heard = async () => {
    const state = await world.log.state(`conversation:${conversationId}`);
    assert.ok(state);
    const page = await world.log.read(`conversation:${conversationId}`, { epoch: state.epoch, seq: 0 }, 500);
    return page.ok && page.entries.some(({ event }) => event.includes('"otters: meaning"'));
  };
  await until(heard, "progress");
  await world.stop(process, { conversationId });
  assert.deepEqual(read(await answerOf(runId)), ["research stopped"]);
  assert.equal((await world.run(runId)).status, "stopped");
});
