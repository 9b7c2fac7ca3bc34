import { wordsOf } from "../text/languages.ts";
/** The elements of a page speak its language, or the reader's where the page does not say one that they know. */
import { isLocale, type Locale, localeOf } from "../text/locale.ts";
import { speak } from "../text/text.ts";

/** Resolves when it is spoken, or could not be fetched: then English is. */
export async function speakAs(page: Element): Promise<void> {
  const languages = navigator.languages;
  const locale = ownLocale(page) ?? localeOf(languages);
  try {
    speak(locale, await wordsOf(locale), languages);
  } catch {
    speak("en", await wordsOf("en"), languages);
  }
}

function ownLocale(page: Element): Locale | undefined {
  const name = page.closest<HTMLElement>("[lang]")?.lang.toLowerCase().split("-")[0];
  return isLocale(name) ? name : undefined;
}
