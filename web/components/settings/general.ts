import { html, nothing } from "lit";
import type { Shell } from "../../store/shell.ts";
import { THEMES } from "../../store/theme.ts";
import type { Language } from "../../text/languages.ts";
import { isLocale, LOCALE_NAMES, LOCALES } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

const THEME_ICONS = { light: icons.sun, dark: icons.moon, system: icons.monitor } as const;

/** How the page looks and speaks, on this device. */
class ParleyGeneral extends ParleyElement {
  static override readonly properties = { shell: { attribute: false } };
  declare shell: Shell;

  protected override render(): unknown {
    const words = text().settings;
    return html`<fieldset class="choice">
        <legend>${words.theme}</legend>
        <div class="themes">
          ${THEMES.map(
            (theme) =>
              html`<label
                ><input
                  type="radio"
                  name="theme"
                  .value=${theme}
                  .checked=${this.shell.theme.value === theme}
                  @change=${() => (this.shell.theme.value = theme)}
                />${THEME_ICONS[theme]("small")}<span>${text().sidebar.themes[theme]}</span></label
              >`,
          )}
        </div>
      </fieldset>
      <div class="choice">
        <label for="settings-language">${words.language}</label>
        <select id="settings-language" @change=${(event: Event) => this.#language(event)}>
          ${(["system", ...LOCALES] as const).map((language) => this.#option(language))}
        </select>
        ${this.shell.languages.failed.value ? html`<p class="issue" role="alert">${icons.alert("small")}<span>${words.languageFailed}</span></p>` : nothing}
      </div>
      <div class="choice">
        <h3>${words.keys}</h3>
        <label class="check"
          ><input
            type="checkbox"
            aria-describedby="single-keys-hint"
            .checked=${this.shell.singleKeys.value}
            @change=${({ target }: Event) => (this.shell.singleKeys.value = target instanceof HTMLInputElement && target.checked)}
          /><span>${words.singleKeys}</span></label
        >
        <p class="hint" id="single-keys-hint">${words.singleKeysHint}</p>
        <button type="button" class="button" @click=${() => this.shell.open({ kind: "shortcuts" })}>
          ${icons.keyboard("small")}${words.showShortcuts}
        </button>
      </div>`;
  }

  #option(language: Language): unknown {
    const name = language === "system" ? text().settings.system : LOCALE_NAMES[language];
    return html`<option
      .value=${language}
      lang=${language === "system" ? nothing : language}
      .selected=${this.shell.languages.chosen.value === language}
    >
      ${name}
    </option>`;
  }

  #language({ target }: Event): void {
    if (!(target instanceof HTMLSelectElement)) return;
    this.shell.languages.chosen.value = isLocale(target.value) ? target.value : "system";
  }
}

define("parley-general", ParleyGeneral);
