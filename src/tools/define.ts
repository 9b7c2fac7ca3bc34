/**
 * How a tool is written: `docs/tools.md` is the guide. The types of `run` and `summary` come from the schema, and what
 * is left out gets its default; what a tool must say itself (effect, and approval where a repeat is harmless) does not
 * compile without.
 */
import type { z } from "zod";
import type { PlainTool, ToolContext, ToolTransaction, TransactionalTool } from "../ports/tool.ts";
import type { ToolArgsSchema } from "../protocol/shapes.ts";

/** Bytes of a result's JSON, at most: larger ones are for a file. */
export const MAX_RESULT_BYTES = 32 * 1024;

interface Definition<S extends ToolArgsSchema> {
  readonly name: string;
  readonly description: string;
  readonly schema: S;
  summary(args: z.output<S>): string;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Default 32 KiB, which is also the most. */
  readonly maxResultBytes?: number;
}

interface PlainDefinition<S extends ToolArgsSchema> extends Definition<S> {
  /** Default 8. */
  readonly concurrency?: number;
  run(args: z.output<S>, context: ToolContext): Promise<unknown>;
}

interface RepeatableTool<S extends ToolArgsSchema> extends PlainDefinition<S> {
  readonly effect: "read" | "idempotent";
  readonly approval: "never" | "ask";
  /** Default 2. */
  readonly retries?: number;
}

interface UnsafeTool<S extends ToolArgsSchema> extends PlainDefinition<S> {
  readonly effect: "unsafe";
  /** Default "ask". */
  readonly approval?: "never" | "ask";
  reconcile?(args: z.output<S>, context: ToolContext): ReturnType<NonNullable<PlainTool["reconcile"]>>;
}

interface Transactional<S extends ToolArgsSchema> extends Definition<S> {
  readonly effect: "transactional";
  readonly approval: "never" | "ask";
  run(args: z.output<S>, tx: ToolTransaction): Promise<unknown>;
}

const DEFAULTS = { timeoutMs: 30_000, maxResultBytes: MAX_RESULT_BYTES };

export const defineTool = <S extends ToolArgsSchema>(tool: RepeatableTool<S> | UnsafeTool<S>): PlainTool => ({
  ...DEFAULTS,
  concurrency: 8,
  retries: tool.effect === "unsafe" ? 0 : 2,
  approval: "ask",
  ...tool,
});

export const defineTransactionalTool = <S extends ToolArgsSchema>(tool: Transactional<S>): TransactionalTool => ({
  ...DEFAULTS,
  ...tool,
});
