/**
 * A node among others: what happens here that others should know at once is told them, and what they tell happens here.
 * Nothing depends on it [src/ports/commands.ts]: an owner hears of a stop by its next renewal, a waiting run is found by
 * the poll, and a session that was ended elsewhere by the look of `CONFIRM_MS`.
 */
import type { Engine } from "./agent/engine.ts";
import type { CommandChannel, NodeCommand } from "./ports/commands.ts";
import type { Logger } from "./ports/logger.ts";
import type { AgentService } from "./ports/services.ts";
import type { SessionManager } from "./sessions/session-manager.ts";

/** How often the store is asked which sessions and links live on, and the same again at random. */
const CONFIRM_MS = 20_000;

export interface ClusterNodeOptions {
  readonly engine: Pick<Engine, "offer" | "announce" | "wake" | "stopRequested" | "holds" | "hasRoom">;
  readonly sessions: Pick<SessionManager, "confirm" | "revokedElsewhere">;
  readonly shares: {
    /** Asks the store which links that are read by here are still good. */
    confirm(): Promise<void>;
    revoked(shareId: string): void;
  };
  readonly commands: CommandChannel;
  readonly logger: Logger;
}

export interface ClusterNode {
  /** The engine, as handlers use it: what it can't do itself the others are told. */
  readonly agent: AgentService;
  /** Says that there are runs to be claimed: this node gives its own up. */
  handedOver(): void;
  /** Jobs that repeat: `confirm` after `pauseMs()`. */
  readonly pauseMs: () => number;
  readonly confirm: () => Promise<void>;
  /** Hears nothing more. Idempotent. */
  leave(): void;
}

export function joinCluster({ engine, sessions, shares, commands, logger }: ClusterNodeOptions): ClusterNode {
  const receive = (command: NodeCommand): void => {
    switch (command.kind) {
      case "session.revoked":
        return sessions.revokedElsewhere(command.sessionId);
      case "share.revoked":
        return shares.revoked(command.shareId);
      case "run.stop":
        return engine.stopRequested(command.runId);
      case "run.wake":
        // Told by whoever can't take it; nobody tells it on.
        if (engine.hasRoom) engine.wake();
    }
  };
  let confirming: Promise<void> | undefined;
  const confirm = (): Promise<void> => (confirming ??= confirmAll().finally(() => (confirming = undefined)));
  async function confirmAll(): Promise<void> {
    await sessions.confirm();
    await shares.confirm();
  }

  const stopListening = commands.listen(receive);
  const stopRepairing = commands.onMissed(() => {
    if (engine.hasRoom) engine.wake();
    confirm().catch((err: unknown) => logger.warn({ err }, "sessions could not be looked at after a gap"));
  });

  return {
    agent: {
      offer: (runId) => engine.offer(runId),
      announce: (rows) => engine.announce(rows),
      wake: () => {
        engine.wake();
        if (!engine.hasRoom) commands.publish({ kind: "run.wake" });
      },
      stopRequested: (runId) => {
        if (engine.holds(runId)) engine.stopRequested(runId);
        else commands.publish({ kind: "run.stop", runId });
      },
    },
    handedOver: () => commands.publish({ kind: "run.wake" }),
    pauseMs: () => CONFIRM_MS * (1 + Math.random()),
    confirm,
    leave: () => {
      stopListening();
      stopRepairing();
    },
  };
}
