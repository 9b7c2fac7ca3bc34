/**
 * One claimed run, from its claim to its last commit.
 *
 *   seal or open the topic ─▶ announce the claim ─▶ next action ─┬─▶ call the model ─▶ flush ─┐
 *                                                                └────────────────────────────┴─▶ commit ─▶ announce
 *
 * It ends early for one of the reasons of `Interrupt`. A run that was lost changes nothing any more, anywhere.
 */
import type { EventLog, TopicState } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelCatalog } from "../ports/services.ts";
import type { Announcement, ClaimedRun, JournalWrite, Lease as RunLease, Store } from "../ports/store.ts";
import { ERRORS } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Part, Step } from "../protocol/shapes.ts";
import { isOutage, type StoreAccess } from "./engine-access.ts";
import { lost, renewed, rightOf, type Lease } from "./lease.ts";
import { DEFAULT_BACKOFF, pauseUnlessAborted, waitMs, withTimeLimit } from "./log-batcher-retry.ts";
import type { LogBatcher } from "./log-batcher.ts";
import { nextAction, type Action } from "./next-action.ts";
import { ModelCall, type Interrupt, type RunEnding } from "./run-task-call.ts";
import { RunWriter } from "./run-writer.ts";

export interface TaskContext {
  readonly store: Pick<Store, "runs">;
  readonly access: StoreAccess;
  readonly log: EventLog;
  readonly batcher: LogBatcher;
  readonly models: ModelCatalog;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Never rejects. */
  readonly announce: (rows: readonly Announcement[]) => Promise<void>;
  /** There is a run to claim. */
  readonly wake: () => void;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly leaseMs: number;
  readonly stallMs: number;
  /** Time limit of one call to the log, and of the last flush. */
  readonly logMs: number;
}

export type TaskEnd = RunEnding["status"] | "lost" | "released";

export class RunTask {
  readonly lease: RunLease;
  /** How it ended. Never rejects. */
  readonly done: Promise<TaskEnd>;
  readonly #context: TaskContext;
  readonly #claimed: ClaimedRun;
  readonly #logger: Logger;
  readonly #topic: string;
  readonly #deadlineAt: number;
  readonly #gone = new AbortController();
  #held: Lease;
  #interrupt: Interrupt | undefined;
  #call: ModelCall | undefined;

  /** `rows` announce the claim; `held` is the lease as of the claim's sending. */
  constructor(context: TaskContext, claimed: ClaimedRun, rows: readonly Announcement[], held: Lease) {
    const { runId, conversationId, fence } = claimed.lease;
    this.lease = claimed.lease;
    this.#context = context;
    this.#claimed = claimed;
    this.#held = held;
    this.#topic = `conversation:${conversationId}`;
    this.#deadlineAt = context.now() + claimed.deadlineInMs;
    this.#logger = context.logger.child({ runId, conversationId, fence });
    if (claimed.run.stopRequested) this.#interrupt = "stop";
    context.metrics.runStarted(claimed.takeover);
    this.done = this.#runAndReport(rows);
  }

  /** A renewal that was sent at `sentAt` named this run. */
  renewed(sentAt: number): void {
    this.#held = renewed(this.#held, sentAt, this.#context.leaseMs);
  }

  /** The first reason stands; only that the run was lost goes before it. A run that is being committed goes on. */
  interrupt(reason: Interrupt): void {
    if (reason === "lost") {
      this.#held = lost;
      this.#gone.abort();
    } else if (this.#interrupt !== undefined) return;
    this.#interrupt = reason;
    this.#call?.interrupt(reason);
  }

  /** Looks at the clock; called about once a second. */
  check(now: number): void {
    if (this.#call === undefined) return;
    if (now >= this.#deadlineAt) this.interrupt("deadline");
    else if (this.#call.silentMs(now) >= this.#context.stallMs) this.interrupt("stalled");
  }

  async #runAndReport(rows: readonly Announcement[]): Promise<TaskEnd> {
    let end: TaskEnd;
    try {
      end = await this.#run(rows);
    } catch (error) {
      end = await this.#giveUp(error);
    }
    this.#context.metrics.runEnded(end === "released" ? "lost" : end);
    this.#logger.debug({ end }, "a run ended here");
    return end;
  }

  async #run(rows: readonly Announcement[]): Promise<TaskEnd> {
    const topic = await this.#openTopic();
    if (topic === "fenced") return "lost";
    await this.#context.announce(rows);
    if (this.#interrupt === "release") return "released";
    const action = this.#nextAction();
    switch (action.type) {
      case "none":
        return "lost";
      case "finish":
        return this.#endAsStreamed(topic, { status: action.status });
      case "fail":
        return this.#endAsStreamed(topic, { status: "failed", code: action.code, message: action.message });
      case "call-model":
        return this.#callModel(topic, action);
    }
  }

  /**
   * [R4] Shuts older owners out of the topic, or creates it. undefined: the log does not answer; the writer opens the
   * topic when it does, and the run goes on meanwhile [R8].
   */
  async #openTopic(): Promise<TopicState | "fenced" | undefined> {
    const { log, logMs } = this.#context;
    const { fence } = this.lease;
    try {
      const sealed = await withTimeLimit(logMs, log.seal(this.#topic, fence));
      if (sealed.ok) return sealed.state;
      if (sealed.reason === "FENCED") return "fenced";
      const request = { topic: this.#topic, epoch: uuidv7(), fence, accumulators: [], owner: true };
      const opened = await withTimeLimit(logMs, log.open(request));
      return opened.ok ? opened.state : "fenced";
    } catch (error) {
      this.#logger.warn({ err: error }, "the log is away; the run starts without it");
      return undefined;
    }
  }

  #nextAction(): Action {
    const { run, steps, message } = this.#claimed;
    const facts = {
      run: { ...run, stopRequested: this.#interrupt === "stop" },
      steps,
      parts: message.parts.length,
      deadlineAt: this.#deadlineAt,
    };
    return nextAction(facts, this.#context.now());
  }

  /** [R11] Ends a run with what its former owner streamed: finished parts, and the rest as the log was sealed. */
  #endAsStreamed(topic: TopicState | undefined, end: RunEnding): Promise<TaskEnd> {
    const { run, message } = this.#claimed;
    const parts = [...message.parts];
    const streamed = topic?.accumulators.filter((part) => part.messageId === message.id) ?? [];
    for (const { partIndex, text } of streamed.toSorted((a, b) => a.partIndex - b.partIndex)) {
      if (partIndex === parts.length && text !== "") parts.push({ type: "text", text });
    }
    return this.#commit({ steps: [], parts, usage: run.usage, end });
  }

  async #callModel(topic: TopicState | undefined, action: Extract<Action, { type: "call-model" }>): Promise<TaskEnd> {
    if (!(await this.#mayAct())) return "lost";
    const { run, message, transcript } = this.#claimed;
    const { partIndex } = action;
    const startedAt = new Date().toISOString();
    const writer = this.#begin(topic, partIndex);
    this.#call = new ModelCall(this.#context, this.#logger, writer, {
      run,
      messageId: message.id,
      partIndex,
      transcript,
    });
    if (this.#interrupt !== undefined) this.#call.interrupt(this.#interrupt);
    const { end, usage } = await this.#call.ended;
    this.#call = undefined;

    // What the log does not take within its time, readers get with the announcement of the end.
    if (this.#interrupt !== "lost") await writer.flush(this.#context.logMs);
    writer.close();
    if (rightOf(this.#held, this.#context.now()) === "nothing") return "lost";
    if (end === undefined) return "released";

    const step: Step = {
      id: uuidv7(),
      runId: run.id,
      index: action.stepIndex,
      kind: "model",
      attempt: action.attempt,
      status: end.status,
      usage,
      startedAt,
      finishedAt: new Date().toISOString(),
    };
    const text = writer.textOf(message.id, partIndex);
    const parts: Part[] = text === "" ? message.parts : [...message.parts, { type: "text", text }];
    const total = {
      inputTokens: run.usage.inputTokens + usage.inputTokens,
      outputTokens: run.usage.outputTokens + usage.outputTokens,
    };
    return this.#commit({ steps: [step], parts, usage: total, end });
  }

  /** Opens the answer's part to its readers; on a takeover cuts off what the unfinished call had written [R5]. */
  #begin(topic: TopicState | undefined, partIndex: number): RunWriter {
    const { log, batcher } = this.#context;
    const { run, message, takeover } = this.#claimed;
    const messageId = message.id;
    const writer = new RunWriter({
      log,
      batcher,
      logger: this.#logger,
      topic: this.#topic,
      fence: this.lease.fence,
      onFenced: () => this.interrupt("lost"),
    });
    writer.start(topic);
    if (takeover) {
      const value = { messageId, partIndex, length: 0, attempt: run.attempt, runId: run.id };
      writer.event({ type: "CUSTOM", name: "message.reset", value });
    }
    // The accumulators have a part from its START on.
    const begun = topic?.accumulators.some((part) => part.messageId === messageId && part.partIndex === partIndex);
    if (begun !== true)
      writer.event({ type: "TEXT_MESSAGE_START", messageId, role: "assistant", runId: run.id, partIndex });
    return writer;
  }

  /** Waits while the lease is past and may be renewed yet; false when it is lost [R3]. */
  async #mayAct(): Promise<boolean> {
    for (let waits = 0; ; waits++) {
      const right = rightOf(this.#held, this.#context.now());
      if (right !== "stream") return right === "act";
      await this.#pause(waits);
    }
  }

  /** Repeats itself while the store is away: the text is here and nowhere else. */
  async #commit(write: JournalWrite & { readonly end: RunEnding }): Promise<TaskEnd> {
    const { access, store, announce } = this.#context;
    for (let failures = 0; ; failures++) {
      if (!(await this.#mayAct())) return "lost";
      try {
        const result = await access.call(() => store.runs.commit(this.lease, write));
        if (!result.ok) return "lost";
        // Before the announcement: nobody waits for the next run longer than for the end of this one.
        if (result.next) this.#context.wake();
        await announce(result.announce);
        return write.end.status;
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (failures === 0) this.#logger.warn({ err: error }, "the end of a run can't be written yet");
      }
      await this.#pause(failures);
    }
  }

  #pause(failures: number): Promise<void> {
    return pauseUnlessAborted(waitMs(DEFAULT_BACKOFF, failures), this.#gone.signal);
  }

  /** A bug: the run fails rather than to stay open, or to be tried for ever. */
  async #giveUp(error: unknown): Promise<TaskEnd> {
    this.#context.metrics.bug();
    this.#logger.error({ err: error }, "a run broke");
    const { run, message } = this.#claimed;
    const end: RunEnding = { status: "failed", code: "INTERNAL", message: ERRORS.INTERNAL.message };
    try {
      return await this.#commit({ steps: [], parts: message.parts, usage: run.usage, end });
    } catch (second) {
      this.#logger.error({ err: second }, "and could not be ended; its lease expires");
      return "lost";
    }
  }
}
