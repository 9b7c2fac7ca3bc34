/**
 * Tools of every effect whose executions are counted outside of the server: each is a line of a file, written as the
 * effect itself, in one call of the system. So the file knows what happened, whatever the server remembers of it.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Tool, ToolContext } from "../../src/ports/tool.ts";
import { defineTool, defineTransactionalTool } from "../../src/tools/define.ts";

/** What a call is known by, whatever its id: no two calls of a scenario have the same. */
export interface Effect {
  readonly tool: string;
  readonly mark: string;
  readonly toolCallId: string;
}

const fileIn = (dir: string): string => join(dir, "effects");

/** Everything that tools did in that folder, oldest first. */
export function effectsIn(dir: string): Effect[] {
  if (!existsSync(fileIn(dir))) return [];
  const lines = readFileSync(fileIn(dir), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [tool = "", mark = "", toolCallId = ""] = line.split("\t");
    return { tool, mark, toolCallId };
  });
}

const schema = z.strictObject({ mark: z.string().min(1).max(100) });
type Args = z.output<typeof schema>;
/** Long enough that others run meanwhile. */
const READ_MS = 30;

/** By name: `read`, `transactional`, `idempotent`, `unsafe`, `reconciled` (unsafe, and finds out), `asked` (unsafe, asks). */
export function effectTools(dir: string): readonly Tool[] {
  const leave = (tool: string, { mark }: Args, toolCallId: string): Args => {
    appendFileSync(fileIn(dir), `${tool}\t${mark}\t${toolCallId}\n`);
    return { mark };
  };
  const told = (tool: string) => ({
    name: tool,
    description: `Has an effect of the kind ${tool}.`,
    schema,
    summary: ({ mark }: Args) => `Leave the mark ${mark}.`,
  });
  const effect =
    (tool: string) =>
    (args: Args, { toolCallId }: ToolContext) =>
      Promise.resolve(leave(tool, args, toolCallId));
  return [
    defineTool({
      ...told("read"),
      effect: "read",
      approval: "never",
      run: async (args, { toolCallId, signal }) => {
        await sleep(READ_MS, undefined, { signal });
        return leave("read", args, toolCallId);
      },
    }),
    defineTransactionalTool({
      ...told("transactional"),
      effect: "transactional",
      approval: "never",
      run: async ({ mark }, tx) => ({ saved: (await tx.saveMemory(mark)).text }),
    }),
    defineTool({ ...told("idempotent"), effect: "idempotent", approval: "never", run: effect("idempotent") }),
    defineTool({ ...told("unsafe"), effect: "unsafe", approval: "never", run: effect("unsafe") }),
    defineTool({
      ...told("reconciled"),
      effect: "unsafe",
      approval: "never",
      run: effect("reconciled"),
      reconcile: ({ mark }, { toolCallId }) => {
        const found = effectsIn(dir).some((one) => one.tool === "reconciled" && one.toolCallId === toolCallId);
        return Promise.resolve(found ? { state: "done", result: { mark } } : { state: "not-done" });
      },
    }),
    defineTool({ ...told("asked"), effect: "unsafe", approval: "ask", run: effect("asked") }),
  ];
}
