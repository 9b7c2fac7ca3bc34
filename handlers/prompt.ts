import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { oneLine } from "../src/protocol/one-line.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";

/** Prompts of a page: of the longest ones, more would not fit a frame. */
const PAGE = 10;

export default [
  defineHandler("prompt.list", "user", async (context, { cursor }) => {
    const page = await context.services.store.prompts.list(context.scope, { cursor, limit: PAGE });
    return { prompts: [...page.prompts], nextCursor: page.nextCursor };
  }),

  defineHandler("prompt.save", "user", async (context, params) => {
    const { promptId, text } = params;
    const saved = await context.services.store.prompts.save(
      context.scope,
      { id: uuidv7(), promptId, name: oneLine(params.name), text },
      idempotencyOf("prompt.save", params),
    );
    if (!saved.ok) throw new ParleyError(saved.reason);
    return { prompt: saved.value };
  }),

  defineHandler("prompt.delete", "user", async (context, { promptId }) => {
    if (!(await context.services.store.prompts.delete(context.scope, promptId))) throw new ParleyError("NOT_FOUND");
    return {};
  }),
];
