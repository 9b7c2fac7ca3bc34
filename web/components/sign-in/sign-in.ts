import { html, nothing } from "lit";
import type { AppStore, SignedOutReason } from "../../store/app.ts";
import type { SignInFailure } from "../../store/sign-in.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { signInSheet } from "./sign-in.style.ts";

/** How one gets in, and after a refusal, what to do about it. */
class ParleySignIn extends ParleyElement {
  static override readonly sheets = [signInSheet];
  static override readonly properties = { app: { attribute: false } };
  declare app: AppStore;

  protected override render(): unknown {
    const session = this.app.session.value;
    const busy = session.kind === "signing-in";
    const reason = session.kind === "signed-out" ? session.reason : busy ? session.from : "new";
    const failure = session.kind === "signed-out" ? session.failure : undefined;
    return html`<main class="sign-in" id="main" tabindex="-1">
      <div class="card">
        ${mark()}
        <h1>${HEADLINES[reason]}</h1>
        ${problem(reason, failure)}
        <div class="way">
          <h2>With a link</h2>
          <p>
            When it starts, the server prints a link in its terminal. Open that link in this browser. It works once, for
            ten minutes; a restart prints a new one.
          </p>
          <pre class="sample" aria-label="What the link looks like">${location.origin}/#login=…</pre>
        </div>
        <form class="way" @submit=${(event: SubmitEvent) => this.#submit(event)}>
          <h2><label for="access-token">With an access token</label></h2>
          <p id="token-help">The value of <code>PARLEY_ACCESS_TOKEN</code>, if the server was started with one.</p>
          <div class="row">
            <input
              id="access-token"
              name="token"
              type="password"
              required
              maxlength="512"
              autocomplete="current-password"
              autocapitalize="off"
              spellcheck="false"
              aria-describedby="token-help"
              aria-invalid=${failure?.kind === "refused" && reason !== "link-refused" ? "true" : "false"}
            />
            <button class="button primary" ?disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
          </div>
        </form>
      </div>
    </main>`;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const field = this.querySelector("input");
    const token = field?.value.trim() ?? "";
    if (token === "") return;
    this.app.signIn({ token }).then(
      () => field?.select(),
      () => undefined,
    );
  }
}

const HEADLINES: Readonly<Record<SignedOutReason, string>> = {
  new: "Sign in to Parley",
  "link-refused": "That link did not work",
  ended: "Your session has ended",
  left: "You are signed out",
};

function problem(reason: SignedOutReason, failure: SignInFailure | undefined): unknown {
  const text = failure === undefined ? CALM[reason] : explain(reason, failure);
  if (text === undefined) return nothing;
  return failure === undefined
    ? html`<p class="lead">${text}</p>`
    : html`<div class="problem" role="alert">
        ${icons.alert()}
        <p>${text}</p>
      </div>`;
}

const CALM: Readonly<Partial<Record<SignedOutReason, string>>> = {
  ended: "It expired, or it was ended on another device. Your drafts are still here; sign in to go on.",
};

function explain(reason: SignedOutReason, failure: SignInFailure): string {
  switch (failure.kind) {
    case "refused":
      return reason === "link-refused"
        ? "A login link works once and for ten minutes: this one was used before or is too old. Restart the server for a new one, and open it here."
        : "The server does not know this access token. Compare it with the one the server was started with.";
    case "too-often":
      return failure.retryAfterMs === undefined
        ? "There were too many attempts. Wait a minute, then try again."
        : `There were too many attempts. Try again in ${Math.ceil(failure.retryAfterMs / 1000)} seconds.`;
    case "origin":
      return "The server does not accept this address. Its operator can add it to PARLEY_ALLOWED_ORIGINS.";
    case "unreachable":
      return reason === "link-refused"
        ? "The server could not be reached. Open the link again when it runs; it has not been used."
        : "The server could not be reached. Try again when it runs.";
  }
}

define("parley-sign-in", ParleySignIn);
