import { z } from "zod";
import { conversation, id, share, user } from "../shapes.ts";

/** 32 random bytes in base64url: who has it may read. It belongs in no query string and in no log. */
export const shareToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: "the token of a link" });

export const shareMethods = {
  /**
   * Makes a link to the conversation for others of the tenant: they read it, also what is said later. The token is told
   * once. A link that was there before is revoked, and so a repeat does no harm.
   */
  "share.create": {
    params: z.strictObject({ conversationId: id }),
    result: z.object({ share, shareToken }),
  },
  /** The link that a conversation has, without its token. */
  "share.get": { params: z.strictObject({ conversationId: id }), result: z.object({ share: share.nullable() }) },
  /** The link opens nothing from now on; whoever reads by it is told so. */
  "share.revoke": { params: z.strictObject({ conversationId: id }), result: z.object({}) },
  /**
   * What a link opens: with the same token `topic.subscribe`, `conversation.get` and `message.read` read it. NOT_FOUND
   * for another tenant, and when it was revoked.
   */
  "share.open": {
    params: z.strictObject({ shareToken }),
    result: z.object({ share, sharedBy: user, conversation }),
  },
} as const;
