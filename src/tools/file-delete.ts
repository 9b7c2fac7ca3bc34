/** Deletes a file of the conversation. Nothing brings it back: a person is asked first. */
import { z } from "zod";
import type { Scope, StoredFile } from "../ports/store.ts";
import { ToolError, type ToolContext } from "../ports/tool.ts";
import { text } from "../protocol/shapes.ts";
import { defineTool } from "./define.ts";

/** File names that an answer lists. */
const LISTED = 10;

export const fileDelete = defineTool({
  name: "file_delete",
  description:
    "Deletes a file of this conversation for good, by its name; all of that name, if there are several. A person is asked first.",
  effect: "unsafe",
  approval: "ask",
  schema: z.strictObject({ name: text(255).describe("As the conversation shows it, for example notes.txt") }),
  summary: ({ name }) => `Delete the file "${name}" of this conversation, for good.`,

  async run({ name }, context) {
    const files = await filesOf(context);
    const named = files.filter((file) => file.name === name);
    if (named.length === 0) throw new ToolError(`There is no file "${name}" in this conversation. ${listed(files)}`);
    for (const { fileId } of named) {
      // From the row on nobody sees it; bytes that outlive it are swept.
      await context.store.files.delete(scopeOf(context), fileId);
      await context.files.delete(fileId).catch((error: unknown) => {
        context.logger.warn({ err: error, fileId }, "the bytes of a deleted file are left to the sweeper");
      });
    }
    return { deleted: name, files: named.length };
  },

  async reconcile({ name }, context) {
    const files = await filesOf(context);
    if (files.some((file) => file.name === name)) return { state: "not-done" };
    return { state: "done", result: { deleted: name } };
  },
});

const scopeOf = ({ lease: { tenantId, userId } }: ToolContext): Scope => ({ tenantId, userId });

const filesOf = (context: ToolContext): Promise<readonly StoredFile[]> =>
  context.store.files.list(scopeOf(context), context.lease.conversationId);

function listed(files: readonly StoredFile[]): string {
  if (files.length === 0) return "It has no files.";
  const names = [...new Set(files.map(({ name }) => `"${name}"`))];
  return `It has ${names.slice(0, LISTED).join(", ")}${names.length > LISTED ? " and more" : ""}.`;
}
