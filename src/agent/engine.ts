/**
 * The run engine of one process: claims runs, carries them through, and keeps what it holds.
 *
 *   wake ──▶ claim ──▶ RunTask ── stream ──▶ log
 *   poll ──┘             │  ▲
 *                commit ◀┘  └── stop, lost, release ◀── renewal of all leases, every 5 s
 *
 * Timers belong to the engine, one each for all runs, and keep no process alive.
 */
import type { EventLog } from "../ports/event-log.ts";
import type { FileStore } from "../ports/files.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { AgentService, ClaimOffer, ModelCatalog } from "../ports/services.ts";
import type { Announcement, Claimed, Lease as RunLease, Store } from "../ports/store.ts";
import type { ToolExecutor, ToolRegistry } from "../ports/tool.ts";
import { uuidv7 } from "../protocol/id.ts";
import { createStoreAccess, isOutage, type StoreAccess } from "./engine-access.ts";
import { createTimers, type Timers } from "./engine-timers.ts";
import { claimableIn, claimed, rightOf } from "./lease.ts";
import { DEFAULT_BACKOFF, waitMs, withTimeLimit } from "./log-batcher-retry.ts";
import { LogBatcher } from "./log-batcher.ts";
import type { ModelCallContext } from "./model-call.ts";
import { OutboxPublisher } from "./outbox.ts";
import { type RunBounds, RunTask, type TaskContext } from "./run-task.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly models: ModelCatalog;
  readonly modelCalls: ModelCallContext;
  readonly tools: ToolRegistry;
  readonly executor: ToolExecutor;
  readonly files: FileStore;
  readonly bounds?: Partial<RunBounds>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** This process holds the store alone (directory or advisory lock): every lease that it finds is an orphan [R3]. */
  readonly exclusive: boolean;
  /** Commits are answered in their order, as over one connection; if not, the outbox is asked for it [L11]. */
  readonly answersInOrder: boolean;
  readonly times?: Partial<EngineTimes>;
  /** Runs at a time; the rest waits in the database. */
  readonly maxRuns?: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** All in milliseconds. */
export interface EngineTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  /** Looks for runs at least this often, and at most twice that. */
  readonly pollMs: number;
  /** Time limit of one call to the store. */
  readonly storeMs: number;
  /** Time limit of one call to the log, and of a run's last flush. */
  readonly logMs: number;
  /** Rows of the outbox as old as this are anybody's [L11]; how often they are looked for. */
  readonly outboxMs: number;
  /** How often the store deletes what has outlived its use. */
  readonly sweepMs: number;
  /** Streams end so long before the deadline of `stop` [R12]. */
  readonly handOffMs: number;
}

export interface Engine extends AgentService {
  /** Unique to this start. */
  readonly owner: string;
  /** Runs that it holds. */
  readonly held: number;
  /** Can it take another run? */
  readonly hasRoom: boolean;
  holds(runId: string): boolean;
  /** Rejects when the store can't be reached. */
  start(): Promise<void>;
  /** [R12] Claims nothing more, streams on, hands over what is left, all within `deadlineMs`. Idempotent. */
  stop(deadlineMs: number): Promise<void>;
}

const DEFAULT_TIMES: EngineTimes = {
  leaseMs: 15_000,
  renewMs: 5_000,
  pollMs: 1_000,
  storeMs: 5_000,
  logMs: 2_000,
  outboxMs: 2_000,
  sweepMs: 60_000,
  handOffMs: 3_000,
};

/** Nobody waits for the leases of a process that holds its store alone: its successor expires them all [R3]. */
const EXCLUSIVE_TIMES: Partial<EngineTimes> = { leaseMs: 120_000, renewMs: 40_000 };

const DEFAULT_BOUNDS: RunBounds = { maxSteps: 50, maxTokens: 2_000_000, approvalMs: 24 * 60 * 60_000 };

const MAX_RUNS = 500;
/** With so many runs the next are taken together, by a claim, and not each as it is accepted. */
const MAX_OFFERED = 100;
/** Runs taken in one claim. */
const CLAIM_LIMIT = 50;
/** Runs whose claim is not known to have been made, or not. */
const MAX_UNKNOWN = 1_000;
/** Leases renewed in one statement: an embedded database does nothing else meanwhile, nor does its process. */
const RENEWED = 200;
/** Text of a conversation that a model is given. */
const TRANSCRIPT_BYTES = 256 * 1024;
/** An exclusive process, all of whose claims succeed, claims at every so many polls. */
const EXCLUSIVE_POLLS = 10;
/** Questions whose time is over are looked for at every so many polls, and so many at once. */
const APPROVAL_POLLS = 5;
const EXPIRE_LIMIT = 100;
/** How often runs look at the clock. */
const CHECK_MS = 1_000;

export const createEngine = (options: EngineOptions): Engine => new RunEngine(options);

class RunEngine implements Engine {
  readonly owner = uuidv7();
  readonly #store: Store;
  readonly #exclusive: boolean;
  /** Nobody else uses the store, and this process over one connection. */
  readonly #alone: boolean;
  readonly #maxRuns: number;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #times: EngineTimes;
  readonly #now: () => number;
  readonly #access: StoreAccess;
  readonly #batcher: LogBatcher;
  readonly #outbox: OutboxPublisher;
  readonly #context: TaskContext;
  readonly #timers: Timers;
  readonly #tasks = new Map<string, RunTask>();
  /** Leases of runs that others may go on with. */
  readonly #released: RunLease[] = [];
  #phase: "new" | "starting" | "running" | "draining" | "stopped" = "new";
  /** Runs that may have been claimed by a transaction whose end is not known. */
  readonly #unknown = new Set<string>();
  /** There may be something to claim. */
  #wanted = false;
  /** The last claim failed, or could not be made. */
  #missed = false;
  #polls = 0;
  #looks = 0;
  /** There was no room for another run. */
  #full = false;
  #claiming = false;
  #claim: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { store, log, models, metrics } = options;
    const now = options.now ?? (() => performance.now());
    const times = { ...DEFAULT_TIMES, ...(options.exclusive ? EXCLUSIVE_TIMES : {}), ...options.times };
    const logger = options.logger.child({ engine: this.owner });
    this.#store = store;
    this.#exclusive = options.exclusive;
    this.#maxRuns = options.maxRuns ?? MAX_RUNS;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#times = times;
    this.#now = now;
    const access = createStoreAccess(now, times, times.storeMs);
    const batcher = new LogBatcher({ log, logger, metrics, callMs: times.logMs });
    const { outboxMs } = times;
    const alone = options.exclusive && options.answersInOrder;
    this.#alone = alone;
    const outbox = new OutboxPublisher({
      log,
      batcher,
      store,
      logger,
      shared: !alone,
      staleMs: outboxMs,
      sweepMs: outboxMs,
    });
    this.#access = access;
    this.#batcher = batcher;
    this.#outbox = outbox;
    const { leaseMs, logMs } = times;
    const { modelCalls, tools, executor, files } = options;
    this.#context = {
      store,
      access,
      log,
      batcher,
      models,
      modelCalls,
      tools,
      executor,
      files,
      bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
      metrics,
      logger,
      announce: (rows) => this.announce(rows),
      wake: () => this.wake(),
      now,
      leaseMs,
      logMs,
    };
    this.#timers = createTimers((error) => this.#report(error, "a repeated job failed"));
  }

  get held(): number {
    return this.#tasks.size;
  }

  get hasRoom(): boolean {
    return this.#phase === "running" && this.#tasks.size < this.#maxRuns;
  }

  holds(runId: string): boolean {
    return this.#tasks.has(runId);
  }

  announce(rows: readonly Announcement[]): Promise<void> {
    for (const { event } of rows) {
      if (event.type !== "CUSTOM" || event.name !== "approval.decided") continue;
      const { status } = event.value.approval;
      if (status !== "pending") this.#metrics.approvalEnded(status);
    }
    return this.#outbox.announce(rows);
  }

  /**
   * Only over one connection, where each transaction waits for those before it. On a server, with 200 people, one claim for
   * many runs brought their first tokens sooner than a claim in each send (docs/performance-log.md, D); so it did with many
   * runs over one connection.
   */
  offer(runId: string): ClaimOffer | undefined {
    if (!this.#alone || !this.hasRoom || this.#tasks.size >= MAX_OFFERED) return undefined;
    const sentAt = this.#now();
    const { leaseMs } = this.#times;
    return {
      terms: { owner: this.owner, leaseMs, transcriptBytes: TRANSCRIPT_BYTES },
      take: (claim) => this.#take(claim, sentAt),
      failed: (error) => {
        if (!isOutage(error)) return;
        // One that is not remembered here is found when its lease has expired.
        if (this.#unknown.size < MAX_UNKNOWN) this.#unknown.add(runId);
        this.wake();
      },
    };
  }

  wake(): void {
    this.#wanted = true;
    if (this.#phase !== "running" || this.#claiming) return;
    this.#claiming = true;
    this.#claim = this.#claimAll();
  }

  stopRequested(runId: string): void {
    this.#tasks.get(runId)?.interrupt("stop");
  }

  async start(): Promise<void> {
    if (this.#phase !== "new") return;
    this.#phase = "starting";
    if (this.#exclusive) {
      const orphans = await this.#access.call(() => this.#store.runs.expireAllLeases());
      if (orphans > 0) this.#logger.info({ runs: orphans }, "runs of the last start go on");
      // Before anything of its own: readers take what comes later for what is newer.
      await this.#outbox.sweep(0);
    }
    // It may have been stopped meanwhile.
    if (this.#phase !== "starting") return;
    this.#phase = "running";
    this.#outbox.start();
    this.#startTimers();
    this.wake();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(this.#now() + deadlineMs);
    return this.#stopping;
  }

  // ── claiming ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** One at a time. Never rejects. */
  async #claimAll(): Promise<void> {
    try {
      while (this.#wanted && this.#phase === "running") {
        this.#wanted = false;
        const limit = Math.min(CLAIM_LIMIT, this.#maxRuns - this.#tasks.size);
        this.#full = limit <= 0;
        if (this.#full) return;
        this.#missed = true;
        if (!this.#mayClaim()) return;
        await this.#disown();
        if ((await this.#claimSome(limit)) === limit) this.#wanted = true;
        this.#missed = false;
      }
    } catch (error) {
      this.#report(error, "runs could not be claimed");
    } finally {
      this.#claiming = false;
    }
  }

  /** [R3] Not while other owners may only have been kept from renewing. */
  #mayClaim(): boolean {
    return this.#exclusive || claimableIn(this.#access.state, this.#now()) === 0;
  }

  /** What may be this process's without its knowledge, it could only wait for: nobody claims what is leased. */
  async #disown(): Promise<void> {
    const runIds = [...this.#unknown];
    if (runIds.length === 0) return;
    await this.#access.call(() => this.#store.runs.disown(this.owner, runIds));
    for (const runId of runIds) this.#unknown.delete(runId);
  }

  #claimSome(limit: number): Promise<number> {
    const { leaseMs } = this.#times;
    const sentAt = this.#now();
    const request = { limit, leaseMs, held: [...this.#tasks.keys()], transcriptBytes: TRANSCRIPT_BYTES };
    // What was claimed is ours even when the answer comes after its time limit.
    return this.#access.call(() =>
      this.#store.runs.claim(this.owner, request).then((claim) => this.#take(claim, sentAt)),
    );
  }

  /** Answers how many runs the claim has brought. */
  #take({ runs, announce }: Claimed, sentAt: number): number {
    const held = claimed(sentAt, this.#times.leaseMs);
    const rows = Map.groupBy(announce, (row) => row.topic);
    const back: RunLease[] = [];
    for (const run of runs) {
      if (!this.hasRoom || rightOf(held, this.#now()) !== "act") {
        back.push(run.lease);
        continue;
      }
      const topic = `conversation:${run.lease.conversationId}`;
      this.#startTask(new RunTask(this.#context, run, rows.get(topic) ?? [], held));
      rows.delete(topic);
    }
    const others = [...rows.values()].flat();
    this.announce(others).catch((error: unknown) => this.#report(error, "a claim was not announced"));
    this.#giveBack(back);
    return runs.length;
  }

  /** Claimed too late to be run here, or while others took the room. */
  #giveBack(leases: readonly RunLease[]): void {
    if (leases.length === 0) return;
    this.#full ||= !this.hasRoom;
    this.#access
      .call(() => this.#store.runs.release(leases))
      .catch((error: unknown) => this.#report(error, "a late claim was not handed back; it expires"));
  }

  #startTask(task: RunTask): void {
    const { runId } = task.lease;
    // A run that is held is not claimed; but an answer that was late may come after that of a newer claim.
    const other = this.#tasks.get(runId);
    const older = other !== undefined && other.lease.fence > task.lease.fence;
    if (older) task.interrupt("lost");
    else {
      other?.interrupt("lost");
      this.#tasks.set(runId, task);
    }
    task.done
      .then((end) => {
        if (end === "released") this.#released.push(task.lease);
        if (this.#tasks.get(runId) === task) this.#tasks.delete(runId);
        // Who decided before it left the map could not have it claimed [R7].
        if (this.#full || end === "waiting") this.wake();
      })
      .catch((error: unknown) => this.#report(error, "the end of a run was not noticed"));
  }

  // ── what repeats ──────────────────────────────────────────────────────────────────────────────────────────────

  #startTimers(): void {
    const { pollMs, renewMs, sweepMs } = this.#times;
    const jittered = (ms: number) => ms * (1 + Math.random());
    const soon = (failures: number) => Math.min(renewMs, waitMs(DEFAULT_BACKOFF, failures));
    this.#timers.repeat(
      () => jittered(pollMs),
      () => this.#poll(),
    );
    this.#timers.repeat(
      (failures) => (failures === 0 ? renewMs : soon(failures)),
      () => this.#renew(),
    );
    this.#timers.repeat(
      () => jittered(sweepMs),
      () => this.#access.call(() => this.#store.sweep()),
    );
    this.#timers.repeat(
      () => jittered(pollMs),
      () => this.#expireApprovals(),
    );
    this.#timers.repeat(
      () => CHECK_MS,
      () => this.#check(),
    );
  }

  /**
   * Finds what a lost wake-up, a dead process or an outage left behind. Who holds the store alone hears of every run
   * and has nobody's leases to wait for, so it looks less often.
   */
  async #poll(): Promise<void> {
    const { storeMs } = this.#times;
    if (this.#access.state.state === "down") await this.#access.call(() => this.#store.probe(storeMs));
    if (this.#exclusive && !this.#missed && ++this.#polls % EXCLUSIVE_POLLS !== 0) return;
    this.wake();
  }

  /** [R7] A question that nobody answered is denied by itself, by the database's clock. */
  async #expireApprovals(): Promise<void> {
    if (++this.#looks % APPROVAL_POLLS !== 0) return;
    const rows = await this.#access.call(() => this.#store.approvals.expire(EXPIRE_LIMIT));
    if (rows.length === 0) return;
    await this.announce(rows);
    this.wake();
  }

  async #renew(): Promise<void> {
    const tasks = [...this.#tasks.values()];
    for (let i = 0; i < tasks.length; i += RENEWED) await this.#renewSome(tasks.slice(i, i + RENEWED));
  }

  async #renewSome(tasks: readonly RunTask[]): Promise<void> {
    const sentAt = this.#now();
    const leases = tasks.map((task) => task.lease);
    await this.#access.call(() =>
      this.#store.runs.renew(leases, this.#times.leaseMs).then((kept) => {
        const stops = new Map(kept.map(({ runId, stopRequested }) => [runId, stopRequested]));
        for (const task of tasks) {
          const stopRequested = stops.get(task.lease.runId);
          if (stopRequested === undefined) task.interrupt("lost");
          else task.renewed(sentAt);
          if (stopRequested === true) task.interrupt("stop");
        }
      }),
    );
  }

  #check(): void {
    const now = this.#now();
    for (const task of this.#tasks.values()) task.check(now);
  }

  // ── stopping ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #drain(deadlineAt: number): Promise<void> {
    const { handOffMs } = this.#times;
    this.#phase = "draining";
    await this.#untilIdle(deadlineAt - handOffMs);
    for (const task of this.#tasks.values()) task.interrupt("release");
    await this.#untilIdle(deadlineAt - handOffMs / 2);
    await this.#handOver(deadlineAt);
    // What is left could not be committed, as the store is away. Its lease expires, and somebody repeats it.
    for (const task of this.#tasks.values()) task.interrupt("lost");
    this.#timers.stop();
    await this.#inTime(deadlineAt, this.#outbox.close(), "the outbox was not emptied");
    await this.#inTime(deadlineAt, this.#batcher.close(), "the log did not take everything");
    this.#phase = "stopped";
  }

  /** Waits for the claim that is on its way, then for all runs. */
  #untilIdle(deadlineAt: number): Promise<void> {
    const idle = this.#claim.then(async () => {
      await Promise.all([...this.#tasks.values()].map((task) => task.done));
    });
    return this.#inTime(deadlineAt, idle, "runs have not ended yet");
  }

  async #handOver(deadlineAt: number): Promise<void> {
    const leases = this.#released.splice(0);
    if (leases.length === 0) return;
    const release = this.#store.runs.release(leases);
    await this.#inTime(deadlineAt, release, "leases were not handed back; they expire");
  }

  /** Waits at most until then. Never rejects. */
  async #inTime(deadlineAt: number, work: Promise<void>, message: string): Promise<void> {
    try {
      await withTimeLimit(Math.max(0, deadlineAt - this.#now()), work);
    } catch (error) {
      this.#report(error, message);
    }
  }

  #report(error: unknown, message: string): void {
    if (isOutage(error)) return this.#logger.warn({ err: error }, message);
    this.#metrics.bug();
    this.#logger.error({ err: error }, message);
  }
}
