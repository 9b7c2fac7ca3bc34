/** What a run journals while it calls models and tools: the contract of every store, fourth part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Database } from "../../src/adapters/database.ts";
import type { JournalWrite, Scope, StoredStep } from "../../src/ports/store.ts";
import { readableText } from "../../src/protocol/cut-part.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Part } from "../../src/protocol/shapes.ts";
import { aStep, aToolPart, textOf } from "../support/shapes.fake.ts";
import {
  claimOf,
  commit,
  ended,
  eventsOf,
  finish,
  namesOf,
  newConversation,
  newUser,
  outboxOf,
  runAsAdmin,
  send,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

const none = { inputTokens: 0, outputTokens: 0 };

export function storeJournalContract(name: string, open: OpenDatabase): void {
  describe(`${name}: journal`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const started = async (model = "openai/gpt-5") => {
      const { id } = await newConversation(world, alice);
      const { runId } = await send(world, alice, id, { model });
      return { conversationId: id, runId, ...(await claimOf(world, id)) };
    };
    const takeOver = async (conversationId: string, runId: string) => {
      await runAsAdmin(world, `update runs set lease_until = now() - interval '1 ms' where id = '${runId}'`);
      return claimOf(world, conversationId, "another");
    };
    const answerOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 1_000_000))!.messages.at(-1)!;

    it("a plain answer costs three transactions: send, claim, and the commit of its end", async () => {
      const { id } = await newConversation(world, alice);
      let transactions = 0;
      const { database } = world;
      const counted = worldOf({
        ...database,
        transaction: (...args: Parameters<typeof database.transaction>) => {
          transactions++;
          return database.transaction(...args);
        },
      } as Database);
      const { runId } = await send(counted, alice, id);
      const { lease } = await claimOf(counted, id);
      const step: StoredStep = {
        ...aStep({ id: uuidv7(), runId, status: "completed" }),
        call: { provider: "demo", model: "demo", firstTokenMs: 1, durationMs: 1 },
      };
      const announced = await finish(counted, lease, { ...ended("Answer"), steps: [step] });
      assert.equal(transactions, 3);
      assert.deepEqual(namesOf(announced), [
        "conversation STEP_STARTED",
        "conversation STEP_FINISHED",
        "conversation TEXT_MESSAGE_END",
        "conversation RUN_FINISHED",
      ]);
      const [begun, over] = eventsOf(announced);
      assert(begun?.type === "STEP_STARTED" && over?.type === "STEP_FINISHED");
      assert.deepEqual([begun.step.status, begun.step.finishedAt, begun.stepName], ["running", null, "demo"]);
      const { call: _call, ...journaled } = step;
      assert.deepEqual(over.step, journaled);
    });

    it("[R5] a takeover reads each step as it was journaled, with what only its provider reads", async () => {
      const { conversationId, runId, lease, message } = await started();
      // In the provider's own order and words.
      const continuation = { z: "signed", a: [{ "10": 1, "9": 2 }], empty: null };
      const model: StoredStep = {
        ...aStep({ id: uuidv7(), runId, status: "completed", name: "openai/gpt-5" }),
        usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 2, costMicros: 7 },
        answer: { messageId: message.id, from: 0, to: 2 },
        continuation,
      };
      const tool: StoredStep = {
        ...aStep({ id: uuidv7(), runId, kind: "tool", name: "search", status: "running", index: 1 }),
        toolCallId: "call-1",
        finishedAt: null,
      };
      const parts: Part[] = [
        { type: "reasoning", text: "I look it up." },
        aToolPart({ toolCallId: "call-1", args: { words: "é🌍" }, status: "running" }),
      ];
      await commit(world, lease, { steps: [model, tool], parts, changed: [1], usage: model.usage });

      const taken = await takeOver(conversationId, runId);
      const { call: _call, ...journaled } = model;
      assert.deepEqual(taken.steps, [journaled, tool]);
      assert.equal(JSON.stringify(taken.steps[0]?.continuation), JSON.stringify(continuation));
      assert.deepEqual(taken.message.parts, parts);
      assert.deepEqual(taken.run.usage, model.usage);
      assert.deepEqual([taken.approvals, taken.steers, taken.allowedTools], [[], 0, []]);
      const seen = (await world.store.runs.get(alice, runId))!.steps;
      assert.equal("continuation" in seen[0]! || "answer" in seen[0]!, false);
      await finish(world, taken.lease);
    });

    it("[R5] what a provider wants back is never announced", async () => {
      const { runId, lease, conversationId } = await started();
      const step: StoredStep = {
        ...aStep({ id: uuidv7(), runId, status: "completed" }),
        continuation: { key: "s3cret" },
      };
      const { announce } = await commit(world, lease, { steps: [step] });
      assert.equal(JSON.stringify(announce).includes("s3cret"), false);
      assert.equal(JSON.stringify(await outboxOf(world, `conversation:${conversationId}`)).includes("s3cret"), false);
      await finish(world, lease);
    });

    it("announces a step's beginning once, and its end; its part as it stands, then its result", async () => {
      const { runId, lease, message, conversationId } = await started();
      const running = {
        ...aStep({ id: uuidv7(), runId, kind: "tool", name: "search", toolCallId: "call-1", status: "running" }),
        finishedAt: null,
      };
      const part = aToolPart({ toolCallId: "call-1", args: { words: "x" }, status: "running" });
      const first = await commit(world, lease, { steps: [running], parts: [part], changed: [0] });
      assert.deepEqual(namesOf(first.announce), ["conversation STEP_STARTED", "conversation tool.updated"]);
      const done = { ...part, status: "completed", result: { found: 2 } } as const;
      const over = { ...running, status: "completed", finishedAt: new Date().toISOString() } as const;
      const second = await commit(world, lease, { steps: [over], parts: [done], changed: [0, 0] });
      assert.deepEqual(namesOf(second.announce), ["conversation STEP_FINISHED", "conversation TOOL_CALL_RESULT"]);
      const [, result] = eventsOf(second.announce);
      assert.deepEqual(result, {
        type: "TOOL_CALL_RESULT",
        messageId: message.id,
        toolCallId: "call-1",
        role: "tool",
        content: '{"found":2}',
        partIndex: 0,
        part: done,
      });
      assert.deepEqual((await answerOf(conversationId)).parts, [done]);
      await finish(world, lease);
    });

    for (const { status, fields, content } of [
      { status: "completed", fields: {}, content: "null" },
      { status: "completed", fields: { result: "text" }, content: '"text"' },
      { status: "failed", fields: { error: "It broke." }, content: "It broke." },
      { status: "denied", fields: { error: "Not allowed." }, content: "Not allowed." },
      { status: "stopped", fields: { error: "The run ended." }, content: "The run ended." },
    ] as const) {
      it(`what the model is told of a call that is ${status} is ${content}`, async () => {
        const { lease } = await started();
        const part = aToolPart({ status, ...fields });
        const [event] = eventsOf((await commit(world, lease, { parts: [part], changed: [0] })).announce);
        assert(event?.type === "TOOL_CALL_RESULT");
        assert.equal(event.content, content);
        await finish(world, lease);
      });
    }

    it("results of parallel calls that finish together are one commit, each announced", async () => {
      const { lease, conversationId } = await started();
      const parts = ["a", "b", "c"].map((toolCallId) =>
        aToolPart({ toolCallId, status: "completed", result: toolCallId }),
      );
      const { announce } = await commit(world, lease, { parts, changed: [2, 0, 1] });
      assert.deepEqual(
        eventsOf(announce).map((event) => event.type === "TOOL_CALL_RESULT" && event.partIndex),
        [2, 0, 1],
      );
      assert.deepEqual((await answerOf(conversationId)).parts, parts);
      await finish(world, lease);
    });

    it("[W11] a large tool call is announced without what is long, and read whole", async () => {
      const { lease, message } = await started();
      const part = aToolPart({
        status: "completed",
        args: { text: "\u4e2d".repeat(12_000) },
        result: "\\".repeat(32_000),
      });
      const [event] = eventsOf((await commit(world, lease, { parts: [part], changed: [0] })).announce);
      assert(event?.type === "TOOL_CALL_RESULT");
      assert(Buffer.byteLength(JSON.stringify(event)) < 64 * 1024);
      assert.deepEqual([event.part.args, event.part.result], [{}, undefined]);
      assert(JSON.stringify(part.result).startsWith(event.content));
      const stored = (await world.store.conversations.part(alice, message.id, 0))?.part;
      assert.deepEqual(stored, part);
      assert.equal(event.part.length, readableText(stored).length);
      const snapshot = await world.store.conversations.snapshot(alice, lease.conversationId, 20_000);
      assert.deepEqual(snapshot?.messages.at(-1)?.parts, [event.part]);
      await finish(world, lease);
    });

    it("an answer that ends says what it took, and why it failed", async () => {
      const { lease, conversationId } = await started();
      const usage = { inputTokens: 3, outputTokens: 5, costMicros: 11 };
      const end = { status: "failed", code: "MODEL_FAILED", message: "It broke." } as const;
      assert.equal((await answerOf(conversationId)).usage, undefined);
      await finish(world, lease, { ...ended("Half", end), usage });
      const answer = await answerOf(conversationId);
      assert.deepEqual([answer.usage, answer.error], [usage, { code: "MODEL_FAILED", message: "It broke." }]);
      assert.deepEqual((await world.store.runs.get(alice, lease.runId))?.run.usage, usage);
    });

    it("texts and reasoning end with the run, tool calls by their result", async () => {
      const { lease } = await started();
      const parts: Part[] = [
        { type: "reasoning", text: "Hm." },
        { type: "text", text: "I look." },
        aToolPart({ status: "completed" }),
        { type: "text", text: "Done." },
      ];
      const announced = await finish(world, lease, { ...ended(), parts });
      assert.deepEqual(namesOf(announced), [
        "conversation REASONING_MESSAGE_END",
        "conversation TEXT_MESSAGE_END",
        "conversation TEXT_MESSAGE_END",
        "conversation RUN_FINISHED",
      ]);
      assert.deepEqual(
        eventsOf(announced).map((event) => "length" in event && [event.partIndex, event.length]),
        [[0, 3], [1, 7], [3, 5], false],
      );
    });

    it("what people and tools say is announced as it is stored", async () => {
      const { lease, conversationId } = await started();
      const part = aToolPart({ status: "completed", result: "a\u0000b\ud800c" });
      const [event] = eventsOf((await commit(world, lease, { parts: [part], changed: [0] })).announce);
      assert(event?.type === "TOOL_CALL_RESULT");
      assert.equal(event.part.result, "a\ufffdb\ufffdc");
      assert.deepEqual((await answerOf(conversationId)).parts, [event.part]);
      await finish(world, lease);
    });

    // ── usage ─────────────────────────────────────────────────────────────────────────────────────────────────────

    it("keeps one row of usage a call, written when its step is stored as ended, however often it is stored", async () => {
      const { lease, runId, conversationId } = await started();
      const step: StoredStep = {
        ...aStep({ id: uuidv7(), runId, status: "running" }),
        finishedAt: null,
        call: { provider: "openai", model: "gpt-5", firstTokenMs: null, durationMs: 0 },
      };
      await commit(world, lease, { steps: [step] });
      const usage = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4, costMicros: 7 };
      const over: StoredStep = {
        ...step,
        status: "completed",
        usage,
        finishedAt: new Date().toISOString(),
        call: { provider: "openai", model: "gpt-5", firstTokenMs: 120.6, durationMs: 900.2 },
      };
      await commit(world, lease, { steps: [over] });
      await finish(world, lease, { ...ended(), steps: [{ ...over, usage: none }] });
      const rows = await runAsAdmin(
        world,
        `select step_id, tenant_id, user_id, conversation_id, run_id, provider, model, input_tokens::int as i,
           output_tokens::int as o, cached_input_tokens::int as c, reasoning_tokens as r, cost_micros::int as cost,
           first_token_ms, duration_ms from usage where run_id = '${runId}'`,
      );
      assert.deepEqual(rows, [
        {
          step_id: step.id,
          tenant_id: alice.tenantId,
          user_id: alice.userId,
          conversation_id: conversationId,
          run_id: runId,
          provider: "openai",
          model: "gpt-5",
          i: 10,
          o: 5,
          c: 4,
          r: null,
          cost: 7,
          first_token_ms: 121,
          duration_ms: 900,
        },
      ]);
    });

    // ── transactional tools ───────────────────────────────────────────────────────────────────────────────────────

    const remembered = async () =>
      (await world.store.memories.list(alice, { limit: 100 })).memories.map(({ text }) => text);
    const writing = (fields: Partial<JournalWrite> = {}): JournalWrite => ({
      steps: [],
      parts: [],
      usage: none,
      ...fields,
    });

    it("[R5] a transactional tool's changes and the journal of its result are one transaction", async () => {
      const { lease, runId, message, conversationId } = await started();
      const step = aStep({ id: uuidv7(), runId, kind: "tool", name: "memory_save", status: "completed" });
      const part = aToolPart({ status: "completed", result: "saved" });
      const tasks = [{ id: "1", title: "First", status: "running" }] as const;
      const result = await world.store.runs.commitWith(lease, async (tx) => {
        const memory = await tx.saveMemory("The cat is called \u0000Mia");
        assert.equal(memory.text, "The cat is called \ufffdMia");
        await tx.setPlan(tasks);
        assert.equal(await tx.forgetMemories("nothing like it"), 0);
        return writing({ steps: [step], parts: [part], changed: [0] });
      });
      assert(result.ok);
      assert.deepEqual(namesOf(result.announce), [
        "conversation plan.updated",
        "conversation STEP_STARTED",
        "conversation STEP_FINISHED",
        "conversation TOOL_CALL_RESULT",
      ]);
      const [plan] = eventsOf(result.announce);
      assert(plan?.type === "CUSTOM" && plan.name === "plan.updated");
      assert.deepEqual(plan.value, { messageId: message.id, runId, plan: tasks });
      const answer = await answerOf(conversationId);
      assert.deepEqual([answer.plan, answer.parts], [tasks, [part]]);
      assert((await remembered()).includes("The cat is called \ufffdMia"));
      await finish(world, lease);
    });

    it("[R5] what a transactional tool throws comes out as it is, and nothing of the call stays", async () => {
      const { lease, conversationId } = await started();
      const before = [
        await remembered(),
        await answerOf(conversationId),
        await outboxOf(world, `conversation:${conversationId}`),
      ];
      // A message that a broken connection has too: it is the tool's all the same.
      for (const thrown of [new Error("Connection terminated"), "a word", { code: "57P01" }]) {
        const failing = world.store.runs.commitWith(lease, async (tx) => {
          await tx.saveMemory("Never");
          await tx.setPlan([]);
          throw thrown;
        });
        await assert.rejects(failing, (error) => error === thrown);
      }
      const after = [
        await remembered(),
        await answerOf(conversationId),
        await outboxOf(world, `conversation:${conversationId}`),
      ];
      assert.deepEqual(after, before);
      await finish(world, lease);
    });

    it("[R5] a statement that fails in a tool fails the commit, though the tool goes on as if nothing were", async () => {
      const { lease } = await started();
      const failing = world.store.runs.commitWith(lease, async (tx) => {
        await tx.saveMemory("Never");
        await assert.rejects(tx.setPlan([{ id: "1", title: 1n as unknown as string, status: "pending" }]));
        return writing();
      });
      await assert.rejects(failing, TypeError);
      assert.equal((await remembered()).includes("Never"), false);
      await finish(world, lease);
    });

    it("[R5] a tool that keeps its transaction can do nothing with it later", async () => {
      const { lease } = await started();
      let kept: { saveMemory(text: string): Promise<unknown> } | undefined;
      await world.store.runs.commitWith(lease, async (tx) => {
        kept = tx;
        return writing();
      });
      await assert.rejects(kept!.saveMemory("Too late"), /is over/);
      assert.equal((await remembered()).includes("Too late"), false);
      await finish(world, lease);
    });

    it("[R4] a fenced transaction of a tool does not even begin", async () => {
      const { lease, conversationId, runId } = await started();
      const taken = await takeOver(conversationId, runId);
      const work = () => assert.fail("it began");
      for (const stale of [lease, { ...lease, fence: taken.lease.fence }, { ...taken.lease, runId: "not-an-id" }]) {
        assert.deepEqual(await world.store.runs.commitWith(stale, work), { ok: false, reason: "FENCED" });
      }
      await finish(world, taken.lease);
      assert.deepEqual(await world.store.runs.commitWith(taken.lease, work), { ok: false, reason: "FENCED" });
    });

    it("[R5] a tool forgets the memories that hold all of its words, of its user alone", async () => {
      const { lease } = await started();
      const bob = await newUser(world, alice.tenantId);
      const memory = async (scope: Scope, text: string) => {
        const input = { id: uuidv7(), text };
        const key = { key: uuidv7(), method: "memory.create", paramsHash: "" };
        assert((await world.store.memories.create(scope, input, key)).ok);
      };
      for (const text of ["Likes green tea", "Green is the colour", "Drinks TEA, green only"])
        await memory(alice, text);
      await memory(bob, "Green tea for Bob");
      let forgotten: number[] = [];
      await world.store.runs.commitWith(lease, async (tx) => {
        forgotten = [
          await tx.forgetMemories("green tea"),
          await tx.forgetMemories("green tea"),
          await tx.forgetMemories(""),
        ];
        return writing();
      });
      assert.deepEqual(forgotten, [2, 0, 0]);
      assert((await remembered()).includes("Green is the colour"));
      assert.equal((await world.store.memories.list(bob, { limit: 10 })).memories.length, 1);
      await finish(world, lease);
    });

    it("of several transactional calls at once each has its effect", async () => {
      const { lease } = await started();
      const texts = Array.from({ length: 8 }, (_, i) => `Fact ${i} of ${lease.runId}`);
      const results = await Promise.all(
        texts.map((text) =>
          world.store.runs.commitWith(lease, async (tx) => {
            await tx.saveMemory(text);
            return writing({ parts: [{ type: "text", text }] });
          }),
        ),
      );
      assert(results.every(({ ok }) => ok));
      const all = await remembered();
      assert(texts.every((text) => all.includes(text)));
      assert(texts.includes(textOf((await answerOf(lease.conversationId)).parts[0])));
      await finish(world, lease);
    });
  });
}
