/**
 * A tool: something the agent can do. Declared by its effect [R5]; run with exactly the arguments that its schema
 * accepted and, where it asks, a person approved.
 *
 * - `run` answers any JSON value, or throws. A `ToolError`'s message is told to the model and shown to the person;
 *   anything else that is thrown is a bug, and they are told only that the tool failed. Neither ends the run.
 * - From `signal` on (stop, time limit, lost lease) nothing that it does counts. A tool that goes on regardless is left
 *   behind after a moment.
 * - A result larger than `maxResultBytes` is cut, and the model is told so.
 */
import type { Memory, PlanTask, ToolArgs, ToolArgsSchema, ToolEffect } from "../protocol/shapes.ts";
import type { FileStore } from "./files.ts";
import type { Logger } from "./logger.ts";
import type { ModelTool } from "./model.ts";
import type { ToolCatalog } from "./services.ts";
import type { Lease, Store } from "./store.ts";

export class ToolError extends Error {
  override readonly name = "ToolError";
}

/** What every tool is told. */
export interface ToolContext {
  readonly lease: Lease;
  /** The call's id, the same at every repeat: the key of an `idempotent` tool. */
  readonly toolCallId: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly store: Pick<Store, "memories" | "files">;
  readonly files: FileStore;
  /** Shown to the person at once; a tool may call it as often as it likes, the newest counts. `fraction`: 0 to 1. */
  readonly progress: (message: string, fraction?: number) => void;
}

/**
 * What a `transactional` tool gets, and nothing else: its changes and the journal's are one transaction. Only these
 * may be awaited in it.
 */
export interface ToolTransaction {
  readonly toolCallId: string;
  saveMemory(text: string): Promise<Memory>;
  /** Forgets memories of this user that hold all of these words; answers how many. At most 50. */
  forgetMemories(words: string): Promise<number>;
  /** Replaces the plan of the answer that is being written. */
  setPlan(tasks: readonly PlanTask[]): Promise<void>;
}

interface ToolBase {
  /** A word, or `namespace_verb`; letters, digits, `_`, `-`: what every provider takes, at most 64. */
  readonly name: string;
  /** For the model: when to use it, what it answers. */
  readonly description: string;
  /** An object's schema. Only what it accepts is run. */
  readonly schema: ToolArgsSchema;
  readonly approval: "never" | "ask";
  /** The consequence of a call, in a plain sentence for the person who is asked. */
  summary(args: ToolArgs): string;
  readonly timeoutMs: number;
  /** UTF-8 bytes of the result's JSON; at most 32 KiB. */
  readonly maxResultBytes: number;
}

export interface PlainTool extends ToolBase {
  readonly effect: Exclude<ToolEffect, "transactional">;
  /** Calls of it that a process runs at the same time. */
  readonly concurrency: number;
  /** Times that a failed call is tried again, for `read` and `idempotent` tools; 0 otherwise. */
  readonly retries: number;
  run(args: ToolArgs, context: ToolContext): Promise<unknown>;
  /**
   * For an `unsafe` tool: finds out whether the interrupted call took effect. `done` with its result, `not-done` to
   * run it, `unknown` to ask a person.
   */
  reconcile?(
    args: ToolArgs,
    context: ToolContext,
  ): Promise<{ readonly state: "done"; readonly result: unknown } | { readonly state: "not-done" | "unknown" }>;
}

export interface TransactionalTool extends ToolBase {
  readonly effect: "transactional";
  run(args: ToolArgs, tx: ToolTransaction): Promise<unknown>;
}

export type Tool = PlainTool | TransactionalTool;

export type ParsedArgs =
  /** What the schema made of them: exactly this is run. */
  | { readonly ok: true; readonly args: ToolArgs }
  /** A sentence for the model: what is wrong, where. */
  | { readonly ok: false; readonly message: string };

/** The tools of this server, as the agent uses them. */
export interface ToolRegistry extends ToolCatalog {
  find(name: string): Tool | undefined;
  /** What a model is told of every tool; the same value each time. */
  specs(): readonly ModelTool[];
  parse(tool: Tool, args: unknown): ParsedArgs;
}

export interface ToolProgress {
  readonly message: string;
  /** 0 to 1. */
  readonly fraction?: number;
}

/** One call of a plain tool. */
export interface ToolCall {
  readonly tool: PlainTool;
  /** As the schema made them. */
  readonly args: ToolArgs;
  readonly context: Omit<ToolContext, "signal" | "progress">;
  /** Aborted by a stop, a lost lease, a drain. */
  readonly signal: AbortSignal;
  /** At most about 10 times a second, never after the call has ended. */
  progress(progress: ToolProgress): void;
}

/** Plain JSON that any store takes, within the tool's size. */
export interface ToolCompleted {
  readonly status: "completed";
  readonly result: unknown;
}
/** A sentence for people and for the model. */
export interface ToolFailed {
  readonly status: "failed";
  readonly error: string;
}

export type ToolOutcome = ToolCompleted | ToolFailed;

/** Runs tools. No method rejects or throws. */
export interface ToolExecutor {
  /**
   * Waits for a free place (`concurrency`), then runs with time limit and retries. `aborted` at most a second after
   * `signal`: the tool may still be at work then, and nothing that it does counts.
   */
  run(call: ToolCall): Promise<ToolCompleted | ToolFailed | { readonly status: "aborted" }>;
  /** As the tool's own `reconcile`; `unknown` when it has none, fails, or takes too long. */
  reconcile(call: ToolCall): Promise<Awaited<ReturnType<NonNullable<PlainTool["reconcile"]>>>>;
  /** What the value that a transactional tool answered is to the model; one that is no JSON is a bug, and is logged. */
  completed(tool: Tool, value: unknown, logger: Logger): ToolCompleted | ToolFailed;
  /** What the model is told of something that a tool has thrown; a bug is logged. */
  failed(tool: Tool, error: unknown, logger: Logger): ToolFailed;
}
