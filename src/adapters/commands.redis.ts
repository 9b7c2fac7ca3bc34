/**
 * Commands between nodes, over one channel of Redis that all of them hear. Few and small: a stop, an end of a session.
 * One wake is under way at a time: a second one would say the same.
 */
import { z } from "zod";
import type { CommandChannel, NodeCommand } from "../ports/commands.ts";
import type { Logger } from "../ports/logger.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { RedisConnections } from "./redis-connection.ts";

export interface RedisCommandOptions {
  readonly connections: Pick<RedisConnections, "client" | "subscriber" | "run">;
  readonly keyPrefix: string;
  readonly logger: Logger;
}

/** Commands that wait for Redis to take them; more are dropped, as the database tells what they say. */
const MAX_WAITING = 1_000;

const message = z.object({
  from: z.string(),
  command: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("session.revoked"), sessionId: z.string() }),
    z.object({ kind: z.literal("share.revoked"), shareId: z.string() }),
    z.object({ kind: z.literal("run.stop"), runId: z.string() }),
    z.object({ kind: z.literal("run.wake") }),
  ]) satisfies z.ZodType<NodeCommand>,
});

export function createRedisCommandChannel(options: RedisCommandOptions): CommandChannel {
  const { connections, keyPrefix, logger } = options;
  const channel = `${keyPrefix}commands`;
  const from = uuidv7();
  const listeners = new Set<(command: NodeCommand) => void>();
  const waiting = new Set<Promise<void>>();
  let waking = false;
  let away = false;
  let closed = false;

  const stopHearing = connections.subscriber.listen(channel, (text) => {
    const received = parse(text);
    if (received === undefined || received.from === from || closed) return;
    for (const listener of listeners) listener(received.command);
  });

  async function send(command: NodeCommand): Promise<void> {
    const isWake = command.kind === "run.wake";
    if (isWake) waking = true;
    try {
      await connections.run(connections.client.spublish(channel, JSON.stringify({ from, command })));
      away = false;
    } catch (error) {
      if (!away) logger.warn({ err: error }, "other nodes can't be told; they find out from the database");
      away = true;
    } finally {
      if (isWake) waking = false;
    }
  }

  return {
    publish(command) {
      if (closed || waiting.size >= MAX_WAITING || (command.kind === "run.wake" && waking)) return;
      const sent = send(command)
        .catch((error: unknown) => logger.error({ err: error }, "a command was not sent"))
        .finally(() => waiting.delete(sent));
      waiting.add(sent);
    },
    listen(listener) {
      if (!closed) listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onMissed: (listener) =>
      connections.subscriber.onReconnect(() => {
        if (!closed) listener();
      }),
    async close() {
      closed = true;
      listeners.clear();
      stopHearing();
      // What was said last, that runs wait to be taken, is worth a moment: at most the time limit of a command.
      await Promise.all(waiting);
    },
  };
}

/** undefined for what another version says and this one does not know. */
function parse(text: string): z.infer<typeof message> | undefined {
  try {
    return message.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
