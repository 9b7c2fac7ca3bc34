import { z } from "zod";
import { conversation, id, message, position, text } from "../shapes.ts";

/** Taken as it is: a character that the store has to replace would make two keys one. */
export const idempotencyKey = z
  .string()
  .min(8)
  .max(128)
  .refine((key) => key.isWellFormed() && !key.includes("\u0000"), { error: "well-formed text without U+0000" });
const title = text(200);

export const conversationMethods = {
  "conversation.create": {
    params: z.strictObject({
      title: title.optional(),
      model: z.string().max(200).optional(),
      idempotencyKey: idempotencyKey.optional(),
    }),
    result: z.object({ conversation }),
  },
  /** Most recently active first. `cursor` is the `nextCursor` of the page before; `query` looks in titles. */
  "conversation.list": {
    params: z.strictObject({
      cursor: z.string().max(200).optional(),
      limit: z.int().min(1).max(100).optional(),
      query: text(200).optional(),
    }),
    result: z.object({ conversations: z.array(conversation), nextCursor: z.string().nullable() }),
  },
  /** The newest `limit` messages before the message `before`, oldest first, as many as fit a frame. */
  "conversation.get": {
    params: z.strictObject({
      conversationId: id,
      before: id.optional(),
      limit: z.int().min(1).max(100).optional(),
    }),
    result: z.object({
      conversation,
      messages: z.array(message),
      hasMore: z.boolean(),
      position: position.nullable(),
    }),
  },
  "conversation.rename": {
    params: z.strictObject({
      conversationId: id,
      title: title.refine((value) => value.trim() !== "", { error: "not blank" }),
    }),
    result: z.object({ conversation }),
  },
  /** Shows another branch, on every tab: the newest one that holds `messageId`. */
  "conversation.selectBranch": {
    params: z.strictObject({ conversationId: id, messageId: id }),
    result: z.object({ conversation }),
  },
  /** The rest of a part that was sent cut (`length` larger than its text), from `offset` in UTF-16 units. */
  "message.read": {
    params: z.strictObject({ messageId: id, partIndex: z.int().min(0).max(65_535), offset: z.int().min(0) }),
    result: z.object({ text: z.string(), length: z.int() }),
  },
} as const;
