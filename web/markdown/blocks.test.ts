import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Links, Token } from "marked";
import { BlockStream } from "./blocks.ts";
import { lex } from "./lexer.ts";

const whole = (text: string): Token[] => [...lex(text.replace(/\r\n?/g, "\n"), Object.create(null) as Links)];

const outline = (blocks: readonly Token[]) => blocks.map(({ type, raw }) => [type, raw]);

function stream(text: string, cuts: readonly number[]): BlockStream {
  const blocks = new BlockStream();
  let from = 0;
  for (const cut of [...cuts].filter((cut) => cut < text.length).sort((a, b) => a - b)) {
    blocks.append(text.slice(from, cut));
    from = cut;
  }
  blocks.append(text.slice(from));
  return blocks;
}

function again(text: string, links: Links): BlockStream {
  const blocks = new BlockStream(links);
  for (const character of text) blocks.append(character);
  return blocks;
}

const pieces = fc.constantFrom(
  "word",
  "two words",
  " ",
  "  ",
  "    ",
  "\n",
  "\n\n",
  "\r\n",
  "\r",
  "\t",
  "1",
  "2",
  "1. ",
  "2. ",
  "2.",
  "- ",
  "-",
  "--",
  "---",
  "* ",
  "***",
  "+ ",
  "#",
  "# ",
  "## head",
  "=",
  "===",
  ">",
  "> ",
  "> quote",
  "`",
  "``",
  "```",
  "```js",
  "~~~",
  "|",
  "| a | b |",
  "|---|---|",
  "[a]",
  "[a]: /u",
  '[a]: http://x.y "t"',
  "[b",
  "]",
  "](http://z.w)",
  "![i](p.png)",
  "<div>",
  "</div>",
  "<pre>",
  "<a href='x'>",
  "<!--",
  "-->",
  "*em*",
  "**",
  "_",
  "~~",
  "\\",
  "$",
  "$$",
  "$x$",
  "\\(",
  "\\)",
  "\\[",
  "\\]",
  "| 1 | 2 |\n",
  "http://a.b",
  "www.",
  "www.x.y",
  "a@b.c",
  "&amp;",
  "&#65;",
  "!",
  "(",
  ")",
  ":",
  "é",
  "😀",
  "[ ] ",
  "[x] t",
  '"',
  "'",
);
const documents = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(""));

test("any split of a text gives the blocks of the whole text", () => {
  fc.assert(
    fc.property(documents, fc.array(fc.nat(200)), (text, cuts) => {
      assert.deepEqual(outline(stream(text, cuts).blocks), outline(whole(text)));
    }),
    { numRuns: 5_000 },
  );
});

test("one character at a time gives the blocks of the whole text, and finished, all its tokens", () => {
  fc.assert(
    fc.property(documents, (text) => {
      const blocks = stream(
        text,
        Array.from({ length: text.length }, (_, i) => i),
      );
      assert.deepEqual(outline(blocks.blocks), outline(whole(text)));
      const links = blocks.finish();
      assert.deepEqual((links === undefined ? blocks : again(text, links)).blocks, whole(text));
    }),
    { numRuns: 2_000 },
  );
});

const lines = fc.constantFrom(
  "| a | b |",
  "|---|--:|",
  "| 1 | $x$ |",
  "| 2 |",
  "3 | `|` | 4",
  "",
  "$$",
  "$$x$$",
  "  $$ y = 1",
  "z $$",
  "\\[",
  "\\]",
  "\\[ a",
  "- b",
  "> c",
  "# d",
  "words \\(e\\) and $5",
  "[x]: /u",
  "[x]",
  "- [y]: /v",
  "```",
);

test("lines of tables, formulas and definitions, cut anywhere, give the blocks and tokens of the whole text", () => {
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 16 }), fc.array(fc.nat(120)), (parts, cuts) => {
      const text = parts.join("\n");
      const blocks = stream(text, cuts);
      assert.deepEqual(outline(blocks.blocks), outline(whole(text)));
      const links = blocks.finish();
      assert.deepEqual((links === undefined ? blocks : again(text, links)).blocks, whole(text));
    }),
    { numRuns: 4_000 },
  );
});
