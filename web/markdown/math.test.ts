import assert from "node:assert/strict";
import { test } from "node:test";
import type { Links, Token } from "marked";
import { lex } from "./lexer.ts";
import { isMath } from "./math.ts";

function formulas(text: string): string[] {
  const found: string[] = [];
  const walk = (tokens: readonly Token[]): void => {
    for (const token of tokens) {
      if (isMath(token)) found.push(`${token.display ? "display " : ""}${token.text}`);
      if ("tokens" in token && token.tokens !== undefined) walk(token.tokens);
      if (token.type === "list") for (const item of token.items as { tokens: Token[] }[]) walk(item.tokens);
    }
  };
  walk(lex(text, Object.create(null) as Links));
  return found;
}

const cases: readonly (readonly [string, readonly string[]])[] = [
  ["it costs $5 and $10", []],
  ["between $5-$10 or $5/$6, $1,000,000 to $2M", []],
  ["$5 million to Bob$", []],
  ["echo $HOME/$USER and $PATH", []],
  ["US$ or A$", []],
  ["Give $x to Bob and he gives y$ back", []],
  ["an \\$escaped$ dollar and `$code$`", []],
  ["$ not $ this $", []],
  ["a $x$, b $y_1$ and $5$", ["x", "y_1", "5"]],
  ["$a_1 b_2$ and *stress* $c_3*d*e$", ["a_1 b_2", "c_3*d*e"]],
  ["$\\text{if and only if } x$", ["\\text{if and only if } x"]],
  ["\\(a + b\\) and \\\\(no\\\\)", ["a + b"]],
  ["so $$x = 1$$ holds", ["display x = 1"]],
  ["$$\nf = a\n+ b\n- c\n$$", ["display f = a\n+ b\n- c"]],
  ["Words:\n\\[ x \\]\nmore words", ["display x"]],
  ["- item\n\n  \\[ y \\]\n- $z$", ["display y", "z"]],
  ["$$ never closed\n\nwords", []],
  ["| a |\n|---|\n| $x$ |", []],
];

for (const [text, expected] of cases) {
  test(`formulas of ${JSON.stringify(text)}`, () => assert.deepEqual(formulas(text), expected));
}
