import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";

/** Memories of a page: of the longest ones, more would not fit a frame. */
const PAGE = 20;

export default [
  defineHandler("memory.list", "user", async (context, { cursor }) => {
    const page = await context.services.store.memories.list(context.scope, { cursor, limit: PAGE });
    return { memories: [...page.memories], nextCursor: page.nextCursor };
  }),

  defineHandler("memory.create", "user", async (context, params) => {
    const { store, agent } = context.services;
    const created = await store.memories.create(
      context.scope,
      { id: uuidv7(), text: params.text },
      idempotencyOf("memory.create", params),
    );
    if (!created.ok) throw new ParleyError(created.reason);
    await agent.announce(created.announce);
    return { memory: created.value };
  }),

  defineHandler("memory.update", "user", async (context, { memoryId, text }) => {
    const memory = await context.services.store.memories.update(context.scope, memoryId, text);
    if (memory === null) throw new ParleyError("NOT_FOUND");
    return { memory };
  }),

  defineHandler("memory.delete", "user", async (context, { memoryId }) => {
    if (!(await context.services.store.memories.delete(context.scope, memoryId))) throw new ParleyError("NOT_FOUND");
    return {};
  }),
];
