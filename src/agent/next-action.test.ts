import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunStatus, Step } from "../protocol/shapes.ts";
import { ATTEMPTS_SPENT, DEADLINE_PASSED, nextAction, type Action, type RunFacts } from "./next-action.ts";

interface Given {
  status?: RunStatus;
  attempt?: number;
  stop?: boolean;
  steps?: Step["status"][];
  parts?: number;
  now?: number;
}

const facts = (given: Given): RunFacts => ({
  run: { status: given.status ?? "running", attempt: given.attempt ?? 1, stopRequested: given.stop ?? false },
  steps: (given.steps ?? []).map((status, index) => ({ index, status })),
  parts: given.parts ?? 0,
  deadlineAt: 1000,
});

const call = (attempt = 1, partIndex = 0): Action => ({ type: "call-model", stepIndex: 0, partIndex, attempt });
const limit = (message: string): Action => ({ type: "fail", code: "RUN_LIMIT", message });
const finish = (status: "completed" | "stopped"): Action => ({ type: "finish", status });
const none: Action = { type: "none" };

const table: [string, Given, Action][] = [
  ["a fresh run calls the model", {}, call()],
  ["[R5] a finished part stays, the next call writes the next one", { parts: 2 }, call(1, 2)],
  ["[R5] a takeover repeats the call as the next attempt", { attempt: 3 }, call(3)],
  ["[R6] the fifth takeover calls the model again", { attempt: 6 }, call(6)],
  ["[R6] the sixth does not", { attempt: 7 }, limit(ATTEMPTS_SPENT)],
  ["[R6] a finished step counts more than the attempts", { attempt: 7, steps: ["completed"] }, finish("completed")],
  ["[R6] just before its deadline it goes on", { now: 999 }, call()],
  ["[R6] at its deadline it fails", { now: 1000 }, limit(DEADLINE_PASSED)],
  ["[R11] stop comes before the call", { stop: true }, finish("stopped")],
  ["[R11] stop comes before the limits", { stop: true, attempt: 9, now: 2000 }, finish("stopped")],
  ["[R5] a finished step is not repeated", { steps: ["completed"], parts: 1 }, finish("completed")],
  ["[R5] finished, though late", { steps: ["completed"], now: 2000 }, finish("completed")],
  ["a stopped step stops the run", { steps: ["completed", "stopped"] }, finish("stopped")],
  [
    "a failed step fails the run",
    { steps: ["failed"] },
    { type: "fail", code: "MODEL_FAILED", message: "The model failed." },
  ],
  ["a queued run is nobody's yet", { status: "queued" }, none],
  ["a waiting run holds no worker", { status: "waiting", stop: true }, none],
  ["a completed run is left alone", { status: "completed" }, none],
  ["a failed run is left alone", { status: "failed" }, none],
  ["a stopped run is left alone", { status: "stopped", stop: true }, none],
];

for (const [name, given, action] of table) {
  test(name, () => assert.deepEqual(nextAction(facts(given), given.now ?? 0), action));
}
