/** Places in a list that goes from the newest to the oldest: a time, and an id where times are equal. */
import { ParleyError } from "../protocol/errors.ts";
import { isId } from "./database.ts";

interface Place {
  readonly time: string;
  readonly id: string;
}

/** Before everything. */
const NEWEST: Place = { time: "infinity", id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };

const AFTER_ALL_TIMES = Date.UTC(9999, 0);

export const encodeCursor = ({ time, id }: Place): string => Buffer.from(`${time} ${id}`).toString("base64url");

/** Where the list goes on; rejects what is no cursor with INVALID_PARAMS. */
export function decodeCursor(cursor: string | undefined): Place {
  if (cursor === undefined) return NEWEST;
  const [time = "", id = ""] = Buffer.from(cursor, "base64url").toString().split(" ");
  const at = Date.parse(time);
  // The database's calendar begins later than JavaScript's, and ends earlier.
  if (!isId(id) || !(at >= 0 && at < AFTER_ALL_TIMES)) {
    throw new ParleyError("INVALID_PARAMS", { issues: [{ path: "cursor", expected: "a nextCursor of this method" }] });
  }
  return { time: new Date(at).toISOString(), id };
}

/** A page out of `rows`, of which one more than `limit` were asked for. */
export function pageOf<Item>(
  rows: readonly Item[],
  limit: number,
  place: (item: Item) => Place,
): { readonly items: Item[]; readonly nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(place(last)) : null };
}
