/** Runs of a transcript: the active one, those in the queue, those that ended, and the steps of one. */
import type { Message, Run, Step, Usage } from "../protocol/shapes.ts";
import { stopTools } from "./message-parts.ts";
import { sameJson } from "./same-json.ts";
import { type Reduced, same, unechoed, upsert } from "./transcript-messages.ts";
import { arranged } from "./transcript-tree.ts";
import { bounded, messageOf, type Notice, stored, type Transcript } from "./transcript.ts";

const MAX_ENDED = 100;

const isEnded = ({ status }: Run): boolean => status === "completed" || status === "failed" || status === "stopped";

/** It is known to have ended, by its own end or by its answer's. */
function hasEnded(state: Transcript, run: Run): boolean {
  return state.endedRuns.has(run.id) || state.settled.has(run.assistantMessageId);
}

export function started(state: Transcript, run: Run, message: Message): Transcript {
  if (hasEnded(state, run)) return state;
  const next = upsert(state, state.live.get(message.id) ?? message);
  // Whatever is known of an active run is newer than its start.
  return next.activeRun?.id === run.id ? next : withRun(next, run);
}

export function withRun(state: Transcript, run: Run): Transcript {
  if (isEnded(run)) return ended(state, run);
  if (hasEnded(state, run)) return state;
  if (run.status === "queued") {
    // An active run does not go back into the queue; this is late.
    if (state.activeRun?.id === run.id) return state;
    const queuedRuns = [...state.queuedRuns.filter(({ id }) => id !== run.id), run];
    return rearranged({ ...state, queuedRuns: queuedRuns.toSorted((a, b) => a.position - b.position) });
  }
  return rearranged({ ...state, activeRun: run, queuedRuns: withoutRun(state.queuedRuns, run) });
}

const rearranged = (state: Transcript): Transcript => arranged(unechoed(state));

const withoutRun = (runs: readonly Run[], run: Run): readonly Run[] =>
  runs.some(({ id }) => id === run.id) ? runs.filter(({ id }) => id !== run.id) : runs;

/** Whatever its answer was when it ended is what there is: a failed one keeps its beginning. */
function ended(state: Transcript, run: Run): Transcript {
  const message = messageOf(state, run.assistantMessageId);
  const after = message && endedMessage(state, message, run);
  return rearranged({
    ...state,
    ...(after === undefined || after === message ? {} : stored(state, after)),
    endedRuns: bounded(new Map(state.endedRuns).set(run.id, run), MAX_ENDED),
    activeRun: state.activeRun?.id === run.id ? undefined : state.activeRun,
    queuedRuns: withoutRun(state.queuedRuns, run),
    notice: state.notice?.runId === run.id ? undefined : state.notice,
  });
}

function endedMessage(state: Transcript, message: Message, { status, error, usage }: Run): Message {
  const after: Message = {
    ...message,
    parts: stopTools(message.parts),
    usage: message.usage ?? ownUsage(state, message, usage),
    ...(error === null || message.error !== undefined ? {} : { error }),
  };
  // The end of its text may have told already how it ended.
  if (message.status === "streaming") {
    after.status = status === "failed" || status === "stopped" ? status : "complete";
  }
  return sameJson(message, after) ? message : after;
}

/** What the last answer of a run took: the run's total without its earlier answers, which messages that steered it ended. */
function ownUsage(state: Transcript, { id, runId }: Message, total: Usage): Usage {
  const own = { ...total };
  for (const other of state.loaded) {
    const message = messageOf(state, other);
    if (other === id || message?.runId !== runId || message.role !== "assistant") continue;
    for (const key of USAGE) {
      const [all, before] = [own[key], message.usage?.[key]];
      if (all !== undefined && before !== undefined) own[key] = all - before;
    }
  }
  return own;
}

const USAGE = ["inputTokens", "outputTokens", "cachedInputTokens", "reasoningTokens", "costMicros"] as const;

/** Another process goes on with the run: this is all that readers hear of its new attempt. */
export function takenOver(state: Transcript, runId: string, attempt: number): Transcript {
  const run = state.activeRun;
  return run?.id !== runId || run.attempt >= attempt ? state : { ...state, activeRun: { ...run, attempt } };
}

export const withNotice = (state: Transcript, notice: Notice): Transcript =>
  state.activeRun?.id === notice.runId ? { ...state, notice } : state;

/** It says something: what was in its way is not any more. */
export const spoken = (reduced: Reduced): Reduced =>
  reduced.gap || reduced.state.notice === undefined ? reduced : same({ ...reduced.state, notice: undefined });

/** A step that has ended does not run again, unless as a later attempt. */
export function withStep(state: Transcript, step: Step): Transcript {
  const { steps } = state;
  if (steps[0]?.runId !== step.runId) {
    // A late one of a run before.
    return state.endedRuns.has(step.runId) ? state : { ...state, steps: [step] };
  }
  const before = steps.find(({ id }) => id === step.id);
  const late =
    before !== undefined &&
    (before.attempt > step.attempt || (before.attempt === step.attempt && step.status === "running"));
  if (late) return state;
  const others = before === undefined ? steps : steps.filter((other) => other !== before);
  return { ...state, steps: [...others, step].toSorted((a, b) => a.index - b.index) };
}
