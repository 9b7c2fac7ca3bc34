import type { ConnectionState } from "../../../src/client/client.ts";

export interface StripContent {
  readonly text: string;
  /** What the button says. */
  readonly action: string;
  /** It will not come back by itself. */
  readonly final: boolean;
}

/** What there is to say of a connection; undefined when all is well. */
export function stripContent(state: ConnectionState, online: boolean): StripContent | undefined {
  const queued = state.queued === 0 ? "" : ` ${state.queued} queued`;
  switch (state.phase) {
    case "ready":
      return undefined;
    case "closed":
      return state.closed === undefined || state.closed.reason === "signed-out" || state.closed.reason === "stopped"
        ? undefined
        : {
            text: `${closedText(state.closed)}${queued === "" ? "" : ` ·${queued}`}`,
            action: "Try again",
            final: true,
          };
    case "idle":
    case "connecting":
    case "greeting":
    case "authenticating":
    case "waiting":
      return { text: `${online ? "Reconnecting…" : "You are offline."}${queued}`, action: "Try now", final: false };
  }
}

function closedText({ reason, error }: NonNullable<ConnectionState["closed"]>): string {
  return reason === "too-many-connections"
    ? "The server has as many connections as it allows. Close another tab, then try again."
    : (error?.message ?? "The server ended the connection. Reload the page if that happens again.");
}
