/**
 * What the page's main thread did, from Chromium's own trace. Times are those of the thread's clock where the trace has
 * them: a machine that is busy with something else makes a task last longer, and not do more.
 */
import { writeFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export interface Thread {
  /** Milliseconds of the thread's time: every task of it. */
  readonly tasks: readonly number[];
  /** Of these, what ran in frames: what changed is shown. */
  readonly flushes: readonly number[];
}

/** A task above it is a long one, as browsers count. */
export const LONG_MS = 50;

const CATEGORIES = ["toplevel", "devtools.timeline"];
/** What stood on the stack, every so often, and what was laid out and collected. */
const SAMPLES = ["disabled-by-default-v8.cpu_profiler", "disabled-by-default-devtools.timeline", "v8"];

/** The page's thread while `work` runs. `file` gets the trace, with samples. */
export async function traced(
  browser: Browser,
  page: Page,
  work: () => Promise<unknown>,
  file?: string,
): Promise<Thread> {
  await browser.startTracing(page, { categories: file === undefined ? CATEGORIES : [...CATEGORIES, ...SAMPLES] });
  let trace: Buffer;
  try {
    await work();
  } finally {
    trace = await browser.stopTracing();
  }
  if (file !== undefined) writeFileSync(file, trace);
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const drawing = new Set(traceEvents.flatMap(({ name, pid }) => (name === "UpdateLayoutTree" ? [pid] : [])));
  const main = traceEvents.find(
    ({ name, args, pid }) => name === "thread_name" && args?.name === "CrRendererMain" && drawing.has(pid),
  );
  const mine = traceEvents.filter(({ ph, pid, tid }) => ph === "X" && pid === main?.pid && tid === main.tid);
  const times = (which: (name: string) => boolean): number[] =>
    mine.flatMap(({ name, tdur, dur }) => (which(name) ? [(tdur ?? dur ?? 0) / 1000] : []));
  return {
    // Under each of these, DevTools' own category tells of the same task once more, as "RunTask".
    tasks: times((name) => name === "ThreadControllerImpl::RunTask"),
    flushes: times((name) => name === "FireAnimationFrame"),
  };
}
