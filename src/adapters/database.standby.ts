/**
 * Reads from a standby of the database, which may be some moments behind it, and from the database itself whenever the
 * standby can't answer. Never for what has to be right: snapshots, runs, sessions [L11].
 */
import type { Logger } from "../ports/logger.ts";
import { toStoreError } from "./database-errors.ts";
import type { Database } from "./database.ts";

/** One that failed is not asked for so long. */
const LEFT_ALONE_MS = 5_000;

export interface StandbyOptions {
  readonly standby: Pick<Database, "transaction">;
  readonly primary: Pick<Database, "transaction">;
  readonly logger: Logger;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

export function readingFromStandby(options: StandbyOptions): Pick<Database, "transaction"> {
  const { standby, primary, logger, now = () => performance.now() } = options;
  let askedAgainAt = -Infinity;
  let away = false;
  return {
    async transaction(access, work, how) {
      if (now() < askedAgainAt) return primary.transaction(access, work, how);
      try {
        const result = await standby.transaction(access, work, { ...how, readOnly: true });
        if (away) logger.info({}, "the standby of the database answers again");
        away = false;
        return result;
      } catch (error) {
        // Whatever it was: what is wrong with the statement itself is wrong on the primary too.
        askedAgainAt = now() + LEFT_ALONE_MS;
        if (!away)
          logger.warn(
            { err: toStoreError(error) },
            "the standby of the database can't be read; lists are read from the database",
          );
        away = true;
        return primary.transaction(access, work, how);
      }
    },
  };
}
