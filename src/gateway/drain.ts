import { encodeNotification } from "../protocol/codec.ts";
import { CLOSE } from "../protocol/errors.ts";
import type { Draining } from "../protocol/frames.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";

const STEP_MS = 100;
/** Part of the deadline over which the closes are spread; the rest is for the last close frames to leave. */
const SPREAD = 0.8;
/** Clients come back after a random part of this, one millisecond a connection, so that they do not come at once. */
const MAX_RECONNECT_MS = 5_000;

/** Tells a client to go elsewhere, and when. */
export function sendDraining(client: Client, connections: number, random: () => number): void {
  const params: Draining = {
    reconnectAfterMs: Math.round(100 + random() * Math.min(MAX_RECONNECT_MS, connections)),
  };
  client.send(encodeNotification("draining", params));
}

/**
 * Closes every connection with 4001 within the deadline: in batches, those first that wait for nothing. Resolves when
 * all are told; what is left is the transport's to cut.
 */
export async function closeInBatches(
  clients: ReadonlyMap<unknown, Client>,
  deadlineMs: number,
  clock: Clock,
): Promise<void> {
  const steps = Math.max(1, Math.floor((deadlineMs * SPREAD) / STEP_MS));
  for (let left = steps; clients.size > 0; left--) {
    const all = [...clients.values()];
    const idle = all.filter((client) => !client.busy);
    const batch = left <= 1 ? all : idle.slice(0, Math.ceil(all.length / left));
    for (const client of batch) client.connection.close(CLOSE.DRAINING, "draining");
    if (left <= 1) return;
    if (clients.size > 0) await new Promise<void>((resolve) => clock.after(STEP_MS, resolve));
  }
}

/** A client that was told has gone by then: its wait, and its own jitter. */
const GONE_MS = 10_000;
/** One that waits for an answer is closed all the same, later. */
const BUSY_MS = 20_000;
/** Closed in one round. */
const MOST_CLOSED = 1_000;

/**
 * Sends clients to other nodes while this one can serve them nothing (`stranded.ts`): each is told once, and closed with
 * 4001 when it does not go. Those that come back here meanwhile are told, and closed at once.
 */
export class SendingAway {
  on = false;
  readonly #told = new Map<Client, number>();

  turn(clients: Iterable<Client>, count: number, now: number, random: () => number): void {
    this.on = true;
    let closed = 0;
    for (const client of clients) {
      const toldAt = this.#told.get(client);
      if (toldAt === undefined) {
        this.#told.set(client, now);
        sendDraining(client, count, random);
      } else if (closed < MOST_CLOSED && now - toldAt >= (client.busy ? BUSY_MS : GONE_MS)) {
        closed++;
        client.connection.close(CLOSE.DRAINING, "another node can serve you");
      }
    }
  }

  /** Who was told goes all the same, and is told again only when this happens again. */
  end(): void {
    this.on = false;
    this.#told.clear();
  }

  left(client: Client): void {
    this.#told.delete(client);
  }
}
