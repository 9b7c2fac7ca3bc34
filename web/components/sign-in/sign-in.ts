import { html, nothing } from "lit";
import type { AppStore, SignedOutReason } from "../../store/app.ts";
import type { SignInFailure } from "../../store/sign-in.ts";
import { text } from "../../text/text.ts";
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
    const words = text().signIn;
    return html`<main class="sign-in" id="main" tabindex="-1">
      <div class="card">
        ${mark()}
        <h1>${words.titles[reason]}</h1>
        ${problem(reason, failure)}
        <div class="way">
          <h2>${words.withLink}</h2>
          <p>${words.linkHelp}</p>
          <pre class="sample" dir="ltr" aria-label=${words.linkSample}>${location.origin}/#login=…</pre>
        </div>
        <form class="way" @submit=${(event: SubmitEvent) => this.#submit(event)}>
          <h2><label for="access-token">${words.withToken}</label></h2>
          <p id="token-help">${words.tokenHelp[0]}<code>PARLEY_ACCESS_TOKEN</code>${words.tokenHelp[1]}</p>
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
            <button class="button primary" ?disabled=${busy}>${busy ? words.signingIn : words.signIn}</button>
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
    this.app.signIn(token).then(
      () => field?.select(),
      () => undefined,
    );
  }
}

function problem(reason: SignedOutReason, failure: SignInFailure | undefined): unknown {
  const said = failure === undefined ? calm(reason) : explain(reason, failure);
  if (said === undefined) return nothing;
  return failure === undefined
    ? html`<p class="lead">${said}</p>`
    : html`<div class="problem" role="alert">
        ${icons.alert()}
        <p>${said}</p>
      </div>`;
}

const calm = (reason: SignedOutReason): string | undefined => (reason === "ended" ? text().signIn.ended : undefined);

function explain(reason: SignedOutReason, failure: SignInFailure): string {
  const words = text().signIn;
  switch (failure.kind) {
    case "refused":
      return reason === "link-refused" ? words.linkRefused : words.tokenRefused;
    case "too-often":
      return failure.retryAfterMs === undefined
        ? words.tooOften
        : words.tooOftenFor(Math.ceil(failure.retryAfterMs / 1000));
    case "origin":
      return words.origin;
    case "unreachable":
      return reason === "link-refused" ? words.linkUnreachable : words.unreachable;
  }
}

define("parley-sign-in", ParleySignIn);
