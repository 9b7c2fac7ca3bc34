/**
 * Runs plain tools: each call with its time limit, its retries and its place among the calls of that tool.
 *
 *   place free? ──▶ run ──┬─ answered ─▶ completed
 *                   ▲     ├─ threw ────▶ retries left? ── no ─▶ failed
 *                   └─────┼── pause ──────── yes
 *                         ├─ time over ─▶ abort, a second of grace ─▶ failed
 *                         └─ stop ──────▶ abort, a second of grace ─▶ aborted
 *
 * What a tool throws is told in its own words where they were meant to be read: a `ToolError`'s, a `ParleyError`'s.
 * Anything else is a bug: logged, and told as a failure only.
 */
import type { Logger } from "../ports/logger.ts";
import {
  ToolError,
  type PlainTool,
  type Tool,
  type ToolCall,
  type ToolContext,
  type ToolExecutor,
  type ToolFailed,
  type ToolOutcome,
} from "../ports/tool.ts";
import { ParleyError } from "../protocol/errors.ts";
import { systemClock, type ToolClock } from "./execute-clock.ts";
import { ProgressPacer } from "./execute-progress.ts";
import { CallQueue } from "./execute-queue.ts";
import { encodeResult, plainText } from "./execute-result.ts";

export interface ExecutorOptions {
  readonly clock?: ToolClock;
  /** 0 … 1, for the jitter. */
  readonly random?: () => number;
  /** Calls of one tool that may wait for a place. Default 100. */
  readonly maxWaiting?: number;
}

/** From an abort on, before a tool is left behind. */
const GRACE_MS = 1_000;
/** The longest first pause before a retry; it doubles. */
const RETRY_MS = 200;
const RETRY_CAP_MS = 5_000;
/** UTF-16 units. */
const MAX_ERROR = 2_000;

type RunOutcome = Awaited<ReturnType<ToolExecutor["run"]>>;
type Reconciled = Awaited<ReturnType<ToolExecutor["reconcile"]>>;
/** There is no outcome of its own any more. */
type Over = Exclude<RunOutcome, { readonly status: "completed" }>;

/** How one try ended. `left`: it did not come back from the abort. */
type End =
  | { readonly type: "returned"; readonly value: unknown }
  | { readonly type: "threw"; readonly error: unknown }
  | { readonly type: "left" };

/** A call that has its place, under its time limit. */
interface Limited {
  readonly context: ToolContext;
  /** Why nothing that the tool does counts any more. */
  readonly over: () => Over | undefined;
}

export function createToolExecutor(options: ExecutorOptions = {}): ToolExecutor {
  const { clock = systemClock, random = Math.random, maxWaiting = 100 } = options;
  const pacer = new ProgressPacer(clock);
  /** One for each tool, by name. */
  const queues = new Map<string, CallQueue>();

  function queueOf({ name, concurrency }: PlainTool): CallQueue {
    let queue = queues.get(name);
    if (queue === undefined) queues.set(name, (queue = new CallQueue(clock, concurrency, maxWaiting)));
    return queue;
  }

  /** Does `work` in a place of the tool's, under its time limit; or says why there was none. */
  async function inPlace<T>(call: ToolCall, work: (limited: Limited) => Promise<T>): Promise<T | Over> {
    const { tool, signal } = call;
    const queue = queueOf(tool);
    const entrance = await queue.enter(signal, tool.timeoutMs);
    if (entrance !== "entered") return entrance === "aborted" ? ABORTED : busy(tool);

    const abort = new AbortController();
    const progress = pacer.open((newest) => call.progress(newest));
    let late = false;
    const stop = () => {
      progress.close();
      abort.abort();
    };
    const cancel = clock.after(tool.timeoutMs, () => {
      late = true;
      stop();
    });
    signal.addEventListener("abort", stop, { once: true });
    // It may have been aborted on the way from the queue to here.
    if (signal.aborted) stop();
    try {
      return await work({
        context: { ...call.context, signal: abort.signal, progress: progress.report },
        over: () => (signal.aborted ? ABORTED : late ? tooLate(tool) : undefined),
      });
    } finally {
      cancel();
      signal.removeEventListener("abort", stop);
      progress.close();
      queue.leave();
    }
  }

  /** Runs it once. Never rejects. */
  async function attempt(tool: PlainTool, context: ToolContext, work: () => Promise<unknown>): Promise<End> {
    const { signal, logger } = context;
    if (signal.aborted) return { type: "left" };
    const { promise, resolve } = Promise.withResolvers<End>();
    let cancel = () => {};
    const leave = () => {
      cancel = clock.after(GRACE_MS, () => {
        logger.warn({ tool: tool.name }, "a tool did not come back from its abort: it is left behind");
        resolve({ type: "left" });
      });
    };
    signal.addEventListener("abort", leave, { once: true });
    startOf(work).then(
      (value) => resolve({ type: "returned", value }),
      (error: unknown) => resolve({ type: "threw", error }),
    );
    const end = await promise;
    cancel();
    signal.removeEventListener("abort", leave);
    return end;
  }

  async function pause(failures: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => resolve();
    const cancel = clock.after(random() * Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** failures), done);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
    await promise;
    cancel();
    signal.removeEventListener("abort", done);
  }

  async function tries({ tool, args }: ToolCall, { context, over }: Limited): Promise<RunOutcome> {
    for (let failures = 0; ; failures++) {
      const end = await attempt(tool, context, () => tool.run(args, context));
      const outcome = over();
      if (outcome !== undefined || end.type === "left") return outcome ?? ABORTED;
      if (end.type === "returned") return completed(tool, end.value, context.logger);
      if (failures >= tool.retries || !mayPass(end.error)) return failed(tool, end.error, context.logger);
      await pause(failures, context.signal);
    }
  }

  return {
    run: (call) => inPlace(call, (limited) => tries(call, limited)),

    async reconcile(call) {
      const { tool, args } = call;
      if (tool.reconcile === undefined) return UNKNOWN;
      const outcome = await inPlace(call, async ({ context, over }) => {
        const end = await attempt(tool, context, async () => tool.reconcile?.(args, context));
        if (end.type === "threw") failed(tool, end.error, context.logger);
        return end.type === "returned" && over() === undefined ? reconciled(tool, end.value, context.logger) : UNKNOWN;
      });
      return "state" in outcome ? outcome : UNKNOWN;
    },

    completed,
    failed,
  };
}

const UNKNOWN: Reconciled = { state: "unknown" };

/** A tool that throws before its promise is no different. */
const startOf = async (work: () => Promise<unknown>): Promise<unknown> => work();

function completed(tool: Tool, value: unknown, logger: Logger): ToolOutcome {
  try {
    return { status: "completed", result: encodeResult(value, tool.maxResultBytes) };
  } catch (error) {
    logger.error({ err: error, tool: tool.name }, "a tool answered something that is no JSON");
    return told(`The tool ${tool.name} did what it was asked, but its answer can't be read.`);
  }
}

/** `answered` comes from a plugin, maybe. */
function reconciled(tool: Tool, answered: unknown, logger: Logger): Reconciled {
  const { state, result } = Object(answered) as { readonly state?: unknown; readonly result?: unknown };
  if (state === "not-done") return { state };
  if (state !== "done") return UNKNOWN;
  const outcome = completed(tool, result, logger);
  // It took effect, whatever its answer is.
  return { state, result: outcome.status === "completed" ? outcome.result : null };
}

function failed(tool: Tool, error: unknown, logger: Logger): ToolFailed {
  if ((error instanceof ToolError || error instanceof ParleyError) && error.message !== "") {
    return told(plainText(error.message, MAX_ERROR));
  }
  logger.error({ err: error, tool: tool.name }, "a tool failed with a bug");
  return told(`The tool ${tool.name} failed.`);
}

/** What a tool says itself is its answer; anything else may be over the next time. */
const mayPass = (error: unknown): boolean =>
  error instanceof ParleyError ? error.retryable : !(error instanceof ToolError);

const told = (error: string): ToolFailed => ({ status: "failed", error });

const ABORTED = { status: "aborted" } as const;

function tooLate({ name, effect, timeoutMs }: Tool): ToolFailed {
  const seconds = Number((timeoutMs / 1000).toPrecision(3));
  const doubt = effect === "unsafe" ? " Nobody knows whether it took effect." : "";
  return told(`The tool ${name} took longer than ${seconds} s and was given up.${doubt}`);
}

const busy = ({ name }: Tool): ToolFailed =>
  told(`The tool ${name} has too many other calls to do. It was not run; try it later.`);
