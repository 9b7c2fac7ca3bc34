/** What the owner of a tenant is told about all of it, and that nobody else is: the contract of every store. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Scope } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { insights as insightsShape } from "../../src/protocol/methods/insights.ts";
import {
  claimOf,
  ended,
  finish,
  newConversation,
  newUser,
  runAs,
  runAsAdmin,
  send,
  type World,
  worldOf,
} from "../support/store-world.ts";
import type { OpenDatabase } from "./store.ts";

/** Spans of an hour, a year ago and more: nothing else happens then. */
const DAY = "2025-03-01T";
const TIMES = ["00", "01", "02", "03"].map((hour) => `${DAY}${hour}:00:00.000Z`);

interface Call {
  readonly at: string;
  readonly model?: string;
  readonly input?: number;
  readonly output?: number;
  readonly cost?: number;
  readonly first?: number;
  readonly took?: number;
}

export function storeInsightsContract(name: string, open: OpenDatabase): void {
  describe(`${name}: insights`, () => {
    let world: World;
    let owner: Scope;
    let colleague: Scope;
    let stranger: Scope;

    const makeOwner = ({ userId }: Scope) =>
      runAsAdmin(world, `update users set roles = '{owner}' where id = '${userId}'`);

    /** A run of its own at that time, with its calls. */
    async function asked(scope: Scope, at: string, status: "completed" | "failed" | "stopped", calls: readonly Call[]) {
      const { id } = await newConversation(world, scope);
      const { runId } = await send(world, scope, id, { text: "A secret question" });
      const { lease } = await claimOf(world, id);
      await finish(
        world,
        lease,
        ended("A secret answer", status === "failed" ? { status, code: "MODEL_FAILED", message: "No." } : { status }),
      );
      await runAsAdmin(
        world,
        `update runs set created_at = '${DAY}${at}Z', started_at = '${DAY}${at}Z',
           finished_at = timestamptz '${DAY}${at}Z' + interval '2 seconds' where id = '${runId}'`,
      );
      for (const { model = "demo", input = 10, output = 20, cost = 0, first = 100, took = 900, ...call } of calls) {
        await runAsAdmin(
          world,
          `insert into usage (step_id, tenant_id, user_id, conversation_id, run_id, provider, model, input_tokens,
             output_tokens, cost_micros, first_token_ms, duration_ms, created_at)
           values ('${uuidv7()}', '${scope.tenantId}', '${scope.userId}', '${id}', '${runId}', 'demo', '${model}',
             ${input}, ${output}, ${cost}, ${first}, ${took}, '${DAY}${call.at}Z')`,
        );
      }
      return runId;
    }

    const tool = (scope: Scope, runId: string, at: string, toolName: string, status: string) =>
      runAsAdmin(
        world,
        `insert into steps (id, tenant_id, user_id, run_id, index, kind, name, attempt, status, started_at, finished_at)
         values ('${uuidv7()}', '${scope.tenantId}', '${scope.userId}', '${runId}', 99, 'tool', '${toolName}', 1,
           '${status}', '${DAY}${at}Z', timestamptz '${DAY}${at}Z' + interval '1 second')`,
      );

    before(async () => {
      world = worldOf(await open());
      owner = await newUser(world);
      colleague = await newUser(world, owner.tenantId);
      stranger = await newUser(world);
      await Promise.all([makeOwner(owner), makeOwner(stranger)]);
      const first = await asked(owner, "00:10:00", "completed", [{ at: "00:10:00", cost: 5, first: 100 }]);
      await asked(colleague, "00:59:59.999", "completed", [
        { at: "01:00:00", model: "big", input: 100, output: 200, cost: 1_000, first: 300 },
      ]);
      await asked(colleague, "02:30:00", "failed", [{ at: "02:30:00", first: 200 }]);
      await asked(owner, "03:00:00", "completed", [{ at: "03:00:00", input: 1_000_000 }]);
      await tool(owner, first, "00:10:01", "clock", "completed");
      await tool(owner, first, "00:10:02", "clock", "failed");
      await tool(colleague, first, "02:10:02", "research", "completed");
      await asked(stranger, "00:30:00", "stopped", [{ at: "00:30:00", input: 7 }]);
    });
    after(() => world.store.close());

    it("are of the whole tenant, in the spans that were asked for: from each time to before the next", async () => {
      const insights = await world.store.insights.read(owner, TIMES);
      assert(insights !== null);
      assert.deepEqual(insightsShape.parse(insights), insights);
      const { totals, series, models, tools, errors } = insights;
      assert.deepEqual(totals, {
        runs: 3,
        completed: 2,
        failed: 1,
        stopped: 0,
        people: 2,
        calls: 3,
        inputTokens: 120,
        outputTokens: 240,
        cachedInputTokens: 0,
        reasoningTokens: 0,
        costMicros: 1_005,
        firstToken: { p50: 200, p95: 290 },
        answer: { p50: 2_000, p95: 2_000 },
      });
      assert.deepEqual(series.runs, [2, 0, 1]);
      assert.deepEqual(series.failed, [0, 0, 1]);
      assert.deepEqual(series.calls, [1, 1, 1]);
      assert.deepEqual(series.costMicros, [5, 1_000, 0]);
      assert.deepEqual(series.inputTokens, [10, 100, 10]);
      assert.deepEqual(series.firstTokenP50, [100, 300, 200]);
      assert.deepEqual(series.answerP95, [2_000, null, null]);
      assert.deepEqual(
        models.map(({ model, calls, costMicros }) => [model, calls, costMicros]),
        [
          ["demo", 2, 5],
          ["big", 1, 1_000],
        ],
      );
      assert.deepEqual(tools, [
        { name: "clock", calls: 2, failed: 1, durationP50: 1_000 },
        { name: "research", calls: 1, failed: 0, durationP50: 1_000 },
      ]);
      assert.deepEqual(errors, [{ code: "MODEL_FAILED", count: 1 }]);
    });

    it("of a time when nothing happened are zeros, and no latencies", async () => {
      const insights = await world.store.insights.read(owner, ["2020-01-01T00:00:00.000Z", "2020-01-02T00:00:00.000Z"]);
      assert.deepEqual(insights?.series.runs, [0]);
      assert.deepEqual(insights.totals.firstToken, { p50: null, p95: null });
      assert.deepEqual([insights.models, insights.tools, insights.errors], [[], [], []]);
    });

    it("are another tenant's own for its owner, and nobody's for who is no owner or is one elsewhere", async () => {
      const others = await world.store.insights.read(stranger, TIMES);
      assert.deepEqual([others?.totals.runs, others?.totals.inputTokens, others?.totals.stopped], [1, 7, 1]);
      assert.equal(await world.store.insights.read(colleague, TIMES), null);
      for (const scope of [
        { tenantId: owner.tenantId, userId: stranger.userId },
        { tenantId: stranger.tenantId, userId: owner.userId },
        { tenantId: uuidv7(), userId: uuidv7() },
      ])
        assert.equal(await world.store.insights.read(scope, TIMES), null);
    });

    /** As the role itself, whatever the program would have asked before. */
    const asRole = (scope: Scope, text: string) =>
      world.database.transaction(scope, async (tx) => {
        await tx.run({ name: "test_as_insights", text: "set local role parley_insights", order: [] }, {});
        return tx.run({ name: `test_insights_${text}`.slice(0, 60), text, order: [] }, {});
      });

    it("come from a role that sees no row unless an owner asks, no words, and can write nothing", async () => {
      for (const table of ["usage", "runs", "steps"]) {
        const count = `select count(tenant_id)::int as n from ${table}`;
        assert.deepEqual(await asRole(colleague, count), [{ n: 0 }]);
        assert.deepEqual(await asRole({ ...owner, userId: stranger.userId }, count), [{ n: 0 }]);
      }
      assert.deepEqual(await asRole(owner, "select distinct tenant_id from usage"), [{ tenant_id: owner.tenantId }]);
      for (const text of [
        "select parts from messages",
        "select title from conversations",
        "select name from users",
        "select answer from steps",
        "select continuation from steps",
        "select args from approvals",
        "select text from memories",
        "update runs set status = 'stopped'",
        "delete from usage",
        "update users set roles = '{owner}'",
      ])
        await assert.rejects(asRole(owner, text), /permission denied/, text);
    });

    it("have an index of their own, which no statement without a time can be led to", async () => {
      const plan = (rows: readonly unknown[]) => JSON.stringify(rows);
      const recent = "created_at >= now() - interval '1 day'";
      assert.match(
        plan(await asRole(owner, `explain select count(tenant_id) from runs where ${recent}`)),
        /runs_times/,
      );
      for (const text of ["select * from runs", `select * from runs where conversation_id = '${uuidv7()}'`])
        assert.doesNotMatch(plan(await runAs(world, owner, `explain ${text}`)), /runs_times/);
    });

    it("leave the other roles as bound as they were", async () => {
      const [row] = await runAs<{ n: number }>(world, owner, "select count(distinct user_id)::int as n from usage");
      assert.equal(row?.n, 1);
    });
  });
}
