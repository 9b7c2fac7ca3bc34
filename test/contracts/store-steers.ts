/** Messages that join a run: the contract of every store, sixth part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Lease, Scope } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Message, Part } from "../../src/protocol/shapes.ts";
import { aToolPart, textOf } from "../support/shapes.fake.ts";
import {
  asked,
  claimAll,
  claimOf,
  commit,
  ended,
  eventsOf,
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

const steer = { whenBusy: "steer" } as const;
const usage = { inputTokens: 5, outputTokens: 7, costMicros: 3 };
const said: Part[] = [
  { type: "reasoning", text: "Hm." },
  aToolPart({ status: "completed" }),
  { type: "text", text: "So" },
];

export function storeSteersContract(name: string, open: OpenDatabase): void {
  describe(`${name}: steers`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const started = async () => {
      const { id } = await newConversation(world, alice);
      const first = await send(world, alice, id, { text: "First" });
      return { conversationId: id, first, ...(await claimOf(world, id)) };
    };
    const snapshotOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 1_000_000))!;
    const messagesOf = async (conversationId: string) => (await snapshotOf(conversationId)).messages;
    const headOf = async (conversationId: string) => (await snapshotOf(conversationId)).conversation.headMessageId;
    const runOf = async (runId: string) => (await world.store.runs.get(alice, runId))!.run;
    const join = async (lease: Lease, parts: readonly Part[] = said, messageId = uuidv7()) => {
      const result = await world.store.runs.steer(lease, messageId, parts, usage);
      assert(result !== null && !("ok" in result), JSON.stringify(result));
      return result;
    };
    /** From the newest back to the beginning: the branch that a message ends. */
    const branchTo = (messages: readonly Message[], id: string | null): string[] => {
      const message = messages.find((found) => found.id === id);
      return message === undefined ? [] : [...branchTo(messages, message.parentId), message.id];
    };

    it("[R2] a message that steers is seen at once, follows nothing yet, and starts no run", async () => {
      const { conversationId, first, lease, message, run } = await started();
      const sent = await send(world, alice, conversationId, { ...steer, text: "And this" });
      assert.deepEqual([sent.runId, sent.state, sent.interrupted], [first.runId, "steered", null]);
      assert.deepEqual(namesOf(sent.announce), ["conversation message.created", "user conversation.updated"]);
      const [created, updated] = eventsOf(sent.announce);
      assert(created?.type === "CUSTOM" && created.name === "message.created");
      assert(updated?.type === "CUSTOM" && updated.name === "conversation.updated");
      assert.deepEqual([created.value.message.parentId, created.value.message.runId], [null, first.runId]);
      const snapshot = await snapshotOf(conversationId);
      assert.deepEqual(snapshot.messages.at(-1), created.value.message);
      assert.deepEqual(snapshot.conversation, updated.value.conversation);
      assert.equal(snapshot.conversation.headMessageId, message.id);
      assert.deepEqual([snapshot.queuedRuns, snapshot.activeRun], [[], run]);
      assert.equal((await commit(world, lease, {})).steers, 1);
      await join(lease);
      await finish(world, lease);
    });

    it("[R2] a run with steers does not complete: they join it first, and a new answer follows them", async () => {
      const { conversationId, first, lease, message } = await started();
      const one = await send(world, alice, conversationId, { ...steer, text: "One" });
      const two = await send(world, alice, conversationId, { ...steer, text: "Two" });
      const early = await commit(world, lease, { parts: said, end: { status: "completed" } });
      assert.deepEqual([early.ended, early.steers, early.next], [false, 2, false]);
      assert.deepEqual(namesOf(early.announce), []);
      assert.equal((await runOf(lease.runId)).status, "running");

      const messageId = uuidv7();
      const steered = await join(lease, said, messageId);
      assert.deepEqual(namesOf(steered.announce), [
        "conversation REASONING_MESSAGE_END",
        "conversation TEXT_MESSAGE_END",
        "conversation message.updated",
        "conversation message.updated",
        "conversation message.updated",
        "conversation message.created",
        "conversation run.updated",
      ]);
      assert.deepEqual((await outboxOf(world, `conversation:${conversationId}`)).slice(-7), steered.announce);
      const ids = [first.userMessageId, message.id, one.userMessageId, two.userMessageId, messageId];
      const messages = await messagesOf(conversationId);
      assert.deepEqual(
        messages.map(({ id }) => id),
        ids,
      );
      assert.deepEqual(branchTo(messages, messageId), ids);
      assert.deepEqual(steered.added, messages.slice(1, 4));
      assert.deepEqual(steered.message, messages[4]);
      assert.deepEqual([messages[1]?.status, messages[1]?.parts, messages[1]?.usage], ["complete", said, usage]);
      assert.deepEqual([messages[4]?.status, messages[4]?.parts, messages[4]?.runId], ["streaming", [], lease.runId]);
      assert.equal(await headOf(conversationId), messageId);
      assert.deepEqual(steered.run, await runOf(lease.runId));
      assert.deepEqual(
        [steered.run.userMessageId, steered.run.assistantMessageId, steered.run.usage],
        [two.userMessageId, messageId, usage],
      );
      const shown = eventsOf(steered.announce).flatMap((event) =>
        event.type === "CUSTOM" && (event.name === "message.updated" || event.name === "message.created")
          ? [event.value.message]
          : [],
      );
      assert.deepEqual(shown, messages.slice(1));

      const total = { inputTokens: 9, outputTokens: 8, costMicros: 10 };
      const end = { ...ended("And that"), usage: total };
      assert.deepEqual(namesOf(await finish(world, lease, end)), [
        "conversation TEXT_MESSAGE_END",
        "conversation RUN_FINISHED",
      ]);
      const answer = (await messagesOf(conversationId)).at(-1);
      assert.deepEqual(
        [answer?.id, textOf(answer?.parts[0]), answer?.usage],
        [messageId, "And that", { inputTokens: 4, outputTokens: 1, costMicros: 7 }],
      );
      assert.deepEqual((await runOf(lease.runId)).usage, total);
      const next = await send(world, alice, conversationId);
      const claimed = await claimOf(world, conversationId);
      assert.deepEqual(
        claimed.transcript.map(({ id }) => id),
        [...ids, next.userMessageId],
      );
      await finish(world, claimed.lease);
    });

    it("[R2] steers join as often as they come, each time behind what was said meanwhile", async () => {
      const { conversationId, first, lease, message } = await started();
      const ids = [first.userMessageId, message.id];
      for (let i = 0; i < 3; i++) {
        const sent = await send(world, alice, conversationId, { ...steer, text: `Steer ${i}` });
        const steered = await join(lease);
        ids.push(sent.userMessageId, steered.message.id);
      }
      const messages = await messagesOf(conversationId);
      assert.deepEqual(branchTo(messages, ids.at(-1)!), ids);
      assert.deepEqual(
        messages.map(({ id }) => id),
        ids,
      );
      await finish(world, lease);
    });

    it("[R2] an answer that has said nothing yet moves behind the steers, under its own id", async () => {
      const { conversationId, first, lease, message } = await started();
      const sent = await send(world, alice, conversationId, steer);
      const steered = await join(lease, []);
      assert.deepEqual(namesOf(steered.announce), [
        "conversation message.updated",
        "conversation message.updated",
        "conversation run.updated",
      ]);
      const ids = [first.userMessageId, sent.userMessageId, message.id];
      const messages = await messagesOf(conversationId);
      assert.deepEqual(
        messages.map(({ id }) => id),
        ids,
      );
      assert.deepEqual(branchTo(messages, message.id), ids);
      assert.deepEqual([steered.added, steered.message], [messages.slice(1, 2), messages[2]]);
      assert.deepEqual([steered.run.userMessageId, steered.run.assistantMessageId], [sent.userMessageId, message.id]);
      assert.equal(await headOf(conversationId), message.id);
      await finish(world, lease, { ...ended(), usage });
      assert.deepEqual((await messagesOf(conversationId)).at(-1)?.usage, usage);
    });

    it("there is nothing to join where nobody steers", async () => {
      const { lease, conversationId } = await started();
      const before = await snapshotOf(conversationId);
      assert.equal(await world.store.runs.steer(lease, uuidv7(), said, usage), null);
      assert.deepEqual(await snapshotOf(conversationId), before);
      await finish(world, lease);
    });

    it("[R4] a fenced owner lets nobody join", async () => {
      const { conversationId, lease, first } = await started();
      await send(world, alice, conversationId, steer);
      await runAsAdmin(world, `update runs set lease_until = now() - interval '1 ms' where id = '${first.runId}'`);
      const taken = await claimOf(world, conversationId, "another");
      assert.equal(taken.steers, 1);
      const before = await snapshotOf(conversationId);
      for (const stale of [lease, { ...lease, fence: taken.lease.fence }, { ...taken.lease, runId: "not-an-id" }]) {
        const result = await world.store.runs.steer(stale, uuidv7(), said, usage);
        assert.deepEqual(result, { ok: false, reason: "FENCED" });
      }
      assert.deepEqual(await snapshotOf(conversationId), before);
      await join(taken.lease);
      await finish(world, taken.lease);
    });

    it("[R5] a takeover goes on with the answer that follows the steers", async () => {
      const { conversationId, first, lease, message } = await started();
      const sent = await send(world, alice, conversationId, steer);
      const steered = await join(lease);
      await commit(world, lease, { parts: [{ type: "text", text: "More" }], usage });
      await send(world, alice, conversationId, steer);
      await runAsAdmin(world, `update runs set lease_until = now() - interval '1 ms' where id = '${first.runId}'`);
      const taken = await claimOf(world, conversationId, "another");
      assert.deepEqual(
        [taken.message.id, textOf(taken.message.parts[0]), taken.steers],
        [steered.message.id, "More", 1],
      );
      assert.deepEqual(
        taken.transcript.map(({ id }) => id),
        [first.userMessageId, message.id, sent.userMessageId],
      );
      await join(taken.lease);
      await finish(world, taken.lease);
    });

    it("[R2] a steer of an idle conversation is a message like any other", async () => {
      const { id } = await newConversation(world, alice);
      const sent = await send(world, alice, id, steer);
      assert.equal(sent.state, "running");
      const { lease, transcript } = await claimOf(world, id);
      assert.deepEqual(
        transcript.map((message) => message.id),
        [sent.userMessageId],
      );
      await finish(world, lease);
      assert.equal((await send(world, alice, id, steer)).state, "running");
      await finish(world, (await claimOf(world, id)).lease);
    });

    it("[R2] a run that nobody has claimed takes a steer at once, and answers it", async () => {
      const { id } = await newConversation(world, alice);
      await turn(world, alice, id);
      const before = await messagesOf(id);
      const first = await send(world, alice, id, { text: "First" });
      const second = await send(world, alice, id, { ...steer, text: "Second" });
      const third = await send(world, alice, id, { ...steer, text: "Third" });
      assert.deepEqual([second.state, second.runId, third.runId], ["steered", first.runId, first.runId]);
      assert.equal(await headOf(id), third.userMessageId);
      const { run, transcript, lease, steers, message, announce } = await claimOf(world, id);
      assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED"]);
      assert.deepEqual([run.userMessageId, message.parentId, steers], [third.userMessageId, third.userMessageId, 0]);
      const ids = [...before.map((found) => found.id), first.userMessageId, second.userMessageId, third.userMessageId];
      assert.deepEqual(
        transcript.map((found) => found.id),
        ids,
      );
      await finish(world, lease);
      assert.deepEqual(
        (await messagesOf(id)).map((found) => found.id),
        [...ids, message.id],
      );
    });

    it("[R2] a stop before the claim leaves what steered it in its place, and nothing to run", async () => {
      const { id } = await newConversation(world, alice);
      const first = await send(world, alice, id);
      const second = await send(world, alice, id, steer);
      await world.store.runs.stop(alice, { conversationId: id });
      assert.deepEqual((await claimAll(world)).runs, []);
      const next = await send(world, alice, id);
      const { transcript, lease } = await claimOf(world, id);
      assert.deepEqual(
        transcript.map((message) => message.id),
        [first.userMessageId, second.userMessageId, next.userMessageId],
      );
      await finish(world, lease);
    });

    it("[R2] between two turns a steer waits behind the one that is next", async () => {
      const { conversationId, lease } = await started();
      const queued = await send(world, alice, conversationId);
      await finish(world, lease);
      const late = await send(world, alice, conversationId, steer);
      assert.equal(late.state, "queued");
      for (const { runId } of [queued, late]) {
        const claimed = await claimOf(world, conversationId);
        assert.equal(claimed.run.id, runId);
        await finish(world, claimed.lease);
      }
    });

    it("[R7] a run that waits for a person takes steers, and goes on waiting", async () => {
      const { conversationId, runId, approvalId } = await asked(world, alice);
      const sent = await send(world, alice, conversationId, steer);
      assert.deepEqual([sent.state, sent.runId], ["steered", runId]);
      assert.deepEqual((await claimAll(world)).runs, []);
      await world.store.approvals.decide(alice, approvalId, { approve: true, args: null, remember: false });
      const { steers, lease } = await claimOf(world, conversationId);
      assert.equal(steers, 1);
      await join(lease);
      await finish(world, lease);
    });

    it("[W10] twenty steers with one key are one message", async () => {
      const { conversationId, lease } = await started();
      const idempotency = newKey();
      const results = await Promise.all(
        Array.from({ length: 20 }, () => trySend(world, alice, conversationId, { ...steer, idempotency })),
      );
      const answers = results.map((result) => {
        assert(result.ok);
        return result;
      });
      assert.equal(answers.filter(({ repeated }) => !repeated).length, 1);
      for (const { value } of answers) assert.deepEqual(value, answers[0]?.value);
      assert.equal((await commit(world, lease, {})).steers, 1);
      await join(lease);
      await finish(world, lease);
      const late = await trySend(world, alice, conversationId, { ...steer, idempotency });
      assert(late.ok && late.repeated);
      assert.deepEqual(late.value, answers[0]?.value);
    });

    it("[R2] QUEUE_FULL counts the steers that wait", async () => {
      const { conversationId, lease } = await started();
      const options = { ...steer, maxQueued: 2 };
      for (let i = 0; i < 2; i++) await send(world, alice, conversationId, options);
      assert.deepEqual(await trySend(world, alice, conversationId, options), { ok: false, reason: "QUEUE_FULL" });
      await join(lease);
      assert.equal((await send(world, alice, conversationId, options)).state, "steered");
      await join(lease);
      await finish(world, lease);
    });

    it("[R2] QUEUE_FULL too when a run has no place for further messages", async () => {
      const { conversationId, lease, run } = await started();
      const after = (run.position + 1) * 1024;
      const last = async (seq: number) =>
        runAsAdmin(world, `update messages set seq = ${seq} where id = '${run.assistantMessageId}'`);
      await last(after - 2);
      assert.deepEqual(await trySend(world, alice, conversationId, steer), { ok: false, reason: "QUEUE_FULL" });
      await last(after - 3);
      assert.equal((await send(world, alice, conversationId, steer)).state, "steered");
      await join(lease);
      assert.deepEqual(await trySend(world, alice, conversationId, steer), { ok: false, reason: "QUEUE_FULL" });
      await finish(world, lease);
      await turn(world, alice, conversationId);
    });

    it("refuses a message id that a message has, and joins nothing", async () => {
      const { conversationId, first, lease } = await started();
      await assert.rejects(
        trySend(world, alice, conversationId, { ...steer, userMessageId: first.userMessageId }),
        /clientMessageId|params/,
      );
      assert.equal((await commit(world, lease, {})).steers, 0);
      await finish(world, lease);
    });

    // ── a run of their own ────────────────────────────────────────────────────────────────────────────────────────

    for (const end of [
      { status: "stopped" } as const,
      { status: "failed", code: "MODEL_FAILED", message: "It broke." } as const,
    ]) {
      it(`[R2] steers that wait when a run is ${end.status} become a run of their own, at the front`, async () => {
        const { conversationId, first, lease, message } = await started();
        const queued = [await send(world, alice, conversationId), await send(world, alice, conversationId)];
        const one = await send(world, alice, conversationId, { ...steer, text: "One" });
        const two = await send(world, alice, conversationId, { ...steer, text: "Two" });
        const result = await commit(world, lease, { ...ended("Half", end) });
        assert.deepEqual([result.ended, result.next, result.steers], [true, true, 0]);
        assert.deepEqual(namesOf(result.announce).slice(1), [
          end.status === "failed" ? "conversation RUN_ERROR" : "conversation RUN_FINISHED",
          "conversation message.updated",
          "conversation message.updated",
          "conversation run.updated",
          "conversation run.updated",
          "conversation run.updated",
        ]);
        assert.deepEqual(
          (await outboxOf(world, `conversation:${conversationId}`)).slice(-result.announce.length),
          result.announce,
        );
        const snapshot = await snapshotOf(conversationId);
        const [own, ...others] = snapshot.queuedRuns;
        assert.deepEqual(
          others.map(({ id }) => id),
          queued.map(({ runId }) => runId),
        );
        assert.deepEqual([own?.userMessageId, own?.status, own?.model], [two.userMessageId, "queued", "demo"]);
        assert.equal(snapshot.conversation.headMessageId, two.userMessageId);
        for (const event of eventsOf(result.announce)) {
          if (event.type !== "CUSTOM") continue;
          if (event.name === "run.updated") assert.deepEqual(event.value.run, await runOf(event.value.run.id));
          if (event.name === "message.updated") {
            const stored = snapshot.messages.find(({ id }) => id === event.value.message.id);
            assert.deepEqual(event.value.message, stored);
            assert.equal(stored?.runId, own?.id);
          }
        }

        const claimed = await claimOf(world, conversationId);
        assert.equal(claimed.run.id, own?.id);
        assert.deepEqual(namesOf(claimed.announce), ["conversation RUN_STARTED"]);
        assert.deepEqual([claimed.steers, claimed.takeover, claimed.deadlineInMs], [0, false, 60_000]);
        assert.deepEqual(
          claimed.transcript.map(({ id }) => id),
          [first.userMessageId, message.id, one.userMessageId, two.userMessageId],
        );
        await finish(world, claimed.lease);
        let parentId = claimed.message.id;
        for (const { runId } of queued) {
          const next = await claimOf(world, conversationId);
          assert.deepEqual([next.run.id, next.transcript.at(-1)?.parentId], [runId, parentId]);
          parentId = next.message.id;
          await finish(world, next.lease);
        }
      });
    }

    it("[R2] steers and the end of their run at once: each joins it, or has a run of its own", async () => {
      for (let i = 0; i < 10; i++) {
        const { conversationId, lease } = await started();
        const texts = ["x", "y", "z"].map((text) => `${text}${i}`);
        const end = i % 2 === 0 ? ({ status: "completed" } as const) : ({ status: "stopped" } as const);
        const [result] = await Promise.all([
          commit(world, lease, { ...ended("Answer", end) }),
          ...texts.map((text) => send(world, alice, conversationId, { ...steer, text })),
        ]);
        if (!result.ended) {
          await join(lease);
          // More may have come since.
          if (!(await commit(world, lease, ended("Then"))).ended) {
            await join(lease);
            await finish(world, lease);
          }
        }
        for (;;) {
          const mine = (await claimAll(world)).runs.find((run) => run.lease.conversationId === conversationId);
          if (mine === undefined) break;
          await finish(world, mine.lease, ended("Later"));
        }
        const snapshot = await snapshotOf(conversationId);
        assert.deepEqual([snapshot.activeRun, snapshot.queuedRuns], [undefined, []]);
        const shown = branchTo(snapshot.messages, snapshot.conversation.headMessageId);
        assert.equal(shown.length, snapshot.messages.length);
        const all = snapshot.messages.map(({ parts }) => textOf(parts[0]));
        for (const text of texts) assert.equal(all.filter((found) => found === text).length, 1);
        assert(snapshot.messages.every(({ status }) => status !== "streaming"));
      }
    });
  });
}
