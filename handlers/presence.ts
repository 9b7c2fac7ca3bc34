import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("presence.update", "user", ({ topics, user }, params) => topics.presence.update(user, params)),

  defineHandler("presence.leave", "user", ({ topics }, { topic }) => {
    topics.presence.leave(topic);
    return {};
  }),

  defineHandler("presence.list", "user", ({ topics }, { topic }) => topics.presence.list(topic)),
];
