import type { Approval } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";
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
  const words = text().approval;
  const time = decidedAt === null ? "" : timeText(decidedAt, now);
  const mine = decidedBy === userId;
  switch (status) {
    case "pending":
    case "cancelled":
      return undefined;
    case "expired":
      return words.expired(time);
    case "approved":
      return here ? undefined : mine ? words.approvedByYou(time) : words.approvedByOther(time);
    case "denied":
      return here ? undefined : mine ? words.deniedByYou(time) : words.deniedByOther(time);
  }
}
