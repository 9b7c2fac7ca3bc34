import { html } from "lit";
import type { Shell } from "../../store/shell.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** What the browser tells while the page is in the background. Its permission is asked for here and nowhere else. */
class ParleyNotifications extends ParleyElement {
  static override readonly properties = { shell: { attribute: false } };
  declare shell: Shell;

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.notifier.refresh();
  }

  protected override render(): unknown {
    const words = text().settings;
    const { on, details, permission } = this.shell.notifier;
    switch (permission.value) {
      case "unsupported":
        return html`<p class="lead">${words.notifyUnsupported}</p>`;
      case "denied":
        return html`<p class="issue">${icons.ban("small")}<span>${words.notifyDenied}</span></p>`;
      case "default":
        return html`<p class="lead">${words.notify}</p>
          <button type="button" class="button" @click=${() => this.#switchOn()}>
            ${icons.bell("small")}${words.notifyAllow}
          </button>
          <p class="hint">${words.notifyHint}</p>`;
      case "granted":
        return html`<label class="check"
            ><input
              type="checkbox"
              aria-describedby="notify-hint"
              .checked=${on.value}
              @change=${({ target }: Event) => (on.value = target instanceof HTMLInputElement && target.checked)}
            /><span>${words.notify}</span></label
          >
          <p class="hint" id="notify-hint">${words.notifyHint}</p>
          <label class="check"
            ><input
              type="checkbox"
              aria-describedby="notify-details-hint"
              ?disabled=${!on.value}
              .checked=${details.value}
              @change=${({ target }: Event) => (details.value = target instanceof HTMLInputElement && target.checked)}
            /><span>${words.notifyDetails}</span></label
          >
          <p class="hint" id="notify-details-hint">${words.notifyDetailsHint}</p>`;
    }
  }

  #switchOn(): void {
    this.shell.notifier.switchOn().then(
      () => this.updateComplete.then(() => this.querySelector<HTMLElement>("input")?.focus()),
      () => undefined,
    );
  }
}

define("parley-notifications", ParleyNotifications);
