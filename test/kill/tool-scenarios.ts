/** An agent that acts: tools of every effect, at the same time and one after another, and a person who is asked. */
import type { Client } from "../../src/client/client.ts";
import type { OpenConversation } from "../../src/client/conversation.ts";
import { messagesOf, pendingApprovals } from "../../src/client/transcript.ts";
import type { Approval, ToolPart } from "../../src/protocol/shapes.ts";
import { until } from "../support/until.ts";
import { CALLER, callerSays, markOf, roundsOf } from "./caller-model.ts";
import { effectsIn } from "./effects.ts";
import type { Finding, Outcome, Scenario, Stage } from "./scenario.ts";

const QUESTION = "use read transactional idempotent unsafe reconciled asked, then unsafe transactional";
const EXPECTED = roundsOf(QUESTION).flatMap((names, round) =>
  names.map((tool) => ({ tool, mark: markOf(round, tool) })),
);

/** Allows what is asked; a repeat only of what has not happened, which they go and see. */
function decides(stage: Stage, { tool, args, reason }: Approval): "approve" | "deny" {
  const happened = effectsIn(stage.dir).some((effect) => effect.tool === tool && effect.mark === args["mark"]);
  return reason === "repeat" && happened ? "deny" : "approve";
}

/** A person who decides at once what the conversation shows as asked. The answer waits for their last decision. */
function attend(client: Client, stage: Stage, conversation: OpenConversation): () => Promise<unknown> {
  const decided = new Map<string, Promise<unknown>>();
  conversation.subscribe(({ transcript }) => {
    for (const approval of pendingApprovals(transcript)) {
      const { id: approvalId } = approval;
      if (decided.has(approvalId)) continue;
      const params = { approvalId, decision: decides(stage, approval) };
      decided.set(
        approvalId,
        stage.insist(() => client.call("approval.decide", params)),
      );
    }
  });
  return () => Promise.all(decided.values());
}

/** [R5] Counted where the effects are, whatever the server says of them. */
function effectsOf({ dir, audit, transcripts }: Outcome): readonly Finding[] {
  const findings: Finding[] = [];
  const effects = effectsIn(dir);
  for (const { tool, mark } of EXPECTED) {
    const happened = effects.filter((effect) => effect.tool === tool && effect.mark === mark);
    const count =
      {
        read: Math.min(1, happened.length),
        idempotent: new Set(happened.map(({ toolCallId }) => toolCallId)).size,
        transactional: audit.memories.filter((text) => text === mark).length,
      }[tool] ?? happened.length;
    if (count === 0) findings.push({ kind: "lost", what: `the effect of ${mark}` });
    if (count > 1) findings.push({ kind: "doubled", what: `the effect of ${mark}: ${count} times` });
  }
  const calls = [...transcripts.values()].flatMap(({ fresh }) =>
    messagesOf(fresh).flatMap(({ parts }) => parts.filter((part) => part.type === "tool")),
  );
  if (calls.length !== EXPECTED.length) findings.push({ kind: "wrong", what: `${calls.length} calls are shown` });
  for (const call of calls.filter((one) => !isSettled(one))) {
    findings.push({ kind: "wrong", what: `${call.name} is ${call.status}: ${call.error ?? ""}` });
  }
  return findings;
}

/** It has its result, or nobody could say whether it happened and the person did not have it repeated. */
const isSettled = ({ status, name, error }: ToolPart): boolean =>
  status === "completed" ||
  (status === "failed" && ["unsafe", "asked"].includes(name) && /interrupted/.test(error ?? ""));

export const tools: Scenario = {
  name: "tools",
  about: /^(tools\.|approvals\.|runs\.(commit|commitWith|claim)$)/,
  async play(client, stage) {
    const conversation = await stage.converse();
    const decisions = attend(client, stage, conversation);
    stage.ask(conversation, QUESTION, callerSays(QUESTION), { model: CALLER });
    await stage.answered();
    await decisions();
  },
  check: effectsOf,
};

/** The one that takes over finds calls that were under way. */
export const toolsTakeover: Scenario = {
  ...tools,
  name: "toolsTakeover",
  few: true,
  deathsBefore: [{ call: "tools.unsafe.run", nth: 1, side: "after" }],
};

/** A person stops what waits for them: it does not happen any more. */
export const stopWaiting: Scenario = {
  name: "stopWaiting",
  about: /^(runs\.(stop|commit|claim)|approvals\.)/,
  async play(_, stage) {
    const conversation = await stage.converse();
    stage.ask(conversation, "use asked read", callerSays("use asked read"), { model: CALLER, ends: ["stopped"] });
    await until(() => pendingApprovals(conversation.state.transcript).length > 0, "the question", 60_000);
    await stage.insist(() => conversation.stop());
    await stage.answered();
  },
  check: ({ dir }) =>
    effectsIn(dir).some(({ tool }) => tool === "asked") ? [{ kind: "wrong", what: "it happened after all" }] : [],
};
