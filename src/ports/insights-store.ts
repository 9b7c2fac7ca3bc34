import type { Insights } from "../protocol/methods/insights.ts";
import type { Scope } from "./store.ts";

/** Numbers about a whole tenant, for its owners: part of the store. What it sees holds no text of anybody. */
export interface InsightsStore {
  /**
   * Between the first and the last of `times` (ISO 8601, ascending), in spans from each to the next; null when the user
   * is no owner of the tenant.
   */
  read(scope: Scope, times: readonly string[]): Promise<Insights | null>;
}
