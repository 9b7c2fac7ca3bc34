/** Which language the page speaks: the one that was chosen on this device, or the reader's first that it knows. */
import { effect, type Signal, signal } from "@preact/signals-core";
import { type KeyValues, onKeptElsewhere } from "../store/storage.ts";
import { en } from "./en/index.ts";
import { directionOf, isLocale, type Locale, localeOf } from "./locale.ts";
import { speak, type Text } from "./text.ts";

/** `system`: as the browser says. */
export type Language = Locale | "system";

const TEXTS: Readonly<Record<Locale, () => Promise<Text>>> = {
  en: () => Promise.resolve(en),
  de: () => import("./de/index.ts").then(({ de }) => de),
  ar: () => import("./ar/index.ts").then(({ ar }) => ar),
};

export const wordsOf = (locale: Locale): Promise<Text> => TEXTS[locale]();

export interface Languages {
  /** Written by whoever chooses; kept on this device, and the same in all tabs. */
  readonly chosen: Signal<Language>;
  /** What could not be fetched is not spoken: the language before it stays, and this says so. */
  readonly failed: Signal<boolean>;
  /** Resolves when the first one is spoken, or could not be fetched. */
  readonly ready: Promise<void>;
}

/** `root` gets `lang` and `dir`: at once for the first language, so that nothing is painted the wrong way round. */
export function createLanguages(storage: KeyValues, root: HTMLElement): Languages {
  const kept = (): Language => {
    const value = storage.get("language");
    return isLocale(value) ? value : "system";
  };
  const chosen = signal(kept());
  onKeptElsewhere("language", () => (chosen.value = kept()));
  const failed = signal(false);
  const preferred = signal(navigator.languages);
  addEventListener("languagechange", () => (preferred.value = navigator.languages));
  let asked = 0;
  let ready = Promise.resolve();
  let begun = false;

  effect(() => {
    const choice = chosen.value;
    const languages = preferred.value;
    if (choice === "system") storage.remove("language");
    else storage.set("language", choice);
    const locale = choice === "system" ? localeOf(languages) : choice;
    const turn = ++asked;
    const show = (): void => {
      root.lang = locale;
      root.dir = directionOf(locale);
    };
    if (!begun) show();
    begun = true;
    const said = wordsOf(locale).then(
      (words) => {
        // Another one was chosen meanwhile.
        if (turn !== asked) return;
        show();
        speak(locale, words, languages);
        failed.value = false;
      },
      () => {
        if (turn !== asked) return;
        if (root.lang === locale) [root.lang, root.dir] = ["en", "ltr"];
        failed.value = true;
      },
    );
    if (turn === 1) ready = said;
  });
  return { chosen, failed, ready };
}
