import type { z } from "zod";
import { StartError } from "../ports/start-error.ts";
import { isMethod, METHODS } from "../protocol/methods.ts";
import type { Permission } from "../sessions/handler.ts";
import type { PublicContext } from "../sessions/user-context.ts";

/** A handler and its schemas, with the types that only the handler itself knows taken off. */
export interface Entry {
  readonly method: string;
  readonly permission: Permission;
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  readonly run: (context: PublicContext, params: unknown) => unknown;
}

const PERMISSIONS: readonly unknown[] = ["public", "user", "owner"] satisfies Permission[];

const isHandler = (value: unknown): value is { method: string; permission?: unknown; run: unknown } =>
  typeof value === "object" &&
  value !== null &&
  "method" in value &&
  typeof value.method === "string" &&
  "run" in value;

/**
 * Method → handler. `found` is what the files of the handlers' folder export by default, by file name. Throws one
 * error with every problem: nothing is served that is unknown, doubled, or has no permission, and nothing is missing.
 */
export function registerHandlers(found: ReadonlyMap<string, unknown>): ReadonlyMap<string, Entry> {
  const problems: string[] = [];
  const entries = new Map<string, Entry>();
  const files = new Map<string, string>();
  for (const [file, handlers] of found) {
    if (!Array.isArray(handlers)) {
      problems.push(`${file}: its default export is no array of handlers`);
      continue;
    }
    for (const handler of handlers as readonly unknown[]) {
      if (!isHandler(handler) || typeof handler.run !== "function") {
        problems.push(`${file}: an item of its default export is no handler; make it with defineHandler`);
        continue;
      }
      const { method, permission } = handler;
      const other = files.get(method);
      if (!isMethod(method)) problems.push(`${file}: ${method} is no method of src/protocol/methods.ts`);
      else if (!PERMISSIONS.includes(permission)) problems.push(`${file}: ${method} has no permission`);
      else if (other !== undefined) problems.push(`${file}: ${method} has a handler in ${other} already`);
      else {
        files.set(method, file);
        const { params, result } = METHODS[method];
        entries.set(method, { ...(handler as unknown as Entry), params, result });
      }
    }
  }
  const missing = Object.keys(METHODS).filter((method) => !files.has(method));
  // A handler that was refused above is not missing too.
  if (problems.length === 0) problems.push(...missing.map((method) => `${method} has no handler`));
  if (problems.length > 0) {
    throw new StartError(`The handlers can't be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  }
  return entries;
}
