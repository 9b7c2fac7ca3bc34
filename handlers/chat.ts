import type { ClaimOffer } from "../src/ports/services.ts";
import type { SendInput, SendResult } from "../src/ports/store.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import type { Params, Result } from "../src/protocol/methods.ts";
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

const newRun = () => ({ runId: uuidv7(), assistantMessageId: uuidv7() });

/** Tells the readers, wakes whoever runs it, and answers its sender. */
async function accepted(context: UserContext, sent: SendResult, offer?: ClaimOffer): Promise<Result<"chat.send">> {
  if (!sent.ok) {
    if (sent.reason === "NO_FILE") throw new ParleyError("INVALID_PARAMS", { issues: [MISSING_FILE] });
    throw new ParleyError(sent.reason);
  }
  const { agent } = context.services;
  const { runId, userMessageId, state, interrupted } = sent.value;
  const announced = agent.announce(sent.announce);
  if (sent.claimed !== undefined) offer?.take(sent.claimed);
  // A queued run is claimed when the one before it has ended, which wakes the agent itself; one that waited for a
  // person, and is interrupted, may be claimable now.
  else if (state === "running" || interrupted !== null) agent.wake();
  if (interrupted !== null) agent.stopRequested(interrupted);
  // Before the answer, so that the sender's own events come in the order of its requests.
  await announced;
  return { runId, userMessageId, state };
}

const MISSING_FILE = { path: "parts", expected: "files that this user has uploaded" };

async function send(
  context: UserContext,
  method: "chat.send" | "chat.steer" | "chat.edit",
  params: Pick<
    Params<"chat.send">,
    "conversationId" | "text" | "parts" | "model" | "clientMessageId" | "idempotencyKey"
  >,
  how: Pick<SendInput, "whenBusy" | "editOf">,
): Promise<Result<"chat.send">> {
  const { store, agent, models, runLimits } = context.services;
  const { conversationId, text, parts = [], clientMessageId } = params;
  // The one asked for, else the conversation's, else the server's; refused where nobody serves it.
  const model = (ofConversation: string | null): string => {
    const chosen = params.model ?? ofConversation ?? models.defaultModel;
    models.provider(chosen);
    return chosen;
  };
  const run = newRun();
  const offer = agent.offer(run.runId);
  const sending = store.runs.send(
    context.scope,
    {
      conversationId,
      userMessageId: clientMessageId ?? uuidv7(),
      ...run,
      text,
      fileIds: parts.map(({ fileId }) => fileId),
      model,
      title: titleOf(text),
      ...how,
      ...runLimits,
      ...(offer !== undefined && { claim: offer.terms }),
    },
    idempotencyOf(method, params),
  );
  sending.catch((error: unknown) => offer?.failed(error));
  return accepted(context, await sending, offer);
}

export default [
  defineHandler("chat.send", "user", (context, params) =>
    send(context, "chat.send", params, { whenBusy: params.whenBusy ?? "queue" }),
  ),

  defineHandler("chat.steer", "user", (context, params) => send(context, "chat.steer", params, { whenBusy: "steer" })),

  defineHandler("chat.edit", "user", (context, params) =>
    send(context, "chat.edit", params, { whenBusy: "queue", editOf: params.messageId }),
  ),

  defineHandler("chat.regenerate", "user", async (context, params) => {
    const { store, models, runLimits } = context.services;
    const { conversationId, messageId, model } = params;
    if (model !== undefined) models.provider(model);
    const again = { conversationId, target: { messageId }, ...newRun(), model, ...runLimits };
    return accepted(context, await store.runs.again(context.scope, again, idempotencyOf("chat.regenerate", params)));
  }),

  defineHandler("run.retry", "user", async (context, params) => {
    const { store, runLimits } = context.services;
    const found = await store.runs.get(context.scope, params.runId);
    if (found === null) throw new ParleyError("NOT_FOUND");
    const { conversationId } = found.run;
    const again = { conversationId, target: { runId: params.runId }, ...newRun(), model: undefined, ...runLimits };
    return accepted(context, await store.runs.again(context.scope, again, idempotencyOf("run.retry", params)));
  }),

  defineHandler("chat.stop", "user", async (context, params) => {
    const { store, agent } = context.services;
    const stopped = await store.runs.stop(context.scope, params);
    if (stopped === null) return { stopped: false };
    const announced = agent.announce(stopped.announce);
    if (stopped.active) agent.stopRequested(stopped.runId);
    // A run that waited for a person, or one that was queued behind this one, may be claimable now.
    agent.wake();
    await announced;
    return { stopped: true };
  }),
];
