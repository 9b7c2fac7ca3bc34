import { isoTime } from "../src/protocol/iso-time.ts";
import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("ping", "public", () => ({ pong: true, time: isoTime() })),

  defineHandler("request.cancel", "public", (context, { requestId }) => ({ cancelled: context.cancel(requestId) })),
];
