/** Branches of a conversation: the contract of every store, seventh part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AgainInput, Scope } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Message } from "../../src/protocol/shapes.ts";
import {
  claimAll,
  claimOf,
  ended,
  eventsOf,
  finish,
  namesOf,
  newConversation,
  newKey,
  newUser,
  runAsAdmin,
  send,
  trySend,
  turn,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

const failed = { status: "failed", code: "MODEL_FAILED", message: "It broke." } as const;

export function storeBranchesContract(name: string, open: OpenDatabase): void {
  describe(`${name}: branches`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const newEmpty = async () => (await newConversation(world, alice)).id;
    const tryAgain = (
      conversationId: string,
      target: AgainInput["target"],
      fields: Partial<AgainInput> = {},
      key = newKey("chat.regenerate"),
    ) =>
      world.store.runs.again(
        alice,
        {
          conversationId,
          target,
          runId: uuidv7(),
          assistantMessageId: uuidv7(),
          model: undefined,
          maxQueued: 20,
          deadlineMs: 60_000,
          ...fields,
        },
        key,
      );
    const again = async (conversationId: string, target: AgainInput["target"], fields?: Partial<AgainInput>) => {
      const result = await tryAgain(conversationId, target, fields);
      assert(result.ok, JSON.stringify(result));
      return { ...result.value, announce: result.announce };
    };
    const select = async (conversationId: string, messageId: string) => {
      const result = await world.store.conversations.selectBranch(alice, conversationId, messageId);
      assert(result?.ok, JSON.stringify(result));
      return result;
    };
    const snapshotOf = async (conversationId: string) =>
      (await world.store.conversations.snapshot(alice, conversationId, 1_000_000))!;
    const headOf = async (conversationId: string) => (await snapshotOf(conversationId)).conversation.headMessageId;
    const messageOf = async (conversationId: string, id: string) =>
      (await snapshotOf(conversationId)).messages.find((message) => message.id === id)!;
    const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id);
    const complete = async (conversationId: string, text?: string) => {
      const claimed = await claimOf(world, conversationId);
      await finish(world, claimed.lease, ended(text));
      return claimed;
    };

    // ── another answer ────────────────────────────────────────────────────────────────────────────────────────────

    it("another answer stands beside the first, is shown from its start, and is what follows is based on", async () => {
      const id = await newEmpty();
      const before = await turn(world, alice, id, "Earlier");
      const first = await turn(world, alice, id, "Question", "One");
      const sent = await again(id, { messageId: first.assistantMessageId });
      assert.deepEqual([sent.state, sent.userMessageId, sent.interrupted], ["running", first.userMessageId, null]);
      assert.deepEqual(namesOf(sent.announce), ["user conversation.updated"]);
      assert.equal(await headOf(id), first.assistantMessageId);

      const { lease, message, transcript, announce, run } = await claimOf(world, id);
      assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED", "conversation branch.selected"]);
      const [, selected] = eventsOf(announce);
      assert(selected?.type === "CUSTOM" && selected.name === "branch.selected");
      assert.deepEqual(selected.value, { conversationId: id, headMessageId: message.id });
      assert.deepEqual(
        [run.id, run.userMessageId, message.parentId],
        [sent.runId, first.userMessageId, first.userMessageId],
      );
      const path = [before.userMessageId, before.assistantMessageId, first.userMessageId];
      assert.deepEqual(idsOf(transcript), path);
      assert.equal(await headOf(id), message.id);
      await finish(world, lease, ended("Two"));
      const all = (await snapshotOf(id)).messages;
      assert.deepEqual(idsOf(all), [...path, first.assistantMessageId, message.id]);
      assert.equal(all[2]?.parentId, before.assistantMessageId);

      await send(world, alice, id);
      const next = await complete(id);
      assert.deepEqual(idsOf(next.transcript).slice(0, -1), [...path, message.id]);
    });

    it("another answer queues while a run is active, and is shown when its turn comes", async () => {
      const id = await newEmpty();
      const first = await turn(world, alice, id);
      await send(world, alice, id);
      const active = await claimOf(world, id);
      const sent = await again(id, { messageId: first.assistantMessageId });
      assert.equal(sent.state, "queued");
      assert.deepEqual(namesOf(sent.announce), ["conversation run.updated", "user conversation.updated"]);
      const later = await send(world, alice, id);
      await finish(world, active.lease);
      assert.equal(await headOf(id), active.message.id);
      const claimed = await claimOf(world, id);
      assert.deepEqual(namesOf(claimed.announce), ["conversation RUN_STARTED", "conversation branch.selected"]);
      assert.deepEqual([claimed.run.id, await headOf(id)], [sent.runId, claimed.message.id]);
      await finish(world, claimed.lease);
      const last = await complete(id);
      assert.deepEqual([last.run.id, last.transcript.at(-1)?.parentId], [later.runId, claimed.message.id]);
    });

    it("an earlier message answered again leaves what came after it where it was", async () => {
      const id = await newEmpty();
      const first = await turn(world, alice, id);
      const second = await turn(world, alice, id);
      await again(id, { messageId: first.assistantMessageId });
      const { message, transcript } = await complete(id);
      assert.deepEqual(idsOf(transcript), [first.userMessageId]);
      assert.equal((await messageOf(id, second.userMessageId)).parentId, first.assistantMessageId);
      await select(id, second.userMessageId);
      assert.equal(await headOf(id), second.assistantMessageId);
      await select(id, message.id);
      assert.equal(await headOf(id), message.id);
    });

    it("answers with the model that answered before, or the one that is asked for", async () => {
      const id = await newEmpty();
      await send(world, alice, id, { model: "openai/gpt-5" });
      const first = await complete(id);
      await again(id, { messageId: first.message.id });
      assert.equal((await complete(id)).run.model, "openai/gpt-5");
      await again(id, { messageId: first.message.id }, { model: "anthropic/claude" });
      const third = await complete(id);
      assert.deepEqual([third.run.model, third.message.author], ["anthropic/claude", "anthropic/claude"]);
      await again(id, { messageId: third.message.id });
      assert.equal((await complete(id)).run.model, "anthropic/claude");
    });

    for (const end of [{ status: "stopped" } as const, failed]) {
      it(`a run that was ${end.status} is tried again, beside the broken answer`, async () => {
        const id = await newEmpty();
        const sent = await send(world, alice, id);
        const broken = await claimOf(world, id);
        await finish(world, broken.lease, ended("Half", end));
        const retried = await again(id, { runId: sent.runId });
        assert.equal(retried.userMessageId, sent.userMessageId);
        const { message, transcript } = await complete(id);
        assert.deepEqual([idsOf(transcript), message.parentId], [[sent.userMessageId], sent.userMessageId]);
        assert.deepEqual(idsOf((await snapshotOf(id)).messages), [sent.userMessageId, broken.message.id, message.id]);
      });
    }

    it("a run that was stopped before its claim is tried again, in its place", async () => {
      const id = await newEmpty();
      const sent = await send(world, alice, id);
      await world.store.runs.stop(alice, { runId: sent.runId });
      await again(id, { runId: sent.runId });
      const { message, announce } = await complete(id);
      assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED"]);
      assert.deepEqual([message.parentId, await headOf(id)], [sent.userMessageId, message.id]);
      assert.equal((await messageOf(id, sent.userMessageId)).parentId, null);
    });

    it("a message that left the queue unanswered goes into it again, and gets its place at the claim", async () => {
      const id = await newEmpty();
      await send(world, alice, id);
      const left = await send(world, alice, id);
      const active = await claimOf(world, id);
      await world.store.runs.stop(alice, { runId: left.runId });
      await finish(world, active.lease);
      const middle = await turn(world, alice, id);

      const first = await again(id, { runId: left.runId });
      assert.deepEqual(await tryAgain(id, { runId: left.runId }), { ok: false, reason: "NOT_FOUND" });
      const claimed = await claimOf(world, id);
      assert.deepEqual(namesOf(claimed.announce), ["conversation message.updated", "conversation RUN_STARTED"]);
      assert.equal(claimed.run.id, first.runId);
      await finish(world, claimed.lease);
      const moved = await messageOf(id, left.userMessageId);
      assert.deepEqual([moved.parentId, moved.runId], [middle.assistantMessageId, first.runId]);
      assert.deepEqual(idsOf((await snapshotOf(id)).messages).slice(-2), [left.userMessageId, claimed.message.id]);

      // From here on it has its place: another try is a branch, never a loop.
      await again(id, { runId: left.runId });
      const branch = await complete(id);
      assert.equal(branch.message.parentId, left.userMessageId);
      assert.deepEqual(await messageOf(id, left.userMessageId), moved);
    });

    it("finds nothing to answer again but answers, and runs, that have ended", async () => {
      const id = await newEmpty();
      const other = await turn(world, alice, await newEmpty());
      const done = await turn(world, alice, id);
      const sent = await send(world, alice, id);
      const queued = await send(world, alice, id);
      const active = await claimOf(world, id);
      const targets = [
        { messageId: done.userMessageId },
        { messageId: active.message.id },
        { messageId: active.run.userMessageId },
        { messageId: other.assistantMessageId },
        { messageId: uuidv7() },
        { messageId: "not-an-id" },
        { runId: done.runId },
        { runId: sent.runId },
        { runId: queued.runId },
        { runId: other.runId },
        { runId: "not-an-id" },
      ];
      for (const target of targets) {
        assert.deepEqual(await tryAgain(id, target), { ok: false, reason: "NOT_FOUND" }, JSON.stringify(target));
      }
      for (const missing of [uuidv7(), "not-an-id"]) {
        const result = await tryAgain(missing, { messageId: done.assistantMessageId });
        assert.deepEqual(result, { ok: false, reason: "NOT_FOUND" });
      }
      assert.equal((await snapshotOf(id)).queuedRuns.length, 1);
      await finish(world, active.lease);
      await complete(id);
    });

    it("[R2] QUEUE_FULL holds for further answers and for edits too", async () => {
      const id = await newEmpty();
      const done = await turn(world, alice, id);
      await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      const maxQueued = 1;
      await again(id, { messageId: done.assistantMessageId }, { maxQueued });
      const full = { ok: false, reason: "QUEUE_FULL" };
      assert.deepEqual(await tryAgain(id, { messageId: done.assistantMessageId }, { maxQueued }), full);
      assert.deepEqual(await trySend(world, alice, id, { editOf: done.userMessageId, maxQueued }), full);
      await finish(world, lease);
      await complete(id);
    });

    it("[W10] twenty requests with one key make one further answer", async () => {
      const id = await newEmpty();
      const done = await turn(world, alice, id);
      const key = newKey("chat.regenerate");
      const results = await Promise.all(
        Array.from({ length: 20 }, () => tryAgain(id, { messageId: done.assistantMessageId }, {}, key)),
      );
      const answers = results.map((result) => {
        assert(result.ok);
        return result;
      });
      assert.equal(answers.filter(({ repeated }) => !repeated).length, 1);
      for (const { value } of answers) assert.deepEqual(value, answers[0]?.value);
      await complete(id);
      assert.deepEqual((await claimAll(world)).runs, []);
      assert.deepEqual(
        await tryAgain(id, { messageId: done.assistantMessageId }, {}, { ...key, paramsHash: "other" }),
        {
          ok: false,
          reason: "IDEMPOTENCY_MISMATCH",
        },
      );
    });

    // ── edits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    it("an edited message stands beside the one that was said, and is shown at once", async () => {
      const id = await newEmpty();
      const before = await turn(world, alice, id);
      const said = await turn(world, alice, id, "Wrong");
      const sent = await send(world, alice, id, { text: "Right", editOf: said.userMessageId });
      assert.equal(sent.state, "running");
      assert.deepEqual(namesOf(sent.announce), [
        "conversation message.created",
        "conversation branch.selected",
        "user conversation.updated",
      ]);
      assert.equal(await headOf(id), sent.userMessageId);
      assert.equal((await messageOf(id, sent.userMessageId)).parentId, before.assistantMessageId);
      const { announce, transcript, message } = await complete(id);
      assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED"]);
      assert.deepEqual(idsOf(transcript), [before.userMessageId, before.assistantMessageId, sent.userMessageId]);
      assert.equal(await headOf(id), message.id);
      await select(id, said.userMessageId);
      assert.equal(await headOf(id), said.assistantMessageId);
    });

    it("the first message of a conversation can be edited, and its edit again", async () => {
      const id = await newEmpty();
      const first = await turn(world, alice, id);
      let editOf = first.userMessageId;
      for (const text of ["Second", "Third"]) {
        const sent = await send(world, alice, id, { text, editOf });
        const { transcript } = await complete(id);
        assert.deepEqual(idsOf(transcript), [sent.userMessageId]);
        assert.equal((await messageOf(id, sent.userMessageId)).parentId, null);
        editOf = sent.userMessageId;
      }
    });

    for (const whenBusy of ["queue", "steer", "interrupt", "reject"] as const) {
      it(`[R2] an edit waits for its turn, also with ${whenBusy}, and is shown from then on`, async () => {
        const id = await newEmpty();
        const said = await turn(world, alice, id);
        await send(world, alice, id);
        const active = await claimOf(world, id);
        const sent = await send(world, alice, id, { whenBusy, editOf: said.userMessageId });
        assert.deepEqual([sent.state, sent.interrupted], ["queued", null]);
        assert.equal(await headOf(id), active.message.id);
        assert.equal((await world.store.runs.get(alice, active.run.id))?.run.stopRequested, false);
        await finish(world, active.lease);
        const { announce, message, transcript } = await complete(id);
        assert.deepEqual(namesOf(announce), ["conversation RUN_STARTED", "conversation branch.selected"]);
        assert.deepEqual([idsOf(transcript), await headOf(id)], [[sent.userMessageId], message.id]);
      });
    }

    it("edits nothing but a person's message that has its place", async () => {
      const id = await newEmpty();
      const other = await turn(world, alice, await newEmpty());
      const done = await turn(world, alice, id);
      await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      const queued = await send(world, alice, id);
      const steering = await send(world, alice, id, { whenBusy: "steer" });
      for (const editOf of [
        done.assistantMessageId,
        other.userMessageId,
        queued.userMessageId,
        steering.userMessageId,
        uuidv7(),
        "not-an-id",
      ]) {
        assert.deepEqual(await trySend(world, alice, id, { editOf }), { ok: false, reason: "NOT_FOUND" });
      }
      await finish(world, lease, ended("", { status: "stopped" }));
      await complete(id);
      await complete(id);
      for (const { userMessageId } of [steering, queued]) {
        assert.equal((await send(world, alice, id, { editOf: userMessageId })).state, "running");
        await complete(id);
      }
    });

    it("[R2] an interruption puts queued edits and answers behind it, and loses none", async () => {
      const id = await newEmpty();
      const done = await turn(world, alice, id);
      await send(world, alice, id);
      const active = await claimOf(world, id);
      const edited = await send(world, alice, id, { editOf: done.userMessageId });
      const repeated = await again(id, { messageId: done.assistantMessageId });
      const interrupting = await send(world, alice, id, { whenBusy: "interrupt" });
      await finish(world, active.lease, ended("", { status: "stopped" }));
      for (const { runId } of [interrupting, edited, repeated]) assert.equal((await complete(id)).run.id, runId);
      const { messages } = await snapshotOf(id);
      assert.equal(messages.find((message) => message.id === edited.userMessageId)?.parentId, null);
      assert.equal(new Set(idsOf(messages)).size, messages.length);
      assert.deepEqual(idsOf(messages).slice(0, 2), [done.userMessageId, done.assistantMessageId]);
    });

    // ── the branch that is shown ──────────────────────────────────────────────────────────────────────────────────

    it("shows the newest branch that holds a message, tells every reader, and goes on from there", async () => {
      const id = await newEmpty();
      const first = await turn(world, alice, id);
      const second = await turn(world, alice, id);
      await again(id, { messageId: second.assistantMessageId });
      const third = await complete(id);
      await again(id, { messageId: first.assistantMessageId });
      const other = await complete(id);

      const { conversation, announce } = await select(id, first.assistantMessageId);
      assert.equal(conversation.headMessageId, third.message.id);
      assert.deepEqual(namesOf(announce), ["conversation branch.selected"]);
      const [event] = eventsOf(announce);
      assert(event?.type === "CUSTOM" && event.name === "branch.selected");
      assert.deepEqual(event.value, { conversationId: id, headMessageId: third.message.id });
      assert.deepEqual((await snapshotOf(id)).conversation, conversation);
      assert.deepEqual((await select(id, first.assistantMessageId)).announce, []);
      assert.equal((await select(id, second.assistantMessageId)).conversation.headMessageId, second.assistantMessageId);
      assert.equal((await select(id, first.userMessageId)).conversation.headMessageId, other.message.id);
      await select(id, second.assistantMessageId);
      await send(world, alice, id);
      const { transcript } = await complete(id);
      assert.equal(transcript.at(-1)?.parentId, second.assistantMessageId);
    });

    it("shows no other branch while a run is active or queued", async () => {
      const id = await newEmpty();
      const done = await turn(world, alice, id);
      const busy = { ok: false, reason: "BUSY" };
      await send(world, alice, id);
      assert.deepEqual(await world.store.conversations.selectBranch(alice, id, done.assistantMessageId), busy);
      const { lease } = await claimOf(world, id);
      assert.deepEqual(await world.store.conversations.selectBranch(alice, id, done.assistantMessageId), busy);
      await finish(world, lease);
      await select(id, done.assistantMessageId);
    });

    it("shows no branch of a message that is not there, or has no place", async () => {
      const id = await newEmpty();
      const other = await turn(world, alice, await newEmpty());
      await send(world, alice, id);
      const left = await send(world, alice, id);
      const { lease } = await claimOf(world, id);
      await world.store.runs.stop(alice, { runId: left.runId });
      await finish(world, lease);
      for (const messageId of [other.userMessageId, left.userMessageId, uuidv7(), "not-an-id"]) {
        assert.equal(await world.store.conversations.selectBranch(alice, id, messageId), null);
      }
      assert.equal(await world.store.conversations.selectBranch(alice, "not-an-id", other.userMessageId), null);
      assert.equal(await world.store.conversations.selectBranch(alice, uuidv7(), other.userMessageId), null);
    });

    it("[R2] whatever happens at once, messages are a tree in reading order and one run is next", async () => {
      const id = await newEmpty();
      const done = await turn(world, alice, id);
      const pick = <T>(items: readonly T[], seed: number): T | undefined => items[seed % items.length];
      const work = async (seed: number) => {
        const { messages } = await snapshotOf(id);
        const said = messages.filter(({ role }) => role === "user");
        const answers = messages.filter(({ role, status }) => role === "assistant" && status !== "streaming");
        const maxQueued = 1_000;
        switch (seed % 8) {
          case 0:
            await trySend(world, alice, id, { editOf: pick(said, seed * 7)?.id ?? done.userMessageId, maxQueued });
            break;
          case 1:
            await tryAgain(id, { messageId: pick(answers, seed * 5)?.id ?? done.assistantMessageId }, { maxQueued });
            break;
          case 2:
            await trySend(world, alice, id, { whenBusy: seed % 3 === 0 ? "interrupt" : "steer", maxQueued });
            break;
          case 3:
            await world.store.runs.stop(alice, { conversationId: id });
            break;
          case 4:
            await world.store.conversations.selectBranch(alice, id, pick(messages, seed * 3)?.id ?? "");
            break;
          case 5:
            await tryAgain(id, { runId: pick(said, seed)?.runId ?? done.runId }, { maxQueued });
            break;
          default:
            for (const { lease } of (await claimAll(world, `owner ${seed}`)).runs) await endSomehow(lease, seed);
        }
      };
      const endSomehow = async (lease: Parameters<typeof finish>[1], seed: number) => {
        const write = ended(
          "x",
          pick([{ status: "completed" } as const, { status: "stopped" } as const, failed], seed),
        );
        const result = await world.store.runs.commit(lease, write);
        if (!result.ok || result.ended) return;
        await world.store.runs.steer(lease, uuidv7(), write.parts, write.usage);
        await finish(world, lease, ended("y", { status: "stopped" }));
      };
      for (let round = 0; round < 6; round++) {
        await Promise.all(Array.from({ length: 16 }, (_, i) => work(round * 16 + i)));
      }
      for (;;) {
        const { runs } = await claimAll(world);
        if (runs.length === 0) break;
        for (const { lease, steers } of runs) {
          if (steers > 0) await world.store.runs.steer(lease, uuidv7(), [], { inputTokens: 0, outputTokens: 0 });
          await finish(world, lease);
        }
      }
      const wrong = await runAsAdmin(
        world,
        `select 'unfinished' as why, id from runs
           where conversation_id = '${id}' and status in ('queued', 'running', 'waiting')
         union all select 'still current', id from conversations where id = '${id}' and current_run_id is not null
         union all select 'before its parent', m.id from messages m join messages p on p.id = m.parent_id
           where m.conversation_id = '${id}' and m.seq <= p.seq
         union all select 'answer of nothing', m.id from messages m
           where m.conversation_id = '${id}' and m.role = 'assistant' and m.parent_id is null
         union all select 'still streaming', m.id from messages m
           where m.conversation_id = '${id}' and m.status = 'streaming'
         union all select 'answered without its place', r.id from runs r
           where r.conversation_id = '${id}' and r.started_at is not null and not r.placed
         union all select 'stray head', c.id from conversations c
           where c.id = '${id}' and exists (select from messages m where m.parent_id = c.head_id)`,
      );
      assert.deepEqual(wrong, []);
    });
  });
}
