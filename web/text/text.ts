/**
 * Everything the page says, as `text().<area>.<key>`. An area is a file of each language's folder; English is its type,
 * so that a string which a language lacks does not compile. English is always here, the others are fetched when they are
 * spoken (see languages.ts).
 */
import { batch, signal } from "@preact/signals-core";
import { en } from "./en/index.ts";
import { type Locale, localeTag, tagOf } from "./locale.ts";

export type Text = typeof en;

const spoken = signal<{ readonly locale: Locale; readonly text: Text }>({ locale: "en", text: en });

/** Read while rendering: what has read it renders again when another language is spoken. */
export const text = (): Text => spoken.value.text;

export const locale = (): Locale => spoken.value.locale;

/** From now on, everywhere on the page. `languages`: of the reader, for the manners of their region. */
export function speak(next: Locale, words: Text, languages: readonly string[] = []): void {
  batch(() => {
    localeTag.value = tagOf(next, languages);
    spoken.value = { locale: next, text: words };
  });
}
