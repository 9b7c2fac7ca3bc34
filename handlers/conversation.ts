import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { oneLine } from "../src/protocol/one-line.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";

const PAGE = 30;
const RESULTS = 20;
const STILL_STOPPING = "What ran in the conversation is being stopped. Try again in a moment.";
const BRANCH_BUSY = "An answer is being written on this branch. Stop it or wait for its end, then switch.";

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

  defineHandler("conversation.list", "user", async (context, { limit = PAGE, ...filter }) => {
    const page = await context.services.store.conversations.list(context.scope, { ...filter, limit });
    return { conversations: [...page.conversations], nextCursor: page.nextCursor };
  }),

  defineHandler("conversation.search", "user", async (context, { limit = RESULTS, ...asked }) => {
    const { hits, nextCursor } = await context.services.store.search.search(context.scope, { ...asked, limit });
    return { results: [...hits], nextCursor };
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

  defineHandler("conversation.update", "user", async (context, { conversationId, ...changes }) => {
    const { store, agent } = context.services;
    const updated = await store.conversations.update(context.scope, conversationId, changes);
    if (updated === null) throw new ParleyError("NOT_FOUND");
    if (!updated.ok) throw new ParleyError(updated.reason);
    await agent.announce(updated.announce);
    return { conversation: updated.conversation };
  }),

  defineHandler("conversation.delete", "user", async (context, { conversationId }) => {
    const { store, agent, shares } = context.services;
    const deleted = await store.conversations.delete(context.scope, conversationId);
    if (deleted === null) throw new ParleyError("NOT_FOUND");
    const announced = agent.announce(deleted.announce);
    if (deleted.active !== null) {
      agent.stopRequested(deleted.active);
      // One that waited for a person is to be claimed and ended.
      agent.wake();
    }
    if (deleted.shareId !== null) shares.revoked(deleted.shareId);
    await announced;
    return {};
  }),

  defineHandler("conversation.restore", "user", async (context, { conversationId }) => {
    const { store, agent } = context.services;
    const restored = await store.conversations.restore(context.scope, conversationId);
    if (restored === null) throw new ParleyError("NOT_FOUND");
    await agent.announce(restored.announce);
    // What steered the run that was stopped may wait for its answer.
    agent.wake();
    return { conversation: restored.conversation };
  }),

  defineHandler("conversation.purge", "user", async (context, { conversationId }) => {
    const { store, agent } = context.services;
    const purged = await store.conversations.purge(context.scope, conversationId);
    if (purged === null) throw new ParleyError("NOT_FOUND");
    if (!purged.ok) throw new ParleyError(purged.reason, { message: STILL_STOPPING });
    await agent.announce(purged.announce);
    return {};
  }),

  defineHandler("conversation.listDeleted", "user", (context, page) =>
    context.services.store.conversations.listDeleted(context.scope, page),
  ),

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
