import { ParleyError } from "../src/protocol/errors.ts";
import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("insights.get", "owner", async (context, { times }) => {
    const insights = await context.services.store.insights.read(context.scope, times);
    // Their session was made when they were one.
    if (insights === null) throw new ParleyError("FORBIDDEN");
    return { insights };
  }),
];
