/** Files and memories: the contract of every store, eighth part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scope } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import {
  claimOf,
  ended,
  eventsOf,
  finish,
  newConversation,
  newKey,
  newUser,
  runAsAdmin,
  send,
  trySend,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

export function storeLibraryContract(name: string, open: OpenDatabase): void {
  describe(`${name}: files and memories`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const newFile = (scope = alice, fileName = "plan.pdf") =>
      world.store.files.create(scope, { fileId: uuidv7(), name: fileName, mediaType: "application/pdf", size: 4_321 });
    const idsOf = (files: readonly { readonly fileId: string }[]) => files.map(({ fileId }) => fileId);

    // ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────

    it("keeps who owns a file, and what it is", async () => {
      const file = await newFile();
      assert.deepEqual(
        [file.name, file.mediaType, file.size, file.conversationId],
        ["plan.pdf", "application/pdf", 4_321, null],
      );
      assert.deepEqual(await world.store.files.find(alice, file.fileId), file);
      assert.equal(await world.store.files.find(alice, uuidv7()), null);
      assert.equal(await world.store.files.find(alice, "not-an-id"), null);
    });

    it("a message refers to files, in their order, each once; they are the conversation's from then on", async () => {
      const { id } = await newConversation(world, alice);
      const { fileId } = await newFile();
      await runAsAdmin(world, `update files set created_at = now() - interval '1 day' where id = '${fileId}'`);
      const older = (await world.store.files.find(alice, fileId))!;
      const newer = await newFile(alice, "cat.png");
      const fileIds = [newer.fileId, older.fileId, newer.fileId];
      const sent = await send(world, alice, id, { text: "Look", fileIds });
      const { conversationId: _c, createdAt: _t, ...newerPart } = newer;
      const { conversationId: _d, createdAt: _u, ...olderPart } = older;
      const parts = [
        { type: "text", text: "Look" },
        { type: "file", ...newerPart },
        { type: "file", ...olderPart },
      ];
      const [created] = eventsOf(sent.announce);
      assert(created?.type === "CUSTOM" && created.name === "message.created");
      assert.deepEqual(created.value.message.parts, parts);
      const { transcript, lease } = await claimOf(world, id);
      assert.deepEqual(transcript[0]?.parts, parts);
      assert.deepEqual(await world.store.files.list(alice, id), [
        { ...older, conversationId: id },
        { ...newer, conversationId: id },
      ]);
      assert.deepEqual(await world.store.files.find(alice, older.fileId), { ...older, conversationId: id });
      await send(world, alice, id, { whenBusy: "steer", fileIds: [(await newFile()).fileId] });
      assert.equal((await world.store.files.list(alice, id)).length, 3);
      await finish(world, lease, ended("", { status: "stopped" }));
      await finish(world, (await claimOf(world, id)).lease);
      await send(world, alice, id, { editOf: sent.userMessageId, fileIds: [(await newFile()).fileId] });
      assert.equal((await world.store.files.list(alice, id)).length, 4);
      await finish(world, (await claimOf(world, id)).lease);
    });

    it("a file may be used in several conversations", async () => {
      const file = await newFile();
      const conversations = [await newConversation(world, alice), await newConversation(world, alice)];
      for (const { id } of conversations) {
        await send(world, alice, id, { fileIds: [file.fileId] });
        await finish(world, (await claimOf(world, id)).lease);
        assert.deepEqual(idsOf(await world.store.files.list(alice, id)), [file.fileId]);
      }
      assert.equal((await world.store.files.find(alice, file.fileId))?.conversationId, conversations[0]?.id);
      assert.deepEqual(await world.store.files.list(alice, uuidv7()), []);
      assert.deepEqual(await world.store.files.list(alice, "not-an-id"), []);
    });

    it("NO_FILE for a file that is not this user's, and nothing is written", async () => {
      const { id } = await newConversation(world, alice);
      const mine = await newFile();
      const colleagues = await newFile(await newUser(world, alice.tenantId));
      for (const other of [colleagues.fileId, uuidv7(), "not-an-id"]) {
        const result = await trySend(world, alice, id, { fileIds: [mine.fileId, other] });
        assert.deepEqual(result, { ok: false, reason: "NO_FILE" });
      }
      assert.deepEqual((await world.store.conversations.snapshot(alice, id, 1_000))?.messages, []);
      assert.deepEqual(await world.store.files.list(alice, id), []);
    });

    it("[W10] a repeated send is answered though its file is gone by then", async () => {
      const { id } = await newConversation(world, alice);
      const file = await newFile();
      const options = { idempotency: newKey(), fileIds: [file.fileId] };
      const first = await trySend(world, alice, id, options);
      assert.equal(await world.store.files.delete(alice, file.fileId), true);
      const second = await trySend(world, alice, id, options);
      assert(first.ok && second.ok && second.repeated);
      assert.deepEqual(second.value, first.value);
      assert.deepEqual(await world.store.files.list(alice, id), []);
      const { transcript, lease } = await claimOf(world, id);
      assert.equal(transcript[0]?.parts.length, 2);
      await finish(world, lease);
    });

    it("a file that is deleted while it is sent is sent, or is NO_FILE", async () => {
      for (let i = 0; i < 10; i++) {
        const { id } = await newConversation(world, alice);
        const file = await newFile();
        const [sent, deleted] = await Promise.all([
          trySend(world, alice, id, { fileIds: [file.fileId] }),
          world.store.files.delete(alice, file.fileId),
        ]);
        assert.equal(deleted, true);
        if (sent.ok) await finish(world, (await claimOf(world, id)).lease);
        else assert.deepEqual(sent, { ok: false, reason: "NO_FILE" });
      }
    });

    it("deletes a file once, and tells the sweeper which are known", async () => {
      const kept = await newFile();
      const gone = await newFile();
      assert.equal(await world.store.files.delete(alice, gone.fileId), true);
      assert.equal(await world.store.files.delete(alice, gone.fileId), false);
      assert.equal(await world.store.files.delete(alice, "not-an-id"), false);
      const other = await newFile(await newUser(world));
      const known = await world.store.files.known([kept.fileId, gone.fileId, other.fileId, uuidv7(), "not-an-id"]);
      assert.deepEqual(known.toSorted(), [kept.fileId, other.fileId].toSorted());
      assert.deepEqual(await world.store.files.known([]), []);
    });

    const DAY = 24 * 3_600_000;
    const age = (days: number, ...ids: readonly string[]) =>
      runAsAdmin(
        world,
        `update files set created_at = now() - interval '${days} days'
         where id in (${ids.map((id) => `'${id}'`).join(", ")})`,
      );

    it("removes old uploads that no message refers to, of any user, and nothing else", async () => {
      const { id } = await newConversation(world, alice);
      const [used, young, unasked] = [await newFile(), await newFile(), await newFile()];
      const unused = [await newFile(), await newFile(await newUser(world))].map(({ fileId }) => fileId);
      assert((await trySend(world, alice, id, { fileIds: [used.fileId] })).ok);
      await finish(world, (await claimOf(world, id)).lease);
      await age(31, used.fileId, unasked.fileId, ...unused);
      await age(29, young.fileId);
      const asked = [...unused, used.fileId, young.fileId, uuidv7(), "not-an-id"];
      const removed = await world.store.files.removeUnused(asked, 30 * DAY);
      assert.deepEqual(removed.toSorted(), unused.toSorted());
      const known = await world.store.files.known([...asked, unasked.fileId]);
      assert.deepEqual(known.toSorted(), [used.fileId, young.fileId, unasked.fileId].toSorted());
      assert.deepEqual(await world.store.files.removeUnused(asked, 30 * DAY), []);
      assert.deepEqual(await world.store.files.removeUnused([], 30 * DAY), []);
    });

    it("removes no upload of the last seven days, whatever is asked", async () => {
      const [young, old] = [await newFile(), await newFile()];
      await age(6, young.fileId);
      await age(8, old.fileId);
      assert.deepEqual(await world.store.files.removeUnused([young.fileId, old.fileId], 0), [old.fileId]);
    });

    it("an old upload that is sent while it is removed stays, or the message is told NO_FILE", async () => {
      for (let i = 0; i < 20; i++) {
        const { id } = await newConversation(world, alice);
        const { fileId } = await newFile();
        await age(31, fileId);
        const [sent, removed] = await Promise.all([
          trySend(world, alice, id, { fileIds: [fileId] }),
          world.store.files.removeUnused([fileId], 30 * DAY),
        ]);
        const kept = await world.store.files.known([fileId]);
        if (sent.ok) {
          assert.deepEqual([removed, kept], [[], [fileId]]);
          await finish(world, (await claimOf(world, id)).lease);
        } else {
          assert.deepEqual(sent, { ok: false, reason: "NO_FILE" });
          assert.deepEqual([removed, kept], [[fileId], []]);
        }
      }
    });

    // ── memories ──────────────────────────────────────────────────────────────────────────────────────────────────

    const remember = async (text: string, scope: Scope) => {
      const result = await world.store.memories.create(scope, { id: uuidv7(), text }, newKey("memory.create"));
      assert(result.ok);
      return result.value;
    };
    const textsOf = (memories: readonly { readonly text: string }[]) => memories.map(({ text }) => text);

    it("remembers, corrects and forgets", async () => {
      const user = await newUser(world);
      const memory = await remember("Likes tea", user);
      assert.deepEqual((await world.store.memories.list(user, { limit: 10 })).memories, [memory]);
      const corrected = await world.store.memories.update(user, memory.id, "Likes coffee");
      assert.deepEqual(corrected, { ...memory, text: "Likes coffee" });
      assert.deepEqual(textsOf(await world.store.memories.search(user, "coffee", 10)), ["Likes coffee"]);
      assert.deepEqual(await world.store.memories.search(user, "tea", 10), []);
      assert.equal(await world.store.memories.delete(user, memory.id), true);
      assert.equal(await world.store.memories.delete(user, memory.id), false);
      for (const id of [memory.id, "not-an-id"]) assert.equal(await world.store.memories.update(user, id, "x"), null);
      assert.equal(await world.store.memories.delete(user, "not-an-id"), false);
      assert.deepEqual(await world.store.memories.list(user, { limit: 10 }), { memories: [], nextCursor: null });
    });

    it("[W10] remembers once a key", async () => {
      const user = await newUser(world);
      const key = newKey("memory.create");
      const results = await Promise.all(
        Array.from({ length: 20 }, () => world.store.memories.create(user, { id: uuidv7(), text: "Once" }, key)),
      );
      const { memories } = await world.store.memories.list(user, { limit: 10 });
      assert.equal(memories.length, 1);
      for (const result of results) {
        assert(result.ok);
        assert.deepEqual(result.value, memories[0]);
      }
      assert.equal(results.filter((result) => result.ok && !result.repeated).length, 1);
      assert.deepEqual(
        await world.store.memories.create(user, { id: uuidv7(), text: "Other" }, { ...key, paramsHash: "other" }),
        { ok: false, reason: "IDEMPOTENCY_MISMATCH" },
      );
    });

    it("lists memories newest first, in pages that neither skip nor repeat", async () => {
      const user = await newUser(world);
      const made = [];
      for (let i = 0; i < 7; i++) made.push(await remember(`Fact ${i}`, user));
      await runAsAdmin(
        world,
        `update memories set created_at = '2026-01-01Z' where id in ('${made[0]!.id}', '${made[1]!.id}', '${made[2]!.id}')`,
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.store.memories.list(user, { cursor, limit: 2 });
        assert(page.memories.length <= 2);
        seen.push(...page.memories.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      const ids = made.map(({ id }) => id);
      assert.deepEqual(seen.toSorted(), ids.toSorted());
      assert.deepEqual(seen.slice(-3), ids.slice(0, 3).toSorted().toReversed());
      await assert.rejects(
        world.store.memories.list(user, { cursor: "x", limit: 1 }),
        (error) => error instanceof ParleyError && error.code === "INVALID_PARAMS",
      );
    });

    it("finds the memories that hold the words, those with most of them first; without words the newest", async () => {
      const user = await newUser(world);
      for (const text of [
        "The dog is called Rex",
        "The cat is called Mia",
        "Vet: Dr. Élan, 12 o'clock",
        "Likes the sea",
      ]) {
        await remember(text, user);
        // Those of one millisecond have no order.
        await sleep(2);
      }
      const search = async (words: string, limit = 10) =>
        textsOf(await world.store.memories.search(user, words, limit));
      assert.deepEqual(await search("cat"), ["The cat is called Mia"]);
      assert.deepEqual(await search("CALLED dog"), ["The dog is called Rex", "The cat is called Mia"]);
      assert.deepEqual(await search("the called mia"), [
        "The cat is called Mia",
        "The dog is called Rex",
        "Likes the sea",
      ]);
      for (const word of ["élan", "ÉLAN", "elan", "e\u0301lan"]) {
        assert.deepEqual(await search(word), ["Vet: Dr. Élan, 12 o'clock"]);
      }
      assert.deepEqual(await search("horse"), []);
      assert.deepEqual(await search("", 2), ["Likes the sea", "Vet: Dr. Élan, 12 o'clock"]);
      assert.deepEqual(await search(" !?\u0000\ud800& ", 1), ["Likes the sea"]);
      // What means something to a search engine is only text.
      for (const words of ["cat & | ! :* <-> ( '", "'", "cat:*", "\\"]) await search(words);
      assert.equal((await search("called", 1)).length, 1);
      await remember("喜欢绿茶", user);
      assert.deepEqual(await search("绿茶"), ["喜欢绿茶"]);
    });

    it("a search of thousands of memories takes a moment", async () => {
      const user = await newUser(world);
      await runAsAdmin(
        world,
        `insert into memories (id, tenant_id, user_id, text, words)
         select gen_random_uuid(), '${user.tenantId}', '${user.userId}', fact, to_tsvector('simple', fact)
         from generate_series(1, 3000) n, lateral (select 'Fact number ' || n || repeat(' word', n % 20) as fact) f`,
      );
      const started = performance.now();
      assert.equal(
        (await world.store.memories.search(user, "number 1234", 5))[0]?.text.startsWith("Fact number 1234"),
        true,
      );
      const ms = performance.now() - started;
      assert(ms < 2_000, `${ms} ms`);
    });
  });
}
