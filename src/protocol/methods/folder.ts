import { z } from "zod";
import { MAX_FOLDER_NAME } from "../constants.ts";
import { folder, id, text } from "../shapes.ts";
import { idempotencyKey } from "./conversation.ts";

const name = text(MAX_FOLDER_NAME).refine((value) => value.trim() !== "", { error: "not blank" });

/** Folders are told to every tab on the user's topic. */
export const folderMethods = {
  "folder.list": { params: z.strictObject({}), result: z.object({ folders: z.array(folder) }) },
  /** TOO_MANY when there are as many as may be. */
  "folder.create": { params: z.strictObject({ name, idempotencyKey }), result: z.object({ folder }) },
  "folder.rename": { params: z.strictObject({ folderId: id, name }), result: z.object({ folder }) },
  /** Its conversations are in no folder afterwards. */
  "folder.delete": { params: z.strictObject({ folderId: id }), result: z.object({}) },
} as const;
