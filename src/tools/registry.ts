/** The tools of this server: checked once, at the start; looked up by name from then on. */
import { z } from "zod";
import type { ModelTool } from "../ports/model.ts";
import type { ParsedArgs, Tool, ToolRegistry } from "../ports/tool.ts";
import { toolEffect, type ToolInfo } from "../protocol/shapes.ts";
import { MAX_RESULT_BYTES } from "./define.ts";
import { MIN_RESULT_BYTES } from "./execute-result.ts";

/** What every provider takes: Gemini wants a letter or `_` first, the others allow no dot. */
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const MAX_TIMEOUT_MS = 600_000;
const MAX_RETRIES = 5;
const MAX_CONCURRENCY = 1_000;
const MAX_ISSUES = 10;
const MAX_ISSUE = 200;

/** Rejects the start (throws) on a tool that is declared wrongly, and names it. */
export function createToolCatalog(tools: readonly Tool[]): ToolRegistry {
  const byName = new Map<string, Tool>();
  const infos: ToolInfo[] = [];
  for (const tool of tools) {
    const problem = byName.has(tool.name) ? "another tool has that name" : problemOf(tool);
    if (problem !== undefined) throw new Error(`The tool ${JSON.stringify(tool.name)} can't be used: ${problem}.`);
    byName.set(tool.name, tool);
    const { name, description, effect, approval } = tool;
    infos.push({ name, description, effect, approval, parameters: parametersOf(tool) });
  }
  const specs = infos.map(({ name, description, parameters }): ModelTool => ({ name, description, parameters }));

  return {
    list: () => infos,
    find: (name) => byName.get(name),
    specs: () => specs,
    parse,
    refusal(name, args) {
      const tool = byName.get(name);
      if (tool === undefined) return `There is no tool ${JSON.stringify(name.slice(0, 64))}.`;
      const parsed = parse(tool, args);
      return parsed.ok ? undefined : parsed.message;
    },
  };
}

function parse(tool: Tool, args: unknown): ParsedArgs {
  const parsed = tool.schema.safeParse(args);
  return parsed.success
    ? { ok: true, args: parsed.data }
    : { ok: false, message: refusalOf(tool, parsed.error.issues) };
}

function refusalOf(tool: Tool, issues: readonly z.core.$ZodIssue[]): string {
  const lines = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const where = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
    return `- ${`${where}${message}`.slice(0, MAX_ISSUE).toWellFormed()}`;
  });
  if (issues.length > MAX_ISSUES) lines.push(`- and ${issues.length - MAX_ISSUES} more`);
  return `The arguments do not fit the tool ${tool.name}:\n${lines.join("\n")}`;
}

const outside = (value: number, least: number, most: number): boolean =>
  !Number.isInteger(value) || value < least || value > most;

/** Declarations come from plugins too, which no compiler has seen: everything is checked. */
function problemOf(tool: Tool): string | undefined {
  if (!NAME.test(tool.name)) return "a name is 1 to 64 letters, digits, _ or -, and begins with a letter or _";
  if (typeof tool.description !== "string" || tool.description.trim() === "") return "it has no description";
  if (!toolEffect.safeParse(tool.effect).success) return `its effect is not one of ${toolEffect.options.join(", ")}`;
  if (tool.approval !== "never" && tool.approval !== "ask") return 'its approval is neither "never" nor "ask"';
  if (outside(tool.timeoutMs, 1, MAX_TIMEOUT_MS)) return `timeoutMs is not 1 to ${MAX_TIMEOUT_MS}`;
  if (outside(tool.maxResultBytes, MIN_RESULT_BYTES, MAX_RESULT_BYTES)) {
    return `maxResultBytes is not ${MIN_RESULT_BYTES} to ${MAX_RESULT_BYTES}`;
  }
  try {
    if (parametersOf(tool)["type"] !== "object") return "its schema is not an object's";
  } catch (error) {
    return `its schema has no JSON Schema (${error instanceof Error ? error.message : String(error)})`;
  }
  if (tool.effect === "transactional") return undefined;
  if (outside(tool.concurrency, 1, MAX_CONCURRENCY)) return `concurrency is not 1 to ${MAX_CONCURRENCY}`;
  if (outside(tool.retries, 0, MAX_RETRIES)) return `retries is not 0 to ${MAX_RETRIES}`;
  if (tool.effect === "unsafe" && tool.retries > 0) return "an unsafe tool is never tried again by itself";
  if (tool.effect !== "unsafe" && tool.reconcile !== undefined) return "only an unsafe tool is reconciled";
  return undefined;
}

/** What a model may write, without what only says that a number is a safe integer. */
function parametersOf(tool: Tool): Record<string, unknown> {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(tool.schema, {
    io: "input",
    override({ jsonSchema }) {
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return parameters;
}
