/** What may be attached: what the server takes, told before anything is sent. */
import { number } from "../text/locale.ts";

/** Of one message. */
export const MAX_FILES = 10;
export const MAX_FILE_BYTES = 10 * 1024 * 1024;

const PICTURES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const DOCUMENTS: readonly string[] = ["application/pdf", "application/json"];

/** Text under names for which browsers know no type, or another one. */
const TEXT_ENDINGS =
  /\.(?:bash|bat|c|cc|cfg|clj|conf|cpp|cs|css|csv|dart|diff|env|ex|exs|go|gradle|graphql|h|hpp|hs|html?|ini|java|jsx?|jsonl|kt|less|lock|log|lua|m|md|mdx|mjs|patch|php|pl|properties|proto|ps1|py|r|rb|rs|rst|sass|scala|scss|sh|sql|svelte|swift|tex|toml|tsv|tsx?|txt|vue|xml|ya?ml|zig|zsh)$/i;

export const isPicture = (mediaType: string): boolean => PICTURES.includes(mediaType);

/** For the dialog that chooses files. */
export const ACCEPTED = [
  ...PICTURES,
  ...DOCUMENTS,
  "text/*",
  ".md",
  ".log",
  ".yaml",
  ".yml",
  ".toml",
  ".ts",
  ".sql",
].join(",");

/** The type to send it as; undefined: the server will not take it. */
export function mediaTypeOf(name: string, type: string): string | undefined {
  const known = type.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (PICTURES.includes(known) || DOCUMENTS.includes(known) || /^text\/[\w.+-]{1,60}$/.test(known)) return known;
  // An SVG is text to us: a program to browsers, and no picture to models.
  return TEXT_ENDINGS.test(name) || /\.svg$/i.test(name) ? "text/plain" : undefined;
}

const UNITS = ["B", "KB", "MB", "GB"] as const;

/** "1.4 MB", as file managers have it. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  const shown = number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown} ${UNITS[unit] ?? ""}`;
}
