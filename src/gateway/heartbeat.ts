import { encodeNotification } from "../protocol/codec.ts";
import { HEARTBEAT_MS } from "../protocol/constants.ts";
import type { Heartbeat } from "../protocol/frames.ts";
import type { Client } from "./client.ts";

/** Milliseconds between two turns of the wheel. */
export const TICK_MS = 1000;
const SLOTS = HEARTBEAT_MS / TICK_MS;

/**
 * [W9] for all connections with one timer: a wheel of as many slots as a heartbeat has seconds. Each turn serves one
 * slot, so that the work, and the frames, are spread evenly.
 */
export class HeartbeatWheel {
  private readonly slots: readonly Set<Client>[] = Array.from({ length: SLOTS }, () => new Set<Client>());
  private hand = 0;
  private next = 0;

  add(client: Client): void {
    client.slot = this.next;
    this.next = (this.next + 1) % SLOTS;
    this.slots[client.slot]?.add(client);
  }

  remove(client: Client): void {
    this.slots[client.slot]?.delete(client);
  }

  /** Sends the heartbeats that are due. */
  turn(time: string): void {
    const slot = this.slots[this.hand];
    this.hand = (this.hand + 1) % SLOTS;
    for (const client of slot ?? []) {
      if (client.phase.kind !== "authenticated") continue;
      const params: Heartbeat = { time, positions: client.topics?.positions() ?? {} };
      client.send(encodeNotification("heartbeat", params));
    }
  }
}
