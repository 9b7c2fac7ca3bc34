import { z } from "zod";
import { conversationSnapshot, position, topic, userSnapshot } from "../shapes.ts";
import { shareToken } from "./share.ts";

export const topicMethods = {
  /**
   * The answer precedes its events; the first of them follows `position` without a gap [W6]. `shareToken` reads a
   * conversation by its link, for as long as the link is good.
   */
  "topic.subscribe": {
    params: z.strictObject({ topic, position: position.optional(), shareToken: shareToken.optional() }),
    result: z.discriminatedUnion("mode", [
      z.object({ mode: z.literal("replay"), position }),
      z.object({
        mode: z.literal("snapshot"),
        position,
        snapshot: z.union([conversationSnapshot, userSnapshot]),
      }),
    ]),
  },
  "topic.unsubscribe": { params: z.strictObject({ topic }), result: z.object({}) },
} as const;
