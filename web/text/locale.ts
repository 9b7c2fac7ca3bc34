/** The language that is spoken, and numbers, counts and times in it. Whoever renders with these renders again when it changes. */
import { signal } from "@preact/signals-core";

export const LOCALES = ["en", "de", "ar"] as const;
export type Locale = (typeof LOCALES)[number];

export const isLocale = (value: unknown): value is Locale => LOCALES.some((locale) => locale === value);

/** As they call themselves. */
export const LOCALE_NAMES: Readonly<Record<Locale, string>> = { en: "English", de: "Deutsch", ar: "العربية" };

export const directionOf = (locale: Locale): "ltr" | "rtl" => (locale === "ar" ? "rtl" : "ltr");

/** A tag for `Intl`: the language, of the reader's region where that is known. */
export const localeTag = signal("en");

/** The first of the reader's languages that is spoken here. */
export function localeOf(languages: readonly string[]): Locale {
  for (const language of languages) {
    const [name] = language.toLowerCase().split("-");
    if (isLocale(name)) return name;
  }
  return "en";
}

/**
 * `languages`: of the reader, as the browser tells. Arabic keeps the digits that code, addresses and the texts of a
 * model have: two kinds of them in one line are hard to read.
 */
export function tagOf(locale: Locale, languages: readonly string[]): string {
  const own = languages.find((language) => localeOf([language]) === locale && /^[a-z]{2}-[a-z]{2}$/i.test(language));
  const tag = own?.toLowerCase().startsWith(locale) === true ? own : locale;
  return locale === "ar" ? `${tag}-u-nu-latn` : tag;
}

/** `Intl` objects are dear to make. */
const made = new Map<string, unknown>();

function once<T>(kind: string, options: object, make: (tag: string) => T): T {
  const tag = localeTag.value;
  const key = `${kind} ${tag} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, make(tag));
  return made.get(key) as T;
}

export const number = (value: number, options: Intl.NumberFormatOptions = {}): string =>
  once("number", options, (tag) => new Intl.NumberFormat(tag, options)).format(value);

export const dateTime = (time: number | Date, options: Intl.DateTimeFormatOptions): string =>
  once("date", options, (tag) => new Intl.DateTimeFormat(tag, options)).format(time);

/** "Mon, 2 Mar, 06:00 – 12:00". */
export const timeRange = (from: Date, to: Date, options: Intl.DateTimeFormatOptions): string =>
  once("date", options, (tag) => new Intl.DateTimeFormat(tag, options)).formatRange(from, to);

/** "3 days ago", "yesterday". */
export const relativeTime = (value: number, unit: Intl.RelativeTimeFormatUnit): string =>
  once("relative", {}, (tag) => new Intl.RelativeTimeFormat(tag, { numeric: "auto" })).format(value, unit);

type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

const RULES = {
  en: new Intl.PluralRules("en"),
  de: new Intl.PluralRules("de"),
  ar: new Intl.PluralRules("ar"),
} as const;

/** The form that a count asks for, with the count where the form says `#`. */
export const plural = (locale: Locale, count: number, forms: Forms): string =>
  (forms[RULES[locale].select(count)] ?? forms.other).replace("#", () => number(count));
