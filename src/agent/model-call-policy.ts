/** [R9] What is done about a failed call of a model: a pure function of the failure. */
import type { ModelError, ModelErrorKind } from "../ports/model.ts";

/** Milliseconds, where not said. */
export const RETRY = {
  /** Calls of one model, the first included. */
  attempts: 4,
  /** The same where each has taken its whole time limit. */
  stalledAttempts: 2,
  /** The longest first wait; it doubles up to the cap. */
  baseMs: 500,
  capMs: 20_000,
  /** A provider that asks for more patience is left for the next model. */
  longestWaitMs: 30_000,
} as const;

export type Decision =
  | { readonly type: "retry"; readonly waitMs: number }
  /** The next model of the chain; without one, fail. */
  | { readonly type: "next" }
  | { readonly type: "fail" };

type Treatment =
  /** It may pass: ask again, then another model. */
  | "retry"
  /** It does not pass, but is no matter of this request. */
  | "next"
  /** It lies in the request: another model would be asked the same. */
  | "fail";

const TREATMENT = {
  throttle: "retry",
  overload: "retry",
  transport: "retry",
  stall: "retry",
  auth: "next",
  billing: "next",
  context: "fail",
  content: "fail",
  request: "fail",
} as const satisfies Record<ModelErrorKind, Treatment>;

export interface Failure {
  readonly error: Pick<ModelError, "kind" | "retryAfterMs">;
  /** It had said something already: repeating it would say that twice. */
  readonly spoke: boolean;
  /** Calls of this model so far, this one included. */
  readonly attempts: number;
  /** Until the run's deadline. */
  readonly remainingMs: number;
  /** 0 … 1, for the jitter. */
  readonly random: number;
}

export function decide({ error, spoke, attempts, remainingMs, random }: Failure): Decision {
  const treatment: Treatment = TREATMENT[error.kind];
  if (spoke || treatment === "fail") return { type: "fail" };
  const most = error.kind === "stall" ? RETRY.stalledAttempts : RETRY.attempts;
  if (treatment === "next" || attempts >= most) return { type: "next" };
  const asked = error.retryAfterMs ?? 0;
  if (asked > RETRY.longestWaitMs) return { type: "next" };
  const waitMs = Math.max(backOff(attempts, random), asked === 0 ? 0 : asked + random * RETRY.baseMs);
  return waitMs >= remainingMs ? { type: "next" } : { type: "retry", waitMs };
}

/** Full jitter: anything up to a bound that doubles. */
const backOff = (attempts: number, random: number): number =>
  random * Math.min(RETRY.capMs, RETRY.baseMs * 2 ** Math.min(attempts - 1, 20));

/** Does such a failure speak against the model and its key, for the circuit breaker? */
export const isOutage = (kind: ModelErrorKind): boolean => TREATMENT[kind] !== "fail";

/** Of the failures of a chain the one to tell: the first that may pass, else the first. */
export const mostTelling = (errors: readonly ModelError[]): ModelError | undefined =>
  errors.find(({ kind }) => TREATMENT[kind] === "retry") ?? errors[0];

/** For a person who waits. */
export function excuse(kind: ModelErrorKind, model: string): string {
  switch (kind) {
    case "throttle":
      return `${model} limits how often this server may ask.`;
    case "overload":
      return `${model} is overloaded.`;
    case "transport":
      return `${model} can't be reached.`;
    case "stall":
      return `${model} does not answer.`;
    case "auth":
      return `${model} refused this server's key.`;
    case "billing":
      return `The account for ${model} has no credit.`;
    case "context":
      return `The conversation is longer than ${model} reads.`;
    case "content":
      return `${model} refused this content.`;
    case "request":
      return `${model} did not understand the request.`;
  }
}
