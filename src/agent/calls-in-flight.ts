/** Tool calls that this process runs now, and those of them that have ended since somebody looked. */
import type { ToolOutcome } from "../ports/tool.ts";
import type { ToolEffect, ToolPart } from "../protocol/shapes.ts";

export type CallOutcome =
  | ToolOutcome
  /** It was interrupted: what it did does not count. */
  | { readonly status: "aborted" };

export interface EndedCall {
  readonly part: ToolPart;
  readonly outcome: CallOutcome;
}

export class CallsInFlight {
  readonly #running = new Map<string, { readonly abort: AbortController; readonly effect: ToolEffect }>();
  readonly #ended: EndedCall[] = [];
  #wake: (() => void) | undefined;

  get ids(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  get size(): number {
    return this.#running.size;
  }

  start(part: ToolPart, effect: ToolEffect, work: (signal: AbortSignal) => Promise<CallOutcome>): void {
    const abort = new AbortController();
    this.#running.set(part.toolCallId, { abort, effect });
    work(abort.signal).then(
      (outcome) => this.#end({ part, outcome }),
      (error: unknown) => this.#end({ part, outcome: { status: "failed", error: String(error) } }),
    );
  }

  /** Those that have ended, at least one unless `interrupted` comes first. They run no more. */
  async next(interrupted: Promise<void>): Promise<readonly EndedCall[]> {
    if (this.#ended.length === 0) {
      const ended = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([ended, interrupted]);
    }
    const taken = this.#ended.splice(0);
    for (const { part } of taken) this.#running.delete(part.toolCallId);
    return taken;
  }

  /** Calls whose repeat is harmless are not waited for; `all` of them, when nothing that they do counts any more. */
  abort(which: "all" | "repeatable"): void {
    for (const { abort, effect } of this.#running.values()) {
      if (which === "all" || effect !== "unsafe") abort.abort();
    }
  }

  #end(ended: EndedCall): void {
    this.#ended.push(ended);
    this.#wake?.();
  }
}
