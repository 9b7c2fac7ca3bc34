import { html } from "lit";

/** A piece of text, and whether it is one of the words that were looked for. */
export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** The text in pieces, by the words of a query, whatever their case. */
export function piecesOf(text: string, query: string): readonly Piece[] {
  const words = query.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [{ text, hit: false }];
  const longestFirst = words.toSorted((a, b) => b.length - a.length).map(escaped);
  return text
    .split(new RegExp(`(${longestFirst.join("|")})`, "iu"))
    .map((piece, i) => ({ text: piece, hit: i % 2 === 1 }))
    .filter((piece) => piece.text !== "");
}

const escaped = (word: string): string => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** Where the words stand in it. */
export function* wordsIn(text: string, query: string): Generator<{ readonly from: number; readonly to: number }> {
  let from = 0;
  for (const { text: piece, hit } of piecesOf(text, query)) {
    const to = from + piece.length;
    if (hit) yield { from, to };
    from = to;
  }
}

/** Has it all of them? */
export const holdsWords = (text: string, query: string): boolean =>
  query.split(/\s+/).every((word) => word === "" || piecesOf(text, word).some(({ hit }) => hit));

export const marked = (text: string, query: string): unknown =>
  piecesOf(text, query).map((piece) => (piece.hit ? html`<mark>${piece.text}</mark>` : piece.text));

interface Excerpt {
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** A piece of a message on one line. */
export const excerptLine = ({ text, atStart, atEnd }: Excerpt, query: string): unknown =>
  html`${atStart ? "" : "…"}${marked(text.replaceAll(/\s+/g, " "), query)}${atEnd ? "" : "…"}`;
