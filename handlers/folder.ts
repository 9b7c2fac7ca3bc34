import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { oneLine } from "../src/protocol/one-line.ts";
import { defineHandler, idempotencyOf } from "../src/sessions/handler.ts";

export default [
  defineHandler("folder.list", "user", async (context) => ({
    folders: [...(await context.services.store.folders.list(context.scope))],
  })),

  defineHandler("folder.create", "user", async (context, params) => {
    const { store, agent } = context.services;
    const folder = { id: uuidv7(), name: oneLine(params.name) };
    const created = await store.folders.create(context.scope, folder, idempotencyOf("folder.create", params));
    if (!created.ok) throw new ParleyError(created.reason);
    await agent.announce(created.announce);
    return { folder: created.value };
  }),

  defineHandler("folder.rename", "user", async (context, { folderId, name }) => {
    const { store, agent } = context.services;
    const renamed = await store.folders.rename(context.scope, folderId, oneLine(name));
    if (renamed === null) throw new ParleyError("NOT_FOUND");
    await agent.announce(renamed.announce);
    return { folder: renamed.folder };
  }),

  defineHandler("folder.delete", "user", async (context, { folderId }) => {
    const { store, agent } = context.services;
    const deleted = await store.folders.delete(context.scope, folderId);
    if (deleted === null) throw new ParleyError("NOT_FOUND");
    await agent.announce(deleted.announce);
    return {};
  }),
];
