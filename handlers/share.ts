import { ParleyError } from "../src/protocol/errors.ts";
import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("share.create", "user", async (context, { conversationId }) => {
    const created = await context.services.shares.create(context.scope, conversationId);
    if (created === null) throw new ParleyError("NOT_FOUND");
    return { share: created.share, shareToken: created.shareToken };
  }),

  defineHandler("share.get", "user", async (context, { conversationId }) => {
    const { store } = context.services;
    if ((await store.conversations.find(context.scope, conversationId)) === null) throw new ParleyError("NOT_FOUND");
    return { share: await store.shares.find(context.scope, conversationId) };
  }),

  defineHandler("share.revoke", "user", async (context, { conversationId }) => {
    await context.services.shares.revoke(context.scope, conversationId);
    return {};
  }),

  defineHandler("share.open", "user", async (context, { shareToken }) => {
    const opened = await context.services.shares.open(context.scope, shareToken);
    if (opened === null) throw new ParleyError("NOT_FOUND");
    const { share, sharedBy, conversation } = opened;
    return { share, sharedBy, conversation };
  }),
];
