/**
 * The tool calls of one run: started, asked about, answered; each journaled before and after it runs [R5].
 *
 *   settle ─┬─ answer, ask ─────────────────────────────▶ journal (with the next commit)
 *           ├─ start ─▶ journal "running" ─▶ commit ─▶ run ─▶ awaitSome ─▶ journal the result
 *           ├─ start, transactional ─▶ run and journal in one transaction
 *           └─ reconcile ─▶ run no more, run again, or ask
 */
import type { Logger } from "../ports/logger.ts";
import type { Committed, Lease, Store } from "../ports/store.ts";
import type { PlainTool, Tool, TransactionalTool } from "../ports/tool.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { ToolArgs, ToolPart } from "../protocol/shapes.ts";
import { CallsInFlight } from "./calls-in-flight.ts";
import { isOutage } from "./engine-access.ts";
import type { RunJournal } from "./run-journal.ts";
import type { Interrupt } from "./run-task-call.ts";
import type { TaskContext } from "./run-task.ts";
import type { Settlement } from "./tool-call.ts";

type Saved = Extract<Committed, { readonly ok: true }> | "lost";

/** What the run's task does for its tools. */
export interface ToolHost {
  /** To the readers, after what was said before. */
  emit(event: ParleyEvent): void;
  commit(): Promise<Saved>;
  commitWith(work: Parameters<Store["runs"]["commitWith"]>[1]): Promise<Saved>;
  readonly interrupted: Promise<void>;
}

type Start = Extract<Settlement, { readonly do: "start" }>;

/** Thrown inside a transaction, so that it is rolled back. */
class ToolThrew extends Error {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    super("A transactional tool failed", { cause: thrown });
    this.thrown = thrown;
  }
}

export class RunTaskTools {
  readonly #context: TaskContext;
  readonly #logger: Logger;
  readonly #lease: Lease;
  readonly #journal: RunJournal;
  readonly #host: ToolHost;
  readonly #calls = new CallsInFlight();

  constructor(context: TaskContext, logger: Logger, lease: Lease, journal: RunJournal, host: ToolHost) {
    this.#context = context;
    this.#logger = logger;
    this.#lease = lease;
    this.#journal = journal;
    this.#host = host;
  }

  /** Ids of the calls that run here. */
  get inFlight(): ReadonlySet<string> {
    return this.#calls.ids;
  }

  interrupt(reason: Interrupt): void {
    this.#calls.abort(reason === "release" ? "repeatable" : "all");
  }

  /** Does what is known to be done. Plain calls run from here on; the others have their answer. */
  async settle(settlements: readonly Settlement[]): Promise<"lost" | undefined> {
    const starts: Start[] = [];
    for (const settlement of settlements) {
      const { part } = settlement;
      switch (settlement.do) {
        case "answer":
          this.#journal.settled(part, { status: settlement.status, error: settlement.error });
          break;
        case "ask":
          this.#ask(part, settlement.reason);
          break;
        case "start":
          starts.push(settlement);
          break;
        case "reconcile": {
          const start = await this.#reconcile(part, settlement.attempt);
          if (start !== undefined) starts.push(start);
        }
      }
    }
    const plain = starts.filter(({ inTransaction }) => !inTransaction);
    for (const { part, args, attempt } of plain) this.#journal.started(part, this.#parsed(part, args), attempt);
    if (this.#journal.dirty && starts.length > 0 && (await this.#host.commit()) === "lost") return "lost";
    for (const { part } of plain) this.#start(part);
    for (const start of starts) {
      if (start.inTransaction && (await this.#transact(start)) === "lost") return "lost";
    }
    return undefined;
  }

  /** Waits for a call to end, and takes the results of all that have. */
  async awaitSome(gone?: AbortSignal): Promise<"lost" | undefined> {
    const interrupted = gone === undefined ? this.#host.interrupted : aborted(gone);
    for (const { part, outcome } of await this.#calls.next(interrupted)) {
      // An aborted one stays "running" in the journal: its effect decides what is done about it.
      if (outcome.status !== "aborted") this.#journal.settled(part, outcome);
    }
    return gone?.aborted === true ? "lost" : undefined;
  }

  #tool(part: ToolPart): Tool {
    const tool = this.#context.tools.find(part.name);
    if (tool === undefined) throw new Error(`The tool ${part.name} was there a moment ago`);
    return tool;
  }

  #parsed(part: ToolPart, args: ToolArgs): ToolArgs {
    const parsed = this.#context.tools.parse(this.#tool(part), args);
    if (!parsed.ok) throw new Error(`Arguments of ${part.name} fitted a moment ago: ${parsed.message}`);
    return parsed.args;
  }

  #ask(part: ToolPart, reason: "call" | "repeat"): void {
    const { tools, bounds } = this.#context;
    const args = reason === "call" ? this.#parsed(part, part.args) : part.args;
    const consequence = tools.find(part.name)?.summary(args) ?? part.name;
    const summary =
      reason === "call" ? consequence : `${consequence} It was interrupted and may have taken effect already.`;
    this.#journal.asked(part, { args, reason, summary, timeoutMs: bounds.approvalMs });
  }

  /** The call as the journal has it now. */
  #current(part: ToolPart): ToolPart {
    const found = this.#journal.parts.find((other) => other.type === "tool" && other.toolCallId === part.toolCallId);
    return found?.type === "tool" ? found : part;
  }

  #start(part: ToolPart): void {
    const call = this.#current(part);
    const tool = this.#tool(call);
    if (tool.effect === "transactional") throw new Error(`${tool.name} runs in a transaction`);
    const startedAt = this.#context.now();
    this.#calls.start(call, tool.effect, async (signal) => {
      const outcome = await this.#context.executor.run(this.#callOf(tool, call, signal));
      const status = outcome.status === "aborted" ? "stopped" : outcome.status;
      this.#context.metrics.toolFinished(tool.name, status, this.#context.now() - startedAt);
      return outcome;
    });
  }

  #callOf(tool: PlainTool, call: ToolPart, signal: AbortSignal) {
    const { store, files } = this.#context;
    return {
      tool,
      args: call.args,
      context: { lease: this.#lease, toolCallId: call.toolCallId, logger: this.#logger, store, files },
      signal,
      progress: (progress: NonNullable<ToolPart["progress"]>) => {
        const partIndex = this.#journal.progress(call, progress);
        if (partIndex < 0) return;
        const { toolCallId } = call;
        const value = { messageId: this.#journal.messageId, partIndex, toolCallId, ...progress };
        this.#host.emit({ type: "CUSTOM", name: "tool.progress", value });
      },
    };
  }

  /** [R5] What became of an interrupted attempt of an unsafe tool. */
  async #reconcile(part: ToolPart, attempt: number): Promise<Start | undefined> {
    const tool = this.#tool(part);
    if (tool.effect === "transactional") throw new Error(`${tool.name} is never reconciled`);
    const abort = new AbortController();
    const found = await this.#context.executor.reconcile(this.#callOf(tool, part, abort.signal));
    switch (found.state) {
      case "done":
        this.#journal.settled(part, this.#context.executor.completed(tool, found.result, this.#logger));
        return undefined;
      case "not-done":
        return { do: "start", part, args: part.args, attempt: attempt + 1, inTransaction: false };
      case "unknown":
        this.#ask(part, "repeat");
        return undefined;
    }
  }

  /** Exactly once: the tool's changes and the journal of its result are one transaction. */
  async #transact({ part, args, attempt }: Start): Promise<"lost" | undefined> {
    const { executor, metrics, now } = this.#context;
    const tool = this.#tool(part);
    if (tool.effect !== "transactional") throw new Error(`${tool.name} runs by itself`);
    const parsed = this.#parsed(part, args);
    this.#journal.started(part, parsed, attempt);
    const startedAt = now();
    try {
      const saved = await this.#host.commitWith(async (tx) => {
        const value = await this.#inTransaction(tool, parsed, { ...tx, toolCallId: part.toolCallId });
        this.#journal.settled(this.#current(part), executor.completed(tool, value, this.#logger));
        return this.#journal.write();
      });
      metrics.toolFinished(tool.name, "completed", now() - startedAt);
      return saved === "lost" ? "lost" : undefined;
    } catch (error) {
      if (!(error instanceof ToolThrew)) throw error;
      this.#journal.settled(this.#current(part), executor.failed(tool, error.thrown, this.#logger));
      metrics.toolFinished(tool.name, "failed", now() - startedAt);
      return undefined;
    }
  }

  /** An outage is the store's and is repeated; anything else is the tool's own failure. */
  async #inTransaction(
    tool: TransactionalTool,
    args: ToolArgs,
    tx: Parameters<TransactionalTool["run"]>[1],
  ): Promise<unknown> {
    try {
      return await tool.run(args, tx);
    } catch (error) {
      throw isOutage(error) ? error : new ToolThrew(error);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
