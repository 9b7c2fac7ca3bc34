/**
 * Ports whose process may die at a call. Every method counts unless it is known to change nothing, so that a method
 * that a port gains is a boundary without a word here.
 */
import type { Append } from "../../src/ports/event-log.ts";
import type { PlainTool, Tool, TransactionalTool } from "../../src/ports/tool.ts";
import type { Call, Point } from "./point.ts";

/** What changes nothing that outlives the process, and its start and end, which have no work to lose. */
const HARMLESS = new Set([
  "probe",
  "close",
  "sessions.owner",
  "sessions.find",
  "sessions.list",
  "conversations.list",
  "conversations.find",
  "conversations.messages",
  "conversations.snapshot",
  "conversations.part",
  "conversations.fence",
  "runs.get",
  "runs.countByStatus",
  "approvals.find",
  "approvals.pending",
  "files.find",
  "files.list",
  "files.known",
  "memories.list",
  "memories.search",
  "outbox.stale",
  "log.read",
  "log.heads",
  "log.state",
  "log.subscribe",
  "log.close",
]);

export interface MortalOptions {
  readonly point: Point | undefined;
  /** Hears of each call before it is made. */
  readonly record: (call: Call) => void;
  readonly die: () => never;
}

export class MortalPorts {
  readonly #options: MortalOptions;
  #met = 0;

  constructor(options: MortalOptions) {
    this.#options = options;
  }

  /** `path` is what the names of its calls begin with. */
  wrap<T extends object>(target: T, path = ""): T {
    return new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key);
        const name = path === "" ? String(key) : `${path}.${String(key)}`;
        if (typeof value === "object" && value !== null) return this.wrap(value, name);
        if (typeof value !== "function") return value;
        if (HARMLESS.has(name)) return value.bind(target);
        return (...args: unknown[]) =>
          this.#call(namesOf(name, args), (): unknown => Reflect.apply(value, target, args));
      },
    });
  }

  /** Tools whose work may be the last thing that happens. */
  wrapTools(tools: readonly Tool[]): readonly Tool[] {
    return tools.map((tool): Tool => {
      const call = <Result>(method: string, work: () => Result): Result =>
        this.#call([`tools.${tool.name}.${method}`], work);
      if (tool.effect === "transactional") {
        const mortal: TransactionalTool = { ...tool, run: (args, tx) => call("run", () => tool.run(args, tx)) };
        return mortal;
      }
      const mortal: PlainTool = { ...tool, run: (args, context) => call("run", () => tool.run(args, context)) };
      const finds = tool.reconcile?.bind(tool);
      if (finds === undefined) return mortal;
      return { ...mortal, reconcile: (args, context) => call("reconcile", () => finds(args, context)) };
    });
  }

  #call<Result>(names: Call, work: () => Result): Result {
    const { point, record, die } = this.#options;
    record(names);
    const here = point !== undefined && names.includes(point.call) && ++this.#met === point.nth;
    if (here && point.side === "before") die();
    const result = work();
    if (!here) return result;
    if (!(result instanceof Promise)) die();
    // The first to hear of the answer, so that nobody else does.
    else result.then(die, () => {});
    return result;
  }
}

/** An append is named by the types of its events, as its place in a list says nothing. */
function namesOf(name: string, args: readonly unknown[]): Call {
  if (name !== "log.append") return [name];
  const [batch] = args as [readonly Append[]];
  const types = batch.map(({ event }) => {
    const { type, name: custom } = JSON.parse(event) as { readonly type: string; readonly name?: string };
    return `${name}/${custom ?? type}`;
  });
  return [...new Set(types)];
}
