/** Letters in a style of mathematics: they are characters of their own, since browsers no longer style them. */

/** Where the capital A of a style stands in Unicode, its small a, and its digit 0. */
const STYLES: Readonly<Record<string, readonly [capital: number, small: number, digit?: number]>> = {
  bold: [0x1d400, 0x1d41a, 0x1d7ce],
  italic: [0x1d434, 0x1d44e],
  "bold-italic": [0x1d468, 0x1d482],
  script: [0x1d49c, 0x1d4b6],
  "bold-script": [0x1d4d0, 0x1d4ea],
  fraktur: [0x1d504, 0x1d51e],
  "double-struck": [0x1d538, 0x1d552, 0x1d7d8],
  "bold-fraktur": [0x1d56c, 0x1d586],
  "sans-serif": [0x1d5a0, 0x1d5ba, 0x1d7e2],
  "bold-sans-serif": [0x1d5d4, 0x1d5ee, 0x1d7ec],
  "sans-serif-italic": [0x1d608, 0x1d622],
  "sans-serif-bold-italic": [0x1d63c, 0x1d656],
  monospace: [0x1d670, 0x1d68a, 0x1d7f6],
};

/** Those that Unicode had before. */
const OLDER: Readonly<Record<string, string>> = {
  "italic h": "ℎ",
  "script B": "ℬ",
  "script E": "ℰ",
  "script F": "ℱ",
  "script H": "ℋ",
  "script I": "ℐ",
  "script L": "ℒ",
  "script M": "ℳ",
  "script R": "ℛ",
  "script e": "ℯ",
  "script g": "ℊ",
  "script o": "ℴ",
  "fraktur C": "ℭ",
  "fraktur H": "ℌ",
  "fraktur I": "ℑ",
  "fraktur R": "ℜ",
  "fraktur Z": "ℨ",
  "double-struck C": "ℂ",
  "double-struck H": "ℍ",
  "double-struck N": "ℕ",
  "double-struck P": "ℙ",
  "double-struck Q": "ℚ",
  "double-struck R": "ℝ",
  "double-struck Z": "ℤ",
};

/** Greek, of which only two styles are common: Α and α of each. */
const GREEK: Readonly<Record<string, readonly [capital: number, small: number]>> = {
  bold: [0x1d6a8, 0x1d6c2],
  italic: [0x1d6e2, 0x1d6fc],
  "bold-italic": [0x1d71c, 0x1d736],
};

export const styledText = (text: string, style: string): string =>
  text.replace(/./gsu, (letter) => styledLetter(letter, style));

/** The character that looks like `letter` in the style; the letter itself where there is none. */
function styledLetter(letter: string, style: string): string {
  const older = OLDER[`${style} ${letter}`];
  if (older !== undefined) return older;
  const at = letter.codePointAt(0) ?? 0;
  const latin = STYLES[style];
  const greek = GREEK[style];
  const from = (base: number | undefined, first: number): string =>
    base === undefined ? letter : String.fromCodePoint(base + at - first);
  if (/^[A-Z]$/.test(letter)) return from(latin?.[0], 0x41);
  if (/^[a-z]$/.test(letter)) return from(latin?.[1], 0x61);
  if (/^[0-9]$/.test(letter)) return from(latin?.[2], 0x30);
  if (/^[Α-Ω]$/.test(letter)) return from(greek?.[0], 0x391);
  if (/^[α-ω]$/.test(letter)) return from(greek?.[1], 0x3b1);
  return letter;
}
