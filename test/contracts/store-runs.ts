/** Sending, queueing, stopping, and what a run's end writes: the contract of every store, second part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Scope } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Run, Step } from "../../src/protocol/shapes.ts";
import { aStep, textOf, wholeLength } from "../support/shapes.fake.ts";
import {
  claimAll,
  claimOf,
  ended,
  finish,
  namesOf,
  newConversation,
  newKey,
  newUser,
  outboxOf,
  runAsAdmin,
  send,
  trySend,
  turn,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

export function storeRunsContract(name: string, open: OpenDatabase): void {
  describe(`${name}: runs`, () => {
    let world: World;
    let alice: Scope;
    let conversationId: string;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const inNewConversation = async () => {
      conversationId = (await newConversation(world, alice, "")).id;
      return conversationId;
    };
    const runOf = async (runId: string): Promise<Run> => {
      const found = await world.store.runs.get(alice, runId);
      assert(found !== null);
      return found.run;
    };
    const queue = async () => {
      const snapshot = await world.store.conversations.snapshot(alice, conversationId, 100_000);
      return snapshot?.queuedRuns.map(({ id }) => id);
    };

    // ── send ──────────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R1] send writes the message, the run and the key before it answers", async () => {
      const id = await inNewConversation();
      const sent = await send(world, alice, id, { text: "Hello there", title: "Hello" });
      assert.equal(sent.state, "running");
      assert.equal(sent.interrupted, null);
      assert.deepEqual(namesOf(sent.announce), [
        "conversation message.created",
        "conversation conversation.renamed",
        "user conversation.updated",
      ]);

      const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
      const [message] = snapshot?.messages ?? [];
      assert.deepEqual(
        [
          message?.id,
          message?.role,
          message?.author,
          message?.parts,
          message?.parentId,
          message?.runId,
          message?.status,
        ],
        [
          sent.userMessageId,
          "user",
          alice.userId,
          [{ type: "text", text: "Hello there" }],
          null,
          sent.runId,
          "complete",
        ],
      );
      const { event } = sent.announce[0]!;
      assert(event.type === "CUSTOM" && event.name === "message.created");
      assert.deepEqual(event.value.message, message);

      const run = await runOf(sent.runId);
      assert.equal(run.status, "queued");
      assert.equal(run.userMessageId, sent.userMessageId);
      assert.equal(run.startedAt, null);
    });

    it("a conversation without a title takes the message's, and moves to the top of the list", async () => {
      const id = await inNewConversation();
      await newConversation(world, alice);
      const first = await send(world, alice, id, { title: "First" });
      const second = await send(world, alice, id, { title: "Second" });
      const { conversations } = await world.store.conversations.list(alice, { limit: 1 });
      assert.equal(conversations[0]?.title, "First");
      for (const { announce } of [first, second]) {
        const event = announce.at(-1)?.event;
        assert(event?.type === "CUSTOM" && event.name === "conversation.updated");
        assert.equal(event.value.conversation.title, "First");
      }
      const event = second.announce.at(-1)?.event;
      assert(event?.type === "CUSTOM" && event.name === "conversation.updated");
      assert.deepEqual(event.value.conversation, conversations[0]);
    });

    it("those who read the conversation hear of the title that its first message gives it, and once", async () => {
      const id = await inNewConversation();
      const first = await send(world, alice, id, { title: "First" });
      const renamed = first.announce.find(({ event }) => "name" in event && event.name === "conversation.renamed");
      assert(renamed?.topic === `conversation:${id}` && renamed.event.type === "CUSTOM");
      assert(renamed.event.name === "conversation.renamed");
      assert.equal(renamed.event.value.conversation.title, "First");
      const second = await send(world, alice, id, { title: "Second" });
      assert.deepEqual(namesOf(second.announce), [
        "conversation message.created",
        "conversation run.updated",
        "user conversation.updated",
      ]);
      const written = (await outboxOf(world, `conversation:${id}`)).map(({ id: row }) => row);
      assert(written.includes(renamed.id));
    });

    it("[W10] twenty sends with one key have one effect and one answer", async () => {
      const id = await inNewConversation();
      const idempotency = newKey();
      const results = await Promise.all(Array.from({ length: 20 }, () => trySend(world, alice, id, { idempotency })));
      const answers = results.map((result) => {
        assert(result.ok);
        return result;
      });
      assert.equal(answers.filter(({ repeated }) => !repeated).length, 1);
      for (const { value, repeated, announce } of answers) {
        assert.deepEqual(value, answers[0]?.value);
        assert.equal(announce.length === 0, repeated);
      }
      const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
      assert.equal(snapshot?.messages.length, 1);
      assert.equal(snapshot.queuedRuns.length, 1);
    });

    it("[W10] a key that is used at once in two conversations has its effect in one", async () => {
      const idempotency = newKey();
      const ids = [await inNewConversation(), await inNewConversation()];
      const results = await Promise.all(
        ids.map((id) => trySend(world, alice, id, { idempotency: { ...idempotency, paramsHash: id } })),
      );
      assert.equal(results.filter((result) => result.ok).length, 1);
      const refused = results.find((result) => !result.ok);
      assert.deepEqual(refused, { ok: false, reason: "IDEMPOTENCY_MISMATCH" });
      const messages = await Promise.all(
        ids.map(async (id) => (await world.store.conversations.snapshot(alice, id, 1000))?.messages ?? []),
      );
      assert.equal(messages.flat().length, 1);
    });

    it("[W10] a refused send leaves its key free", async () => {
      const id = await inNewConversation();
      const idempotency = newKey();
      await send(world, alice, id);
      assert.deepEqual(await trySend(world, alice, id, { idempotency, whenBusy: "reject" }), {
        ok: false,
        reason: "BUSY",
      });
      assert.equal((await send(world, alice, id, { idempotency })).state, "queued");
    });

    it("send knows no conversation that is not there", async () => {
      for (const id of [uuidv7(), "not-an-id", ""]) {
        assert.deepEqual(await trySend(world, alice, id), { ok: false, reason: "NOT_FOUND" });
      }
    });

    it("refuses a message id that a message has, and changes nothing", async () => {
      const id = await inNewConversation();
      const { userMessageId } = await send(world, alice, id);
      await assert.rejects(
        trySend(world, alice, await inNewConversation(), { userMessageId }),
        (error) => error instanceof ParleyError && error.code === "INVALID_PARAMS",
      );
      assert.deepEqual(await queue(), []);
    });

    it("refuses the id of an answer that is not written yet: its claim, and every other, would fail for ever", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      for (const { runId } of [await send(world, alice, id), await send(world, alice, await inNewConversation())]) {
        const { assistantMessageId } = await runOf(runId);
        await assert.rejects(
          trySend(world, alice, await inNewConversation(), { userMessageId: assistantMessageId }),
          (error) => error instanceof ParleyError && error.code === "INVALID_PARAMS",
        );
        assert.deepEqual(await queue(), []);
      }
      await claimAll(world);
    });

    it("[W11] an announced message is cut to fit an event; the stored one is whole", async () => {
      const id = await inNewConversation();
      const text = "\u4e2d".repeat(100_000);
      const sent = await send(world, alice, id, { text });
      await send(world, alice, id, { text });
      const first = await claimOf(world, id);
      await finish(world, first.lease);
      const second = await claimOf(world, id);
      for (const { event } of [...sent.announce, ...first.announce, ...second.announce]) {
        assert(Buffer.byteLength(JSON.stringify(event)) < 64 * 1024);
      }
      const { event } = sent.announce[0]!;
      assert(event.type === "CUSTOM" && event.name === "message.created");
      assert.equal(wholeLength(event.value.message.parts[0]), text.length);
      const part = await world.store.conversations.part(alice, sent.userMessageId, 0);
      assert.equal(textOf(part?.part), text);
    });

    // ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R2] one run at a time; the rest waits in order, without a parent", async () => {
      const id = await inNewConversation();
      const sent = [];
      for (const text of ["one", "two", "three"]) sent.push(await send(world, alice, id, { text }));
      assert.deepEqual(
        sent.map(({ state }) => state),
        ["running", "queued", "queued"],
      );
      assert.deepEqual(namesOf(sent[1]!.announce), [
        "conversation message.created",
        "conversation run.updated",
        "user conversation.updated",
      ]);

      let parentId: string | null = null;
      for (const { runId, userMessageId } of sent) {
        const { runs } = await claimAll(world);
        const mine = runs.filter(({ lease }) => lease.conversationId === id);
        assert.deepEqual(
          mine.map(({ run }) => run.id),
          [runId],
        );
        const { lease, message, transcript } = mine[0]!;
        assert.equal(transcript.at(-1)?.id, userMessageId);
        assert.equal(transcript.at(-1)?.parentId, parentId);
        assert.equal(message.parentId, userMessageId);
        parentId = message.id;
        await finish(world, lease);
      }
      assert.equal((await claimAll(world)).runs.length, 0);
    });

    it("[R2] a claimed message from the queue is announced with its parent, then its run", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      const queued = await send(world, alice, id, { text: "Later" });
      const first = await claimOf(world, id);
      await finish(world, first.lease);
      const second = await claimOf(world, id);
      assert.deepEqual(namesOf(second.announce), ["conversation message.updated", "conversation RUN_STARTED"]);
      const { event } = second.announce[0]!;
      assert(event.type === "CUSTOM" && event.name === "message.updated");
      assert.equal(event.value.message.id, queued.userMessageId);
      assert.equal(event.value.message.parentId, first.message.id);
      assert.deepEqual(event.value.message, second.transcript.at(-1));
      assert.deepEqual((await outboxOf(world, `conversation:${id}`)).slice(-2), second.announce);
    });

    it("[R2] whenBusy reject: BUSY while anything is unfinished, accepted when idle", async () => {
      const id = await inNewConversation();
      const reject = { whenBusy: "reject" } as const;
      assert.equal((await send(world, alice, id, reject)).state, "running");
      assert.deepEqual(await trySend(world, alice, id, reject), { ok: false, reason: "BUSY" });
      const { lease } = await claimOf(world, id);
      assert.deepEqual(await trySend(world, alice, id, reject), { ok: false, reason: "BUSY" });
      await finish(world, lease);
      assert.equal((await send(world, alice, id, reject)).state, "running");
    });

    it("[R2] QUEUE_FULL counts those that wait, not the one that runs", async () => {
      const id = await inNewConversation();
      const options = { maxQueued: 2 };
      for (const state of ["running", "queued", "queued"]) {
        assert.equal((await send(world, alice, id, options)).state, state);
      }
      assert.deepEqual(await trySend(world, alice, id, options), { ok: false, reason: "QUEUE_FULL" });
      await finish(world, (await claimOf(world, id)).lease);
      assert.equal((await send(world, alice, id, options)).state, "queued");
    });

    it("[R2] interrupt: the active run is asked to stop, and the new one is next", async () => {
      const id = await inNewConversation();
      const active = await send(world, alice, id);
      const waiting = [await send(world, alice, id), await send(world, alice, id)];
      const { lease } = await claimOf(world, id);

      const interrupting = await send(world, alice, id, { whenBusy: "interrupt" });
      assert.equal(interrupting.state, "queued");
      assert.equal(interrupting.interrupted, active.runId);
      assert.equal((await runOf(active.runId)).stopRequested, true);
      assert.deepEqual(await queue(), [interrupting.runId, ...waiting.map(({ runId }) => runId)]);
      assert.deepEqual(namesOf(interrupting.announce), [
        "conversation message.created",
        "conversation run.updated",
        "user conversation.updated",
        "conversation run.updated",
        "conversation run.updated",
      ]);
      for (const { event } of interrupting.announce) {
        if (event.type !== "CUSTOM" || event.name !== "run.updated") continue;
        assert.deepEqual(event.value.run, await runOf(event.value.run.id));
      }

      await finish(world, lease, ended("Part", { status: "stopped" }));
      const order = [];
      for (let i = 0; i < 3; i++) {
        const claimed = await claimOf(world, id);
        order.push(claimed.run.id);
        await finish(world, claimed.lease);
      }
      assert.deepEqual(order, [interrupting.runId, ...waiting.map(({ runId }) => runId)]);
      const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
      assert.deepEqual(
        snapshot?.messages.map(({ runId }) => runId),
        [active.runId, ...order].flatMap((runId) => [runId, runId]),
      );
    });

    it("[R2] each of several interruptions takes the front", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      await claimOf(world, id);
      const first = await send(world, alice, id, { whenBusy: "interrupt" });
      const second = await send(world, alice, id, { whenBusy: "interrupt" });
      const third = await send(world, alice, id, { whenBusy: "interrupt" });
      assert.deepEqual(await queue(), [third.runId, second.runId, first.runId]);
    });

    it("[R2] interrupt ends at once a run that nobody has claimed", async () => {
      const id = await inNewConversation();
      const unclaimed = await send(world, alice, id);
      const interrupting = await send(world, alice, id, { whenBusy: "interrupt" });
      assert.equal(interrupting.state, "running");
      assert.equal(interrupting.interrupted, null);
      assert.equal((await runOf(unclaimed.runId)).status, "stopped");
      const ending = interrupting.announce.map(({ event }) => event);
      assert(
        ending.some(
          (event) =>
            event.type === "CUSTOM" &&
            event.name === "run.updated" &&
            event.value.run.id === unclaimed.runId &&
            event.value.run.status === "stopped",
        ),
      );
      const { run, transcript } = await claimOf(world, id);
      assert.equal(run.id, interrupting.runId);
      assert.deepEqual(
        transcript.map((message) => message.id),
        [unclaimed.userMessageId, interrupting.userMessageId],
      );
    });

    it("[R2] interrupt between two turns runs first and loses nothing of the queue", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      const waiting = await send(world, alice, id);
      const answered = await claimOf(world, id);
      await finish(world, answered.lease);
      const interrupting = await send(world, alice, id, { whenBusy: "interrupt" });
      assert.equal(interrupting.state, "running");
      assert.equal((await runOf(waiting.runId)).status, "queued");

      const next = await claimOf(world, id);
      assert.equal(next.run.id, interrupting.runId);
      assert.equal(next.transcript.at(-1)?.parentId, answered.message.id);
      await finish(world, next.lease);
      const last = await claimOf(world, id);
      assert.equal(last.run.id, waiting.runId);
      assert.equal(last.transcript.at(-1)?.parentId, next.message.id);
    });

    it("[R2] positions are unique, however many send at once", async () => {
      const id = await inNewConversation();
      await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          send(world, alice, id, { whenBusy: i % 3 === 0 ? "interrupt" : "queue", maxQueued: 50 }),
        ),
      );
      const rows = await runAsAdmin<{ n: number; distinct: number; current: boolean }>(
        world,
        `select count(*)::int as n, count(distinct position)::int as distinct,
           (select c.current_run_id = (select r.id from runs r where r.conversation_id = c.id and r.status = 'queued'
              order by r.position limit 1) from conversations c where c.id = '${id}') as current
         from runs where conversation_id = '${id}'`,
      );
      assert.deepEqual(rows, [{ n: 24, distinct: 24, current: true }]);
    });

    // ── stop ──────────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R11] stop asks the active run, and may be repeated", async () => {
      const id = await inNewConversation();
      const { runId } = await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      for (const target of [{ conversationId: id }, { runId }, { conversationId: id }]) {
        assert.deepEqual(await world.store.runs.stop(alice, target), { runId, active: true, announce: [] });
      }
      assert.equal((await runOf(runId)).status, "running");
      assert.deepEqual(await world.store.runs.renew([lease], 15_000), [{ runId, stopRequested: true }]);
      await finish(world, lease, ended("Half", { status: "stopped" }));
      assert.equal((await runOf(runId)).status, "stopped");
      assert.equal(await world.store.runs.stop(alice, { conversationId: id }), null);
      assert.equal(await world.store.runs.stop(alice, { runId }), null);
    });

    it("stop ends a queued run at once and announces it", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      const middle = await send(world, alice, id);
      const last = await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      const stopped = await world.store.runs.stop(alice, { runId: middle.runId });
      assert.equal(stopped?.active, false);
      assert.deepEqual(namesOf(stopped.announce), ["conversation run.updated"]);
      const { event } = stopped.announce[0]!;
      assert(event.type === "CUSTOM" && event.name === "run.updated");
      assert.deepEqual(event.value.run, await runOf(middle.runId));
      assert.equal(event.value.run.status, "stopped");
      assert.notEqual(event.value.run.finishedAt, null);

      await finish(world, lease);
      assert.equal((await claimOf(world, id)).run.id, last.runId);
    });

    it("stop of a conversation ends the run that would be next when nothing is claimed", async () => {
      const id = await inNewConversation();
      const first = await send(world, alice, id);
      const second = await send(world, alice, id);
      assert.equal((await world.store.runs.stop(alice, { conversationId: id }))?.runId, first.runId);
      assert.equal((await claimOf(world, id)).run.id, second.runId);
    });

    it("stop finds nothing in an idle or unknown conversation", async () => {
      const id = await inNewConversation();
      await turn(world, alice, id);
      for (const target of [
        { conversationId: id },
        { conversationId: uuidv7() },
        { conversationId: "not-an-id" },
        { runId: uuidv7() },
        { runId: "not-an-id" },
      ]) {
        assert.equal(await world.store.runs.stop(alice, target), null);
      }
    });

    // ── the end of a run ──────────────────────────────────────────────────────────────────────────────────────────

    for (const { end, message, last } of [
      { end: { status: "completed" } as const, message: "complete", last: "RUN_FINISHED" },
      { end: { status: "stopped" } as const, message: "stopped", last: "RUN_FINISHED" },
      {
        end: { status: "failed", code: "MODEL_FAILED", message: "It broke." } as const,
        message: "failed",
        last: "RUN_ERROR",
      },
    ]) {
      it(`[R4] a run that is ${end.status} writes answer, run and last events in one commit`, async () => {
        const id = await inNewConversation();
        const { runId } = await send(world, alice, id, { model: "openai/gpt-5" });
        const { lease, message: answer } = await claimOf(world, id);
        const parts = [{ type: "text", text: "One 🌍" } as const, { type: "text", text: "Two" } as const];
        const announce = await finish(world, lease, { ...ended("", end), parts });
        assert.deepEqual(namesOf(announce), [
          "conversation TEXT_MESSAGE_END",
          "conversation TEXT_MESSAGE_END",
          `conversation ${last}`,
        ]);
        const run = await runOf(runId);
        assert.equal(run.status, end.status);
        assert.deepEqual(run.usage, { inputTokens: 3, outputTokens: 5 });
        assert.deepEqual(run.error, end.status === "failed" ? { code: end.code, message: end.message } : null);
        assert.notEqual(run.finishedAt, null);

        const events = announce.map(({ event }) => event);
        assert.deepEqual(events[0], {
          type: "TEXT_MESSAGE_END",
          messageId: answer.id,
          partIndex: 0,
          length: 6,
          status: message,
        });
        const about = { threadId: id, runId, run };
        const usage = [{ provider: "openai", model: "gpt-5", inputTokens: 3, outputTokens: 5 }];
        assert.deepEqual(
          events[2],
          end.status === "failed"
            ? { type: "RUN_ERROR", ...about, code: end.code, message: end.message }
            : {
                type: "RUN_FINISHED",
                ...about,
                outcome: { type: end.status === "completed" ? "success" : "cancelled" },
                usage,
              },
        );
        const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
        assert.equal(snapshot?.activeRun, undefined);
        const stored = snapshot?.messages.at(-1);
        assert.deepEqual([stored?.id, stored?.parts, stored?.status], [answer.id, parts, message]);
      });
    }

    it("a stop that comes while the answer ends does not undo the answer", async () => {
      const id = await inNewConversation();
      const { runId } = await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      await world.store.runs.stop(alice, { runId });
      await finish(world, lease);
      const run = await runOf(runId);
      assert.deepEqual([run.status, run.stopRequested], ["completed", true]);
    });

    it("journals steps and text in between, announcing the steps alone", async () => {
      const id = await inNewConversation();
      const { runId } = await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      const step = aStep({ id: uuidv7(), runId, usage: { inputTokens: 1, outputTokens: 2 } });
      const write = { steps: [step], parts: [{ type: "text", text: "So far" } as const], usage: step.usage };
      const result = await world.store.runs.commit(lease, write);
      assert(result.ok);
      const { announce, ...rest } = result;
      assert.deepEqual(namesOf(announce), ["conversation STEP_STARTED", "conversation STEP_FINISHED"]);
      assert.deepEqual(rest, {
        ok: true,
        next: false,
        ended: false,
        waiting: false,
        steers: 0,
        stopRequested: false,
        approvals: [],
      });
      const again: Step = { ...step, status: "completed", attempt: 2 };
      await world.store.runs.commit(lease, { ...write, steps: [again] });
      assert.deepEqual((await world.store.runs.get(alice, runId))?.steps, [again]);
      const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
      assert.equal(snapshot?.messages.at(-1)?.status, "streaming");
      assert.deepEqual(snapshot.messages.at(-1)?.parts, write.parts);
      assert.equal(snapshot.activeRun?.id, runId);
    });

    it("what a model says is stored whatever it holds, with its length kept", async () => {
      const id = await inNewConversation();
      await send(world, alice, id);
      const { lease, message } = await claimOf(world, id);
      const text = 'a\u0000b\ud800c\\u0000 "🌍"';
      const [event] = await finish(world, lease, ended(text, { status: "failed", code: "X", message: "\u0000\udfff" }));
      const part = await world.store.conversations.part(alice, message.id, 0);
      assert.equal(textOf(part?.part), 'a\ufffdb\ufffdc\\u0000 "🌍"');
      assert(event?.event.type === "TEXT_MESSAGE_END");
      assert.equal(event.event.length, text.length);
      assert.equal(textOf(part?.part).length, text.length);
    });
  });
}
