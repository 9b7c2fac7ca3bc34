/** Puts the pieces of delivery together: one a process. */
import type { Connection } from "../ports/connection.ts";
import type { EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Presence } from "../ports/presence.ts";
import type { Store } from "../ports/store.ts";
import type { Clock } from "./clock.ts";
import { ConnectionTopics, type DeliveryShared } from "./connection-topics.ts";
import type { DeliveryCounters, DeliveryLink } from "./delivery-types.ts";
import { FanOut } from "./fan-out.ts";
import { LogReader } from "./log-reader.ts";
import { fanOutPresence } from "./presence.ts";
import { ShareReaders } from "./share-readers.ts";
import { TopicOpener } from "./topics.ts";

export interface DeliveryHubOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: DeliveryCounters;
  /** Topics that one connection may have: `hello.limits.subscriptions`. */
  readonly maxSubscriptions: number;
  readonly random?: () => number;
}

export class DeliveryHub {
  readonly #shared: DeliveryShared;
  readonly #stopPresence: () => void;
  /** Who reads by a link here. */
  readonly shareReaders = new ShareReaders();

  constructor(options: DeliveryHubOptions) {
    const { log, store, presence, clock, logger, counters, maxSubscriptions, random = Math.random } = options;
    const fanOut = new FanOut({ log, clock, logger });
    this.#stopPresence = fanOutPresence(presence, fanOut);
    this.#shared = {
      fanOut,
      reader: new LogReader({ log, clock, logger, counters, random }),
      opener: new TopicOpener({ log, store, clock }),
      clock,
      presence: { presence, clock, logger },
      counters,
      shareReaders: this.shareReaders,
      maxSubscriptions,
    };
  }

  /** The topics of a connection; the caller closes them with it. */
  open(connection: Connection): DeliveryLink {
    return new ConnectionTopics(connection, this.#shared);
  }

  /** Topics that this node listens to. */
  get topics(): number {
    return this.#shared.fanOut.topics;
  }

  /** Over all connections. */
  get subscriptions(): number {
    return this.#shared.fanOut.subscriptions;
  }

  /** Nothing is delivered any more. Idempotent. */
  close(): void {
    this.#stopPresence();
    this.#shared.reader.close();
    this.#shared.fanOut.close();
  }
}
