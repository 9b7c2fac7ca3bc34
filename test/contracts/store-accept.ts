/** Runs that are claimed as they are accepted: what a send and a claim would have brought, by one transaction. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ClaimedRun, Scope } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { textOf } from "../support/shapes.fake.ts";
import {
  claimAll,
  claimOf,
  finish,
  LEASE_MS,
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

const terms = (owner = "me", transcriptBytes = 100_000) => ({ owner, leaseMs: LEASE_MS, transcriptBytes });

export function storeAcceptContract(name: string, open: OpenDatabase): void {
  describe(`${name}: runs that are claimed as they are accepted`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const snapshotOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 100_000))!;

    /** What differs between two runs that were begun in the same way is named by its place. */
    const comparable = (claimed: ClaimedRun) => {
      const { lease, run, message, transcript } = claimed;
      const said = transcript.flatMap(({ id, runId }) => [id, runId ?? ""]);
      const ids = [...said, message.id, run.id, lease.conversationId];
      const json = JSON.stringify({ ...claimed, deadlineInMs: Math.round(claimed.deadlineInMs) });
      const named = ids.reduce((text, id, i) => text.replaceAll(id, `id ${i}`), json);
      return JSON.parse(named.replaceAll(/"\d{4}-\d\d-\d\dT[^"]+Z"/g, '"a time"')) as unknown;
    };

    it("[R1][R3] an idle conversation's run has all that a send and a claim give it", async () => {
      const apart = await newConversation(world, alice);
      const together = await newConversation(world, alice);
      for (const { id } of [apart, together]) await turn(world, alice, id, "Before", "An answer");

      const sent = await send(world, alice, apart.id, { text: "Now" });
      const claimed = await claimOf(world, apart.id, "me");
      const accepted = await send(world, alice, together.id, { text: "Now", claim: terms() });
      const [mine] = accepted.claimed!.runs;
      assert(mine !== undefined);

      assert.deepEqual(comparable(mine), comparable({ ...claimed, announce: undefined } as unknown as ClaimedRun));
      assert.deepEqual(namesOf(accepted.announce), namesOf(sent.announce));
      assert.deepEqual(namesOf(accepted.claimed!.announce), namesOf(claimed.announce));
      assert.deepEqual(mine.lease, {
        runId: accepted.runId,
        ...alice,
        conversationId: together.id,
        fence: 2,
        owner: "me",
      });
      assert.deepEqual(mine.run, (await world.store.runs.get(alice, accepted.runId))!.run);
      const { conversation, messages } = await snapshotOf(together.id);
      assert.deepEqual(messages.slice(-2), [mine.transcript.at(-1), mine.message]);
      assert.deepEqual(messages.slice(0, -1), mine.transcript);
      assert.equal(conversation.headMessageId, mine.message.id);
      const waiting = await outboxOf(world, `conversation:${together.id}`);
      assert.deepEqual(
        waiting.slice(-2).map(({ id }) => id),
        [...accepted.announce.filter(({ topic }) => topic.startsWith("conversation")), ...accepted.claimed!.announce]
          .map(({ id }) => id)
          .slice(-2),
      );
      const rows = (ids: string) =>
        runAsAdmin(
          world,
          `select status, attempt, fence, owner, placed, deadline_ms, stop_requested, started_at = created_at as at_once,
            round(extract(epoch from lease_until - started_at)) as lease, deadline_at - started_at = interval '60 s' as due
           from runs where id = '${ids}'`,
        );
      const [own] = await rows(accepted.runId);
      const [other] = await rows(sent.runId);
      assert.deepEqual({ ...own, at_once: true }, { ...other, at_once: true });

      await finish(world, mine.lease);
      await finish(world, claimed.lease);
      assert.equal((await snapshotOf(together.id)).messages.at(-1)?.status, "complete");
    });

    it("[R3] it is leased: nobody claims it before the lease ends, and then as a takeover", async () => {
      const { id } = await newConversation(world, alice);
      const { claimed, runId } = await send(world, alice, id, { claim: terms("first") });
      const [mine] = claimed!.runs;
      assert.deepEqual((await claimAll(world, "other")).runs, []);
      assert.deepEqual(await world.store.runs.renew([mine!.lease], LEASE_MS), [{ runId, stopRequested: false }]);
      await runAsAdmin(world, `update runs set lease_until = now() - interval '1 ms' where id = '${runId}'`);
      const taken = await claimOf(world, id, "other");
      assert.deepEqual([taken.takeover, taken.lease.fence, taken.run.attempt], [true, 2, 2]);
      assert.equal(taken.message.id, mine!.message.id);
      await finish(world, taken.lease);
    });

    it("the transcript is the branch, the newest that fit, with the question at its end", async () => {
      const { id } = await newConversation(world, alice);
      for (const text of ["one", "two"]) await turn(world, alice, id, text, `${text}, answered`);
      const { claimed } = await send(world, alice, id, { text: "three\0", claim: terms("me", 60) });
      const [{ transcript, lease } = assert.fail("claimed")] = claimed!.runs;
      assert.deepEqual(
        transcript.map(({ parts }) => textOf(parts[0])),
        ["three\uFFFD"],
      );
      await finish(world, lease);
      const { claimed: next } = await send(world, alice, id, { text: "four", claim: terms() });
      const [{ transcript: whole, lease: last } = assert.fail("claimed")] = next!.runs;
      assert.deepEqual(
        whole.map(({ parts }) => textOf(parts[0])),
        ["one", "one, answered", "two", "two, answered", "three\uFFFD", "Answer", "four"],
      );
      await finish(world, last);
    });

    it("[W10] a key that was used is answered as before, and nothing is claimed", async () => {
      const { id } = await newConversation(world, alice);
      const idempotency = newKey();
      const first = await send(world, alice, id, { claim: terms(), idempotency });
      const again = await trySend(world, alice, id, { claim: terms(), idempotency });
      assert(again.ok && again.repeated);
      assert.deepEqual([again.value.runId, "claimed" in again], [first.runId, false]);
      const [{ lease } = assert.fail("claimed")] = first.claimed!.runs;
      await finish(world, lease);
    });

    it("[W10] of several senders with one key at once, one is claimed", async () => {
      const { id } = await newConversation(world, alice);
      const idempotency = newKey();
      const options = { claim: terms(), idempotency };
      const sent = await Promise.all(Array.from({ length: 6 }, () => send(world, alice, id, options)));
      assert.equal(new Set(sent.map(({ runId }) => runId)).size, 1);
      const runs = sent.flatMap(({ claimed }) => claimed?.runs ?? []);
      assert.equal(runs.length, 1);
      await finish(world, runs[0]!.lease);
    });

    it("[R2] behind a run that is active it waits in the queue, unclaimed", async () => {
      const { id } = await newConversation(world, alice);
      const { claimed } = await send(world, alice, id, { claim: terms() });
      const sent = await send(world, alice, id, { claim: terms() });
      assert.deepEqual([sent.state, sent.claimed], ["queued", undefined]);
      const [{ lease } = assert.fail("claimed")] = claimed!.runs;
      await finish(world, lease);
      // Nothing is active, but somebody was there first.
      const third = await send(world, alice, id, { claim: terms() });
      assert.deepEqual([third.state, third.claimed], ["queued", undefined]);
      for (const { runId } of [sent, third]) {
        const next = await claimOf(world, id);
        assert.equal(next.run.id, runId);
        await finish(world, next.lease);
      }
    });

    it("[R3] what was claimed by a send whose answer was lost is handed back, and nothing else", async () => {
      const { id } = await newConversation(world, alice);
      const { runId, claimed } = await send(world, alice, id, { claim: terms("me") });
      await world.store.runs.disown("other", [runId]);
      assert.deepEqual((await claimAll(world, "next")).runs, []);
      await world.store.runs.disown("me", [uuidv7(), "not-an-id", runId]);
      const taken = await claimOf(world, id, "next");
      assert.deepEqual([taken.run.id, taken.run.attempt, taken.lease.fence], [runId, 1, 2]);
      const [{ lease } = assert.fail("claimed")] = claimed!.runs;
      const late = { steps: [], parts: [], usage: { inputTokens: 0, outputTokens: 0 } };
      assert.deepEqual(await world.store.runs.commit(lease, late), { ok: false, reason: "FENCED" });
      await world.store.runs.disown("me", [runId]);
      await finish(world, taken.lease);
    });
  });
}
