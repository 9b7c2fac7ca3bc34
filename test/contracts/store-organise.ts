/** Pins, archive, folders, deletion, search and links: the contract of every store, ninth part. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Scope } from "../../src/ports/store.ts";
import { MAX_FOLDERS, MAX_PINNED } from "../../src/protocol/constants.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
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
  runAs,
  runAsAdmin,
  send,
  trySend,
  turn,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

export function storeOrganiseContract(name: string, open: OpenDatabase): void {
  describe(`${name}: the order of conversations`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const listed = async (scope: Scope, filter: Parameters<World["store"]["conversations"]["list"]>[1]) =>
      (await world.store.conversations.list(scope, filter)).conversations.map(({ title }) => title);
    const update = async (id: string, changes: Parameters<World["store"]["conversations"]["update"]>[2]) => {
      const result = await world.store.conversations.update(alice, id, changes);
      assert(result?.ok === true, JSON.stringify(result));
      return result;
    };
    const newFolder = async (scope: Scope, folderName: string) => {
      const created = await world.store.folders.create(scope, { id: uuidv7(), name: folderName }, newKey());
      assert(created.ok);
      return created.value;
    };
    const age = (id: string, days: number) =>
      runAsAdmin(world, `update conversations set deleted_at = now() - interval '${days} days' where id = '${id}'`);

    // ── pins and archive ──────────────────────────────────────────────────────────────────────────────────────────

    it("pins, archives and takes both back; what is archived is not pinned, and the reverse", async () => {
      const { id } = await newConversation(world, alice, "Plans");
      const pinned = await update(id, { pinned: true });
      assert.ok(pinned.conversation.pinnedAt !== undefined);
      assert.deepEqual(namesOf(pinned.announce), ["user conversation.updated"]);
      assert.deepEqual((await update(id, { pinned: true })).conversation, pinned.conversation);
      assert.deepEqual(await listed(alice, { pinned: true, limit: 10 }), ["Plans"]);

      const archived = await update(id, { archived: true });
      assert.equal(archived.conversation.pinnedAt, undefined);
      assert.ok(archived.conversation.archivedAt !== undefined);
      assert.deepEqual(await listed(alice, { pinned: true, limit: 10 }), []);
      assert.equal((await listed(alice, { limit: 100 })).includes("Plans"), false);
      assert.deepEqual(await listed(alice, { archived: true, limit: 10 }), ["Plans"]);
      assert.deepEqual(await listed(alice, { archived: true, query: "plan", limit: 10 }), ["Plans"]);

      const again = (await update(id, { pinned: true })).conversation;
      assert.deepEqual([again.archivedAt, typeof again.pinnedAt], [undefined, "string"]);
      const { pinnedAt: _, ...plain } = again;
      assert.deepEqual((await update(id, { pinned: false })).conversation, plain);
      assert.deepEqual((await update(id, {})).conversation, plain);
      const both = (await update(id, { pinned: true, archived: true })).conversation;
      assert.deepEqual([both.pinnedAt, typeof both.archivedAt], [undefined, "string"]);
      assert.equal(await world.store.conversations.update(alice, uuidv7(), { pinned: true }), null);
      assert.equal(await world.store.conversations.update(alice, "not-an-id", { pinned: true }), null);
    });

    it("what is told of a conversation afterwards says that it is pinned", async () => {
      const { id } = await newConversation(world, alice);
      await update(id, { pinned: true });
      const sent = await send(world, alice, id);
      const told = eventsOf(sent.announce).find(
        (event) => event.type === "CUSTOM" && event.name === "conversation.updated",
      );
      assert(told?.type === "CUSTOM" && told.name === "conversation.updated");
      assert.ok(told.value.conversation.pinnedAt !== undefined);
      await finish(world, (await claimOf(world, id)).lease);
      await update(id, { pinned: false });
    });

    it("no more are pinned than a snapshot has room for", async () => {
      const user = await newUser(world);
      const pin = (id: string) => world.store.conversations.update(user, id, { pinned: true });
      const ids: string[] = [];
      for (let i = 0; i <= MAX_PINNED; i++) ids.push((await newConversation(world, user, `${i}`)).id);
      for (const id of ids.slice(0, MAX_PINNED)) assert.equal((await pin(id))?.ok, true);
      assert.deepEqual(await pin(ids.at(-1)!), { ok: false, reason: "TOO_MANY" });
      assert.equal((await pin(ids[0]!))?.ok, true);
      await world.store.conversations.delete(user, ids[0]!);
      assert.equal((await pin(ids.at(-1)!))?.ok, true);
    });

    // ── folders ───────────────────────────────────────────────────────────────────────────────────────────────────

    it("folders are made, renamed and deleted, and conversations move", async () => {
      const user = await newUser(world);
      const work = await newFolder(user, "Work");
      const home = await newFolder(user, "Home");
      assert.deepEqual(await world.store.folders.list(user), [home, work]);
      const { id } = await newConversation(world, user, "Taxes");
      const moved = await world.store.conversations.update(user, id, { folderId: work.id });
      assert(moved?.ok === true);
      assert.equal(moved.conversation.folderId, work.id);
      assert.deepEqual(await listed(user, { folderId: work.id, limit: 10 }), ["Taxes"]);
      assert.deepEqual(await listed(user, { folderId: home.id, limit: 10 }), []);
      assert.deepEqual(await listed(user, { folderId: "not-an-id", limit: 10 }), []);
      for (const folderId of [uuidv7(), "not-an-id"]) {
        assert.equal(await world.store.conversations.update(user, id, { folderId }), null);
      }
      const renamed = await world.store.folders.rename(user, work.id, "Office");
      assert.deepEqual(renamed?.folder, { ...work, name: "Office" });
      assert.deepEqual(namesOf(renamed.announce), ["user folder.updated"]);
      assert.deepEqual(namesOf((await world.store.folders.delete(user, work.id))?.announce ?? []), [
        "user folder.deleted",
      ]);
      assert.equal((await world.store.conversations.find(user, id))?.conversation.folderId, undefined);
      for (const folderId of [work.id, "not-an-id"]) {
        assert.equal(await world.store.folders.delete(user, folderId), null);
        assert.equal(await world.store.folders.rename(user, folderId, "x"), null);
      }
    });

    it("[W10] a folder is made once a key, also when there are as many as may be", async () => {
      const user = await newUser(world);
      const key = newKey("folder.create");
      const create = () => world.store.folders.create(user, { id: uuidv7(), name: "Once" }, key);
      const results = await Promise.all(Array.from({ length: 10 }, create));
      const [folder] = await world.store.folders.list(user);
      for (const result of results) assert.deepEqual(result.ok && result.value, folder);
      for (let i = 1; i < MAX_FOLDERS; i++) await newFolder(user, `Folder ${i}`);
      assert.equal((await create()).ok, true);
      const another = await world.store.folders.create(user, { id: uuidv7(), name: "More" }, newKey());
      assert.deepEqual(another, { ok: false, reason: "TOO_MANY" });
      assert.equal((await world.store.folders.list(user)).length, MAX_FOLDERS);
    });

    // ── deletion ──────────────────────────────────────────────────────────────────────────────────────────────────

    it("what is deleted is gone at once, for every method, and comes back as it was", async () => {
      const { conversations, runs, search } = world.store;
      const user = await newUser(world);
      const { id } = await newConversation(world, user, "Secret plan");
      const done = await turn(world, user, id, "a rare word");
      const before = await conversations.find(user, id);
      const deleted = await conversations.delete(user, id);
      assert.deepEqual([deleted?.active, deleted?.shareId], [null, null]);
      assert.deepEqual(namesOf(deleted?.announce ?? []), [
        "conversation conversation.deleted",
        "user conversation.deleted",
      ]);
      assert.deepEqual(await conversations.delete(user, id), { active: null, shareId: null, announce: [] });

      assert.equal(await conversations.find(user, id), null);
      assert.deepEqual(await listed(user, { limit: 10 }), []);
      assert.deepEqual(await listed(user, { archived: true, limit: 10 }), []);
      assert.equal(await conversations.messages(user, id, { limit: 10, maxBytes: 1_000 }), null);
      assert.equal(await conversations.snapshot(user, id, 1_000), null);
      assert.equal(await conversations.part(user, done.userMessageId, 0), null);
      assert.equal(await conversations.rename(user, id, "x"), null);
      assert.equal(await conversations.update(user, id, { pinned: true }), null);
      assert.equal(await conversations.selectBranch(user, id, done.userMessageId), null);
      assert.equal(await world.store.shares.create(user, { id: uuidv7(), conversationId: id, tokenHash: "x" }), null);
      assert.deepEqual((await search.search(user, { query: "secret", limit: 10 })).hits, []);
      for (const options of [{}, { whenBusy: "steer" }, { editOf: done.userMessageId }] as const) {
        assert.deepEqual(await trySend(world, user, id, options), { ok: false, reason: "NOT_FOUND" });
      }
      const again = { runId: uuidv7(), assistantMessageId: uuidv7(), model: undefined, maxQueued: 20, deadlineMs: 1 };
      const target = { messageId: done.assistantMessageId };
      assert.deepEqual(await runs.again(user, { conversationId: id, target, ...again }, newKey()), {
        ok: false,
        reason: "NOT_FOUND",
      });

      const restored = await conversations.restore(user, id);
      assert.deepEqual(namesOf(restored?.announce ?? []), ["user conversation.restored"]);
      assert.deepEqual(restored?.conversation, before?.conversation);
      assert.deepEqual((await conversations.restore(user, id))?.announce, []);
      assert.equal((await conversations.messages(user, id, { limit: 10, maxBytes: 50_000 }))?.messages.length, 2);
      assert.equal(await conversations.delete(user, uuidv7()), null);
      assert.equal(await conversations.restore(user, "not-an-id"), null);
    });

    it("what was deleted is listed to its person for 7 days, page by page, the last one first", async () => {
      const { conversations } = world.store;
      const [user, other] = [await newUser(world), await newUser(world)];
      const ids: string[] = [];
      for (const title of ["One", "Two", "Three", "Old", "Kept"])
        ids.push((await newConversation(world, user, title)).id);
      const [one = "", two = "", three = "", old = ""] = ids;
      const everyone = await newConversation(world, other, "Of somebody else");
      for (const id of [one, old, two, three]) await conversations.delete(user, id);
      await conversations.delete(other, everyone.id);
      for (const [id, age] of [
        [old, "7 days"],
        [one, "2 hours"],
        [two, "1 hour"],
      ] as const) {
        await runAsAdmin(world, `update conversations set deleted_at = now() - interval '${age}' where id = '${id}'`);
      }

      const first = await conversations.listDeleted(user, { limit: 2 });
      const rest = await conversations.listDeleted(user, { limit: 2, cursor: first.nextCursor ?? "" });
      const all = [...first.deleted, ...rest.deleted];
      assert.deepEqual(
        all.map(({ conversation }) => conversation.title),
        ["Three", "Two", "One"],
      );
      assert.equal(rest.nextCursor, null);
      for (const { deletedAt, removedAt } of all)
        assert.equal(Date.parse(removedAt) - Date.parse(deletedAt), 7 * 24 * 3_600_000);
      await conversations.restore(user, two);
      const left = await conversations.listDeleted(user, { limit: 10 });
      assert.deepEqual(
        left.deleted.map(({ conversation }) => conversation.title),
        ["Three", "One"],
      );
      await assert.rejects(conversations.listDeleted(user, { limit: 2, cursor: "x" }), { code: "INVALID_PARAMS" });
    });

    it("[R11] what runs in it is stopped: queued runs end at once, an active one is asked to; nothing of it runs on", async () => {
      const user = await newUser(world);
      const { id } = await newConversation(world, user);
      const first = await send(world, user, id);
      const { lease, message } = await claimOf(world, id);
      const queued = [await send(world, user, id), await send(world, user, id)];
      // Joins a run that is about to stop: it becomes a queued run of its own.
      await send(world, user, id, { whenBusy: "steer" });
      const deleted = await world.store.conversations.delete(user, id);
      assert.equal(deleted?.active, first.runId);
      for (const { runId } of queued) assert.equal((await world.store.runs.get(user, runId))?.run.status, "stopped");
      assert.deepEqual(await world.store.runs.renew([lease], 1_000), [{ runId: first.runId, stopRequested: true }]);
      await finish(world, lease, { ...ended("part"), end: { status: "stopped" } });
      const claimed = (await claimAll(world)).runs.filter(({ lease: { conversationId } }) => conversationId === id);
      assert.deepEqual(claimed, []);
      await world.store.conversations.restore(user, id);
      const answer = await claimOf(world, id);
      assert.notEqual(answer.message.id, message.id);
      await finish(world, answer.lease);
    });

    it("[R7] a run that waits for a person is taken over and ended, and its question is cancelled", async () => {
      const user = await newUser(world);
      const { conversationId, runId, approvalId } = await asked(world, user);
      const deleted = await world.store.conversations.delete(user, conversationId);
      assert.equal(deleted?.active, runId);
      assert.equal((await world.store.approvals.find(user, approvalId))?.status, "cancelled");
      assert.deepEqual(await world.store.approvals.pending(user), []);
      const { lease, takeover } = await claimOf(world, conversationId);
      assert.equal(takeover, true);
      await commit(world, lease, { end: { status: "stopped" } });
    });

    it("[R11] what is given up is not restored, and goes with the next sweep; not while its run is being stopped", async () => {
      const { store } = world;
      const user = await newUser(world);
      const other = await newUser(world);
      const { id } = await newConversation(world, user);
      await send(world, user, id);
      const { lease } = await claimOf(world, id);
      assert.equal(await store.conversations.purge(user, id), null, "it is not deleted");
      await store.conversations.delete(user, id);
      assert.deepEqual(await store.conversations.purge(user, id), { ok: false, reason: "BUSY" });
      assert.equal((await store.conversations.listDeleted(user, {})).deleted.length, 1);
      await finish(world, lease, { ...ended("part"), end: { status: "stopped" } });
      assert.equal(await store.conversations.purge(other, id), null, "it is another's");
      assert.equal((await store.conversations.purge(user, id))?.ok, true);
      assert.equal((await store.conversations.purge(user, id))?.ok, true, "again");
      assert.deepEqual((await store.conversations.listDeleted(user, {})).deleted, []);
      assert.equal(await store.conversations.restore(user, id), null);
      await store.sweep();
      for (const table of ["messages", "runs"])
        assert.deepEqual(await runAsAdmin(world, `select from ${table} where conversation_id = '${id}'`), [], table);
      assert.equal(await store.conversations.purge(user, id), null);
    });

    it("the sweep removes it for good after 7 days, with its runs and the files that nothing else refers to", async () => {
      const { store } = world;
      const user = await newUser(world);
      const newFile = async () =>
        (await store.files.create(user, { fileId: uuidv7(), name: "a", mediaType: "text/plain", size: 1 })).fileId;
      const [own, shared, unused] = [await newFile(), await newFile(), await newFile()];
      const kept = await newConversation(world, user, "Kept");
      await send(world, user, kept.id, { fileIds: [shared] });
      await finish(world, (await claimOf(world, kept.id)).lease);
      const { conversationId: id, lease } = await asked(world, user, { wait: false });
      await finish(world, lease);
      await send(world, user, id, { fileIds: [own, shared] });
      await finish(world, (await claimOf(world, id)).lease);
      await runAsAdmin(
        world,
        `insert into messages (id, tenant_id, user_id, conversation_id, seq, role, author, parts, bytes, status)
         select gen_random_uuid(), '${user.tenantId}', '${user.userId}', '${id}', 100000 + n, 'system', '', '[]', 2,
           'complete' from generate_series(1, 2500) n`,
      );
      await store.conversations.delete(user, id);
      await age(id, 6.9);
      await store.sweep();
      assert.notEqual(await store.conversations.restore(user, id), null);
      await store.conversations.delete(user, id);
      await age(id, 7.1);
      assert.equal(await store.conversations.restore(user, id), null);
      await store.sweep();
      for (const table of ["messages", "runs", "approvals", "file_uses"]) {
        const rows = await runAsAdmin(world, `select from ${table} where conversation_id = '${id}'`);
        assert.equal(rows.length, 0, table);
      }
      assert.deepEqual(await runAsAdmin(world, `select from conversations where id = '${id}'`), []);
      assert.deepEqual((await store.files.known([own, shared, unused])).toSorted(), [shared, unused].toSorted());
      assert.equal((await store.conversations.find(user, kept.id))?.conversation.title, "Kept");
    });

    it("the role that removes sees and deletes nothing but what was deleted a week ago", async () => {
      const user = await newUser(world);
      const { id } = await newConversation(world, user);
      await turn(world, user, id);
      await world.store.conversations.delete(user, id);
      for (const table of ["steps", "approvals", "runs", "messages", "file_uses", "files", "conversations"]) {
        await runAs(world, "purger", `delete from ${table}`);
      }
      assert.notEqual(await world.store.conversations.restore(user, id), null);
      assert.equal(
        (await world.store.conversations.messages(user, id, { limit: 9, maxBytes: 50_000 }))?.messages.length,
        2,
      );
      for (const forbidden of [
        "select title from conversations",
        "select parts from messages",
        "select name from files",
        "select from sessions",
        "update conversations set deleted_at = null",
        "insert into messages (id) values (null)",
      ]) {
        await assert.rejects(runAs(world, "purger", forbidden), /permission denied/, forbidden);
      }
    });

    // ── search ────────────────────────────────────────────────────────────────────────────────────────────────────

    it("finds what was said, and what it was called, whatever the case, with the words around it", async () => {
      const user = await newUser(world);
      const tea = await newConversation(world, user, "On tea");
      await turn(world, user, tea.id, `${"long before ".repeat(30)}the KETTLE sings ${"long after ".repeat(30)}`);
      const trip = await newConversation(world, user, "Reise nach Österreich");
      await turn(world, user, trip.id, "Wohin? 50% (a+b) [x] \\d", "Über die Grenze");
      const search = async (query: string) => (await world.store.search.search(user, { query, limit: 10 })).hits;
      const ids = async (query: string) => (await search(query)).map(({ conversation: { id } }) => id);

      const [hit] = await search("kettle");
      assert.equal(hit?.conversation.id, tea.id);
      assert(hit.excerpt !== undefined);
      assert.match(hit.excerpt.text, /the KETTLE sings/);
      assert.ok(hit.excerpt.text.length <= 220);
      assert.deepEqual([hit.excerpt.atStart, hit.excerpt.atEnd], [false, false]);
      assert.deepEqual((await search("TEA"))[0], { conversation: hit.conversation });
      for (const query of ["österreich", "ÖSTERREICH", "über", "grenze DIE", "50%", "(a+b)", "[x]", "\\d"]) {
        assert.deepEqual(await ids(query), [trip.id], query);
      }
      const whole = (await search("grenze"))[0]?.excerpt;
      assert.deepEqual([whole?.text, whole?.atStart, whole?.atEnd], ["Über die Grenze", true, true]);
      assert.deepEqual(await ids("kettle grenze"), []);
      for (const query of [".", "x*", "_", "***", "(?i)kettle", "a{1}"]) assert.deepEqual(await ids(query), [], query);
      assert.deepEqual(await ids(" "), []);
      await world.store.conversations.update(user, tea.id, { archived: true });
      assert.deepEqual(await ids("kettle"), [tea.id]);
    });

    it("finds in pages, the most recently active first, each once", async () => {
      const user = await newUser(world);
      await runAsAdmin(
        world,
        `with made as (
           insert into conversations (id, tenant_id, user_id, title, created_at, updated_at)
           select gen_random_uuid(), '${user.tenantId}', '${user.userId}', 'Nr ' || n, now(), now() - n * interval '1 min'
           from generate_series(1, 230) n returning id, title
         )
         insert into messages (id, tenant_id, user_id, conversation_id, seq, role, author, parts, bytes, status)
         select gen_random_uuid(), '${user.tenantId}', '${user.userId}', id, 1024, 'user', '',
           jsonb_build_array(jsonb_build_object('type', 'text', 'text', case when title like '%7' then 'a needle' else 'hay' end)),
           40, 'complete' from made`,
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.store.search.search(user, { query: "needle", cursor, limit: 5 });
        seen.push(...page.hits.map(({ conversation: { title } }) => title));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(
        seen,
        Array.from({ length: 23 }, (_, i) => `Nr ${i * 10 + 7}`),
      );
      await assert.rejects(world.store.search.search(user, { query: "x", cursor: "x", limit: 1 }), {
        code: "INVALID_PARAMS",
      });
    });

    it("a call looks at a bounded number of conversations, and says where to go on", async () => {
      const user = await newUser(world);
      await runAsAdmin(
        world,
        `insert into conversations (id, tenant_id, user_id, title, created_at, updated_at)
         select gen_random_uuid(), '${user.tenantId}', '${user.userId}',
           case when n = 2040 then 'A needle' else 'Hay' end, now(), now() - n * interval '1 min'
         from generate_series(1, 2050) n`,
      );
      const first = await world.store.search.search(user, { query: "needle", limit: 5 });
      assert.deepEqual(first.hits, []);
      assert(first.nextCursor !== null);
      const second = await world.store.search.search(user, { query: "needle", cursor: first.nextCursor, limit: 5 });
      assert.deepEqual(
        second.hits.map(({ conversation: { title } }) => title),
        ["A needle"],
      );
      assert.equal(second.nextCursor, null);
    });

    // ── links ─────────────────────────────────────────────────────────────────────────────────────────────────────

    const hashOf = (n: number) => n.toString(16).padStart(64, "0");
    let hashes = 0;
    const shareOf = async (conversationId: string, scope = alice) => {
      const tokenHash = hashOf(++hashes);
      const created = await world.store.shares.create(scope, { id: uuidv7(), conversationId, tokenHash });
      assert(created !== null);
      return { ...created, tokenHash };
    };

    /** A file of Alice's, sent in the conversation. */
    const fileIn = async (conversationId: string | null) => {
      const fileId = uuidv7();
      await world.store.files.create(alice, { fileId, name: "a.txt", mediaType: "text/plain", size: 1 });
      if (conversationId === null) return fileId;
      await send(world, alice, conversationId, { fileIds: [fileId] });
      await finish(world, (await claimOf(world, conversationId)).lease);
      return fileId;
    };

    it("a link opens its conversation to whoever has it in the tenant, and nothing else to nobody else", async () => {
      const { shares, conversations } = world.store;
      const { id } = await newConversation(world, alice, "Shared");
      const done = await turn(world, alice, id, "question", "answer");
      const other = await newConversation(world, alice, "Private");
      const { share, tokenHash } = await shareOf(id);
      const colleague = await newUser(world, alice.tenantId);
      const stranger = await newUser(world);
      const reader = { ...colleague, shareHash: tokenHash };

      const opened = await shares.open(reader);
      assert.deepEqual(opened?.share, share);
      assert.deepEqual([opened.sharedBy.id, opened.conversation.title], [alice.userId, "Shared"]);
      assert.equal((await conversations.find(reader, id))?.conversation.id, id);
      assert.equal((await conversations.snapshot(reader, id, 10_000))?.messages.length, 2);
      assert.equal((await conversations.messages(reader, id, { limit: 10, maxBytes: 10_000 }))?.messages.length, 2);
      assert.equal((await conversations.part(reader, done.userMessageId, 0))?.part?.type, "text");
      assert.equal(await conversations.find(reader, other.id), null);
      assert.equal(await conversations.find(colleague, id), null);
      const [sharedFile, privateFile, unsent] = [await fileIn(id), await fileIn(other.id), await fileIn(null)];
      assert.equal((await world.store.files.find(reader, sharedFile))?.name, "a.txt");
      for (const fileId of [privateFile, unsent]) {
        assert.equal(await world.store.files.find(reader, fileId), null);
        assert.notEqual(await world.store.files.find(alice, fileId), null);
      }
      assert.equal(await world.store.files.find(colleague, sharedFile), null);

      for (const scope of [
        { ...stranger, shareHash: tokenHash },
        { ...colleague, shareHash: hashOf(0) },
      ]) {
        assert.equal(await shares.open(scope), null);
        assert.equal(await conversations.find(scope, id), null);
        assert.equal(await conversations.snapshot(scope, id, 10_000), null);
        assert.equal(await conversations.messages(scope, id, { limit: 10, maxBytes: 10_000 }), null);
        assert.equal(await conversations.part(scope, done.userMessageId, 0), null);
        assert.equal(await world.store.files.find(scope, sharedFile), null);
        for (const table of [
          "shares",
          "conversations",
          "messages",
          "runs",
          "approvals",
          "users",
          "files",
          "file_uses",
        ]) {
          assert.deepEqual(await runAs(world, scope, `select tenant_id from ${table}`), [], table);
        }
      }
      for (const [table, count] of [
        ["shares", 1],
        ["conversations", 1],
        ["messages", 4],
        ["runs", 2],
        ["approvals", 0],
        ["users", 1],
        ["files", 1],
        ["file_uses", 1],
      ] as const) {
        assert.equal((await runAs(world, reader, `select tenant_id from ${table}`)).length, count, table);
      }
      for (const forbidden of [
        "update conversations set title = ''",
        "delete from shares",
        "insert into messages (id) values (null)",
        "select roles from users",
        "delete from files",
        "insert into file_uses (file_id) values (null)",
        "select * from sessions",
        "select * from memories",
        "select * from outbox",
      ]) {
        await assert.rejects(runAs(world, reader, forbidden), /permission denied/, forbidden);
      }
    });

    it("a link that was replaced, revoked, or whose conversation was deleted opens nothing", async () => {
      const { shares, conversations } = world.store;
      const { id } = await newConversation(world, alice);
      const first = await shareOf(id);
      assert.equal(first.revoked, null);
      const second = await shareOf(id);
      assert.equal(second.revoked, first.share.id);
      const fileId = await fileIn(id);
      const opens = async ({ tokenHash: shareHash }: { readonly tokenHash: string }) => {
        const opened = (await shares.open({ ...alice, shareHash })) !== null;
        assert.equal((await world.store.files.find({ ...alice, shareHash }, fileId)) !== null, opened);
        return opened;
      };
      assert.deepEqual([await opens(first), await opens(second)], [false, true]);
      assert.deepEqual(await shares.find(alice, id), second.share);
      assert.deepEqual(await shares.living([first.share.id, second.share.id, "x"]), [second.share.id]);
      assert.equal(await shares.revoke(alice, id), second.share.id);
      assert.equal(await shares.revoke(alice, id), null);
      assert.equal(await opens(second), false);

      const third = await shareOf(id);
      assert.equal((await conversations.delete(alice, id))?.shareId, third.share.id);
      assert.equal(await opens(third), false);
      await conversations.restore(alice, id);
      assert.equal(await opens(third), false);
      assert.equal(await shares.find(alice, id), null);
      const audited = await runAsAdmin<{ action: string }>(
        world,
        `select action from audit_log where detail ->> 'conversationId' = '${id}' order by action, created_at`,
      );
      assert.deepEqual(
        audited.map(({ action }) => action),
        ["share.created", "share.created", "share.created", "share.revoked", "share.revoked"],
      );
    });
  });
}
