/** An answer as models write them: paragraphs, lists, code, a table, again and again. */

const SECTION = `## Part {n}: what to look at

A realtime server keeps **one socket** open for each reader and says what changed, in order. The _position_ of the last
event is all that a reader has to remember; with it, a lost connection costs nothing but a moment.

- The log is the only way to a subscriber, so that nobody hears of a thing that is not kept.
- A snapshot and the events after it fit together without a gap, see [the protocol](https://example.com/protocol#w5).
  - Inside of a list there may be another one, with \`inline code\` in it.
- Whoever is slow is told less often, and the same in the end.

\`\`\`ts
export function judge(position: Position, event: Position): "next" | "seen" | "gap" {
  if (position.epoch !== event.epoch) return "gap";
  return event.seq <= position.seq ? "seen" : event.seq === position.seq + 1 ? "next" : "gap";
}
\`\`\`

| case | what the reader does | what the server does |
|---|---|---|
| the next one | takes it | nothing |
| an old one | leaves it | nothing |
| a gap | asks from where it stands | answers with what is missing, or with a snapshot |

1. First, count what is there.
2. Then, compare it with what should be; the difference is at most {n}.

`;

const section = (n: number): string => SECTION.replaceAll("{n}", String(n));

/** At least so many characters of it. */
export function prose(length: number): string {
  let text = "";
  for (let n = 1; text.length < length; n++) text += section(n);
  return text;
}

/** Pieces as models give them: about four characters each. */
export const tokensOf = (text: string): readonly string[] => text.match(/[\s\S]{1,4}/g) ?? [];

export const table = (rows: number, columns: number): string => {
  const line = (cell: (column: number) => string): string =>
    `| ${Array.from({ length: columns }, (_, column) => cell(column)).join(" | ")} |\n`;
  const body = Array.from({ length: rows }, (_, row) => line((column) => `cell ${row}.${column}`));
  return line((column) => `column ${column}`) + line(() => "---") + body.join("");
};
