import type { Approval } from "../../../src/protocol/shapes.ts";
import { timeText } from "../duration.ts";

export interface Onlooker {
  readonly userId: string | undefined;
  /** It was decided on this page. */
  readonly here: boolean;
  readonly now: Date;
}

/** Who decided and when; undefined where whoever reads it did so just here, or nobody did. */
export function decisionText(approval: Approval, { userId, here, now }: Onlooker): string | undefined {
  const { status, decidedAt, decidedBy } = approval;
  const at = decidedAt === null ? "" : ` at ${timeText(decidedAt, now)}`;
  switch (status) {
    case "pending":
    case "cancelled":
      return undefined;
    case "expired":
      return `Denied automatically${at}: nobody decided in time`;
    case "approved":
    case "denied": {
      if (here) return undefined;
      const verb = status === "approved" ? "Approved" : "Denied";
      return `${verb} ${decidedBy === userId ? "by you, in another window" : "by somebody else"},${at}`;
    }
  }
}
