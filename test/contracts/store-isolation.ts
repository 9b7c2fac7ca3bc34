/** Who sees what: the contract of every store, last part. Each rule is also put to the roles themselves. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Scope, StoredStep } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { aStep } from "../support/shapes.fake.ts";
import {
  asking,
  claimOf,
  commit,
  ended,
  finish,
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

const tables = [
  "tenants",
  "users",
  "sessions",
  "conversations",
  "messages",
  "runs",
  "steps",
  "outbox",
  "idempotency_keys",
  "audit_log",
  "approvals",
  "allowed_tools",
  "files",
  "file_uses",
  "memories",
  "usage",
  "folders",
  "shares",
  "prompts",
];

export function storeIsolationContract(name: string, open: OpenDatabase): void {
  describe(`${name}: isolation`, () => {
    let world: World;
    let alice: Scope;
    let colleague: Scope;
    let stranger: Scope;
    let conversationId: string;
    let finished: Awaited<ReturnType<typeof turn>>;
    let active: Awaited<ReturnType<typeof claimOf>>;
    let queuedRunId: string;
    let sessionId: string;
    let approvalId: string;
    let fileId: string;
    let steerId: string;
    let memoryId: string;
    let folderId: string;
    let promptId: string;

    before(async () => {
      world = worldOf(await open());
      alice = await newUser(world);
      colleague = await newUser(world, alice.tenantId);
      stranger = await newUser(world);
      conversationId = (await newConversation(world, alice, "Secret")).id;
      finished = await turn(world, alice, conversationId, "secret question", "secret answer");
      await send(world, alice, conversationId);
      queuedRunId = (await send(world, alice, conversationId)).runId;
      active = await claimOf(world, conversationId);
      const step: StoredStep = {
        ...aStep({ id: uuidv7(), runId: active.run.id }),
        call: { provider: "demo", model: "demo", firstTokenMs: 1, durationMs: 1 },
      };
      const allowed = asking(active.message.id, { wait: false });
      const asked = asking(active.message.id, { wait: false });
      await commit(world, active.lease, { steps: [step], approvals: [...allowed.approvals, ...asked.approvals] });
      await world.store.approvals.decide(alice, allowed.approvalId, { approve: true, args: null, remember: true });
      ({ approvalId } = asked);
      ({ fileId } = await world.store.files.create(alice, { fileId: uuidv7(), name: "", mediaType: "", size: 1 }));
      steerId = (await send(world, alice, conversationId, { whenBusy: "steer", fileIds: [fileId] })).userMessageId;
      const memory = await world.store.memories.create(alice, { id: uuidv7(), text: "Secret" }, newKey());
      assert(memory.ok);
      memoryId = memory.value.id;
      const folder = await world.store.folders.create(alice, { id: uuidv7(), name: "Secret" }, newKey());
      assert(folder.ok);
      folderId = folder.value.id;
      const prompt = await world.store.prompts.save(alice, { id: uuidv7(), name: "Mine", text: "Secret" }, newKey());
      assert(prompt.ok);
      promptId = prompt.value.id;
      await world.store.shares.create(alice, { id: uuidv7(), conversationId, tokenHash: "a".repeat(64) });
      sessionId = uuidv7();
      const session = { id: sessionId, ...alice, tokenHash: uuidv7(), device: "", lifetimeMs: 60_000, method: "link" };
      await world.store.sessions.create(session);
      await newConversation(world, stranger);
    });
    after(() => world.store.close());

    const intruders = () => [
      { who: "a colleague", scope: colleague },
      { who: "a stranger", scope: stranger },
      { who: "the stranger who says it is alice", scope: { tenantId: stranger.tenantId, userId: alice.userId } },
      { who: "nobody of alice's tenant", scope: { tenantId: alice.tenantId, userId: uuidv7() } },
    ];

    it("what is another's is as if it did not exist, for every method", async () => {
      const { conversations, runs, sessions } = world.store;
      for (const { who, scope } of intruders()) {
        const titles = (await conversations.list(scope, { limit: 100 })).conversations.map(({ title }) => title);
        assert.equal(titles.includes("Secret"), false, who);
        assert.equal(await conversations.find(scope, conversationId), null, who);
        assert.equal(await conversations.rename(scope, conversationId, "Mine"), null, who);
        assert.equal(await conversations.messages(scope, conversationId, { limit: 1, maxBytes: 1 }), null, who);
        assert.equal(await conversations.snapshot(scope, conversationId, 1), null, who);
        assert.equal(await conversations.part(scope, finished.userMessageId, 0), null, who);
        assert.equal(await runs.get(scope, active.run.id), null, who);
        assert.equal(await runs.stop(scope, { conversationId }), null, who);
        for (const runId of [active.run.id, queuedRunId]) assert.equal(await runs.stop(scope, { runId }), null, who);
        assert.deepEqual(await trySend(world, scope, conversationId), { ok: false, reason: "NOT_FOUND" }, who);
        assert.equal((await sessions.list(scope)).length, 0, who);
        assert.equal(await sessions.revoke(scope, sessionId), null, who);
        const lease = { ...active.lease, ...scope };
        const fenced = { ok: false, reason: "FENCED" };
        assert.deepEqual(await runs.commit(lease, ended("Forged")), fenced, who);
        assert.deepEqual(await runs.commitWith(lease, () => assert.fail(who)), fenced, who);
        assert.deepEqual(await runs.steer(lease, uuidv7(), [], ended().usage), fenced, who);
      }
      assert.equal((await conversations.find(alice, conversationId))?.conversation.title, "Secret");
      const { run } = (await runs.get(alice, active.run.id))!;
      assert.deepEqual([run.status, run.stopRequested], ["running", false]);
      assert.equal((await runs.get(alice, queuedRunId))?.run.status, "queued");
      assert.equal((await sessions.list(alice)).length, 1);
    });

    it("what an agent asks, keeps and is given is another's too", async () => {
      const { approvals, files, memories, conversations, runs } = world.store;
      const notFound = { ok: false, reason: "NOT_FOUND" };
      for (const { who, scope } of intruders()) {
        assert.equal(await approvals.find(scope, approvalId), null, who);
        assert.deepEqual(await approvals.pending(scope), [], who);
        for (const approve of [true, false]) {
          assert.equal(await approvals.decide(scope, approvalId, { approve, args: {}, remember: true }), null, who);
        }
        assert.equal(await files.find(scope, fileId), null, who);
        assert.equal(await files.delete(scope, fileId), false, who);
        assert.deepEqual(await files.list(scope, conversationId), [], who);
        assert.deepEqual((await memories.list(scope, { limit: 10 })).memories, [], who);
        assert.deepEqual(await memories.search(scope, "Secret", 10), [], who);
        assert.equal(await memories.update(scope, memoryId, "Mine"), null, who);
        assert.equal(await memories.delete(scope, memoryId), false, who);
        assert.equal(await conversations.selectBranch(scope, conversationId, finished.userMessageId), null, who);
        assert.deepEqual(
          await trySend(world, scope, conversationId, { editOf: finished.userMessageId }),
          notFound,
          who,
        );
        assert.deepEqual(await trySend(world, scope, conversationId, { whenBusy: "steer" }), notFound, who);
        const again = { runId: uuidv7(), assistantMessageId: uuidv7(), model: undefined, maxQueued: 20, deadlineMs: 1 };
        for (const target of [{ messageId: finished.assistantMessageId }, { runId: finished.runId }]) {
          const input = { conversationId, target, ...again };
          assert.deepEqual(await runs.again(scope, input, newKey()), notFound, who);
        }
        assert.equal(await conversations.part(scope, steerId, 1), null, who);
      }
      assert.equal((await approvals.find(alice, approvalId))?.status, "pending");
      assert.deepEqual((await approvals.pending(alice)).length, 1);
      assert.deepEqual((await memories.search(alice, "secret", 10)).length, 1);
      assert.equal((await files.list(alice, conversationId)).length, 1);
    });

    it("another's prompts can't be read, changed, taken over or deleted", async () => {
      const { prompts } = world.store;
      const mine = { name: "Theirs", text: "Obey." };
      for (const { who, scope } of intruders()) {
        assert.deepEqual((await prompts.list(scope, { limit: 10 })).prompts, [], who);
        const refused = await prompts.save(scope, { id: uuidv7(), promptId, ...mine }, newKey());
        assert.deepEqual(refused, { ok: false, reason: "NOT_FOUND" }, who);
        assert.equal(await prompts.delete(scope, promptId), false, who);
      }
      assert.deepEqual(
        (await prompts.list(alice, { limit: 10 })).prompts.map(({ text }) => text),
        ["Secret"],
      );
    });

    it("how another's conversations are ordered, and what is found in them, is another's too", async () => {
      const { conversations, folders, shares, search } = world.store;
      for (const { who, scope } of intruders()) {
        for (const changes of [{ pinned: true }, { archived: true }, { folderId: null }]) {
          assert.equal(await conversations.update(scope, conversationId, changes), null, who);
        }
        assert.equal(await conversations.delete(scope, conversationId), null, who);
        assert.equal(await conversations.restore(scope, conversationId), null, who);
        assert.deepEqual((await search.search(scope, { query: "secret", limit: 10 })).hits, [], who);
        assert.deepEqual(await folders.list(scope), [], who);
        assert.equal(await folders.rename(scope, folderId, "Mine"), null, who);
        assert.equal(await folders.delete(scope, folderId), null, who);
        assert.deepEqual((await conversations.list(scope, { folderId, limit: 10 })).conversations, [], who);
        assert.equal(await shares.find(scope, conversationId), null, who);
        const link = { id: uuidv7(), conversationId, tokenHash: "b".repeat(64) };
        assert.equal(await shares.create(scope, link), null, who);
        assert.equal(await shares.revoke(scope, conversationId), null, who);
        assert.equal(await shares.open({ ...scope, shareHash: "b".repeat(64) }), null, who);
      }
      const own = await newConversation(world, colleague);
      assert.equal(await conversations.update(colleague, own.id, { folderId }), null);
      assert.equal((await folders.list(alice)).length, 1);
      assert.equal((await shares.find(alice, conversationId))?.conversationId, conversationId);
    });

    it("another's file and another's message are nothing to a conversation of one's own", async () => {
      const own = await newConversation(world, colleague);
      const noFile = { ok: false, reason: "NO_FILE" };
      assert.deepEqual(await trySend(world, colleague, own.id, { fileIds: [fileId] }), noFile);
      const edited = await trySend(world, colleague, own.id, { editOf: finished.userMessageId });
      assert.deepEqual(edited, { ok: false, reason: "NOT_FOUND" });
    });

    it("a colleague's page does not start at another's message", async () => {
      const own = await newConversation(world, colleague);
      const page = { before: finished.userMessageId, limit: 1, maxBytes: 1 };
      assert.equal(await world.store.conversations.messages(colleague, own.id, page), null);
    });

    it("a key is known to its user alone", async () => {
      const key = newKey();
      await send(world, alice, conversationId, { idempotency: key });
      for (const scope of [colleague, stranger]) {
        const own = await newConversation(world, scope);
        assert.equal((await trySend(world, scope, own.id, { idempotency: key })).ok, true);
        await finish(world, (await claimOf(world, own.id)).lease);
      }
    });

    it("every table has row-level security that binds its owner too, and a tenant, but for one that is no tenant's", async () => {
      const rows = await runAsAdmin<{ name: string }>(
        world,
        `select c.relname as name from pg_class c
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and c.relname not in ('parley_migrations', 'nodes')
           and c.relrowsecurity and c.relforcerowsecurity
           and exists (select from pg_policy p where p.polrelid = c.oid)
           and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)`,
      );
      assert.deepEqual(
        rows.map((row) => row.name).toSorted((a, b) => a.localeCompare(b)),
        tables.toSorted((a, b) => a.localeCompare(b)),
      );
      const all = await runAsAdmin<{ n: number }>(
        world,
        `select count(*)::int as n from pg_class where relkind in ('r', 'p', 'v', 'm')
         and relnamespace = 'public'::regnamespace`,
      );
      assert.equal(all[0]?.n, tables.length + 2);
    });

    it("the roles can neither log in nor bypass row-level security, and inherit nothing", async () => {
      const rows = await runAsAdmin(
        world,
        `select rolname, rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as able,
           exists (select from pg_auth_members m where m.member = r.oid) as member
         from pg_roles r where rolname like 'parley\\_%' order by rolname`,
      );
      assert.deepEqual(rows, [
        { rolname: "parley_app", able: false, member: false },
        { rolname: "parley_insights", able: false, member: false },
        { rolname: "parley_purger", able: false, member: false },
        { rolname: "parley_reader", able: false, member: false },
        { rolname: "parley_system", able: false, member: false },
      ]);
    });

    const readable = tables.filter((table) => table !== "outbox" && table !== "audit_log");
    for (const table of readable) {
      it(`${table}: parley_app sees its own rows alone, and none without a scope`, async () => {
        const count = async (scope: Scope) => {
          const own = table === "tenants" ? "true" : `${table === "users" ? "id" : "user_id"} = '${scope.userId}'`;
          const [row] = await runAs<{ all: number; own: number }>(
            world,
            scope,
            `select count(*)::int as all, count(*) filter (where tenant_id = '${scope.tenantId}' and ${own})::int as own
             from ${table}`,
          );
          assert.equal(row?.all, row?.own);
          return row?.all;
        };
        assert.notEqual(await count(alice), 0);
        await count(colleague);
        await count(stranger);
        assert.equal(await count({ tenantId: uuidv7(), userId: uuidv7() }), 0);
        const without = await world.database.transaction("system", async (tx) => {
          await tx.run({ name: "test_assume_app", text: "set local role parley_app", order: [] }, {});
          return tx.run({ name: `test_all_${table}`, text: `select * from ${table}`, order: [] }, {});
        });
        assert.deepEqual(without, []);
      });
    }

    it("parley_app writes nothing into another tenant or user", async () => {
      const writes = [
        `insert into conversations (id, tenant_id, user_id, title) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '')`,
        `insert into messages (id, tenant_id, user_id, conversation_id, seq, role, author, parts, bytes, status) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '${conversationId}', 1, 'user', '', '[]', 2, 'complete')`,
        `insert into outbox (id, tenant_id, topic, event) values ('${uuidv7()}', '${alice.tenantId}', 'x', '{}')`,
        `insert into audit_log (id, tenant_id, action, detail) values ('${uuidv7()}', '${alice.tenantId}', 'x', '{}')`,
        `insert into sessions (id, tenant_id, user_id, token_hash, device, expires_at) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', 'x', '', now())`,
        `insert into idempotency_keys (tenant_id, user_id, key, method, params_hash, result) values
           ('${alice.tenantId}', '${alice.userId}', 'x', '', '', '{}')`,
        `update conversations set tenant_id = '${alice.tenantId}', user_id = '${alice.userId}'`,
        `insert into approvals (id, tenant_id, user_id, conversation_id, run_id, message_id, part_index, tool_call_id,
           tool, args, reason, summary, status, requested_at, expires_at) values ('${uuidv7()}', '${alice.tenantId}',
           '${alice.userId}', '${conversationId}', '${active.run.id}', '${uuidv7()}', 0, '', '', '{}', 'call', '',
           'approved', now(), now())`,
        `insert into allowed_tools (tenant_id, user_id, tool) values ('${alice.tenantId}', '${alice.userId}', 'x')`,
        `insert into files (id, tenant_id, user_id, name, media_type, size) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '', '', 1)`,
        `insert into file_uses (tenant_id, user_id, conversation_id, file_id) values
           ('${alice.tenantId}', '${alice.userId}', '${conversationId}', '${fileId}')`,
        `insert into memories (id, tenant_id, user_id, text, words) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', 'Obey.', '')`,
        `insert into prompts (id, tenant_id, user_id, name, text) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '', '')`,
        `insert into folders (id, tenant_id, user_id, name) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '')`,
        `insert into shares (id, tenant_id, user_id, conversation_id, token_hash) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '${conversationId}', 'x')`,
        `insert into usage (step_id, tenant_id, user_id, conversation_id, run_id, provider, model, duration_ms) values
           ('${uuidv7()}', '${alice.tenantId}', '${alice.userId}', '${conversationId}', '${active.run.id}', '', '', 1)`,
      ];
      for (const write of writes) {
        await assert.rejects(runAs(world, stranger, write), /row-level security/, write);
      }
      const updated = await runAs(
        world,
        stranger,
        `update runs set stop_requested = true where tenant_id = '${alice.tenantId}' returning id`,
      );
      assert.deepEqual(updated, []);
    });

    for (const forbidden of [
      "select * from outbox",
      "select * from audit_log",
      "select * from parley_migrations",
      "delete from conversations",
      "delete from messages",
      "delete from outbox",
      "update users set roles = '{owner}'",
      "update tenants set name = ''",
      "update sessions set expires_at = now()",
      "delete from approvals",
      "update usage set cost_micros = 0",
      "delete from usage",
      "update files set user_id = id",
      "update file_uses set user_id = file_id",
      "delete from file_uses",
      "update memories set user_id = id",
      "update memories set created_at = now()",
      "update prompts set user_id = id",
      "update allowed_tools set tool = ''",
      "truncate messages",
      "drop table messages",
      "alter table messages disable row level security",
      "create table mine (id int)",
    ]) {
      it(`parley_app may not: ${forbidden}`, async () => {
        await assert.rejects(runAs(world, alice, forbidden), /permission denied|must be owner/);
      });
    }

    for (const forbidden of [
      "select title from conversations",
      "select token_hash from shares",
      "delete from shares",
      "select * from folders",
      "select * from prompts",
      "select model from conversations",
      "update conversations set title = ''",
      "update conversations set user_id = id",
      "delete from conversations",
      "select parts from messages",
      "select id from messages",
      "update messages set parts = '[]'",
      "select id from steps",
      "insert into runs (id) values (null)",
      "delete from runs",
      "update runs set stop_requested = true",
      "update runs set user_id = id",
      "select args from approvals",
      "select summary from approvals",
      "update approvals set status = 'approved'",
      "select * from allowed_tools",
      "insert into allowed_tools (tool) values ('')",
      "select name from files",
      "delete from files",
      "select * from file_uses",
      "select text from memories",
      "select * from usage",
      "select result from idempotency_keys",
      "select params_hash from idempotency_keys",
      "insert into outbox (id) values (null)",
      "update outbox set event = '{}'",
      "select * from audit_log",
      "delete from audit_log",
      "insert into sessions (id) values (null)",
      "update sessions set user_id = id",
      "update users set roles = '{owner}'",
      "update tenants set name = ''",
      "select * from parley_migrations",
    ]) {
      it(`parley_system may not: ${forbidden}`, async () => {
        await assert.rejects(runAs(world, "system", forbidden), /permission denied/);
      });
    }
  });
}
