/**
 * Presence on this node [L10]: what connections say of themselves, and what all nodes say to those that read a topic here.
 * A change is sent once and kept nowhere; who was too slow for it reads the list with its next update.
 */
import type { Logger } from "../ports/logger.ts";
import type { Presence } from "../ports/presence.ts";
import type { PresenceService } from "../ports/services.ts";
import { encodeNotification } from "../protocol/codec.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { EphemeralEvent } from "../protocol/events.ts";
import type { Params, Result } from "../protocol/methods.ts";
import type { User } from "../protocol/shapes.ts";
import { type Rate, TokenBucket } from "../sessions/token-bucket.ts";
import type { Clock } from "./clock.ts";
import type { FanOut } from "./fan-out.ts";

/** Of one connection: each update may be sent to everybody who reads the topic. */
const UPDATE_RATE: Rate = { perSecond: 4, burst: 40 };
/** UTF-16 units of a name, so that a list fits a frame. */
const MAX_NAME = 100;

export interface PresenceShared {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sends the changes of topics to who reads them on this node. Returns the way to stop. */
export const fanOutPresence = (presence: Presence, fanOut: FanOut): (() => void) =>
  presence.listen((topic, value) => {
    const event: EphemeralEvent = { type: "CUSTOM", name: "presence.changed", value };
    fanOut.pass(topic, () => encodeNotification("ephemeral", { topic, event }));
  });

/** How a connection stands to a topic: only who reads it may say and ask who is there. */
export type Reading = "none" | "opening" | "by-link" | "own";

export class ConnectionPresence implements PresenceService {
  readonly #memberId: string;
  readonly #shared: PresenceShared;
  readonly #reading: (topic: string) => Reading;
  readonly #bucket = new TokenBucket(UPDATE_RATE);
  /** Where this connection is, or is about to be. */
  readonly #topics = new Set<string>();

  constructor(memberId: string, shared: PresenceShared, reading: (topic: string) => Reading) {
    this.#memberId = memberId;
    this.#shared = shared;
    this.#reading = reading;
  }

  async update(user: User, { topic, state }: Params<"presence.update">): Promise<Result<"presence.update">> {
    const { presence, clock } = this.#shared;
    const reading = this.#mayRead(topic);
    if (state === "typing" && reading === "by-link") throw new ParleyError("FORBIDDEN");
    const wait = this.#bucket.take(clock.now());
    if (wait > 0) throw new ParleyError("RATE_LIMITED", { retryAfterMs: wait });
    this.#topics.add(topic);
    const name = user.name.slice(0, MAX_NAME).toWellFormed();
    const members = await presence.update(topic, {
      memberId: this.#memberId,
      user: { id: user.id, name },
      state,
    });
    // It left while it was put in.
    if (!this.#topics.has(topic)) {
      this.#remove(topic);
      throw new ParleyError("CANCELLED");
    }
    if (members === null) {
      this.#topics.delete(topic);
      throw new ParleyError("TOO_MANY", { message: "As many as can be shown look at this topic already." });
    }
    return { ttlMs: presence.ttlMs, members: [...members] };
  }

  leave(topic: string): void {
    if (this.#topics.delete(topic)) this.#remove(topic);
  }

  async list(topic: string): Promise<Result<"presence.list">> {
    this.#mayRead(topic);
    return { members: [...(await this.#shared.presence.list(topic))] };
  }

  close(): void {
    for (const topic of this.#topics) this.leave(topic);
  }

  #mayRead(topic: string): Reading {
    const reading = this.#reading(topic);
    if (reading === "none") throw new ParleyError("NOT_FOUND", { message: "Subscribe to the topic first." });
    if (reading === "opening") throw new ParleyError("UNAVAILABLE", { retryAfterMs: 100 });
    return reading;
  }

  /** What can't be removed now ends by itself. */
  #remove(topic: string): void {
    this.#shared.presence.remove(topic, this.#memberId).catch((error: unknown) => {
      this.#shared.logger.debug({ err: error }, "A member could not be removed; its time ends.");
    });
  }
}
