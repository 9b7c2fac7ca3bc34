/**
 * What the demo model is about to say, piece by piece, and of each piece by token: about a word. A piece is a function
 * from a token's index to its text, never built as a whole, so that an answer of a million words costs nothing.
 */
import type { ToolArgs } from "../protocol/shapes.ts";

interface Tokens {
  readonly tokens: number;
  token(index: number): string;
}

export type Piece =
  | (Tokens & { readonly kind: "text" | "reasoning" })
  /** The tokens are those of its arguments, as JSON. */
  | (Tokens & { readonly kind: "call"; readonly name: string });

/** UTF-16 units of a token of arguments. */
const ARGS_TOKEN = 6;

/** `1 2 3 … to`. */
export const counting = (to: number): Piece => ({
  kind: "text",
  tokens: to,
  token: (index) => (index === 0 ? "1" : ` ${index + 1}`),
});

export function words(kind: "text" | "reasoning", text: string): Piece {
  const found = text.match(/\s*\S+|\s+$/g) ?? [];
  return { kind, tokens: found.length, token: (index) => found[index] ?? "" };
}

export function call(name: string, args: ToolArgs): Piece {
  const json = JSON.stringify(args);
  return {
    kind: "call",
    name,
    tokens: Math.ceil(json.length / ARGS_TOKEN),
    token: (index) => json.slice(index * ARGS_TOKEN, (index + 1) * ARGS_TOKEN),
  };
}
