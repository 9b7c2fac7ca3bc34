import { z } from "zod";
import { id, time } from "../shapes.ts";

export const basicMethods = {
  ping: { params: z.strictObject({}), result: z.object({ pong: z.literal(true), time }) },
  /** Cancels a request of the same connection that has not been answered yet [W12]; runs are stopped by `chat.stop`. */
  "request.cancel": {
    params: z.strictObject({ requestId: z.union([id, z.int()]) }),
    result: z.object({ cancelled: z.boolean() }),
  },
} as const;
