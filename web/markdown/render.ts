/** Markdown tokens as Lit templates. Raw HTML is text; a link leads only where `safeUrl` lets it. */
import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import type { MarkedToken, Token, Tokens } from "marked";
import { icons } from "../components/icons.ts";
import { appendText } from "../components/markdown/append-text.ts";
import { fileAddress } from "../components/message/files.ts";
import { text } from "../text/text.ts";
import { decodeNamed } from "./lexer.ts";
import type { MathToken } from "./math.ts";
import { CHUNK } from "./shown-text.ts";
import { safeUrl } from "./url.ts";

type Rendered = TemplateResult | typeof nothing;

/** What of a text is to be on the page: see `ShownText`. */
export interface Shown {
  readonly blocks: readonly Token[];
  /** So many of the first blocks will not change any more: only in them is code coloured and a formula set. */
  readonly settled: number;
  readonly anchor: number;
  isPlace(start: number, end: number): boolean;
}

/** What is known of the block that stands around. */
interface Within {
  readonly settled: boolean;
  readonly files: boolean;
}

interface Chunk {
  readonly start: number;
  readonly end: number;
}

/**
 * Of an answer that grows, so many of the last chunks are laid out wherever they stand: what the browser has once
 * skipped on the screen, it lays out and paints again at once.
 */
const NEAR_END = 5;

export interface RenderOptions {
  /** Pictures that stand among the files of this server are shown. */
  readonly files: boolean;
  /** The text grows, or has grown since it was first shown. */
  readonly grows: boolean;
}

/** Neither a chunk nor a block that did not change is looked at again. */
export function renderBlocks(shown: Shown, { files, grows }: RenderOptions): unknown {
  const { blocks, anchor, settled } = shown;
  const chunks = chunksOf(blocks.length, anchor);
  const near = grows ? chunks.length - NEAR_END : 0;
  const level = headingLevels();
  const levels = blocks.map((block) => (block.type === "heading" ? level((block as Tokens.Heading).depth) : 0));
  const content = ({ start, end }: Chunk): readonly unknown[] =>
    blocks
      .slice(start, end)
      .map((block, i) => renderTopBlock(block, levels[start + i] ?? 0, { settled: start + i < settled, files }));
  return repeat(
    chunks,
    ({ start }) => start - anchor,
    (chunk, i) => {
      const { start, end } = chunk;
      if (shown.isPlace(start, end)) return html`<div class="chunk place"></div>`;
      // Of a list of blocks that is only added to, the settled ones stay what they are.
      const known =
        end <= settled
          ? [blocks, files]
          : [settled - start, files, ...blocks.slice(start, end), ...levels.slice(start, end)];
      return html`<div class=${i < near ? "chunk far" : "chunk"}>${guard(known, () => content(chunk))}</div>`;
    },
  );
}

function chunksOf(length: number, anchor: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0, end = anchor % CHUNK || CHUNK; start < length; start = end, end += CHUNK)
    chunks.push({ start, end: Math.min(end, length) });
  return chunks;
}

const renderTopBlock = (block: Token, level: number, within: Within): unknown =>
  guard([block, level, within.settled, within.files], () =>
    block.type === "heading" ? renderHeading(block as Tokens.Heading, level, within) : renderBlock(block, within),
  );

/** The level of the headings above a message. */
const ABOVE = 2;

/** Levels without a gap, whatever the text begins with: they follow what stands inside of what. */
function headingLevels(): (depth: number) => number {
  const open: number[] = [];
  return (depth) => {
    while ((open.at(-1) ?? 0) >= depth) open.pop();
    open.push(depth);
    return ABOVE + open.length;
  };
}

const blocksOf = (tokens: readonly Token[], within: Within): readonly Rendered[] =>
  tokens.map((token) => renderBlock(token, within));

const known = (token: Token): MarkedToken | MathToken => token as MarkedToken | MathToken;

function renderBlock(generic: Token, within: Within): Rendered {
  const token = known(generic);
  switch (token.type) {
    case "paragraph":
      return html`<p>${inline(token.tokens, within)}</p>`;
    case "heading":
      return renderHeading(token, ABOVE + 1, within);
    case "code":
      return html`<parley-code
        .language=${token.lang ?? ""}
        .code=${withoutLastBreak(token.text)}
        .settled=${within.settled}
      ></parley-code>`;
    case "list":
      return list(token, within);
    case "blockquote":
      return html`<blockquote>${blocksOf(token.tokens, within)}</blockquote>`;
    case "table":
      return html`<parley-table
        .header=${token.header}
        .rows=${token.rows}
        .cell=${cellOf(within)}
        .settled=${within.settled}
      ></parley-table>`;
    case "hr":
      return html`<hr />`;
    case "html":
      return html`<p class="as-written">${token.text.trim()}</p>`;
    case "space":
    case "def":
      return nothing;
    // In a tight list item, a text block is a line of its own.
    case "text":
      return token.tokens === undefined ? plain(token) : html`${inline(token.tokens, within)}`;
    case "checkbox":
    case "list_item":
      return nothing;
    case "br":
    case "codespan":
    case "del":
    case "em":
    case "escape":
    case "image":
    case "link":
    case "strong":
      return renderInline(token, within);
    case "math":
      return math(token, within);
  }
}

const withoutLastBreak = (text: string): string => (text.endsWith("\n") ? text.slice(0, -1) : text);

/** Looks as deep as it was written, and says how deep it is. */
function renderHeading({ depth, tokens }: Tokens.Heading, level: number, within: Within): Rendered {
  const look = `h${Math.min(depth, 4)}`;
  const content = inline(tokens, within);
  switch (level) {
    case 3:
      return html`<h3 class=${look}>${content}</h3>`;
    case 4:
      return html`<h4 class=${look}>${content}</h4>`;
    case 5:
      return html`<h5 class=${look}>${content}</h5>`;
    default:
      return html`<h6 class=${look}>${content}</h6>`;
  }
}

function list({ ordered, start, items, loose }: Tokens.List, within: Within): Rendered {
  const content = items.map(
    (item) =>
      html`<li class=${item.task ? "task" : ""}>
        ${item.task ? checkbox(item.checked === true) : nothing}${blocksOf(item.tokens, within)}
      </li>`,
  );
  const spacing = loose ? "loose" : "tight";
  return ordered
    ? html`<ol class=${spacing} start=${start === "" ? 1 : start}>
        ${content}
      </ol>`
    : html`<ul class=${spacing}>
        ${content}
      </ul>`;
}

const checkbox = (checked: boolean): Rendered =>
  html`<input
    type="checkbox"
    disabled
    .checked=${checked}
    aria-label=${checked ? text().code.done : text().code.notDone}
  />`;

/** What is nothing but words, as most cells are, needs no template. */
function words(tokens: readonly Token[]): string | undefined {
  const [first, second] = tokens;
  if (first === undefined) return "";
  const token = known(first);
  return second === undefined && token.type === "text" && token.tokens === undefined ? written(token) : undefined;
}

/** The same functions again, so that a table sees that nothing changed. */
const CELLS = [true, false].flatMap((settled) =>
  [true, false].map((files) => {
    const within: Within = { settled, files };
    return { within, cell: ({ tokens }: Tokens.TableCell): unknown => words(tokens) ?? inline(tokens, within) };
  }),
);

const cellOf = ({ settled, files }: Within): ((cell: Tokens.TableCell) => unknown) | undefined =>
  CELLS.find(({ within }) => within.settled === settled && within.files === files)?.cell;

/** What stands there until it is set, as it was written. */
const math = ({ raw, text: tex, display, open }: MathToken, { settled }: Within): Rendered =>
  html`<parley-math
    .tex=${tex}
    .source=${raw.trimEnd()}
    .display=${display}
    .settled=${settled && open !== true}
  ></parley-math>`;

const written = (token: Tokens.Text | Tokens.Tag): string =>
  "escaped" in token && token.escaped === true ? token.text : decodeNamed(token.text);

const plain = (token: Tokens.Text | Tokens.Tag): Rendered => html`${appendText(written(token))}`;

function inline(tokens: readonly Token[], within: Within): unknown {
  return tokens.map((token) => renderInline(known(token), within));
}

function renderInline(token: MarkedToken | MathToken, within: Within): Rendered {
  switch (token.type) {
    case "text":
      return token.tokens === undefined ? plain(token) : html`${inline(token.tokens, within)}`;
    case "strong":
      return html`<strong>${inline(token.tokens, within)}</strong>`;
    case "em":
      return html`<em>${inline(token.tokens, within)}</em>`;
    case "del":
      return html`<del>${inline(token.tokens, within)}</del>`;
    case "codespan":
      return html`<code>${appendText(token.text)}</code>`;
    case "br":
      return html`<br />`;
    case "escape":
      return html`${token.text}`;
    case "link":
      return link(token, within);
    case "image":
      return image(token, within);
    case "math":
      return math(token, within);
    case "html":
      return html`${token.text}`;
    case "blockquote":
    case "checkbox":
    case "code":
    case "def":
    case "heading":
    case "hr":
    case "list":
    case "list_item":
    case "paragraph":
    case "space":
    case "table":
      return html`${token.raw}`;
  }
}

function link({ href, title, tokens, raw }: Tokens.Link, within: Within): Rendered {
  const url = safeUrl(decodeNamed(href));
  if (url === undefined) return html`${raw}`;
  const hint = title === null || title === undefined || title === "" ? nothing : decodeNamed(title);
  return html`<a href=${url} title=${hint} target="_blank" rel="noopener noreferrer nofollow ugc"
    >${inline(tokens, within)}</a
  >`;
}

/** Nothing is fetched from elsewhere for a message: an image is a link to it. Those of this server are shown. */
function image({ href, text: alt, raw }: Tokens.Image, { files }: Within): Rendered {
  const label = decodeNamed(alt).trim();
  const own = files ? /^\/files\/([\w-]{1,64})$/.exec(href)?.[1] : undefined;
  if (own !== undefined) {
    return html`<a class="own-image" href=${fileAddress(own)} target="_blank" rel="noopener"
      ><img src=${fileAddress(own)} alt=${label} loading="lazy" decoding="async"
    /></a>`;
  }
  const url = safeUrl(decodeNamed(href));
  if (url === undefined) return html`${raw}`;
  return html`<a class="image" href=${url} target="_blank" rel="noopener noreferrer nofollow ugc"
    >${icons.image("small")}<span>${label === "" ? url : label}</span></a
  >`;
}
