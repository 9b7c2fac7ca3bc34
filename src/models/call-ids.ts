/** Ids of tool calls: what a provider gives, if it can serve as one; else one that is made here. */
import { randomUUID } from "node:crypto";

/** What every provider takes back, and what fits the protocol's ids. */
const USABLE = /^[A-Za-z0-9_-]{1,64}$/;

export interface CallIds {
  /** An id that no call of this conversation has. */
  claim(given: string | undefined): string;
}

/** `taken`: ids of the calls that came before in this conversation. */
export function createCallIds(taken: Iterable<string>, make: () => string = () => `call_${randomUUID()}`): CallIds {
  const ids = new Set(taken);
  return {
    claim(given) {
      const id = given !== undefined && USABLE.test(given) && !ids.has(given) ? given : make();
      ids.add(id);
      return id;
    },
  };
}
