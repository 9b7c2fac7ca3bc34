/** The scripted server's presence: whoever says so, and those whom a test puts there. */
import type { PresenceChange, PresenceMember } from "../../src/protocol/shapes.ts";
import { USER } from "./page-thread.ts";

export class PagePresence {
  readonly #topics = new Map<string, Map<string, PresenceMember>>();
  readonly #send: (topic: string, frame: string) => void;

  /** `send`: to whoever reads the topic. */
  constructor(send: (topic: string, frame: string) => void) {
    this.#send = send;
  }

  /** Of all that are there, what they do. */
  of(topic: string): readonly PresenceMember[] {
    return [...(this.#topics.get(topic)?.values() ?? [])];
  }

  put(topic: string, member: PresenceMember): void {
    const members = this.#topics.get(topic) ?? new Map<string, PresenceMember>();
    this.#topics.set(topic, members.set(member.memberId, member));
    this.#tell(topic, member);
  }

  remove(topic: string, memberId: string): void {
    const member = this.#topics.get(topic)?.get(memberId);
    if (member === undefined) return;
    this.#topics.get(topic)?.delete(memberId);
    this.#tell(topic, { ...member, state: "gone" });
  }

  /** Everywhere. */
  leave(memberId: string): void {
    for (const topic of this.#topics.keys()) this.remove(topic, memberId);
  }

  /** undefined: none of its methods. */
  call(memberId: string, method: string, params: Readonly<Record<string, unknown>>): object | undefined {
    const topic = String(params["topic"]);
    switch (method) {
      case "presence.update":
        this.put(topic, { memberId, user: { id: USER.id, name: USER.name }, state: params["state"] as "active" });
        return { ttlMs: 30_000, members: this.of(topic) };
      case "presence.leave":
        this.remove(topic, memberId);
        return {};
      default:
        return undefined;
    }
  }

  #tell(topic: string, value: PresenceChange): void {
    const event = { type: "CUSTOM", name: "presence.changed", value };
    this.#send(topic, JSON.stringify({ jsonrpc: "2.0", method: "ephemeral", params: { topic, event } }));
  }
}
