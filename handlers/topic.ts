import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("topic.subscribe", "user", (context, params) => context.topics.subscribe(context.scope, params)),

  defineHandler("topic.unsubscribe", "user", (context, { topic }) => {
    context.topics.unsubscribe(topic);
    return {};
  }),
];
