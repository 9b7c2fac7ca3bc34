import type { Connection } from "../ports/connection.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Services } from "../ports/services.ts";
import type { Limits } from "../protocol/frames.ts";
import type { SessionManager } from "../sessions/session-manager.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { DeliveryLink } from "./delivery-types.ts";
import type { RequestContext } from "./request-context.ts";

/** Gives a connection its topics; made for one only when it first asks for them. */
export interface Hub {
  open(connection: Connection): DeliveryLink;
}

/** What the parts of the gateway share. */
export interface GatewayCore {
  readonly services: Services;
  readonly sessions: SessionManager;
  readonly hub: Hub;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Clients in a state that ends by itself; looked through every second. */
  readonly watched: Set<Client>;
  /** Requests without an answer, in the order in which they time out. */
  readonly pending: Set<RequestContext>;
}
