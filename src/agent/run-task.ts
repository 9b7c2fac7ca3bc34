/**
 * One claimed run, from its claim to its last commit, or to where only a person can go on with it.
 *
 *   seal or open the topic ─┬─▶ announce the claim ─▶ the writer writes
 *                           └─▶ next action ─┬─▶ call the model ──▶ journal ─┐
 *                                   ▲        ├─▶ tool calls ──────▶ journal ─┤
 *                                   ├────────┴─▶ messages join ──▶ commit ───┤
 *                                   └───────────────────────────────────────┘
 *                                            └─▶ finish, fail, wait ──▶ commit ─▶ announce
 *
 * A model takes its time to its first word, in which the log is told of the claim. Whoever does not own the run any more
 * is told so by the seal, before the model is asked.
 *
 * It ends early for one of the reasons of `Interrupt`. A run that was lost changes nothing any more, anywhere.
 */
import type { EventLog, TopicState } from "../ports/event-log.ts";
import type { FileStore } from "../ports/files.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelCatalog } from "../ports/services.ts";
import type { Announcement, ClaimedRun, Committed, JournalWrite, Lease as RunLease, Store } from "../ports/store.ts";
import type { ToolExecutor, ToolRegistry } from "../ports/tool.ts";
import { ERRORS } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { AnswerSink } from "./answer-sink.ts";
import { isOutage, type StoreAccess } from "./engine-access.ts";
import { lost, renewed, rightOf, type Lease } from "./lease.ts";
import { DEFAULT_BACKOFF, pauseUnlessAborted, waitMs, withTimeLimit } from "./log-batcher-retry.ts";
import type { LogBatcher } from "./log-batcher.ts";
import type { ModelCallContext } from "./model-call.ts";
import { modelMessages } from "./model-messages.ts";
import { nextAction, type Action } from "./next-action.ts";
import { type Ending, RunJournal } from "./run-journal.ts";
import { ModelCall, type Interrupt } from "./run-task-call.ts";
import { RunTaskTools } from "./run-task-tools.ts";
import { RunWriter } from "./run-writer.ts";

/** Bounds of one run [R6]. */
export interface RunBounds {
  /** Calls of the model. */
  readonly maxSteps: number;
  /** Input and output tokens together. */
  readonly maxTokens: number;
  /** A question to a person is denied by itself after this. */
  readonly approvalMs: number;
}

export interface TaskContext {
  readonly store: Pick<Store, "runs" | "memories" | "files">;
  readonly access: StoreAccess;
  readonly log: EventLog;
  readonly batcher: LogBatcher;
  readonly models: ModelCatalog;
  readonly modelCalls: ModelCallContext;
  readonly tools: ToolRegistry;
  readonly executor: ToolExecutor;
  readonly files: FileStore;
  readonly bounds: RunBounds;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Never rejects. */
  readonly announce: (rows: readonly Announcement[]) => Promise<void>;
  /** There is a run to claim. */
  readonly wake: () => void;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly leaseMs: number;
  /** Time limit of one call to the log, and of the last flush. */
  readonly logMs: number;
}

export type TaskEnd = Ending["status"] | "waiting" | "lost" | "released";

export class RunTask {
  readonly lease: RunLease;
  /** How it ended. Never rejects. */
  readonly done: Promise<TaskEnd>;
  readonly #context: TaskContext;
  readonly #claimed: ClaimedRun;
  readonly #logger: Logger;
  readonly #topic: string;
  readonly #deadlineAt: number;
  readonly #journal: RunJournal;
  readonly #tools: RunTaskTools;
  readonly #gone = new AbortController();
  /** Settled at the first interrupt. */
  readonly #interrupted = Promise.withResolvers<void>();
  #writer: RunWriter | undefined;
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
    this.#journal = new RunJournal(claimed);
    this.#tools = new RunTaskTools(context, this.#logger, claimed.lease, this.#journal, {
      emit: (event) => this.#writer?.event(event),
      commit: () => this.#commit(this.#journal.write()),
      commitWith: (work) => this.#commit(work),
      interrupted: this.#interrupted.promise,
    });
    if (claimed.run.stopRequested) this.interrupt("stop");
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
    this.#tools.interrupt(reason);
    this.#interrupted.resolve();
  }

  /** Looks at the clock; called about once a second. */
  check(now: number): void {
    if (now >= this.#deadlineAt) this.interrupt("deadline");
  }

  async #runAndReport(rows: readonly Announcement[]): Promise<TaskEnd> {
    let end: TaskEnd;
    try {
      end = await this.#run(rows);
    } catch (error) {
      end = await this.#giveUp(error);
    }
    this.#writer?.close();
    this.#tools.interrupt("lost");
    if (end !== "waiting") this.#context.metrics.runEnded(end === "released" ? "lost" : end);
    this.#logger.debug({ end }, "a run ended here");
    return end;
  }

  async #run(rows: readonly Announcement[]): Promise<TaskEnd> {
    const topic = await this.#openTopic();
    if (topic === "fenced") return "lost";
    const announced = this.#context.announce(rows);
    const first = this.#nextAction().type;
    // [R11] What the former owner streamed of an answer that nobody finishes.
    if (first === "finish" || first === "fail") this.#keepStreamed(topic);
    this.#begin(topic, announced);
    let end: TaskEnd | undefined;
    while (end === undefined) end = await this.#act(this.#nextAction());
    // Whoever goes on with it writes at once.
    await announced;
    return end;
  }

  /** undefined: look again. */
  async #act(action: Action): Promise<TaskEnd | undefined> {
    if (this.#interrupt === "lost") return "lost";
    if (this.#interrupt === "release") return this.#release();
    switch (action.type) {
      case "none":
        return "lost";
      case "finish":
        return this.#end({ status: action.status });
      case "fail":
        return this.#end({ status: "failed", code: action.code, message: action.message });
      case "call-model":
        // With the commit it hears of stops and of messages that want to join.
        return this.#journal.dirty ? this.#save() : this.#callModel(action);
      case "steer":
        return (await this.#save()) ?? this.#steer();
      case "settle":
        return this.#outcome(await this.#tools.settle(action.calls));
      case "await-calls":
        return (await this.#save()) ?? this.#outcome(await this.#tools.awaitSome());
      case "wait":
        return this.#wait();
    }
  }

  #nextAction(): Action {
    const { run, steps, messageId, parts, approvals, allowedTools, steers, usage } = this.#journal;
    const { tools, bounds, now } = this.#context;
    const facts = {
      run: { ...run, stopRequested: this.#interrupt === "stop" },
      steps,
      messageId,
      parts,
      approvals,
      allowedTools,
      steers,
      inFlight: this.#tools.inFlight,
      tools,
      usage,
      maxSteps: bounds.maxSteps,
      maxTokens: bounds.maxTokens,
      deadlineAt: this.#deadlineAt,
    };
    return nextAction(facts, now());
  }

  // ── the topic ─────────────────────────────────────────────────────────────────────────────────────────────────

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

  #keepStreamed(topic: TopicState | undefined): void {
    const { messageId, parts } = this.#journal;
    const streamed = topic?.accumulators.filter((part) => part.messageId === messageId) ?? [];
    for (const { partIndex, part, text } of streamed.toSorted((a, b) => a.partIndex - b.partIndex)) {
      if (partIndex !== parts.length || text === "" || part.type === "tool") continue;
      parts.push({ type: part.type, text });
    }
  }

  /** On a takeover cuts off what an unfinished call of the model had written [R5]. */
  #begin(topic: TopicState | undefined, announced: Promise<void>): void {
    const { log, batcher } = this.#context;
    const writer = new RunWriter({
      log,
      batcher,
      logger: this.#logger,
      topic: this.#topic,
      fence: this.lease.fence,
      onFenced: () => this.interrupt("lost"),
    });
    this.#writer = writer;
    const { messageId, parts, run } = this.#journal;
    const mine = topic?.accumulators.filter((part) => part.messageId === messageId) ?? [];
    writer.start(
      topic,
      mine.filter(({ partIndex }) => partIndex < parts.length),
      announced,
    );
    if (!this.#claimed.takeover) return;
    const unknown = topic?.complete !== true;
    if (!unknown && mine.every(({ partIndex }) => partIndex < parts.length)) return;
    const value = { messageId, partIndex: parts.length, length: 0, attempt: run.attempt, runId: run.id };
    writer.event({ type: "CUSTOM", name: "message.reset", value });
  }

  // ── actions ───────────────────────────────────────────────────────────────────────────────────────────────────

  async #callModel(action: Extract<Action, { type: "call-model" }>): Promise<TaskEnd | undefined> {
    const writer = this.#writer;
    if (writer === undefined || !(await this.#mayAct())) return "lost";
    const journal = this.#journal;
    const { run, messageId, parts, steps, transcript } = journal;
    const { models, modelCalls, tools, files } = this.#context;
    const startedAt = new Date().toISOString();
    const sink = new AnswerSink({
      writer,
      messageId,
      runId: run.id,
      from: action.partIndex,
      knownCalls: journal.callIds,
      onRefused: (why) => call.interrupt(why === "ended" ? "lost" : why),
    });
    const info = models.list().find(({ id }) => id === run.model);
    const onUnread = (err: unknown) => this.#logger.warn({ err }, "a model is asked without a file that can't be read");
    const reading = { transcript, messageId, parts, steps, contextTokens: info?.contextTokens, files, onUnread };
    const call = new ModelCall(modelCalls, this.#logger, {
      run,
      sink,
      chain: () => models.chain(run.model),
      messages: modelMessages(reading),
      tools: tools.specs(),
      deadlineAt: this.#deadlineAt,
      onNotice: (notice) => writer.event({ type: "CUSTOM", name: "run.notice", value: { runId: run.id, ...notice } }),
    });
    this.#call = call;
    if (this.#interrupt !== undefined) call.interrupt(this.#interrupt);
    const { result, usage, model, provider, firstTokenMs, durationMs } = await call.ended;
    this.#call = undefined;

    if (this.#interrupt !== "lost") sink.end();
    if (rightOf(this.#held, this.#context.now()) === "nothing") return "lost";
    if (result.type === "left") return this.#interrupt === "lost" ? "lost" : this.#release();
    const said = sink.parts();
    const answered = result.type === "answered";
    const end = answered ? undefined : result.end;
    const { continuation } = answered ? result.answer : {};
    journal.answered(
      {
        id: uuidv7(),
        runId: run.id,
        index: action.stepIndex,
        kind: "model",
        name: model,
        attempt: action.attempt,
        status: end?.status ?? "completed",
        usage,
        startedAt,
        finishedAt: new Date().toISOString(),
        call: { provider, model, firstTokenMs, durationMs },
        ...(answered ? { answer: { messageId, from: action.partIndex, to: action.partIndex + said.length } } : {}),
        ...(continuation === undefined ? {} : { continuation }),
      },
      said,
    );
    return end === undefined ? undefined : this.#end(end);
  }

  /** [R2] */
  async #steer(): Promise<TaskEnd | undefined> {
    const { store, announce } = this.#context;
    const { parts, usage } = this.#journal;
    const steered = await this.#once(() => store.runs.steer(this.lease, uuidv7(), parts, usage));
    if (steered === "lost") return "lost";
    if (steered === null) this.#journal.steers = 0;
    else if ("ok" in steered) return "lost";
    else {
      await announce(steered.announce);
      this.#journal.steered(steered);
    }
    return undefined;
  }

  /** [R7] Gives the run up until a person decides. */
  async #wait(): Promise<TaskEnd | undefined> {
    const committed = await this.#commit(this.#journal.write({ wait: true }));
    if (committed === "lost") return "lost";
    return committed.waiting ? "waiting" : undefined;
  }

  /** Ends it, unless messages want to join first. */
  async #end(end: Ending): Promise<TaskEnd | undefined> {
    const changes = (tool: string) => this.#context.tools.find(tool)?.effect !== "read";
    this.#journal.stopOpenCalls(this.#tools.inFlight, changes);
    const committed = await this.#commit(this.#journal.write({ end }));
    if (committed === "lost") return "lost";
    return committed.ended ? end.status : undefined;
  }

  /** [R12] What is in flight and can't be repeated gets the time that is left. */
  async #release(): Promise<TaskEnd | undefined> {
    while (this.#tools.inFlight.size > 0 && this.#interrupt === "release") {
      const ended = await this.#tools.awaitSome(this.#gone.signal);
      if (ended === "lost") return "lost";
    }
    if (this.#interrupt === "lost") return "lost";
    const saved = await this.#save();
    return saved ?? "released";
  }

  // ── the journal ───────────────────────────────────────────────────────────────────────────────────────────────

  async #save(): Promise<"lost" | undefined> {
    return this.#journal.dirty ? this.#outcome(await this.#commit(this.#journal.write())) : undefined;
  }

  #outcome(committed: Accepted | "lost" | undefined): "lost" | undefined {
    return committed === "lost" ? "lost" : undefined;
  }

  /** What the log does not take within its time, readers get with the announcement of the commit. */
  async #commit(write: JournalWrite | TransactionWork): Promise<Accepted | "lost"> {
    const { store, announce, logMs } = this.#context;
    if (this.#interrupt !== "lost") await this.#writer?.flush(logMs);
    const committed =
      typeof write === "function"
        ? await this.#once(() => store.runs.commitWith(this.lease, write))
        : await this.#persist(() => store.runs.commit(this.lease, write));
    if (committed === "lost" || !committed.ok) return "lost";
    // No delta follows the terminal event [R11], also when the log comes back later.
    if (committed.ended) this.#writer?.close();
    this.#journal.committed(committed);
    if (committed.stopRequested) this.interrupt("stop");
    // Before the announcement: nobody waits for the next run longer than for the end of this one.
    if (committed.next) this.#context.wake();
    await announce(committed.announce);
    return committed;
  }

  /**
   * For a write whose repeat is another write. Whether one that failed was applied is not known here; who claims the
   * run next reads it in the journal.
   */
  async #once<T>(write: () => Promise<T>): Promise<T | "lost"> {
    if (!(await this.#mayAct())) return "lost";
    try {
      return await this.#context.access.call(write);
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.#logger.warn({ err: error }, "the store went away in the middle of a step; its run is claimed again");
      this.interrupt("lost");
      return "lost";
    }
  }

  /** Repeats itself while the store is away: what was said is here and nowhere else. */
  async #persist<T>(write: () => Promise<T>): Promise<T | "lost"> {
    for (let failures = 0; ; failures++) {
      if (!(await this.#mayAct())) return "lost";
      try {
        return await this.#context.access.call(write);
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (failures === 0) this.#logger.warn({ err: error }, "a run's journal can't be written yet");
      }
      await this.#pause(failures);
    }
  }

  /** Waits while the lease is past and may be renewed yet; false when it is lost [R3]. */
  async #mayAct(): Promise<boolean> {
    for (let waits = 0; ; waits++) {
      const right = rightOf(this.#held, this.#context.now());
      if (right !== "stream") return right === "act";
      await this.#pause(waits);
    }
  }

  #pause(failures: number): Promise<void> {
    return pauseUnlessAborted(waitMs(DEFAULT_BACKOFF, failures), this.#gone.signal);
  }

  /** A bug: the run fails rather than to stay open, or to be tried for ever. */
  async #giveUp(error: unknown): Promise<TaskEnd> {
    this.#context.metrics.bug();
    this.#logger.error({ err: error }, "a run broke");
    try {
      return (await this.#end({ status: "failed", code: "INTERNAL", message: ERRORS.INTERNAL.message })) ?? "lost";
    } catch (second) {
      this.#logger.error({ err: second }, "and could not be ended; its lease expires");
      return "lost";
    }
  }
}

type Accepted = Extract<Committed, { readonly ok: true }>;
type TransactionWork = Parameters<Store["runs"]["commitWith"]>[1];
