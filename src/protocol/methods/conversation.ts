import { z } from "zod";
import { conversation, excerpt, id, message, position, text, time } from "../shapes.ts";
import { shareToken } from "./share.ts";

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
  /**
   * Most recently active first. `cursor` is the `nextCursor` of the page before; `query` looks in titles; `archived`
   * lists those in the archive, which are not listed otherwise.
   */
  "conversation.list": {
    params: z.strictObject({
      cursor: z.string().max(200).optional(),
      limit: z.int().min(1).max(100).optional(),
      query: text(200).optional(),
      archived: z.boolean().optional(),
      pinned: z.literal(true).optional(),
      folderId: id.optional(),
    }),
    result: z.object({ conversations: z.array(conversation), nextCursor: z.string().nullable() }),
  },
  /**
   * Conversations, those in the archive too, whose title or one of whose messages has all the words of `query`; without
   * `excerpt` it is the title. A call looks at a bounded number of messages: `nextCursor` goes on further back, also
   * where there were fewer results than `limit`.
   */
  "conversation.search": {
    params: z.strictObject({
      query: text(200).refine((value) => value.trim() !== "", { error: "not blank" }),
      cursor: z.string().max(200).optional(),
      limit: z.int().min(1).max(50).optional(),
    }),
    result: z.object({
      results: z.array(z.object({ conversation, excerpt: excerpt.optional() })),
      nextCursor: z.string().nullable(),
    }),
  },
  /** The newest `limit` messages before the message `before`, oldest first, as many as fit a frame. */
  "conversation.get": {
    params: z.strictObject({
      conversationId: id,
      before: id.optional(),
      limit: z.int().min(1).max(100).optional(),
      shareToken: shareToken.optional(),
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
  /**
   * Sets what is named, and leaves the rest. `folderId` null takes it out of its folder. TOO_MANY when as many are pinned
   * as may be.
   */
  "conversation.update": {
    params: z.strictObject({
      conversationId: id,
      pinned: z.boolean().optional(),
      archived: z.boolean().optional(),
      folderId: id.nullable().optional(),
    }),
    result: z.object({ conversation }),
  },
  /**
   * It is gone at once: its runs are stopped, its link is revoked, and nothing can be sent to it. For 7 days
   * `conversation.restore` brings it back; then its messages and files are removed for good.
   */
  "conversation.delete": { params: z.strictObject({ conversationId: id }), result: z.object({}) },
  /** Takes a deletion back. What it stopped stays stopped, and its link stays revoked. */
  "conversation.restore": { params: z.strictObject({ conversationId: id }), result: z.object({ conversation }) },
  /**
   * Gives up what was deleted before its 7 days are over: nothing restores it any more, and the next sweep removes its
   * messages and files for good. NOT_FOUND for one that was not deleted; BUSY while what ran in it is being stopped.
   */
  "conversation.purge": { params: z.strictObject({ conversationId: id }), result: z.object({}) },
  /** What was deleted and can be restored until `removedAt`, the last that was deleted first. */
  "conversation.listDeleted": {
    params: z.strictObject({
      cursor: z.string().max(200).optional(),
      limit: z.int().min(1).max(100).optional(),
    }),
    result: z.object({
      deleted: z.array(z.object({ conversation, deletedAt: time, removedAt: time })),
      nextCursor: z.string().nullable(),
    }),
  },
  /** Shows another branch, on every tab: the newest one that holds `messageId`. */
  "conversation.selectBranch": {
    params: z.strictObject({ conversationId: id, messageId: id }),
    result: z.object({ conversation }),
  },
  /** The rest of a part that was sent cut (`length` larger than its text), from `offset` in UTF-16 units. */
  "message.read": {
    params: z.strictObject({
      messageId: id,
      partIndex: z.int().min(0).max(65_535),
      offset: z.int().min(0),
      shareToken: shareToken.optional(),
    }),
    result: z.object({ text: z.string(), length: z.int() }),
  },
} as const;
