/** Claims, leases, fences and takeovers: the contract of every store, third part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Lease, Scope } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Step } from "../../src/protocol/shapes.ts";
import { aStep, textOf } from "../support/shapes.fake.ts";
import {
  claimAll,
  claimOf,
  ended,
  finish,
  LEASE_MS,
  namesOf,
  newConversation,
  newUser,
  runAsAdmin,
  send,
  turn,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

export function storeLeasesContract(name: string, open: OpenDatabase): void {
  describe(`${name}: leases`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const started = async (options?: Parameters<typeof send>[3]) => {
      const { id } = await newConversation(world, alice);
      const sent = await send(world, alice, id, options);
      return { ...sent, conversationId: id };
    };
    /** The lease runs out, by the database's clock. */
    const expire = (runId: string) =>
      runAsAdmin(world, `update runs set lease_until = now() - interval '1 ms' where id = '${runId}'`);
    const runOf = async (runId: string) => (await world.store.runs.get(alice, runId))!.run;
    const answerOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 100_000))!.messages.at(-1)!;

    it("[R3] a claim takes the lease, starts the run and makes the empty answer", async () => {
      const { runId, conversationId, userMessageId } = await started({ deadlineMs: 90_000 });
      const { lease, run, message, transcript, steps, takeover, deadlineInMs, announce } = await claimOf(
        world,
        conversationId,
        "me",
      );
      assert.deepEqual(lease, { runId, ...alice, conversationId, fence: 1, owner: "me" });
      assert.deepEqual([run.status, run.attempt, takeover, steps], ["running", 1, false, []]);
      assert.deepEqual(run, await runOf(runId));
      assert.deepEqual(message, await answerOf(conversationId));
      assert.deepEqual(
        [message.id, message.parts, message.status, message.parentId, message.role, message.author],
        [run.assistantMessageId, [], "streaming", userMessageId, "assistant", "demo"],
      );
      assert.deepEqual(
        transcript.map(({ id }) => id),
        [userMessageId],
      );
      assert.equal(deadlineInMs, 90_000);
      assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED"]);
      const { event } = announce[0]!;
      assert(event.type === "RUN_STARTED");
      assert.deepEqual([event.threadId, event.runId, event.run, event.message], [conversationId, runId, run, message]);
    });

    it("[R3] a run that is held, leased or finished is not claimable", async () => {
      const { conversationId, runId } = await started();
      assert.deepEqual((await claimAll(world, "me", { held: [runId] })).runs, []);
      const { lease } = await claimOf(world, conversationId);
      assert.deepEqual((await claimAll(world, "other")).runs, []);
      await expire(runId);
      assert.deepEqual((await claimAll(world, "other", { held: [runId, "not-an-id"] })).runs, []);
      await world.store.runs.renew([lease], LEASE_MS);
      await finish(world, lease);
      assert.deepEqual((await claimAll(world, "other")).runs, []);
    });

    it("[R3] twelve claimers at once share the runs, each run going to one", async () => {
      const runs = await Promise.all(Array.from({ length: 12 }, () => started()));
      const claims = await Promise.all(runs.map((_, i) => claimAll(world, `owner ${i}`, { limit: 4 })));
      const taken = claims.flatMap((claim) => claim.runs.map(({ lease }) => lease));
      // Whoever met only locked rows got nothing, which is no mistake: somebody else has them.
      const rest = (await claimAll(world)).runs.map(({ lease }) => lease);
      assert.deepEqual(
        [...taken, ...rest].map(({ runId }) => runId).toSorted(),
        runs.map(({ runId }) => runId).toSorted(),
      );
      for (const lease of [...taken, ...rest]) await finish(world, lease);
    });

    it("[R3] a limit bounds a claim, the oldest first", async () => {
      const first = await started();
      const second = await started();
      assert.deepEqual(
        (await claimAll(world, "me", { limit: 1 })).runs.map(({ run }) => run.id),
        [first.runId],
      );
      assert.deepEqual(
        (await claimAll(world, "me", { limit: 1 })).runs.map(({ run }) => run.id),
        [second.runId],
      );
    });

    it("[R3] claims runs of several users in one go, each with its own transcript", async () => {
      const others = [await newUser(world), await newUser(world, alice.tenantId)];
      const mine = await started({ text: "Mine" });
      const texts = new Map([[mine.conversationId, "Mine"]]);
      for (const [i, scope] of others.entries()) {
        const { id } = await newConversation(world, scope);
        await send(world, scope, id, { text: `Theirs ${i}` });
        texts.set(id, `Theirs ${i}`);
      }
      const { runs, announce } = await claimAll(world);
      assert.equal(runs.length, 3);
      for (const { lease, transcript } of runs) {
        assert.deepEqual(
          transcript.map(({ parts }) => textOf(parts[0])),
          [texts.get(lease.conversationId)],
        );
      }
      assert.deepEqual(
        new Set(runs.map(({ lease }) => lease.userId)),
        new Set([alice, ...others].map(({ userId }) => userId)),
      );
      for (const { topic, tenantId } of announce) {
        const lease = runs.find((run) => topic === `conversation:${run.lease.conversationId}`)?.lease;
        assert.equal(lease?.tenantId, tenantId);
      }
      for (const { lease } of runs) await finish(world, lease);
    });

    it("the transcript is the branch that leads to the answer, the newest that fit", async () => {
      const { id } = await newConversation(world, alice);
      for (let i = 0; i < 4; i++) await turn(world, alice, id, `question ${i}`, "x".repeat(1_000));
      await send(world, alice, id, { text: "last" });
      const { lease, transcript, run } = await claimOf(world, id, "me", { transcriptBytes: 2_140 });
      assert.deepEqual(
        transcript.map(({ parts }) => textOf(parts[0]).slice(0, 10)),
        ["x".repeat(10), "question 3", "x".repeat(10), "last"],
      );
      await world.store.runs.release([lease]);
      const again = await claimOf(world, id, "me", { transcriptBytes: 1 });
      assert.deepEqual(
        again.transcript.map((message) => message.id),
        [run.userMessageId],
      );
      await world.store.runs.release([again.lease]);
      const all = await claimOf(world, id);
      assert.equal(all.transcript.length, 9);
      await finish(world, all.lease);
    });

    it("[R4] a takeover gets the next fence, the journaled answer and steps; the old owner changes nothing", async () => {
      const { conversationId, runId } = await started();
      const old = await claimOf(world, conversationId, "old");
      const step = aStep({ id: uuidv7(), runId });
      const parts = [{ type: "text", text: "Journaled" } as const];
      await world.store.runs.commit(old.lease, { steps: [step], parts, usage: step.usage });
      await expire(runId);

      const taken = await claimOf(world, conversationId, "new");
      assert.deepEqual([taken.takeover, taken.lease.fence, taken.run.attempt], [true, 2, 2]);
      assert.deepEqual([taken.steps, taken.message.parts], [[step], parts]);
      assert.equal(taken.message.id, old.message.id);
      assert.deepEqual(taken.announce, []);
      assert.equal(await world.store.conversations.fence(conversationId), 2);

      const before = [await runOf(runId), await answerOf(conversationId)];
      const late = { ...ended("Late"), steps: [{ ...step, id: uuidv7() }] };
      const forged: Lease = { ...old.lease, fence: 2 };
      for (const lease of [old.lease, forged]) {
        assert.deepEqual(await world.store.runs.commit(lease, late), { ok: false, reason: "FENCED" });
        assert.deepEqual(await world.store.runs.renew([lease], LEASE_MS), []);
        await world.store.runs.release([lease]);
      }
      assert.deepEqual([await runOf(runId), await answerOf(conversationId)], before);
      assert.deepEqual((await world.store.runs.get(alice, runId))?.steps, [step]);
      await finish(world, taken.lease);
    });

    it("[R4] nothing is written to a run after its end", async () => {
      const { conversationId, runId } = await started();
      const { lease } = await claimOf(world, conversationId);
      await finish(world, lease, ended("The end"));
      assert.deepEqual(await world.store.runs.commit(lease, ended("More")), { ok: false, reason: "FENCED" });
      assert.equal(textOf((await answerOf(conversationId)).parts[0]), "The end");
      assert.equal((await runOf(runId)).status, "completed");
    });

    it("[R4] of several commits at once that end a run, one does", async () => {
      const { conversationId } = await started();
      const { lease } = await claimOf(world, conversationId);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => world.store.runs.commit(lease, ended(`${i}`))),
      );
      assert.equal(results.filter(({ ok }) => ok).length, 1);
      assert.equal(textOf((await answerOf(conversationId)).parts[0]), `${results.findIndex(({ ok }) => ok)}`);
    });

    it("[R3] the lease ends by the database's clock, and a renewal extends it", async () => {
      const { conversationId, runId } = await started();
      const { lease } = await claimOf(world, conversationId, "me", { leaseMs: 0 });
      assert.deepEqual(await world.store.runs.renew([lease], LEASE_MS), [{ runId, stopRequested: false }]);
      assert.deepEqual((await claimAll(world, "other")).runs, []);
      await world.store.runs.renew([lease], 0);
      assert.equal((await claimOf(world, conversationId, "other")).takeover, true);
    });

    it("[R3] one renewal answers for all leases, and leaves out the lost", async () => {
      const runs = [await started(), await started(), await started()];
      const leases = [];
      for (const { conversationId } of runs)
        leases.push((await claimOf(world, conversationId, "me", { limit: 1 })).lease);
      await world.store.runs.stop(alice, { runId: runs[1]!.runId });
      await expire(runs[2]!.runId);
      await claimOf(world, runs[2]!.conversationId, "other");
      // An expired one whose fence is unchanged is still its owner's.
      await expire(runs[0]!.runId);
      const renewed = await world.store.runs.renew([...leases, { ...leases[0]!, runId: "not-an-id" }], LEASE_MS);
      assert.deepEqual(
        new Map(renewed.map(({ runId, stopRequested }) => [runId, stopRequested])),
        new Map([
          [runs[0]!.runId, false],
          [runs[1]!.runId, true],
        ]),
      );
      assert.deepEqual(await world.store.runs.renew([], LEASE_MS), []);
    });

    it("[R12] a released run goes on at once, by anybody, without counting an attempt", async () => {
      const { conversationId } = await started();
      const { lease } = await claimOf(world, conversationId);
      await world.store.runs.release([lease]);
      await world.store.runs.release([]);
      assert.deepEqual(await world.store.runs.commit(lease, ended()), { ok: false, reason: "FENCED" });
      const next = await claimOf(world, conversationId, "other");
      assert.deepEqual([next.takeover, next.run.attempt, next.lease.fence], [true, 1, 2]);
      await finish(world, next.lease);
    });

    it("[R6] only takeovers after an expired lease count, and a finished step resets them", async () => {
      const { conversationId, runId } = await started();
      let claimed = await claimOf(world, conversationId);
      for (const attempt of [2, 3]) {
        await expire(runId);
        claimed = await claimOf(world, conversationId, `owner ${attempt}`);
        assert.equal(claimed.run.attempt, attempt);
      }
      const time = new Date().toISOString();
      const usage = { inputTokens: 0, outputTokens: 0 };
      const step = {
        runId,
        index: 0,
        kind: "model",
        name: "demo",
        attempt: 3,
        usage,
        startedAt: time,
        finishedAt: time,
      } as const;
      const commit = (status: Step["status"]) =>
        world.store.runs.commit(claimed.lease, { steps: [{ ...step, id: uuidv7(), status }], parts: [], usage });
      await commit("failed");
      assert.equal((await runOf(runId)).attempt, 3);
      await commit("completed");
      assert.equal((await runOf(runId)).attempt, 1);
      await expire(runId);
      claimed = await claimOf(world, conversationId, "last");
      assert.equal(claimed.run.attempt, 2);
      await finish(world, claimed.lease, {
        ...ended(),
        steps: [{ ...step, id: uuidv7(), status: "completed" }],
      });
      assert.equal((await runOf(runId)).attempt, 2);
    });

    it("[R3] the only process of a database expires every lease when it starts", async () => {
      await world.store.runs.expireAllLeases();
      for (const { lease } of (await claimAll(world)).runs) await finish(world, lease);
      const runs = [await started(), await started()];
      await claimAll(world, "before");
      assert.equal(await world.store.runs.expireAllLeases(), 2);
      assert.equal(await world.store.runs.expireAllLeases(), 0);
      const { runs: taken } = await claimAll(world, "after");
      assert.deepEqual(taken.map(({ run }) => run.id).toSorted(), runs.map(({ runId }) => runId).toSorted());
      assert(taken.every(({ takeover, run }) => takeover && run.attempt === 2));
      for (const { lease } of taken) await finish(world, lease);
    });

    it("a stopped run whose owner died is claimed to be finalised", async () => {
      const { conversationId, runId } = await started();
      await claimOf(world, conversationId);
      await world.store.runs.stop(alice, { runId });
      await expire(runId);
      const { run, takeover, lease } = await claimOf(world, conversationId, "other");
      assert.deepEqual([run.stopRequested, takeover], [true, true]);
      await finish(world, lease, ended("Part", { status: "stopped" }));
    });

    it("the deadline counts from the first claim", async () => {
      const { conversationId, runId } = await started({ deadlineMs: 10_000 });
      await runAsAdmin(world, `update runs set created_at = now() - interval '1 hour' where id = '${runId}'`);
      const first = await claimOf(world, conversationId);
      assert.equal(first.deadlineInMs, 10_000);
      await runAsAdmin(world, `update runs set deadline_at = now() - interval '3 s' where id = '${runId}'`);
      await world.store.runs.release([first.lease]);
      const second = await claimOf(world, conversationId);
      assert(second.deadlineInMs <= -3_000);
      await finish(world, second.lease);
    });

    it("counts the unfinished runs by status", async () => {
      const before = await world.store.runs.countByStatus();
      const { conversationId } = await started();
      await send(world, alice, conversationId);
      await claimOf(world, conversationId);
      const now = await world.store.runs.countByStatus();
      assert.deepEqual(
        [now["queued"]! - before["queued"]!, now["running"]! - before["running"]!, now["waiting"]],
        [1, 1, 0],
      );
    });

    it("[R2] a database that was told otherwise refuses a second active run", async () => {
      const { conversationId } = await started();
      const queued = await send(world, alice, conversationId);
      await claimOf(world, conversationId);
      await assert.rejects(
        runAsAdmin(world, `update runs set status = 'waiting' where id = '${queued.runId}'`),
        /runs_one_active/,
      );
    });

    it("[R3] claims, interruptions, stops and ends at once leave every conversation with one lowest run", async () => {
      const conversations = await Promise.all(Array.from({ length: 3 }, () => newConversation(world, alice)));
      const work = async (seed: number) => {
        const { id } = conversations[seed % conversations.length]!;
        switch (seed % 5) {
          case 0:
            await send(world, alice, id, { whenBusy: "interrupt", maxQueued: 1_000 });
            break;
          case 1:
            await send(world, alice, id, { maxQueued: 1_000 });
            break;
          case 2:
            await world.store.runs.stop(alice, { conversationId: id });
            break;
          default:
            for (const { lease } of (await claimAll(world, `owner ${seed}`)).runs) await finish(world, lease);
        }
      };
      await Promise.all(Array.from({ length: 90 }, (_, seed) => work(seed)));
      for (;;) {
        const { runs } = await claimAll(world);
        if (runs.length === 0) break;
        for (const { lease } of runs) await finish(world, lease);
      }
      const ids = conversations.map(({ id }) => `'${id}'`).join();
      const unfinished = await runAsAdmin(
        world,
        `select 1 from runs where conversation_id in (${ids}) and status in ('queued', 'running', 'waiting')
         union all select 1 from conversations where id in (${ids}) and current_run_id is not null`,
      );
      assert.deepEqual(unfinished, []);
      // Every answer hangs on its question, and every claimed question on what was the last message then.
      const stray = await runAsAdmin(
        world,
        `select m.id from messages m join runs r on r.id = m.run_id
         where m.conversation_id in (${ids}) and r.started_at is not null and m.parent_id is null
           and m.seq > (select min(seq) from messages f where f.conversation_id = m.conversation_id)`,
      );
      assert.deepEqual(stray, []);
    });
  });
}
