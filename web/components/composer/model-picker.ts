import { html, nothing } from "lit";
import type { ModelInfo } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { modelGroups, providerName } from "../../store/model-choice.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";

/** Which model answers next. Fires `parley-chose` after a choice. */
class ParleyModelPicker extends ParleyElement {
  static override readonly sheets = [menuSheet];
  static override readonly properties = { app: { attribute: false }, open: { state: true } };
  declare app: AppStore;
  declare open: boolean;

  constructor() {
    super();
    this.open = false;
  }

  protected override render(): unknown {
    const choice = this.app.model.value;
    if (choice === undefined) return nothing;
    return html`<button
        type="button"
        class="model"
        popovertarget="model-menu"
        aria-haspopup="menu"
        aria-label=${text().composer.model(choice.name)}
        title=${text().composer.chooseModel}
      >
        <span>${choice.name}</span>${icons.chevronDown("small")}
      </button>
      <div
        class="menu models"
        id="model-menu"
        popover="auto"
        role="menu"
        aria-label=${text().composer.models}
        @beforetoggle=${(event: Event) => this.#toggling(event)}
        @toggle=${menuToggled}
        @keydown=${menuKeys}
      >
        ${this.open ? this.#groups() : nothing}
      </div>`;
  }

  #groups(): unknown {
    const models = this.app.models.value ?? [];
    const choice = this.app.model.value;
    const chosen = choice?.id ?? models.find(({ name, available }) => available && name === choice?.name)?.id;
    return modelGroups(models).map(
      ({ provider, models: members }) =>
        html`<div role="group" aria-labelledby=${`models-${provider}`}>
          <div class="heading" id=${`models-${provider}`} role="presentation">${providerName(provider)}</div>
          ${members.map((model) => this.#item(model, model.id === chosen))}
        </div>`,
    );
  }

  #item({ id, name, available, hint, demo }: ModelInfo, chosen: boolean): unknown {
    const about = available ? (demo === true ? hint : undefined) : (hint ?? text().composer.modelNotAvailable);
    return html`<button
      type="button"
      role="menuitemradio"
      tabindex="-1"
      aria-checked=${chosen ? "true" : "false"}
      aria-disabled=${available ? nothing : "true"}
      @click=${(event: Event) => available && this.#choose(event, id)}
    >
      <span>${name}${about === undefined ? nothing : html`<span class="hint">${about}</span>`}</span>${
        chosen ? html`<span class="trailing">${icons.check("small")}</span>` : nothing
      }
    </button>`;
  }

  /** There may be hundreds: they are rendered when they are to be seen. */
  #toggling(event: Event): void {
    if (!(event instanceof ToggleEvent)) return;
    this.open = event.newState === "open";
    if (this.open) this.performUpdate();
  }

  #choose(event: Event, id: string): void {
    closeMenu(event.currentTarget);
    this.app.chooseModel(id);
    this.dispatchEvent(new Event("parley-chose", { bubbles: true }));
  }
}

define("parley-model-picker", ParleyModelPicker);
