import assert from "node:assert/strict";
import { test } from "node:test";
import type { Part, RunStatus, ToolPart } from "../protocol/shapes.ts";
import {
  type Action,
  ATTEMPTS_SPENT,
  DEADLINE_PASSED,
  nextAction,
  type RunFacts,
  TOKENS_SPENT,
  TOO_MANY_STEPS,
} from "./next-action.ts";
import type { Settlement } from "./tool-call.ts";

const NO_TOOLS: RunFacts["tools"] = { list: () => [], find: () => undefined, refusal: () => undefined };
const said: Part = { type: "text", text: "hello" };
const tool = (status: ToolPart["status"], toolCallId = "t"): ToolPart => ({
  type: "tool",
  toolCallId,
  name: "none",
  args: {},
  status,
});

type Step = RunFacts["steps"][number];
const step = (status: Step["status"], from = 0, to = 1, messageId = "m"): Step => ({
  index: 0,
  kind: "model",
  status,
  attempt: 1,
  ...(status === "completed" ? { answer: { messageId, from, to } } : {}),
});

interface Given extends Partial<Omit<RunFacts, "run" | "inFlight">> {
  status?: RunStatus;
  attempt?: number;
  stop?: boolean;
  inFlight?: string[];
  now?: number;
}

const facts = ({ status = "running", attempt = 1, stop = false, inFlight = [], ...rest }: Given): RunFacts => ({
  run: { status, attempt, stopRequested: stop },
  steps: [],
  messageId: "m",
  parts: [],
  approvals: [],
  allowedTools: [],
  steers: 0,
  inFlight: new Set(inFlight),
  tools: NO_TOOLS,
  usage: { inputTokens: 10, outputTokens: 5 },
  maxSteps: 3,
  maxTokens: 100,
  deadlineAt: 1000,
  ...rest,
});

const call = (attempt = 1, partIndex = 0, stepIndex = 0): Action => ({
  type: "call-model",
  stepIndex,
  partIndex,
  attempt,
});
const limit = (message: string): Action => ({ type: "fail", code: "RUN_LIMIT", message });
const finish = (status: "completed" | "stopped"): Action => ({ type: "finish", status });
const none: Action = { type: "none" };
const unknown: Settlement = {
  do: "answer",
  part: tool("pending"),
  status: "failed",
  error: 'Nothing was run: There is no tool "none". There are none.',
};

const table: [string, Given, Action][] = [
  ["a fresh run calls the model", {}, call()],
  ["[R5] finished parts stay, the next call writes behind them", { parts: [said, said] }, call(1, 2)],
  ["[R5] a takeover repeats the call as the next attempt", { attempt: 3 }, call(3)],
  ["[R6] the fifth takeover calls the model again", { attempt: 6 }, call(6)],
  ["[R6] the sixth does not", { attempt: 7 }, limit(ATTEMPTS_SPENT)],
  [
    "[R6] a finished step counts more than the attempts",
    { attempt: 7, steps: [step("completed")], parts: [said] },
    finish("completed"),
  ],
  ["[R6] just before its deadline it goes on", { now: 999 }, call()],
  ["[R6] at its deadline it fails", { now: 1000 }, limit(DEADLINE_PASSED)],
  ["[R6] at its deadline it starts no tool", { now: 1000, parts: [tool("pending")] }, limit(DEADLINE_PASSED)],
  [
    "[R6] it calls the model no more than it may",
    { steps: [step("completed", 0, 1, "x"), step("completed", 0, 1, "x"), step("completed", 0, 1, "x")] },
    limit(TOO_MANY_STEPS),
  ],
  ["[R6] it spends no more tokens than it may", { usage: { inputTokens: 60, outputTokens: 40 } }, limit(TOKENS_SPENT)],
  ["[R11] stop comes before the call", { stop: true }, finish("stopped")],
  ["[R11] stop comes before the limits", { stop: true, attempt: 9, now: 2000 }, finish("stopped")],
  [
    "[R11] stop comes before calls in flight",
    { stop: true, parts: [tool("running")], inFlight: ["t"] },
    finish("stopped"),
  ],
  ["[R5] a finished step is not repeated", { steps: [step("completed")], parts: [said] }, finish("completed")],
  ["[R5] finished, though late", { steps: [step("completed")], parts: [said], now: 2000 }, finish("completed")],
  ["an answer without a word is an answer", { steps: [step("completed", 0, 0)] }, finish("completed")],
  ["a stopped step stops the run", { steps: [step("completed"), step("stopped")] }, finish("stopped")],
  [
    "a failed step fails the run",
    { steps: [step("failed")] },
    { type: "fail", code: "MODEL_FAILED", message: "The model failed." },
  ],
  [
    "an open call is settled",
    { steps: [step("completed")], parts: [tool("pending")] },
    { type: "settle", calls: [unknown] },
  ],
  [
    "a call that runs here is waited for",
    { steps: [step("completed")], parts: [tool("running")], inFlight: ["t"] },
    { type: "await-calls" },
  ],
  ["what a tool said goes to the model", { steps: [step("completed")], parts: [tool("completed")] }, call(1, 1, 1)],
  [
    "[R2] a message joins between tool and model",
    { steps: [step("completed")], parts: [tool("completed")], steers: 1 },
    { type: "steer" },
  ],
  [
    "[R2] a message joins instead of the end",
    { steps: [step("completed")], parts: [said], steers: 2 },
    { type: "steer" },
  ],
  ["[R2] it does not split an answer that has not begun", { steers: 1 }, call()],
  [
    "[R2] it does not join in the middle of tool calls",
    { steps: [step("completed")], parts: [tool("running")], inFlight: ["t"], steers: 1 },
    { type: "await-calls" },
  ],
  [
    "[R2] after messages have joined, the model answers them",
    { steps: [step("completed", 0, 1, "before")] },
    call(1, 0, 1),
  ],
  [
    "[R2] stop comes before joining",
    { steps: [step("completed")], parts: [said], steers: 1, stop: true },
    finish("stopped"),
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
