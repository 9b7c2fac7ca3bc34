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

export const marked = (text: string, query: string): unknown =>
  piecesOf(text, query).map((piece) => (piece.hit ? html`<mark>${piece.text}</mark>` : piece.text));
