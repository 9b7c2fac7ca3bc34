import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";
import type { UserContext } from "../src/sessions/user-context.ts";

const TITLE_LENGTH = 60;

/** What an untitled conversation is called: the first line of what was said first. */
function titleOf(text: string): string {
  const line = (text.trim().split(/[\r\n]/, 1)[0] ?? "").trimEnd();
  if (line.length <= TITLE_LENGTH) return line;
  // Not in the middle of a surrogate pair.
  return `${line.slice(0, TITLE_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** The model asked for, else the conversation's, else the server's. */
async function chooseModel(context: UserContext, conversationId: string, asked: string | undefined): Promise<string> {
  const { store, models } = context.services;
  if (asked !== undefined) return asked;
  const found = await store.conversations.find(context.scope, conversationId);
  if (found === null) throw new ParleyError("NOT_FOUND");
  return found.conversation.model ?? models.defaultModel;
}

export default [
  defineHandler("chat.send", "user", async (context, params) => {
    const { store, agent, models, runLimits } = context.services;
    const { conversationId, text, whenBusy = "queue", clientMessageId } = params;
    const model = await chooseModel(context, conversationId, params.model);
    // Rejects what nobody serves before anything is written.
    models.provider(model);

    const sent = await store.runs.send(
      context.scope,
      {
        conversationId,
        userMessageId: clientMessageId ?? uuidv7(),
        runId: uuidv7(),
        assistantMessageId: uuidv7(),
        text,
        model,
        whenBusy,
        title: titleOf(text),
        ...runLimits,
      },
      idempotencyOf("chat.send", params),
    );
    if (!sent.ok) throw new ParleyError(sent.reason);
    const { runId, userMessageId, state, interrupted } = sent.value;
    const announced = agent.announce(sent.announce);
    // A queued run is claimed when the one before it has ended, which wakes the agent itself.
    if (state === "running") agent.wake();
    if (interrupted !== null) agent.stopRequested(interrupted);
    // Before the answer, so that the sender's own events come in the order of its requests.
    await announced;
    return { runId, userMessageId, state };
  }),

  defineHandler("chat.stop", "user", async (context, params) => {
    const { store, agent } = context.services;
    const stopped = await store.runs.stop(context.scope, params);
    if (stopped === null) return { stopped: false };
    const announced = agent.announce(stopped.announce);
    if (stopped.active) agent.stopRequested(stopped.runId);
    // What was queued behind it may be claimable now.
    else agent.wake();
    await announced;
    return { stopped: true };
  }),
];
