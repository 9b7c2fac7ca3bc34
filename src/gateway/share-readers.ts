/**
 * Who reads by a link on this node. A link that is revoked ends what was opened by it: its readers are asked to
 * subscribe again, which is refused.
 *
 * A subscribe may have looked at the link just before it was revoked: one during which anything was revoked is repeated.
 */
import type { Subscription } from "./subscription.ts";

/** Links that the store is asked about at once. */
const CONFIRM_ROWS = 1_000;

interface SharedSubscription {
  readonly shareId: string;
  readonly end: () => void;
}

export class ShareReaders {
  readonly #subscriptions = new Map<Subscription, SharedSubscription>();
  /** How often a link was revoked so far. */
  revocations = 0;

  /** `end` takes the subscription away from its reader. */
  add(subscription: Subscription, shareId: string, end: () => void): void {
    this.#subscriptions.set(subscription, { shareId, end });
  }

  remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
  }

  has(subscription: Subscription): boolean {
    return this.#subscriptions.has(subscription);
  }

  revoked(shareId: string): void {
    this.revocations++;
    for (const [subscription, shared] of this.#subscriptions) {
      if (shared.shareId !== shareId) continue;
      this.#subscriptions.delete(subscription);
      shared.end();
    }
  }

  /** Asks which of the links that are read by here are still good: what tells a node that could not be told. */
  async confirm(living: (shareIds: readonly string[]) => Promise<readonly string[]>): Promise<void> {
    const ids = [...new Set([...this.#subscriptions.values()].map(({ shareId }) => shareId))];
    for (let i = 0; i < ids.length; i += CONFIRM_ROWS) {
      const some = ids.slice(i, i + CONFIRM_ROWS);
      const good = new Set(await living(some));
      for (const id of some) if (!good.has(id)) this.revoked(id);
    }
  }
}
