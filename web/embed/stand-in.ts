/** What is shown in place of the chat: that it connects, or why it can't, and what to do about it. */
import { html, nothing } from "lit";
import type { ClosedReason } from "../../src/client/machine.ts";
import { icons } from "../components/icons.ts";
import { text } from "../text/text.ts";
import type { Trouble } from "./connections.ts";

/** Why there is no chat. */
export type Absence =
  /** `late`: it takes long enough that something is said of it. */
  | { readonly kind: "starting"; readonly late: boolean; readonly waits: boolean; readonly signedIn: boolean }
  | { readonly kind: "trouble"; readonly trouble: Trouble["kind"] }
  | { readonly kind: "closed"; readonly reason: ClosedReason; readonly message: string | undefined }
  /** Of the `server` attribute. */
  | { readonly kind: "address"; readonly address: string };

/** `tryNow`: ends the wait, and asks for the login anew. */
export function standIn(absence: Absence, server: string, tryNow: () => void): unknown {
  const words = text().embed;
  switch (absence.kind) {
    case "starting": {
      const said = absence.waits ? words.noAnswer : absence.signedIn ? words.connecting : words.signingIn;
      return html`<div class="stand-in" aria-busy="true">
        ${
          absence.late
            ? html`<p role="status">${said}</p>
                ${absence.waits ? again(tryNow) : nothing}`
            : nothing
        }
      </div>`;
    }
    case "trouble":
      switch (absence.trouble) {
        case "origin":
          return problem(words.originTitle, words.origin(location.origin, server), tryNow);
        case "policy":
          return problem(words.policyTitle, words.policy(`${server} ${server.replace(/^http/, "ws")}`), undefined);
        case "provider":
          return problem(words.providerTitle, words.provider, tryNow);
      }
      break;
    case "closed":
      return absence.reason === "signed-out"
        ? problem(words.refusedTitle, words.refused, tryNow)
        : problem(words.closedTitle, absence.message, tryNow);
    case "address":
      return problem(words.addressTitle, words.address(absence.address), undefined);
  }
}

const again = (tryNow: () => void): unknown =>
  html`<button class="button" @click=${tryNow}>${text().common.tryNow}</button>`;

function problem(title: string, said: string | undefined, tryNow: (() => void) | undefined): unknown {
  return html`<div class="stand-in" part="problem" role="alert">
    ${icons.alert()}
    <h2>${title}</h2>
    ${said === undefined ? nothing : html`<p>${said}</p>`} ${tryNow === undefined ? nothing : again(tryNow)}
  </div>`;
}
