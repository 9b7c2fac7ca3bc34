/** For tests of handlers over the real store: an agent that remembers what it was asked, topics, and connections of any user. */
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { MemoryPresence } from "../../src/adapters/presence.memory.ts";
import { systemClock as clock } from "../../src/gateway/clock.ts";
import { DeliveryHub } from "../../src/gateway/delivery-hub.ts";
import { newDeliveryCounters } from "../../src/gateway/delivery-types.ts";
import { Reads } from "../../src/gateway/reads.ts";
import type { AgentService } from "../../src/ports/services.ts";
import type { Announcement, Scope, Store } from "../../src/ports/store.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { hashSecret, newSecret } from "../../src/sessions/secrets.ts";
import type { Harness, Peer } from "./gateway-harness.ts";
import { recordingLogger } from "./logger.fake.ts";
import { namesOf } from "./store-world.ts";

/** Remembers what handlers asked for, in order. */
export class RecordingAgent implements AgentService {
  /** It claims nothing. */
  offer(): undefined {
    return undefined;
  }
  calls: string[] = [];
  announced: Announcement[] = [];
  async announce(rows: readonly Announcement[]): Promise<void> {
    this.announced.push(...rows);
  }
  wake(): void {
    this.calls.push("wake");
  }
  stopRequested(runId: string): void {
    this.calls.push(`stop ${runId}`);
  }
  /** What was asked since the last look. */
  take(): { calls: string[]; names: string[] } {
    return { calls: this.calls.splice(0), names: namesOf(this.announced.splice(0)) };
  }
}

/** Topics of that store, over a log in memory; the log ends with them. Five for each connection. */
export function topicsOf(store: Store) {
  const logger = recordingLogger();
  const log = new MemoryEventLog({ logger });
  const presence = new MemoryPresence();
  const hub = new DeliveryHub({
    log,
    store,
    presence,
    clock,
    logger,
    counters: newDeliveryCounters(),
    maxSubscriptions: 5,
  });
  const close = (): Promise<void> => {
    hub.close();
    return log.close();
  };
  return { log, hub, reads: new Reads({ log, store, clock }), close };
}

/** A connection of that user, by the token of a session that is made for it. */
export async function connectAs(harness: Harness, store: Pick<Store, "sessions">, scope: Scope): Promise<Peer> {
  const sessionToken = newSecret();
  const session = { tokenHash: hashSecret(sessionToken), device: "", lifetimeMs: 3_600_000, method: "test" };
  await store.sessions.create({ ...scope, ...session, id: uuidv7() });
  const peer = harness.connect();
  await peer.ok("session.resume", { sessionToken });
  return peer;
}
