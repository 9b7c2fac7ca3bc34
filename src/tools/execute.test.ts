import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { FakeClock } from "../../test/support/clock.fake.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import type { FileStore } from "../ports/files.ts";
import type { Store } from "../ports/store.ts";
import { ToolError, type PlainTool, type ToolCall, type ToolProgress } from "../ports/tool.ts";
import { ParleyError } from "../protocol/errors.ts";
import { createToolExecutor } from "./execute.ts";

type Run = PlainTool["run"];

const tool = (run: Run, fields: Partial<PlainTool> = {}): PlainTool => ({
  name: "probe",
  description: "Probes.",
  effect: "read",
  approval: "never",
  schema: z.strictObject({}),
  summary: () => "Probe.",
  timeoutMs: 10_000,
  maxResultBytes: 1_000,
  concurrency: 2,
  retries: 0,
  run,
  ...fields,
});

function world(maxWaiting?: number) {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const progress: ToolProgress[] = [];
  const stop = new AbortController();
  const executor = createToolExecutor({ clock, random: () => 1, ...(maxWaiting === undefined ? {} : { maxWaiting }) });
  const call = (probe: PlainTool, signal = stop.signal): ToolCall => ({
    tool: probe,
    args: { a: 1 },
    signal,
    progress: (newest) => void progress.push(newest),
    context: {
      lease: { runId: "r", tenantId: "t", userId: "u", conversationId: "c", fence: 1, owner: "o" },
      toolCallId: "call-1",
      logger,
      store: {} as Pick<Store, "memories" | "files">,
      files: {} as FileStore,
    },
  });
  return {
    clock,
    logger,
    progress,
    stop,
    call,
    run: (probe: PlainTool, signal?: AbortSignal) => executor.run(call(probe, signal)),
    reconcile: (probe: PlainTool) => executor.reconcile(call(probe)),
  };
}

/** What is ready happens. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A run that the test ends. */
function held() {
  const started: { readonly signal: AbortSignal; end(value: unknown): void }[] = [];
  const run: Run = (_, { signal }) => new Promise((resolve) => started.push({ signal, end: resolve }));
  return { run, started };
}

test("a tool gets its arguments and its context, and answers", async () => {
  const { run } = world();
  const outcome = await run(tool(async (args, { toolCallId, lease }) => ({ args, toolCallId, runId: lease.runId })));
  assert.deepEqual(outcome, { status: "completed", result: { args: { a: 1 }, toolCallId: "call-1", runId: "r" } });
});

test("a tool's own word is told, a bug is logged and told as a failure", async () => {
  const { run, logger } = world();
  assert.deepEqual(await run(tool(async () => Promise.reject(new ToolError("There is no such city.")))), {
    status: "failed",
    error: "There is no such city.",
  });
  assert.deepEqual(logger.lines, []);
  const throwsAtOnce: Run = () => {
    throw new Error("secret detail");
  };
  assert.deepEqual(await run(tool(throwsAtOnce)), { status: "failed", error: "The tool probe failed." });
  assert.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [["error", "a tool failed with a bug"]],
  );
  const long = await run(tool(async () => Promise.reject(new ToolError(`\0${"x".repeat(9_000)}`))));
  assert.ok(long.status === "failed" && long.error.length === 2_000 && long.error.startsWith("\ufffdx"));
});

test("an answer that is no JSON is a bug, not a crash", async () => {
  const { run, logger } = world();
  assert.deepEqual(await run(tool(async () => ({ n: 1n }))), {
    status: "failed",
    error: "The tool probe did what it was asked, but its answer can't be read.",
  });
  assert.equal(logger.lines[0]?.level, "error");
});

test("a result above the tool's size is cut", async () => {
  const { run } = world();
  const outcome = await run(tool(async () => "x".repeat(5_000)));
  assert.ok(outcome.status === "completed");
  assert.match(String(outcome.result), /Cut here/);
});

test("a failed call is tried again after pauses that grow, as often as the tool says", async () => {
  const { run, clock, logger } = world();
  let tries = 0;
  const flaky = tool(
    async () => {
      if (++tries < 3) throw new Error("connection reset");
      return tries;
    },
    { retries: 2 },
  );
  const outcome = run(flaky);
  await settle();
  assert.equal(tries, 1);
  clock.advance(199);
  await settle();
  assert.equal(tries, 1);
  clock.advance(1);
  await settle();
  assert.equal(tries, 2);
  clock.advance(400);
  assert.deepEqual(await outcome, { status: "completed", result: 3 });
  assert.deepEqual(logger.lines, []);
});

test("retries end: the last failure counts", async () => {
  const { run, clock } = world();
  let tries = 0;
  const broken = tool(
    async () => {
      tries++;
      throw new ParleyError("UNAVAILABLE");
    },
    { retries: 1 },
  );
  const outcome = run(broken);
  await settle();
  clock.advance(200);
  const { error } = (await outcome) as { error: string };
  assert.match(error, /can't be reached right now/);
  assert.equal(tries, 2);
});

test("what a tool says itself, and what would fail again, is not tried again", async () => {
  for (const error of [new ToolError("No."), new ParleyError("NOT_FOUND")]) {
    const { run } = world();
    let tries = 0;
    await run(
      tool(
        async () => {
          tries++;
          throw error;
        },
        { retries: 5 },
      ),
    );
    assert.equal(tries, 1);
  }
});

test("a call that takes too long is aborted and told so; an unsafe one leaves a doubt", async () => {
  for (const [effect, doubt] of [
    ["read", ""],
    ["unsafe", " Nobody knows whether it took effect."],
  ] as const) {
    const { run, clock } = world();
    const { run: work, started } = held();
    const outcome = run(tool(work, { effect }));
    await settle();
    clock.advance(10_000);
    assert.ok(started[0]?.signal.aborted);
    // What it answers from the abort on does not count.
    started[0].end("done after all");
    assert.deepEqual(await outcome, {
      status: "failed",
      error: `The tool probe took longer than 10 s and was given up.${doubt}`,
    });
  }
});

test("the time limit holds for all tries together", async () => {
  const { run, clock } = world();
  const outcome = run(
    tool(
      async () => {
        throw new Error("again");
      },
      { retries: 5, timeoutMs: 300 },
    ),
  );
  await settle();
  clock.advance(200);
  await settle();
  clock.advance(100);
  const { error } = (await outcome) as { error: string };
  assert.match(error, /longer than 0\.3 s/);
});

test("a stop aborts the tool, and what it answers does not count", async () => {
  const { run, stop } = world();
  const { run: work, started } = held();
  const outcome = run(tool(work));
  await settle();
  stop.abort();
  assert.ok(started[0]?.signal.aborted);
  started[0].end("too late");
  assert.deepEqual(await outcome, { status: "aborted" });
});

test("a tool that does not come back within a second of a stop is left behind, and its place is free", async () => {
  const { run, clock, logger } = world();
  const { run: work, started } = held();
  const deaf = tool(work, { concurrency: 1 });
  const stop = new AbortController();
  const outcome = run(deaf, stop.signal);
  const next = run(deaf);
  await settle();
  stop.abort();
  clock.advance(999);
  await settle();
  assert.equal(started.length, 1);
  clock.advance(1);
  assert.deepEqual(await outcome, { status: "aborted" });
  assert.equal(logger.lines[0]?.level, "warn");
  await settle();
  started[1]?.end("fine");
  assert.deepEqual(await next, { status: "completed", result: "fine" });
});

test("a stop ends a pause before a retry, and a wait for a place", async () => {
  const { run, stop } = world();
  let tries = 0;
  const paused = run(
    tool(
      async () => {
        tries++;
        throw new Error("again");
      },
      { name: "flaky", retries: 5 },
    ),
  );
  const { run: work, started } = held();
  const narrow = tool(work, { concurrency: 1 });
  const running = run(narrow, new AbortController().signal);
  const waiting = run(narrow);
  await settle();
  stop.abort();
  assert.deepEqual(await paused, { status: "aborted" });
  assert.deepEqual(await waiting, { status: "aborted" });
  assert.deepEqual(await run(narrow), { status: "aborted" });
  assert.equal(tries, 1);
  started[0]?.end("still here");
  assert.deepEqual(await running, { status: "completed", result: "still here" });
  assert.equal(started.length, 1);
});

test("calls of a tool run so many at once, the others in their order", async () => {
  const { run } = world();
  const { run: work, started } = held();
  const narrow = tool(work, { concurrency: 2 });
  const order: number[] = [];
  const outcomes = [0, 1, 2, 3].map(async (i) => {
    const outcome = await run(narrow);
    order.push(i);
    return outcome;
  });
  const other = run(tool(async () => "other", { name: "other", concurrency: 1 }));
  assert.deepEqual(await other, { status: "completed", result: "other" });
  for (const count of [2, 3, 4, 4]) {
    await settle();
    assert.equal(started.length, count);
    started[order.length]?.end("ok");
  }
  await Promise.all(outcomes);
  assert.deepEqual(order, [0, 1, 2, 3]);
});

test("the queue of a tool is bounded, and a wait in it has the tool's time limit", async () => {
  const { run, clock } = world(1);
  const { run: work, started } = held();
  const narrow = tool(work, { concurrency: 1 });
  const running = run(narrow);
  const waiting = run(narrow);
  const busy = {
    status: "failed",
    error: "The tool probe has too many other calls to do. It was not run; try it later.",
  };
  assert.deepEqual(await run(narrow), busy);
  await settle();
  clock.advance(10_000);
  assert.deepEqual(await waiting, busy);
  started[0]?.end("late");
  assert.equal((await running).status, "failed");
  assert.equal(started.length, 1);
});

test("progress: the first word at once, then the newest, ten times a second, none after the end", async () => {
  const { run, clock, progress } = world();
  let report: ((message: string, fraction?: number) => void) | undefined;
  let end: ((value: unknown) => void) | undefined;
  const outcome = run(
    tool((_, context) => {
      report = (message, fraction) => context.progress(message, fraction);
      return new Promise((resolve) => {
        end = resolve;
      });
    }),
  );
  await settle();
  for (let i = 0; i < 999; i++) {
    report?.(`step ${i}`, i / 1_000);
    clock.advance(1);
  }
  assert.equal(progress.length, 10);
  assert.deepEqual(progress.slice(0, 2), [
    { message: "step 0", fraction: 0 },
    { message: "step 99", fraction: 0.099 },
  ]);
  clock.advance(100);
  assert.deepEqual(progress.at(-1), { message: "step 998", fraction: 0.998 });
  clock.advance(10_000 - 1_101);
  report?.("nothing new");
  report?.("never told");
  end?.("done");
  await outcome;
  clock.advance(1_000);
  report?.("nor this");
  assert.equal(progress.at(-1)?.message, "nothing new");
});

test("progress of several calls keeps each call's pace", async () => {
  const { run, clock, progress } = world();
  const reports: ((message: string) => void)[] = [];
  const talks = tool((_, context) => {
    reports.push((message) => context.progress(message));
    return new Promise(() => {});
  });
  for (let i = 0; i < 2; i++) run(talks).catch(assert.fail);
  await settle();
  reports[0]?.("a1");
  reports[0]?.("a2");
  clock.advance(50);
  reports[1]?.("b1");
  reports[1]?.("b2");
  clock.advance(50);
  assert.deepEqual(
    progress.map(({ message }) => message),
    ["a1", "b1", "a2"],
  );
  clock.advance(49);
  assert.equal(progress.length, 3);
  clock.advance(1);
  assert.equal(progress.at(-1)?.message, "b2");
});

test("progress is a short text and a fraction from 0 to 1", async () => {
  const { run, progress } = world();
  const says = (message: string, fraction?: number) =>
    run(tool(async (_, context) => context.progress(message, fraction)));
  await says("x".repeat(9_000), 7);
  await says("b", -1);
  await says("c\0", NaN);
  assert.equal(progress[0]?.message.length, 500);
  assert.deepEqual(
    progress.map(({ fraction }) => fraction),
    [1, 0, undefined],
  );
  assert.deepEqual(progress[2], { message: "c\ufffd" });
});

test("[R5] reconcile answers as the tool knows; a failure, a stop and silence are unknown", async () => {
  const unsafe = (reconcile: PlainTool["reconcile"]) =>
    tool(async () => "ran", { effect: "unsafe", ...(reconcile === undefined ? {} : { reconcile }) });
  const { reconcile, logger, clock, stop } = world();
  assert.deepEqual(await reconcile(unsafe(async () => ({ state: "done", result: { at: new Date(0) } }))), {
    state: "done",
    result: { at: "1970-01-01T00:00:00.000Z" },
  });
  assert.deepEqual(await reconcile(unsafe(async () => ({ state: "not-done" }))), { state: "not-done" });
  assert.deepEqual(await reconcile(unsafe(undefined)), { state: "unknown" });
  assert.deepEqual(await reconcile(unsafe(async () => undefined as never)), { state: "unknown" });
  assert.deepEqual(await reconcile(unsafe(async () => Promise.reject(new Error("bug")))), { state: "unknown" });
  assert.equal(logger.lines.length, 1);
  // It took effect, though nobody can read how.
  assert.deepEqual(await reconcile(unsafe(async () => ({ state: "done", result: 1n }))), {
    state: "done",
    result: null,
  });

  const silent = reconcile(unsafe(() => new Promise(() => {})));
  await settle();
  clock.advance(10_000);
  clock.advance(1_000);
  assert.deepEqual(await silent, { state: "unknown" });
  stop.abort();
  assert.deepEqual(await reconcile(unsafe(async () => ({ state: "done", result: 1 }))), { state: "unknown" });
});
