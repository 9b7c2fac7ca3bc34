import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("ping", "public", () => ({ pong: true, time: new Date().toISOString() })),

  defineHandler("request.cancel", "public", (context, { requestId }) => ({ cancelled: context.cancel(requestId) })),
];
