/** Presence of a node that is alone. */
import { MAX_PRESENT, type Presence, PRESENCE_TTL_MS } from "../ports/presence.ts";
import type { PresenceChange, PresenceMember } from "../protocol/shapes.ts";

export interface MemoryPresenceOptions {
  readonly ttlMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

interface Entry {
  readonly member: PresenceMember;
  readonly until: number;
}

export class MemoryPresence implements Presence {
  readonly ttlMs: number;
  readonly #now: () => number;
  readonly #topics = new Map<string, Map<string, Entry>>();
  readonly #listeners = new Set<(topic: string, change: PresenceChange) => void>();

  constructor({ ttlMs = PRESENCE_TTL_MS, now = () => performance.now() }: MemoryPresenceOptions = {}) {
    this.ttlMs = ttlMs;
    this.#now = now;
  }

  update(topic: string, member: PresenceMember): Promise<readonly PresenceMember[] | null> {
    const members = this.#living(topic) ?? new Map<string, Entry>();
    const before = members.get(member.memberId);
    if (before === undefined && members.size >= MAX_PRESENT) return Promise.resolve(null);
    members.set(member.memberId, { member, until: this.#now() + this.ttlMs });
    this.#topics.set(topic, members);
    if (before?.member.state !== member.state) this.#tell(topic, member);
    return Promise.resolve([...members.values()].map((entry) => entry.member));
  }

  remove(topic: string, memberId: string): Promise<void> {
    const members = this.#living(topic);
    const entry = members?.get(memberId);
    if (members !== undefined && entry !== undefined) this.#end(topic, members, entry);
    return Promise.resolve();
  }

  list(topic: string): Promise<readonly PresenceMember[]> {
    return Promise.resolve([...(this.#living(topic)?.values() ?? [])].map(({ member }) => member));
  }

  listen(listener: (topic: string, change: PresenceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#topics.clear();
  }

  #living(topic: string): Map<string, Entry> | undefined {
    const members = this.#topics.get(topic);
    if (members === undefined) return undefined;
    const now = this.#now();
    for (const entry of members.values()) if (entry.until <= now) this.#end(topic, members, entry);
    return this.#topics.get(topic);
  }

  #end(topic: string, members: Map<string, Entry>, { member }: Entry): void {
    members.delete(member.memberId);
    if (members.size === 0) this.#topics.delete(topic);
    this.#tell(topic, { ...member, state: "gone" });
  }

  #tell(topic: string, change: PresenceChange): void {
    for (const listener of this.#listeners) listener(topic, change);
  }
}
