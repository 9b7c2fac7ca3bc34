/** Questions to a person and their answers: the contract of every store, fifth part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Scope, Store, StoredApproval } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { approval as approvalShape } from "../../src/protocol/shapes.ts";
import {
  asked,
  asking,
  claimAll,
  claimOf,
  commit,
  ended,
  eventsOf,
  finish,
  LEASE_MS,
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

type Decision = Parameters<Store["approvals"]["decide"]>[2];
const approve: Decision = { approve: true, args: null, remember: false };
const deny: Decision = { ...approve, approve: false };

export function storeApprovalsContract(name: string, open: OpenDatabase): void {
  describe(`${name}: approvals`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const runOf = async (runId: string) => (await world.store.runs.get(alice, runId))!.run;
    const statusOf = async (runId: string) => (await runOf(runId)).status;
    const snapshotOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 100_000))!;
    const overdue = (...ids: string[]) =>
      runAsAdmin(
        world,
        `update approvals set expires_at = now() - interval '1 ms' where id in (${ids.map((id) => `'${id}'`).join()})`,
      );
    const decide = async (id: string, decision = approve, scope = alice) => {
      const result = await world.store.approvals.decide(scope, id, decision);
      assert(result !== null);
      return result;
    };

    // ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R7] a run that asks waits, without a worker, and everybody who may sees the question", async () => {
      const { conversationId, runId, lease, messageId, approvalId, part, committed } = await asked(world, alice);
      assert.deepEqual(namesOf(committed.announce), [
        "conversation tool.updated",
        "conversation approval.requested",
        "conversation run.updated",
      ]);
      assert.deepEqual([committed.waiting, committed.ended, committed.next], [true, false, false]);
      const run = await runOf(runId);
      assert.equal(run.status, "waiting");
      const [, requested, updated] = eventsOf(committed.announce);
      assert(requested?.type === "CUSTOM" && requested.name === "approval.requested");
      assert(updated?.type === "CUSTOM" && updated.name === "run.updated");
      assert.deepEqual(updated.value.run, run);

      const approval = await world.store.approvals.find(alice, approvalId);
      assert(approval !== null);
      assert.deepEqual(approvalShape.parse(approval), approval);
      assert.deepEqual(
        [approval.runId, approval.messageId, approval.toolCallId, approval.args, approval.status],
        [runId, messageId, part.toolCallId, part.args, "pending"],
      );
      assert.equal(Date.parse(approval.expiresAt) - Date.parse(approval.requestedAt), 60_000);
      assert.deepEqual(requested.value.approval, approval);
      const snapshot = await snapshotOf(conversationId);
      assert.deepEqual([snapshot.approvals, snapshot.activeRun], [[approval], run]);
      assert.deepEqual(snapshot.messages.at(-1)?.parts, [part]);
      assert.deepEqual((await world.store.approvals.pending(alice)).at(-1), approval);

      assert.deepEqual(await world.store.runs.renew([lease], LEASE_MS), []);
      assert.deepEqual(await world.store.runs.commit(lease, ended("Late")), { ok: false, reason: "FENCED" });
      assert.deepEqual((await claimAll(world)).runs, []);
      await decide(approvalId);
      await finish(world, (await claimOf(world, conversationId)).lease);
    });

    it("[R7] a waiting run survives a restart, and no later turn overtakes it", async () => {
      const { conversationId, runId, approvalId } = await asked(world, alice);
      const later = await send(world, alice, conversationId);
      assert.equal(later.state, "queued");
      await world.store.runs.expireAllLeases();
      await world.store.runs.release([]);
      assert.deepEqual((await claimAll(world)).runs, []);
      await decide(approvalId);
      const { run, lease } = await claimOf(world, conversationId);
      assert.equal(run.id, runId);
      await finish(world, lease);
      const next = await claimOf(world, conversationId);
      assert.equal(next.run.id, later.runId);
      await finish(world, next.lease);
    });

    it("[R7] a repeated commit asks nothing again", async () => {
      const { id } = await newConversation(world, alice);
      await send(world, alice, id);
      const { lease, message } = await claimOf(world, id);
      const { approvalId, write } = asking(message.id, { wait: false });
      await commit(world, lease, write);
      await decide(approvalId);
      const again = await commit(world, lease, write);
      assert.deepEqual(namesOf(again.announce), ["conversation tool.updated"]);
      assert.deepEqual(
        again.approvals.map(({ status }) => status),
        ["approved"],
      );
      await finish(world, lease);
    });

    it("[W11] a question with long arguments fits its event, and is read whole", async () => {
      const args = { text: "\u4e2d".repeat(20_000) };
      const { conversationId, approvalId, committed } = await asked(world, alice, { args });
      for (const event of eventsOf(committed.announce)) assert(Buffer.byteLength(JSON.stringify(event)) < 64 * 1024);
      assert.deepEqual((await world.store.approvals.find(alice, approvalId))?.args, args);
      const snapshot = await world.store.conversations.snapshot(alice, conversationId, 30_000);
      assert(Buffer.byteLength(JSON.stringify([snapshot?.approvals, snapshot?.messages])) < 31_000);
      assert.equal(snapshot?.approvals[0]?.id, approvalId);
      const { announce } = await decide(approvalId);
      for (const event of eventsOf(announce)) assert(Buffer.byteLength(JSON.stringify(event)) < 64 * 1024);
      const { lease, approvals } = await claimOf(world, conversationId);
      assert.deepEqual(approvals[0]?.decidedArgs, args);
      await finish(world, lease);
    });

    // ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────────

    for (const { decision, status, decidedArgs } of [
      { decision: approve, status: "approved", decidedArgs: { name: "a.txt" } },
      {
        decision: { ...approve, args: { name: "b.txt", n: 1 } },
        status: "approved",
        decidedArgs: { name: "b.txt", n: 1 },
      },
      { decision: deny, status: "denied", decidedArgs: null },
      { decision: { ...deny, args: { name: "b.txt" } }, status: "denied", decidedArgs: null },
    ]) {
      it(`[R7] ${status} with ${JSON.stringify(decision.args)}: the run goes on, by anybody, without an attempt`, async () => {
        const { conversationId, runId, approvalId } = await asked(world, alice);
        const { approval, decided, announce } = await decide(approvalId, decision);
        assert.deepEqual(
          [decided, approval.status, approval.decidedArgs, approval.decidedBy],
          [true, status, decidedArgs, alice.userId],
        );
        assert.deepEqual(namesOf(announce), ["conversation approval.decided", "conversation run.updated"]);
        const [event, updated] = eventsOf(announce);
        assert(event?.type === "CUSTOM" && event.name === "approval.decided");
        assert.deepEqual(event.value.approval, await world.store.approvals.find(alice, approvalId));
        assert(updated?.type === "CUSTOM" && updated.name === "run.updated");
        assert.deepEqual(updated.value.run, await runOf(runId));
        assert.equal(updated.value.run.status, "running");
        assert.deepEqual((await outboxOf(world, `conversation:${conversationId}`)).slice(-2), announce);
        assert.deepEqual((await snapshotOf(conversationId)).approvals, []);

        const claimed = await claimOf(world, conversationId, "another");
        assert.deepEqual([claimed.takeover, claimed.run.attempt, claimed.lease.fence], [true, 1, 2]);
        assert.deepEqual(claimed.approvals, [approval]);
        await finish(world, claimed.lease);
      });
    }

    it("[R7] the first answer wins: of many at once one decides, and all see the same", async () => {
      const { conversationId, approvalId } = await asked(world, alice);
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) => decide(approvalId, i % 2 === 0 ? approve : { ...deny, remember: true })),
      );
      assert.equal(results.filter(({ decided }) => decided).length, 1);
      for (const { approval, decided, announce } of results) {
        assert.deepEqual(approval, results[0]?.approval);
        assert.equal(announce.length > 0, decided);
      }
      await finish(world, (await claimOf(world, conversationId)).lease);
    });

    it("[R7] the same decision again is answered with the first, and changes nothing", async () => {
      const { conversationId, approvalId } = await asked(world, alice);
      const first = await decide(approvalId);
      const { lease } = await claimOf(world, conversationId);
      for (const decision of [approve, deny, { ...approve, args: { name: "other" } }]) {
        assert.deepEqual(await decide(approvalId, decision), {
          approval: first.approval,
          decided: false,
          announce: [],
        });
      }
      assert.equal(await statusOf(lease.runId), "running");
      await finish(world, lease);
    });

    it("[R7] remembers a tool for its user, when it was approved", async () => {
      const user = await newUser(world);
      const other = await newUser(world, user.tenantId);
      const tools = async (scope: Scope) => {
        const { id } = await newConversation(world, scope);
        await send(world, scope, id);
        const { allowedTools, lease } = await claimOf(world, id);
        await finish(world, lease);
        return allowedTools;
      };
      const answer = async (tool: string, decision: Decision) => {
        const { conversationId, approvalId } = await asked(world, user, { tool });
        await decide(approvalId, decision, user);
        const { lease, allowedTools } = await claimOf(world, conversationId);
        await finish(world, lease);
        return allowedTools;
      };
      assert.deepEqual(await answer("mail_send", approve), []);
      assert.deepEqual(await answer("files_delete", { ...approve, remember: true }), ["files_delete"]);
      assert.deepEqual(await answer("shell_run", { ...deny, remember: true }), ["files_delete"]);
      assert.deepEqual(await answer("files_delete", { ...approve, remember: true }), ["files_delete"]);
      assert.deepEqual(await answer("calendar", { ...approve, remember: true }), ["calendar", "files_delete"]);
      assert.deepEqual(await tools(user), ["calendar", "files_delete"]);
      assert.deepEqual(await tools(other), []);
    });

    it("keeps an audit row of each decision, without the arguments", async () => {
      const { conversationId, approvalId } = await asked(world, alice, { args: { name: "s3cret" } });
      await decide(approvalId, { ...approve, args: { name: "s3cret too" } });
      const rows = await runAsAdmin<{ detail: unknown }>(
        world,
        `select detail from audit_log where user_id = '${alice.userId}' and detail ->> 'approvalId' = '${approvalId}'`,
      );
      assert.deepEqual(rows, [{ detail: { approvalId, tool: "files_delete", status: "approved", edited: true } }]);
      await finish(world, (await claimOf(world, conversationId)).lease);
    });

    it("decides nothing that is not there", async () => {
      for (const id of [uuidv7(), "not-an-id", ""]) {
        assert.equal(await world.store.approvals.decide(alice, id, approve), null);
        assert.equal(await world.store.approvals.find(alice, id), null);
      }
    });

    it("[R7] of two questions at once, one answer lets the run go on, and it waits for the other", async () => {
      const { id } = await newConversation(world, alice);
      await send(world, alice, id);
      const first = await claimOf(world, id);
      const one = asking(first.message.id);
      const two = asking(first.message.id);
      const parts = [one.part, two.part];
      const approvals = [...one.approvals, ...two.approvals];
      assert.equal((await commit(world, first.lease, { parts, approvals, wait: true })).waiting, true);
      assert.deepEqual(
        (await snapshotOf(id)).approvals.map((approval) => approval.id).toSorted(),
        [one.approvalId, two.approvalId].toSorted(),
      );
      await decide(two.approvalId);
      const second = await claimOf(world, id);
      // It has not looked at that answer yet: waiting now would be for nothing.
      assert.equal((await commit(world, second.lease, { parts, wait: true })).waiting, false);
      const ran = [one.part, { ...two.part, status: "completed" } as const];
      assert.equal((await commit(world, second.lease, { parts: ran, wait: true })).waiting, true);
      await decide(one.approvalId, deny);
      const third = await claimOf(world, id);
      assert.deepEqual(third.approvals.map(({ status }) => status).toSorted(), ["approved", "denied"]);
      await finish(world, third.lease);
    });

    // ── races ─────────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R7] an answer that comes before its run waits is not waited for", async () => {
      const { conversationId, lease, approvalId, part } = await asked(world, alice, { wait: false });
      const { announce } = await decide(approvalId);
      assert.deepEqual(namesOf(announce), ["conversation approval.decided"]);
      const result = await commit(world, lease, { parts: [part], wait: true });
      assert.deepEqual([result.waiting, result.approvals[0]?.status], [false, "approved"]);
      assert.deepEqual(namesOf(result.announce), []);
      assert.equal(await statusOf(lease.runId), "running");
      assert.deepEqual((await claimAll(world)).runs, []);
      await finish(world, lease);
      assert.equal((await snapshotOf(conversationId)).activeRun, undefined);
    });

    it("[R7] a run that asks nothing does not wait", async () => {
      const { lease, part } = await asked(world, alice, { wait: false });
      const { approvalId } = part;
      assert(approvalId !== undefined);
      await decide(approvalId);
      assert.equal((await commit(world, lease, { parts: [], wait: true })).waiting, false);
      await finish(world, lease);
    });

    it("[R7] waiting and deciding at once: the run goes on in every order", async () => {
      for (let i = 0; i < 12; i++) {
        const { lease, approvalId, part, conversationId } = await asked(world, alice, { wait: false });
        const [waited, decided] = await Promise.all([
          commit(world, lease, { parts: [part], wait: true }),
          decide(approvalId),
        ]);
        assert.equal(decided.decided, true);
        assert.equal(await statusOf(lease.runId), "running");
        if (waited.waiting) {
          assert.equal(decided.announce.length, 2);
          await finish(world, (await claimOf(world, conversationId)).lease);
        } else {
          assert.deepEqual([decided.announce.length, waited.approvals[0]?.status], [1, "approved"]);
          await finish(world, lease);
        }
      }
    });

    it("[R7] deciding, expiring and stopping at once: one of them stands, and the run goes on", async () => {
      const seen = new Set<string>();
      for (let i = 0; i < 15; i++) {
        const { conversationId, runId, approvalId } = await asked(world, alice);
        await overdue(approvalId);
        const racers = [
          async () => (await decide(approvalId, deny)).announce,
          async () => (await decide(approvalId)).announce,
          () => world.store.approvals.expire(10),
          async () => (await world.store.runs.stop(alice, { runId }))?.announce ?? [],
        ];
        const order = racers.map((_, n) => racers[(n + i) % racers.length]!);
        const announced = (await Promise.all(order.map((race) => race()))).flat();
        const outcomes = eventsOf(announced).flatMap((event) =>
          event.type === "CUSTOM" && event.name === "approval.decided" ? [event.value.approval] : [],
        );
        assert.equal(outcomes.length, 1);
        assert.deepEqual(await world.store.approvals.find(alice, approvalId), outcomes[0]);
        seen.add(outcomes[0]!.status);
        const { lease, run, approvals } = await claimOf(world, conversationId);
        assert.deepEqual([run.stopRequested, run.attempt, approvals[0]?.status], [true, 1, outcomes[0]?.status]);
        await finish(world, lease, ended("", { status: "stopped" }));
        assert.deepEqual((await snapshotOf(conversationId)).approvals, []);
      }
      assert(seen.size > 1, [...seen].join());
    });

    // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────

    it("[R7] who does not answer in time, by the database's clock, has denied", async () => {
      const others = [await newUser(world), await newUser(world, alice.tenantId)];
      const late = [await asked(world, alice), await asked(world, others[0]!), await asked(world, others[1]!)];
      const early = await asked(world, alice);
      assert.deepEqual(await world.store.approvals.expire(10), []);
      await overdue(...late.map(({ approvalId }) => approvalId));
      const announced = await world.store.approvals.expire(10);
      assert.equal(announced.length, 6);
      const claims = (await claimAll(world)).runs;
      for (const { topic, tenantId } of announced) {
        const { lease } = late.find(({ conversationId }) => topic === `conversation:${conversationId}`)!;
        assert.equal(tenantId, lease.tenantId);
      }
      for (const { conversationId, approvalId, lease } of late) {
        const mine = announced.filter(({ topic }) => topic === `conversation:${conversationId}`);
        assert.deepEqual(namesOf(mine), ["conversation approval.decided", "conversation run.updated"]);
        const approval = await world.store.approvals.find(lease, approvalId);
        assert.deepEqual([approval?.status, approval?.decidedBy], ["expired", null]);
        assert.notEqual(approval?.decidedAt, null);
        const claimed = claims.find((claim) => claim.lease.conversationId === conversationId)!;
        assert.deepEqual([claimed.run.attempt, claimed.approvals[0]?.decidedArgs], [1, null]);
        await finish(world, claimed.lease);
      }
      assert.equal(await statusOf(early.runId), "waiting");
      assert.deepEqual(await world.store.approvals.expire(10), []);
      await decide(early.approvalId);
      await finish(world, (await claimOf(world, early.conversationId)).lease);
    });

    it("[R7] one sweep denies no more than it was asked to, the oldest first", async () => {
      const late = [await asked(world, alice), await asked(world, alice), await asked(world, alice)];
      for (const [i, { approvalId }] of late.entries()) {
        await runAsAdmin(
          world,
          `update approvals set expires_at = now() - interval '${10 - i} s' where id = '${approvalId}'`,
        );
      }
      const expired: string[] = [];
      for (const count of [2, 1, 0]) {
        const events = eventsOf(await world.store.approvals.expire(2));
        const ids = events.flatMap((event) =>
          event.type === "CUSTOM" && event.name === "approval.decided" ? [event.value.approval.id] : [],
        );
        assert.equal(ids.length, count);
        expired.push(...ids);
      }
      assert.equal(expired[2], late[2]?.approvalId);
      const { runs } = await claimAll(world);
      assert.equal(runs.length, 3);
      for (const { lease } of runs) await finish(world, lease);
    });

    it("[R7] an answer that is late for a run that works on is expired too, and told at its next commit", async () => {
      const { lease, approvalId, part } = await asked(world, alice, { wait: false });
      await overdue(approvalId);
      assert.deepEqual(namesOf(await world.store.approvals.expire(10)), ["conversation approval.decided"]);
      const { approvals, waiting } = await commit(world, lease, { parts: [part], wait: true });
      assert.deepEqual([approvals[0]?.status, waiting], ["expired", false]);
      await finish(world, lease);
    });

    it("[R6] while a run waits for a person its deadline stands still", async () => {
      const { conversationId, runId, approvalId } = await asked(world, alice);
      await runAsAdmin(
        world,
        `update runs set waiting_since = now() - interval '1 hour', deadline_at = now() - interval '59 minutes'
         where id = '${runId}'`,
      );
      await decide(approvalId);
      const { deadlineInMs, lease } = await claimOf(world, conversationId);
      assert(deadlineInMs > 50_000 && deadlineInMs <= 61_000, `${deadlineInMs}`);
      await finish(world, lease);
    });

    // ── the end of a run ──────────────────────────────────────────────────────────────────────────────────────────

    const expectCancelled = async (approvalId: string) => {
      const { approval, decided, announce } = await decide(approvalId);
      assert.deepEqual([approval.status, approval.decidedBy, decided, announce], ["cancelled", null, false, []]);
    };

    it("[R11] a stop of a run that waits takes its questions back, and lets somebody end it", async () => {
      const { conversationId, runId, approvalId } = await asked(world, alice);
      const stopped = await world.store.runs.stop(alice, { conversationId });
      assert.equal(stopped?.active, true);
      assert.deepEqual(namesOf(stopped.announce), ["conversation approval.decided", "conversation run.updated"]);
      await expectCancelled(approvalId);
      assert.deepEqual(await world.store.runs.stop(alice, { runId }), { runId, active: true, announce: [] });
      const { run, lease, approvals } = await claimOf(world, conversationId);
      assert.deepEqual([run.stopRequested, approvals[0]?.status], [true, "cancelled"]);
      await finish(world, lease, ended("", { status: "stopped" }));
      assert.equal(await statusOf(runId), "stopped");
    });

    it("[R2] an interruption of a run that waits does the same, and is next", async () => {
      const { conversationId, runId, approvalId } = await asked(world, alice);
      const interrupting = await send(world, alice, conversationId, { whenBusy: "interrupt" });
      assert.equal(interrupting.interrupted, runId);
      await expectCancelled(approvalId);
      const { run, lease } = await claimOf(world, conversationId);
      assert.deepEqual([run.id, run.stopRequested], [runId, true]);
      await finish(world, lease, ended("", { status: "stopped" }));
      const next = await claimOf(world, conversationId);
      assert.equal(next.run.id, interrupting.runId);
      await finish(world, next.lease);
    });

    it("[R11] a run that is asked to stop asks nothing more, and does not wait", async () => {
      const { id } = await newConversation(world, alice);
      const { runId } = await send(world, alice, id);
      const { lease, message } = await claimOf(world, id);
      await world.store.runs.stop(alice, { runId });
      const { approvalId, write } = asking(message.id);
      const result = await commit(world, lease, write);
      assert.deepEqual(
        [result.waiting, result.stopRequested, result.approvals.map(({ status }) => status)],
        [false, true, ["cancelled"]],
      );
      assert.deepEqual(namesOf(result.announce), [
        "conversation tool.updated",
        "conversation approval.requested",
        "conversation approval.decided",
      ]);
      await expectCancelled(approvalId);
      await finish(world, lease, ended("", { status: "stopped" }));
    });

    for (const end of [
      { status: "completed" } as const,
      { status: "stopped" } as const,
      { status: "failed", code: "RUN_LIMIT", message: "Too long." } as const,
    ]) {
      it(`[R7] a run that is ${end.status} takes its open questions back in the same commit`, async () => {
        const { lease, approvalId } = await asked(world, alice, { wait: false });
        const announced = await finish(world, lease, { ...ended("", end), parts: [] });
        assert.equal(namesOf(announced)[0], "conversation approval.decided");
        assert.match(namesOf(announced).at(-1) ?? "", /RUN_(FINISHED|ERROR)$/);
        await expectCancelled(approvalId);
      });
    }

    it("[R7] a fenced owner asks nobody", async () => {
      const { conversationId, lease, messageId, approvalId } = await asked(world, alice);
      const before = await snapshotOf(conversationId);
      const { write } = asking(messageId);
      const result = await world.store.runs.commit(lease, {
        steps: [],
        parts: [],
        usage: { inputTokens: 0, outputTokens: 0 },
        ...write,
      });
      assert.deepEqual(result, { ok: false, reason: "FENCED" });
      assert.deepEqual(await snapshotOf(conversationId), before);
      await decide(approvalId);
      await finish(world, (await claimOf(world, conversationId)).lease);
    });

    it("lists a user's open questions, the oldest first", async () => {
      const user = await newUser(world);
      const questions = [await asked(world, user), await asked(world, user)];
      const decided = await asked(world, user);
      await decide(decided.approvalId, approve, user);
      const pending = await world.store.approvals.pending(user);
      assert.deepEqual(
        pending.map(({ id }) => id),
        questions.map(({ approvalId }) => approvalId),
      );
      const ids = (list: readonly StoredApproval[]) => list.map(({ id }) => id);
      const { lease, approvals } = await claimOf(world, decided.conversationId);
      assert.deepEqual(ids(approvals), [decided.approvalId]);
      await finish(world, lease);
      for (const { conversationId, approvalId } of questions) {
        await decide(approvalId, deny, user);
        await finish(world, (await claimOf(world, conversationId)).lease);
      }
    });
  });
}
