/**
 * What every store does (`src/ports/store.ts`): sessions, conversations, outbox. Runs are in store-runs.ts and
 * store-leases.ts, who sees what in store-isolation.ts. An adapter's test calls `storeContract` with a way to open an
 * empty database.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Database } from "../../src/adapters/database.ts";
import type { Scope } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { conversation as conversationShape } from "../../src/protocol/shapes.ts";
import { textOf, wholeLength } from "../support/shapes.fake.ts";
import {
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
  turn,
  type World,
  worldOf,
} from "../support/store-world.ts";

export interface OpenDatabase {
  (): Promise<Database>;
}

export function storeContract(name: string, open: OpenDatabase): void {
  describe(`${name}: store`, () => {
    let world: World;
    let alice: Scope;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
    });
    after(() => world.store.close());

    const newSession = async (scope = alice, lifetimeMs = 60_000) => {
      const id = uuidv7();
      const tokenHash = uuidv7();
      const session = { id, ...scope, tokenHash, device: "Firefox", lifetimeMs, method: "link" };
      return { tokenHash, session: await world.store.sessions.create(session) };
    };

    // ── sessions ──────────────────────────────────────────────────────────────────────────────────────────────────

    it("makes the first owner once, however many ask at once", async () => {
      const owners = await Promise.all(Array.from({ length: 5 }, () => world.store.sessions.owner()));
      assert.equal(new Set(owners.map(({ user }) => user.id)).size, 1);
      assert.equal(new Set(owners.map(({ tenant }) => tenant.id)).size, 1);
      const scope = { tenantId: owners[0]!.tenant.id, userId: owners[0]!.user.id };
      assert.deepEqual((await newSession(scope)).session.roles, ["owner"]);
    });

    it("finds a session by its token's hash, as it was created", async () => {
      const { tokenHash, session } = await newSession();
      assert.deepEqual(await world.store.sessions.find(tokenHash), session);
      assert.equal(session.user.id, alice.userId);
      assert.equal(session.tenant.id, alice.tenantId);
      assert.equal(Date.parse(session.expiresAt) - Date.parse(session.createdAt), 60_000);
      assert.equal(await world.store.sessions.find(uuidv7()), null);
    });

    it("ends a session by the database's clock", async () => {
      const { tokenHash, session } = await newSession(alice, 0);
      assert.equal(await world.store.sessions.find(tokenHash), null);
      assert.equal(await world.store.sessions.touch(session.id, 60_000), null);
      assert.equal(await world.store.sessions.revoke(alice, session.id), null);
      assert.equal(
        (await world.store.sessions.list(alice)).some(({ id }) => id === session.id),
        false,
      );
    });

    it("slides the expiry of a session that lives", async () => {
      const { tokenHash, session } = await newSession();
      const touched = await world.store.sessions.touch(session.id, 3_600_000);
      const found = await world.store.sessions.find(tokenHash);
      assert.equal(found?.expiresAt, touched?.expiresAt);
      assert.equal(Date.parse(found!.expiresAt) - Date.parse(found!.lastSeenAt), 3_600_000);
      assert.equal(await world.store.sessions.touch(uuidv7(), 1), null);
      assert.equal(await world.store.sessions.touch("not-an-id", 1), null);
    });

    it("lists and revokes a user's own sessions", async () => {
      const user = await newUser(world);
      const one = await newSession(user);
      const other = await newSession(user);
      const listed = await world.store.sessions.list(user);
      assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set([one.session.id, other.session.id]));

      assert.equal(await world.store.sessions.revoke(user, one.session.id), one.tokenHash);
      assert.equal(await world.store.sessions.revoke(user, one.session.id), null);
      assert.equal(await world.store.sessions.find(one.tokenHash), null);
      assert.deepEqual(
        (await world.store.sessions.list(user)).map(({ id }) => id),
        [other.session.id],
      );
    });

    it("says which sessions have not ended", async () => {
      const [living, over, revoked] = [await newSession(), await newSession(alice, 0), await newSession()];
      await world.store.sessions.revoke(alice, revoked.session.id);
      const asked = [living, over, revoked].map(({ session }) => session.id);
      assert.deepEqual(await world.store.sessions.living([...asked, uuidv7(), "not-an-id"]), [living.session.id]);
      assert.deepEqual(await world.store.sessions.living([]), []);
    });

    it("keeps an audit row of each login and logout, without secrets", async () => {
      const user = await newUser(world);
      const { session, tokenHash } = await newSession(user);
      await world.store.sessions.revoke(user, session.id);
      const rows = await runAsAdmin<{ action: string; detail: unknown }>(
        world,
        `select action, detail from audit_log where user_id = '${user.userId}' order by created_at, id`,
      );
      assert.deepEqual(
        rows.map(({ action, detail }) => [action, detail]),
        [
          ["session.created", { sessionId: session.id, method: "link", device: "Firefox" }],
          ["session.revoked", { sessionId: session.id }],
        ],
      );
      assert.equal(JSON.stringify(rows).includes(tokenHash), false);
    });

    // ── conversations ─────────────────────────────────────────────────────────────────────────────────────────────

    it("creates a conversation and announces it to its user", async () => {
      const id = uuidv7();
      const result = await world.store.conversations.create(alice, { id, title: "New", model: "demo" }, undefined);
      assert(result.ok);
      assert.deepEqual(conversationShape.parse(result.value), result.value);
      assert.deepEqual(namesOf(result.announce), ["user conversation.created"]);
      assert.equal(result.announce[0]?.topic, `user:${alice.userId}`);
      assert.deepEqual(await world.store.conversations.find(alice, id), { conversation: result.value, fence: 0 });
      const stored = (await outboxOf(world, `user:${alice.userId}`)).filter((row) => row.id === result.announce[0]?.id);
      assert.deepEqual(stored, result.announce);
    });

    it("[W10] creates one conversation a key, and answers the first result again", async () => {
      const key = newKey("conversation.create");
      const create = () => world.store.conversations.create(alice, { id: uuidv7(), title: "Once", model: null }, key);
      const results = await Promise.all(Array.from({ length: 20 }, create));
      assert.equal(results.filter((result) => result.ok && !result.repeated).length, 1);
      assert.equal(new Set(results.map((result) => result.ok && result.value.id)).size, 1);
      for (const result of results) assert(result.ok && (result.announce.length === 0) === result.repeated);
      const { conversations } = await world.store.conversations.list(alice, { limit: 100, query: "Once" });
      assert.equal(conversations.length, 1);
      assert.deepEqual(
        results.map((result) => result.ok && result.value),
        results.map(() => conversations[0]),
      );
    });

    it("[W10] refuses a key with other params or for another method", async () => {
      const key = newKey("conversation.create");
      const input = () => ({ id: uuidv7(), title: "", model: null });
      assert((await world.store.conversations.create(alice, input(), key)).ok);
      const mismatch = { ok: false, reason: "IDEMPOTENCY_MISMATCH" };
      assert.deepEqual(
        await world.store.conversations.create(alice, input(), { ...key, paramsHash: "other" }),
        mismatch,
      );
      assert.deepEqual(await world.store.conversations.create(alice, input(), { ...key, method: "x" }), mismatch);
    });

    it("[W10] a key belongs to its user, and is free again after 24 hours", async () => {
      const bob = await newUser(world, alice.tenantId);
      const key = newKey("conversation.create");
      const create = async (scope: Scope) => {
        const result = await world.store.conversations.create(scope, { id: uuidv7(), title: "", model: null }, key);
        assert(result.ok);
        return result;
      };
      assert.equal((await create(alice)).repeated, false);
      assert.equal((await create(bob)).repeated, false);
      await runAsAdmin(
        world,
        `update idempotency_keys set created_at = now() - interval '24 hours 1 second' where key = '${key.key}'`,
      );
      assert.equal((await create(alice)).repeated, false);
      assert.equal((await create(alice)).repeated, true);
    });

    it("lists conversations most recently active first, in pages that neither skip nor repeat", async () => {
      const user = await newUser(world);
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) ids.push((await newConversation(world, user, `Number ${i}`)).id);
      await send(world, user, ids[2]!);
      // Equal times are the rule where several are imported at once; the id decides.
      await runAsAdmin(
        world,
        `update conversations set updated_at = '2026-01-01Z' where id in ('${ids[4]}', '${ids[5]}', '${ids[6]}')`,
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await world.store.conversations.list(user, { cursor, limit: 2 });
        assert(page.conversations.length <= 2);
        seen.push(...page.conversations.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      const equal = ids.slice(4).toSorted().toReversed();
      assert.deepEqual(seen, [ids[2], ids[3], ids[1], ids[0], ...equal]);
    });

    it("looks for a query in titles, without wildcards and whatever the case", async () => {
      const user = await newUser(world);
      for (const title of ["Plan 100% done", "plan b", "Something else"]) await newConversation(world, user, title);
      const titles = async (query: string) =>
        (await world.store.conversations.list(user, { limit: 10, query })).conversations.map(({ title }) => title);
      assert.deepEqual((await titles("PLAN")).toSorted(), ["Plan 100% done", "plan b"]);
      assert.deepEqual(await titles("100%"), ["Plan 100% done"]);
      assert.deepEqual(await titles("%"), ["Plan 100% done"]);
      assert.deepEqual(await titles("_"), []);
      assert.equal((await titles("")).length, 3);
    });

    for (const cursor of [
      "",
      "x",
      "bm90IGEgY3Vyc29y",
      ...["soon", "+275760-09-12T00:00:00.000Z", "-000001-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z"].map(
        (time) => Buffer.from(`${time} 01998d3a-0000-7000-8000-000000000000`).toString("base64url"),
      ),
    ]) {
      it(`refuses the cursor ${JSON.stringify(cursor)} as wrong params`, async () => {
        await assert.rejects(
          world.store.conversations.list(alice, { limit: 1, cursor }),
          (error) => error instanceof ParleyError && error.code === "INVALID_PARAMS",
        );
      });
    }

    it("renames a conversation and announces it on both topics", async () => {
      const { id } = await newConversation(world, alice);
      const renamed = await world.store.conversations.rename(alice, id, "Another");
      assert.equal(renamed?.conversation.title, "Another");
      assert.deepEqual(namesOf(renamed?.announce ?? []), [
        "conversation conversation.renamed",
        "user conversation.renamed",
      ]);
      assert.equal((await world.store.conversations.find(alice, id))?.conversation.title, "Another");
    });

    it("refuses U+0000 with a typed error", async () => {
      await assert.rejects(
        newConversation(world, alice, "a\u0000b"),
        (error) => error instanceof ParleyError && error.code === "INVALID_PARAMS",
      );
      const conversation = await newConversation(world, alice, "after it");
      assert.equal(conversation.title, "after it");
    });

    // ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────

    it("pages messages backwards by number, oldest first in a page", async () => {
      const { id } = await newConversation(world, alice);
      for (let i = 0; i < 4; i++) await turn(world, alice, id, `question ${i}`, `answer ${i}`);
      const texts: string[] = [];
      let before: string | undefined;
      for (;;) {
        const page = await world.store.conversations.messages(alice, id, { before, limit: 3, maxBytes: 100_000 });
        assert(page !== null);
        texts.unshift(...page.messages.map(({ parts }) => textOf(parts[0])));
        before = page.messages[0]?.id;
        if (!page.hasMore) break;
        assert.equal(page.messages.length, 3);
      }
      assert.deepEqual(
        texts,
        [0, 1, 2, 3].flatMap((i) => [`question ${i}`, `answer ${i}`]),
      );
    });

    it("pages messages by bytes, cut where they do not fit, at least one", async () => {
      const { id } = await newConversation(world, alice);
      const long = "🌍".repeat(30_000);
      await turn(world, alice, id, "first", long);
      await turn(world, alice, id, "second", long);
      const maxBytes = 20_000;
      let before: string | undefined;
      const seen: string[] = [];
      for (;;) {
        const page = await world.store.conversations.messages(alice, id, { before, limit: 10, maxBytes });
        assert(page !== null && page.messages.length > 0);
        assert(Buffer.byteLength(JSON.stringify(page.messages)) <= maxBytes + 200);
        seen.unshift(...page.messages.map(({ id: messageId }) => messageId));
        for (const { parts } of page.messages) {
          const [part] = parts;
          assert.equal(
            wholeLength(part) ?? textOf(part).length,
            textOf(part).startsWith("🌍") ? long.length : textOf(part).length,
          );
          assert.equal(textOf(part).isWellFormed(), true);
        }
        before = page.messages[0]?.id;
        if (!page.hasMore) break;
      }
      assert.equal(new Set(seen).size, seen.length);
      const all = await world.store.conversations.messages(alice, id, { limit: 10, maxBytes: 10_000_000 });
      assert.deepEqual(
        seen,
        all?.messages.map(({ id: messageId }) => messageId),
      );
      assert.equal(textOf(all?.messages[3]?.parts[0]), long);
      assert.equal(wholeLength(all?.messages[3]?.parts[0]), undefined);
    });

    it("knows no page before a message of another conversation", async () => {
      const one = await newConversation(world, alice);
      const other = await newConversation(world, alice);
      const { userMessageId } = await turn(world, alice, other.id);
      for (const before of [userMessageId, uuidv7(), "not-an-id"]) {
        assert.equal(await world.store.conversations.messages(alice, one.id, { before, limit: 1, maxBytes: 1 }), null);
      }
    });

    it("reads one part whole", async () => {
      const { id } = await newConversation(world, alice);
      const text = "long ".repeat(40_000);
      const { assistantMessageId } = await turn(world, alice, id, "Hello", text);
      const found = await world.store.conversations.part(alice, assistantMessageId, 0);
      assert.deepEqual(found, { conversationId: id, status: "complete", part: { type: "text", text } });
      assert.deepEqual(await world.store.conversations.part(alice, assistantMessageId, 1), { ...found, part: null });
      assert.equal(await world.store.conversations.part(alice, uuidv7(), 0), null);
      assert.equal(await world.store.conversations.part(alice, "not-an-id", 0), null);
    });

    it("snapshots an idle, an active and a queueing conversation", async () => {
      const { id } = await newConversation(world, alice);
      const read = async () => {
        const snapshot = await world.store.conversations.snapshot(alice, id, 100_000);
        assert(snapshot !== null);
        return snapshot;
      };
      assert.deepEqual(
        [(await read()).messages, (await read()).queuedRuns, (await read()).activeRun, (await read()).hasMore],
        [[], [], undefined, false],
      );

      const first = await send(world, alice, id, { text: "one" });
      const second = await send(world, alice, id, { text: "two" });
      const third = await send(world, alice, id, { text: "three" });
      const claimed = await claimOf(world, id);
      const busy = await read();
      assert.equal(busy.activeRun?.id, first.runId);
      assert.deepEqual(
        busy.queuedRuns.map((run) => run.id),
        [second.runId, third.runId],
      );
      assert.deepEqual(
        busy.messages.map((message) => message.id),
        [first.userMessageId, claimed.message.id, second.userMessageId, third.userMessageId],
      );
      assert.deepEqual(busy.messages[1], claimed.message);

      await finish(world, claimed.lease, ended("done"));
      const next = await claimOf(world, id);
      assert.deepEqual(
        (await read()).messages.map((message) => message.id),
        [first.userMessageId, claimed.message.id, second.userMessageId, next.message.id, third.userMessageId],
      );
    });

    it("snapshots the newest messages that fit, and says that there are older ones", async () => {
      const { id } = await newConversation(world, alice);
      for (let i = 0; i < 5; i++) await turn(world, alice, id, `question ${i}`, "x".repeat(10_000));
      const snapshot = await world.store.conversations.snapshot(alice, id, 25_000);
      assert(snapshot !== null && snapshot.hasMore);
      assert(Buffer.byteLength(JSON.stringify(snapshot.messages)) <= 25_200);
      assert.equal(textOf(snapshot.messages.at(-1)?.parts[0]).length, 10_000);
      assert.equal(textOf(snapshot.messages.at(-2)?.parts[0]), "question 4");
    });

    it("snapshots fifty messages, and besides them all that wait, however many: the answer that streams is there", async () => {
      const { id } = await newConversation(world, alice);
      for (let i = 0; i < 26; i++) await turn(world, alice, id, `question ${i}`, "answer");
      const idle = await world.store.conversations.snapshot(alice, id, 100_000);
      assert.deepEqual([idle?.messages.length, idle?.hasMore], [50, true]);

      await send(world, alice, id, { text: "now" });
      const { message } = await claimOf(world, id);
      for (let i = 0; i < 60; i++) await send(world, alice, id, { text: `later ${i}`, maxQueued: 60 });
      const busy = await world.store.conversations.snapshot(alice, id, 1_000_000);
      assert.deepEqual([busy?.messages.length, busy?.hasMore], [110, true]);
      assert.deepEqual(busy?.messages.at(49), message);
    });

    // ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────

    it("[L11] keeps announcements until they are cleared, in the order of their commits", async () => {
      const { id } = await newConversation(world, alice);
      const topic = `conversation:${id}`;
      const announced = [...(await send(world, alice, id)).announce];
      const { lease, announce } = await claimOf(world, id);
      announced.push(...announce, ...(await finish(world, lease)));

      const expected = announced.filter((row) => row.topic === topic);
      assert.deepEqual(await outboxOf(world, topic), expected);
      assert.deepEqual(namesOf(expected), [
        "conversation message.created",
        "conversation RUN_STARTED",
        "conversation TEXT_MESSAGE_END",
        "conversation RUN_FINISHED",
      ]);
      assert.equal((await world.store.outbox.stale(3_600_000, 10)).length, 0);
      assert.equal((await world.store.outbox.stale(0, 2)).length, 2);

      const before = announced.filter((row) => row.topic === topic);
      const [first, ...others] = before;
      const last = before.at(-1)?.id ?? "";
      const places = before.map((row) => ({ ...row, event: row.id === last ? null : row.event }));
      assert.deepEqual(await world.store.outbox.upTo([last, "not-an-id"], 10), places);
      assert.deepEqual(await world.store.outbox.upTo([last], 2), places.slice(0, 2));
      await world.store.outbox.clear([first?.id ?? ""]);
      assert.deepEqual(await world.store.outbox.upTo([last, first?.id ?? ""], 10), places.slice(1));
      assert.deepEqual(
        (await world.store.outbox.upTo([others[0]?.id ?? ""], 10)).map((row) => row.id),
        [others[0]?.id],
      );

      await world.store.outbox.clear([...announced.map((row) => row.id), "not-an-id"]);
      assert.deepEqual(await outboxOf(world, topic), []);
      assert.deepEqual(await world.store.outbox.upTo([last], 10), []);
      await world.store.outbox.clear([]);
    });

    it("sweeps expired sessions and old keys, and nothing else", async () => {
      const user = await newUser(world);
      const gone = await newSession(user, 0);
      const alive = await newSession(user);
      const old = newKey("conversation.create");
      const fresh = newKey("conversation.create");
      for (const key of [old, fresh]) {
        await world.store.conversations.create(user, { id: uuidv7(), title: "", model: null }, key);
      }
      await runAsAdmin(
        world,
        `update idempotency_keys set created_at = now() - interval '25 hours' where key = '${old.key}'`,
      );
      await world.store.sweep();
      const left = await runAsAdmin<{ id: string }>(
        world,
        `select id::text from sessions where user_id = '${user.userId}'
         union all select key from idempotency_keys where user_id = '${user.userId}'`,
      );
      assert.deepEqual(left.map(({ id }) => id).toSorted(), [alive.session.id, fresh.key].toSorted());
      assert.equal(
        left.some(({ id }) => id === gone.session.id),
        false,
      );
    });

    it("answers a probe", async () => {
      await world.store.probe(5_000);
    });
  });
}
