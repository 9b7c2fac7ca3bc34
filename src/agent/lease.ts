/**
 * The owner's side of a lease [R3], on its own monotonic clock, in milliseconds. The database's clock decides when
 * others may claim; this one only has to be over before that. So the time that counts is when a request was *sent*:
 *
 *   claim or renewal:   sent ──────────── applied ── answered
 *   database:                             ├──────────── lease ────────────┤ others may claim
 *   owner:              ├──────────── lease ───────────┤ expired
 *
 *            renewed                 renewed (the fence still holds)
 *          ┌────────┐            ┌──────────────────────┐
 *   claimed ─▶ held ─┴── time ──▶ expired ──────────────┴─▶ held
 *                └──── fenced ────┴──── fenced ──▶ lost
 */

export type Lease =
  /** Ours until `until`. */
  | { readonly state: "held"; readonly until: number }
  /** Somebody else has it, or nobody needs it any more: stop at once, change nothing. */
  | { readonly state: "lost" };

/** What an owner may do with its run. */
export type Right =
  /** Start a step, commit. */
  | "act"
  /** Go on with the model call that runs; a renewal by fence may bring the rest back. */
  | "stream"
  | "nothing";

export const claimed = (sentAt: number, leaseMs: number): Lease => ({ state: "held", until: sentAt + leaseMs });

/** A renewal that was sent at `sentAt` named this run. One that was overtaken by a later one takes nothing back. */
export function renewed(lease: Lease, sentAt: number, leaseMs: number): Lease {
  if (lease.state === "lost") return lease;
  return { state: "held", until: Math.max(lease.until, sentAt + leaseMs) };
}

export const lost: Lease = { state: "lost" };

export function rightOf(lease: Lease, now: number): Right {
  if (lease.state === "lost") return "nothing";
  return now < lease.until ? "act" : "stream";
}

/**
 * When may a process claim [R3]? After an outage of its database that was long enough for leases to expire, the owners
 * get one lease of time to renew first.
 */
export interface Access {
  readonly state: "up" | "down";
  /** When the last request that succeeded was sent. */
  readonly answeredAt: number;
  /** No claim before that. */
  readonly settledAt: number;
}

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
}

export const reachable = (now: number): Access => ({ state: "up", answeredAt: now, settledAt: now });

export const failed = (access: Access): Access => ({ ...access, state: "down" });

export function answered(access: Access, sentAt: number, now: number, times: LeaseTimes): Access {
  const answeredAt = Math.max(access.answeredAt, sentAt);
  // An owner renewed at most `renewMs` before its database went away, so a shorter outage expires no lease.
  const expiring = access.state === "down" && now - access.answeredAt >= times.leaseMs - times.renewMs;
  return { state: "up", answeredAt, settledAt: expiring ? now + times.leaseMs : access.settledAt };
}

/** Milliseconds until a claim may be sent; undefined while the database does not answer. */
export const claimableIn = (access: Access, now: number): number | undefined =>
  access.state === "up" ? Math.max(0, access.settledAt - now) : undefined;
