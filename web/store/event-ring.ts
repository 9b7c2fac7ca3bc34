/** The newest events of a topic, as they came: so many and no more, whatever a run says. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { EventMeta } from "../../src/client/subscriptions.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";

export const MAX_EVENTS = 500;

export interface SeenEvent extends EventMeta {
  readonly event: ParleyEvent;
}

export const nameOfEvent = ({ event }: SeenEvent): string => (event.type === "CUSTOM" ? event.name : event.type);

export class EventRing {
  /** Oldest first. Filled without being copied: whoever shows it looks when `changes` says so. */
  readonly #items: SeenEvent[] = [];
  #shown: readonly SeenEvent[] = [];
  readonly #dropped = signal(0);
  readonly #changes = signal(0);
  readonly paused = signal(false);
  /** That came since it was paused. */
  readonly #missed = signal(0);

  get changes(): ReadonlySignal<number> {
    return this.#changes;
  }

  /** Of all that came, those that are no longer kept. */
  get dropped(): ReadonlySignal<number> {
    return this.#dropped;
  }

  get missed(): ReadonlySignal<number> {
    return this.#missed;
  }

  /** While it is paused: what was there then. */
  get items(): readonly SeenEvent[] {
    return this.paused.peek() ? this.#shown : this.#items;
  }

  add(item: SeenEvent): void {
    this.#items.push(item);
    if (this.#items.length > MAX_EVENTS) {
      this.#items.shift();
      this.#dropped.value++;
    }
    if (this.paused.peek()) this.#missed.value++;
    else this.#changes.value++;
  }

  pause(paused: boolean): void {
    this.#shown = paused ? [...this.#items] : [];
    this.#missed.value = 0;
    this.paused.value = paused;
    this.#changes.value++;
  }

  clear(): void {
    this.#items.length = 0;
    this.#shown = [];
    this.#dropped.value = 0;
    this.#missed.value = 0;
    this.#changes.value++;
  }

  /** Newest first, of those that have the words anywhere, in either case. */
  matching(words: string, limit: number): readonly SeenEvent[] {
    const wanted = words.trim().toLowerCase();
    const found: SeenEvent[] = [];
    for (let i = this.items.length - 1; i >= 0 && found.length < limit; i--) {
      const item = this.items[i];
      if (item === undefined) continue;
      const matches =
        wanted === "" ||
        nameOfEvent(item).toLowerCase().includes(wanted) ||
        JSON.stringify(item.event).toLowerCase().includes(wanted);
      if (matches) found.push(item);
    }
    return found;
  }
}
