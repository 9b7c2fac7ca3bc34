import { z } from "zod";
import { presenceMember, topic } from "../shapes.ts";

const members = z.array(presenceMember);

export const presenceMethods = {
  /**
   * This connection looks at a topic that it is subscribed to [L10]. It is said again within `ttlMs`, and is over with
   * the subscription or the connection. Answers with all who are there, this connection among them.
   */
  "presence.update": {
    params: z.strictObject({ topic, state: presenceMember.shape.state }),
    result: z.object({ ttlMs: z.int(), members }),
  },
  /** It does not look at it any more, though the subscription stands. */
  "presence.leave": { params: z.strictObject({ topic }), result: z.object({}) },
  "presence.list": { params: z.strictObject({ topic }), result: z.object({ members }) },
} as const;
