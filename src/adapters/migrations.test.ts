import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import pg from "pg";
import { migrationsDir, pgliteFolder } from "../../test/support/pglite.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { claimOf, finish, newKey, runAsAdmin, type World, worldOf } from "../../test/support/store-world.ts";
import { tempDir } from "../../test/support/temp-dir.ts";
import { uuidv7 } from "../protocol/id.ts";
import { openPglite } from "./database.pglite.ts";
import { openPostgres } from "./database.postgres.ts";

/** The migrations as they were before the one of this name and all later ones. */
function migrationsBefore(name: string): string {
  const dir = join(tempDir("parley-migrations-").path, "migrations");
  cpSync(migrationsDir, dir, { recursive: true });
  for (const file of readdirSync(dir)) {
    if (file.endsWith(".sql") && file >= name) rmSync(join(dir, file));
  }
  return dir;
}

describe("0003: what is there when the agent begins to act", () => {
  const alice = { tenantId: uuidv7(), userId: uuidv7() };
  const conversationId = uuidv7();
  const [answered, broken, left, next] = Array.from({ length: 4 }, () => ({
    run: uuidv7(),
    question: uuidv7(),
    answer: uuidv7(),
  })) as [Turn, Turn, Turn, Turn];
  const stepId = uuidv7();
  interface Turn {
    readonly run: string;
    readonly question: string;
    readonly answer: string;
  }

  const owned = `'${alice.tenantId}', '${alice.userId}'`;
  const message = (
    id: string,
    seq: number,
    role: string,
    parent: string | undefined,
    run: string,
    status = "complete",
  ) =>
    `insert into messages (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes,
       status) values ('${id}', ${owned}, '${conversationId}', ${parent === undefined ? "null" : `'${parent}'`}, '${run}',
       ${seq}, '${role}', 'x', '[]', 2, '${status}')`;
  const run = ({ run: id, question, answer }: Turn, position: number, status: string, started: boolean) =>
    `insert into runs (id, tenant_id, user_id, conversation_id, status, attempt, model, user_message_id,
       assistant_message_id, position, deadline_ms, started_at, input_tokens, output_tokens, error)
     values ('${id}', ${owned}, '${conversationId}', '${status}', 1, 'openai/gpt-5', '${question}', '${answer}',
       ${position}, 60000, ${started ? "now()" : "null"}, 3, 5,
       ${status === "failed" ? `'{"code": "MODEL_FAILED", "message": "It broke."}'` : "null"})`;

  /** An answered turn, a failed one, a message that left the queue, and one that is next. */
  const rows = [
    `insert into tenants (tenant_id, name) values ('${alice.tenantId}', 'Home')`,
    `insert into users (tenant_id, id, name, roles) values (${owned}, 'Alice', '{}')`,
    `insert into conversations (id, tenant_id, user_id, title, head_id) values
       ('${conversationId}', ${owned}, 'Old', '${broken.answer}')`,
    run(answered, 1, "completed", true),
    message(answered.question, 1024, "user", undefined, answered.run),
    message(answered.answer, 1025, "assistant", answered.question, answered.run),
    `insert into steps (id, tenant_id, user_id, run_id, index, kind, attempt, status, started_at, finished_at)
     values ('${stepId}', ${owned}, '${answered.run}', 0, 'model', 1, 'completed', now(), now())`,
    run(broken, 2, "failed", true),
    message(broken.question, 2048, "user", answered.answer, broken.run),
    message(broken.answer, 2049, "assistant", broken.question, broken.run, "failed"),
    run(left, 3, "stopped", false),
    message(left.question, 3072, "user", undefined, left.run),
    run(next, 4, "queued", false),
    message(next.question, 4096, "user", undefined, next.run),
    `update conversations set current_run_id = '${next.run}'`,
  ];

  async function expectUpgraded(world: World): Promise<void> {
    const snapshot = (await world.store.conversations.snapshot(alice, conversationId, 100_000))!;
    const usage = { inputTokens: 3, outputTokens: 5 };
    assert.deepEqual(
      snapshot.messages.map((found) => [found.id, found.usage, found.error]),
      [
        [answered.question, undefined, undefined],
        [answered.answer, usage, undefined],
        [broken.question, undefined, undefined],
        [broken.answer, usage, { code: "MODEL_FAILED", message: "It broke." }],
        [left.question, undefined, undefined],
        [next.question, undefined, undefined],
      ],
    );
    assert.equal(snapshot.conversation.headMessageId, broken.answer);
    const steps = (await world.store.runs.get(alice, answered.run))!.steps;
    assert.deepEqual(
      steps.map(({ id, name }) => [id, name]),
      [[stepId, "openai/gpt-5"]],
    );

    // What waits gets its place at its claim, as ever; what left the queue can be asked again.
    const claimed = await claimOf(world, conversationId);
    assert.equal(claimed.transcript.at(-1)?.parentId, broken.answer);
    await finish(world, claimed.lease);
    const again = async (runId: string) => {
      const input = { conversationId, target: { runId }, runId: uuidv7(), assistantMessageId: uuidv7() };
      const limits = { model: undefined, maxQueued: 20, deadlineMs: 60_000 };
      assert((await world.store.runs.again(alice, { ...input, ...limits }, newKey())).ok);
      const { lease, transcript, message: answer } = await claimOf(world, conversationId);
      await finish(world, lease);
      return { question: transcript.at(-1), answer };
    };
    assert.equal((await again(left.run)).question?.parentId, claimed.message.id);
    const retried = await again(broken.run);
    assert.deepEqual([retried.question?.id, retried.question?.parentId], [broken.question, answered.answer]);
  }

  test("in PGlite", async () => {
    const dataDir = await pgliteFolder();
    const before = await openPglite({ dataDir, migrationsDir: migrationsBefore("0003") });
    for (const row of rows) await runAsAdmin(worldOf(before), row);
    await before.close();
    const world = worldOf(await openPglite({ dataDir, migrationsDir }));
    await expectUpgraded(world);
    await world.store.close();
  });

  test("in PostgreSQL, whose owner is bound by the policies too", async () => {
    const postgres = await startPostgres();
    const admin = new pg.Client(postgres.url);
    try {
      await admin.connect();
      await admin.query("create role plain login createrole");
      await admin.query("create database old owner plain");
      const url = `postgres://plain@127.0.0.1:${postgres.port}/old`;
      await (await openPostgres({ url, migrationsDir: migrationsBefore("0003") })).close();
      const superuser = new pg.Client(url.replace("plain@", "postgres@"));
      await superuser.connect();
      for (const row of rows) await superuser.query(row);
      await superuser.end();
      const world = worldOf(await openPostgres({ url, migrationsDir }));
      await expectUpgraded(world);
      await world.store.close();
    } finally {
      await admin.end();
      await postgres.stop();
    }
  });
});
