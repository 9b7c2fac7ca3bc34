import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";

const PAGE = 30;
const BRANCH_BUSY = "An answer is being written on this branch. Stop it or wait for its end, then switch.";

/** A title is one line: control characters would grow sixfold in JSON, and a page of titles must fit a frame. */
const oneLine = (title: string): string => title.replace(/[\p{Cc}\s]+/gu, " ").trim();

export default [
  defineHandler("conversation.create", "user", async (context, params) => {
    const { store, agent, models } = context.services;
    const { title = "", model = null, idempotencyKey } = params;
    if (model !== null) models.provider(model);
    const idempotency =
      idempotencyKey === undefined ? undefined : idempotencyOf("conversation.create", { ...params, idempotencyKey });
    const created = await store.conversations.create(
      context.scope,
      { id: uuidv7(), title: oneLine(title), model },
      idempotency,
    );
    if (!created.ok) throw new ParleyError(created.reason);
    await agent.announce(created.announce);
    return { conversation: created.value };
  }),

  defineHandler("conversation.list", "user", async (context, { cursor, limit = PAGE, query }) => {
    const page = await context.services.store.conversations.list(context.scope, { cursor, limit, query });
    return { conversations: [...page.conversations], nextCursor: page.nextCursor };
  }),

  defineHandler("conversation.get", "user", (context, params) =>
    context.services.reads.conversation(context.scope, params),
  ),

  defineHandler("conversation.rename", "user", async (context, { conversationId, title }) => {
    const { store, agent } = context.services;
    const renamed = await store.conversations.rename(context.scope, conversationId, oneLine(title));
    if (renamed === null) throw new ParleyError("NOT_FOUND");
    await agent.announce(renamed.announce);
    return { conversation: renamed.conversation };
  }),

  defineHandler("conversation.selectBranch", "user", async (context, { conversationId, messageId }) => {
    const { store, agent } = context.services;
    const selected = await store.conversations.selectBranch(context.scope, conversationId, messageId);
    if (selected === null) throw new ParleyError("NOT_FOUND");
    if (!selected.ok) throw new ParleyError(selected.reason, { message: BRANCH_BUSY });
    await agent.announce(selected.announce);
    return { conversation: selected.conversation };
  }),

  defineHandler("message.read", "user", (context, params) => context.services.reads.part(context.scope, params)),
];
