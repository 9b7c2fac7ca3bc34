import type { ConnectionState } from "../../../src/client/client.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";

export interface StripContent {
  readonly text: string;
  /** What the button says. */
  readonly action: string;
  /** It will not come back by itself. */
  readonly final: boolean;
}

/** What there is to say of a connection; undefined when all is well. */
export function stripContent(state: ConnectionState, online: boolean): StripContent | undefined {
  const queued = state.queued === 0 ? "" : ` ${text().chat.queued(state.queued)}`;
  switch (state.phase) {
    case "ready":
      return undefined;
    case "closed":
      return state.closed === undefined || state.closed.reason === "signed-out" || state.closed.reason === "stopped"
        ? undefined
        : {
            text: `${closedText(state.closed)}${queued === "" ? "" : ` ·${queued}`}`,
            action: text().common.tryAgain,
            final: true,
          };
    case "idle":
    case "connecting":
    case "greeting":
    case "authenticating":
    case "waiting":
      return {
        text: `${online ? text().chat.reconnecting : text().chat.offline}${queued}`,
        action: text().common.tryNow,
        final: false,
      };
  }
}

function closedText({ reason, error }: NonNullable<ConnectionState["closed"]>): string {
  if (reason === "too-many-connections") return text().chat.tooManyConnections;
  return error === undefined ? text().chat.ended : errorText(error);
}
