/**
 * How far calls have come, told at a pace that readers can bear: the first word at once, then the newest every
 * `PROGRESS_MS`. One timer for all calls, and none while nobody has more to say.
 */
import type { ToolCall, ToolProgress } from "../ports/tool.ts";
import type { ToolClock } from "./execute-clock.ts";
import { plainText } from "./execute-result.ts";

export const PROGRESS_MS = 100;
/** UTF-16 units. */
const MAX_MESSAGE = 500;

interface Reporter {
  readonly send: ToolCall["progress"];
  sentAt: number;
  newest: ToolProgress | undefined;
}

export interface ProgressReport {
  (message: string, fraction?: number): void;
}

export class ProgressPacer {
  readonly #clock: ToolClock;
  readonly #waiting = new Set<Reporter>();
  #armed = false;

  constructor(clock: ToolClock) {
    this.#clock = clock;
  }

  /** `report` says nothing any more after `close`. */
  open(send: ToolCall["progress"]): { readonly report: ProgressReport; close(): void } {
    const reporter: Reporter = { send, sentAt: -Infinity, newest: undefined };
    let open = true;
    return {
      report: (message, fraction) => {
        if (!open) return;
        reporter.newest = { message, ...(fraction === undefined ? {} : { fraction }) };
        const now = this.#clock.now();
        if (now >= dueAt(reporter)) return this.#tell(reporter, now);
        this.#waiting.add(reporter);
        this.#arm(dueAt(reporter) - now);
      },
      close: () => {
        open = false;
        this.#waiting.delete(reporter);
      },
    };
  }

  #arm(ms: number): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.after(ms, () => {
      this.#armed = false;
      const now = this.#clock.now();
      let next = Infinity;
      for (const reporter of this.#waiting) {
        if (now >= dueAt(reporter)) this.#tell(reporter, now);
        else next = Math.min(next, dueAt(reporter));
      }
      if (next < Infinity) this.#arm(next - now);
    });
  }

  #tell(reporter: Reporter, now: number): void {
    const { newest } = reporter;
    this.#waiting.delete(reporter);
    if (newest === undefined) return;
    reporter.newest = undefined;
    reporter.sentAt = now;
    reporter.send(tidy(newest));
  }
}

const dueAt = ({ sentAt }: Reporter): number => sentAt + PROGRESS_MS;

function tidy({ message, fraction }: ToolProgress): ToolProgress {
  const text = plainText(String(message), MAX_MESSAGE);
  return typeof fraction === "number" && Number.isFinite(fraction)
    ? { message: text, fraction: Math.min(1, Math.max(0, fraction)) }
    : { message: text };
}
