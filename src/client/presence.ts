/**
 * Who looks at a topic beside this client [L10]. What is said here is said again within its time, and each answer has the
 * whole list: so whatever was lost between is known then.
 *
 *   opened, joined, another state, a third of its time is over ──▶ presence.update ──▶ list
 *                                                           presence.changed ──▶ list
 */
import type { ParleyError } from "../protocol/errors.ts";
import type { EphemeralParams } from "../protocol/frames.ts";
import type { Result } from "../protocol/methods.ts";
import type { PresenceMember } from "../protocol/shapes.ts";
import { Emitter } from "./emitter.ts";
import type { Platform } from "./platform.ts";
import type { Outcome, RequestOptions } from "./requests.ts";

export type PresenceState = PresenceMember["state"];

export interface TopicPresence {
  readonly topic: string;
  /** Without this connection; none while there is no connection. Replaced when it changes, never changed. */
  readonly others: readonly PresenceMember[];
  /** Called after each change of `others`. The answer unsubscribes. */
  subscribe(listener: (others: readonly PresenceMember[]) => void): () => void;
  /** What this client does there: `active` at first. Of several that are open for a topic the last word counts. */
  set(state: PresenceState): void;
  /** Idempotent. Nothing is called any more; this client has left when the last that is open for the topic is closed. */
  close(): void;
}

const REQUEST_MS = 10_000;
/** Until the server has said how long it believes. */
const FIRST_TTL_MS = 30_000;

interface Room {
  readonly topic: string;
  readonly changes: Emitter<readonly PresenceMember[]>;
  open: number;
  state: PresenceState;
  others: readonly PresenceMember[];
  /** An update is on its way. */
  asking: boolean;
  /** Another is due after it. */
  stale: boolean;
  ttlMs: number;
  cancelNext: () => void;
}

export interface PresencesOptions {
  readonly platform: Platform;
  readonly start: (options: RequestOptions, settle: (outcome: Outcome) => void) => unknown;
  /** `hello.connectionId` of the present connection. */
  readonly ownId: () => string | undefined;
}

export class Presences {
  readonly #options: PresencesOptions;
  readonly #rooms = new Map<string, Room>();
  #online = false;
  #connection = 0;

  constructor(options: PresencesOptions) {
    this.#options = options;
  }

  open(topic: string): TopicPresence {
    const room = this.#rooms.get(topic) ?? this.#create(topic);
    room.open++;
    this.#ask(room);
    const stops = new Set<() => void>();
    let closed = false;
    return {
      topic,
      get others() {
        return closed ? [] : room.others;
      },
      subscribe: (listener) => {
        const stop = closed ? () => {} : room.changes.subscribe(listener);
        stops.add(stop);
        return stop;
      },
      set: (state) => {
        if (closed || room.state === state) return;
        room.state = state;
        this.#ask(room);
      },
      close: () => {
        if (closed) return;
        closed = true;
        for (const stop of stops) stop();
        if (--room.open === 0) this.#leave(room);
      },
    };
  }

  online(): void {
    this.#online = true;
    this.#connection++;
  }

  offline(): void {
    this.#online = false;
    for (const room of this.#rooms.values()) {
      room.cancelNext();
      room.asking = false;
      this.#show(room, []);
    }
  }

  /** The server sends this topic (again): it may be asked now. */
  joined(topic: string): void {
    const room = this.#rooms.get(topic);
    if (room !== undefined) this.#ask(room);
  }

  event({ topic, event }: EphemeralParams): void {
    const room = this.#rooms.get(topic);
    // A newer server has other events.
    if (room === undefined || event.name !== "presence.changed") return;
    const { state, ...who } = event.value;
    const rest = room.others.filter(({ memberId }) => memberId !== who.memberId);
    this.#show(room, state === "gone" ? rest : [...rest, { ...who, state }]);
  }

  #create(topic: string): Room {
    const room: Room = {
      topic,
      changes: new Emitter(this.#options.platform.log),
      open: 0,
      state: "active",
      others: [],
      asking: false,
      stale: false,
      ttlMs: FIRST_TTL_MS,
      cancelNext: () => {},
    };
    this.#rooms.set(topic, room);
    return room;
  }

  #ask(room: Room): void {
    if (!this.#online) return;
    if (room.asking) {
      room.stale = true;
      return;
    }
    room.cancelNext();
    room.asking = true;
    room.stale = false;
    const connection = this.#connection;
    const params = { topic: room.topic, state: room.state };
    this.#options.start(
      { method: "presence.update", params, safety: "once", timeoutMs: REQUEST_MS, bound: true },
      (outcome) => {
        if (connection !== this.#connection || !this.#online || room.open === 0) return;
        room.asking = false;
        if (outcome.ok) this.#answered(room, outcome.result as Result<"presence.update">);
        else this.#refused(room, outcome.error);
        if (room.stale) this.#ask(room);
        else room.cancelNext = this.#options.platform.timers.after(room.ttlMs / 3, () => this.#ask(room));
      },
    );
  }

  #answered(room: Room, { ttlMs, members }: Result<"presence.update">): void {
    room.ttlMs = ttlMs;
    this.#show(room, members);
  }

  /** It is asked again when the topic is joined, or in its time. */
  #refused(room: Room, { code }: ParleyError): void {
    this.#show(room, []);
    if (code !== "FORBIDDEN" || room.state !== "typing") return;
    // Who reads by a link types nothing.
    room.state = "active";
    room.stale = true;
  }

  #leave(room: Room): void {
    this.#rooms.delete(room.topic);
    room.cancelNext();
    if (!this.#online) return;
    const { topic } = room;
    this.#options.start(
      { method: "presence.leave", params: { topic }, safety: "once", timeoutMs: REQUEST_MS, bound: true },
      // Refused or not: it ends by itself.
      () => {},
    );
  }

  #show(room: Room, members: readonly PresenceMember[]): void {
    const own = this.#options.ownId();
    const others = members
      .filter(({ memberId }) => memberId !== own)
      .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));
    if (same(others, room.others)) return;
    room.others = others;
    room.changes.emit(others);
  }
}

const same = (a: readonly PresenceMember[], b: readonly PresenceMember[]): boolean =>
  a.length === b.length && a.every(({ memberId, state }, i) => b[i]?.memberId === memberId && b[i].state === state);
