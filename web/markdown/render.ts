/** Markdown tokens as Lit templates. Raw HTML is text; a link leads only where `safeUrl` lets it. */
import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import type { MarkedToken, Token, Tokens } from "marked";
import { icons } from "../components/icons.ts";
import { appendText } from "../components/markdown/append-text.ts";
import { decodeNamed } from "./lexer.ts";
import { safeUrl } from "./url.ts";

type Rendered = TemplateResult | typeof nothing;

/** Blocks that are laid out and skipped together: enough of them to be worth it, few enough to be off the screen. */
const CHUNK = 12;

/** Neither a chunk nor a block that did not change is looked at again. */
export function renderBlocks(blocks: readonly Token[]): unknown {
  const level = headingLevels();
  const levels = blocks.map((block) => (block.type === "heading" ? level((block as Tokens.Heading).depth) : 0));
  const chunks: TemplateResult[] = [];
  for (let start = 0; start < blocks.length; start += CHUNK) {
    const chunk = blocks.slice(start, start + CHUNK);
    const content = guard([...chunk, ...levels.slice(start, start + CHUNK)], () =>
      chunk.map((block, i) => renderTopBlock(block, levels[start + i] ?? 0)),
    );
    chunks.push(html`<div class="chunk">${content}</div>`);
  }
  return chunks;
}

const renderTopBlock = (block: Token, level: number): unknown =>
  guard([block, level], () =>
    block.type === "heading" ? renderHeading(block as Tokens.Heading, level) : renderBlock(block),
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

const blocksOf = (tokens: readonly Token[]): readonly Rendered[] => tokens.map(renderBlock);

const known = (token: Token): MarkedToken => token as MarkedToken;

function renderBlock(generic: Token): Rendered {
  const token = known(generic);
  switch (token.type) {
    case "paragraph":
      return html`<p>${inline(token.tokens)}</p>`;
    case "heading":
      return renderHeading(token, ABOVE + 1);
    case "code":
      return html`<parley-code .language=${token.lang ?? ""} .code=${withoutLastBreak(token.text)}></parley-code>`;
    case "list":
      return list(token);
    case "blockquote":
      return html`<blockquote>${blocksOf(token.tokens)}</blockquote>`;
    case "table":
      return table(token);
    case "hr":
      return html`<hr />`;
    case "html":
      return html`<p class="as-written">${token.text.trim()}</p>`;
    case "space":
    case "def":
      return nothing;
    // In a tight list item, a text block is a line of its own.
    case "text":
      return token.tokens === undefined ? plain(token) : html`${inline(token.tokens)}`;
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
      return renderInline(token);
  }
}

const withoutLastBreak = (text: string): string => (text.endsWith("\n") ? text.slice(0, -1) : text);

/** Looks as deep as it was written, and says how deep it is. */
function renderHeading({ depth, tokens }: Tokens.Heading, level: number): Rendered {
  const look = `h${Math.min(depth, 4)}`;
  const content = inline(tokens);
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

function list({ ordered, start, items, loose }: Tokens.List): Rendered {
  const content = items.map(
    (item) =>
      html`<li class=${item.task ? "task" : ""}>
        ${item.task ? checkbox(item.checked === true) : nothing}${blocksOf(item.tokens)}
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
  html`<input type="checkbox" disabled .checked=${checked} aria-label=${checked ? "Done" : "Not done"} />`;

function table({ header, rows }: Tokens.Table): Rendered {
  const cell = ({ tokens, align }: Tokens.TableCell, tag: "th" | "td"): Rendered =>
    tag === "th"
      ? html`<th scope="col" class=${align ?? ""}>${inline(tokens)}</th>`
      : html`<td class=${align ?? ""}>${inline(tokens)}</td>`;
  return html`<div class="table" tabindex="0" role="group" aria-label="Table">
    <table>
      <thead>
        <tr>
          ${header.map((item) => cell(item, "th"))}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((item) => cell(item, "td"))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const plain = (token: Tokens.Text | Tokens.Tag): Rendered =>
  html`${appendText("escaped" in token && token.escaped === true ? token.text : decodeNamed(token.text))}`;

function inline(tokens: readonly Token[]): unknown {
  return tokens.map((token) => renderInline(known(token)));
}

function renderInline(token: MarkedToken): Rendered {
  switch (token.type) {
    case "text":
      return token.tokens === undefined ? plain(token) : html`${inline(token.tokens)}`;
    case "strong":
      return html`<strong>${inline(token.tokens)}</strong>`;
    case "em":
      return html`<em>${inline(token.tokens)}</em>`;
    case "del":
      return html`<del>${inline(token.tokens)}</del>`;
    case "codespan":
      return html`<code>${appendText(token.text)}</code>`;
    case "br":
      return html`<br />`;
    case "escape":
      return html`${token.text}`;
    case "link":
      return link(token);
    case "image":
      return image(token);
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

function link({ href, title, tokens, raw }: Tokens.Link): Rendered {
  const url = safeUrl(decodeNamed(href));
  if (url === undefined) return html`${raw}`;
  const hint = title === null || title === undefined || title === "" ? nothing : decodeNamed(title);
  return html`<a href=${url} title=${hint} target="_blank" rel="noopener noreferrer nofollow ugc"
    >${inline(tokens)}</a
  >`;
}

/** Nothing is fetched for a message: an image is a link to it. */
function image({ href, text, raw }: Tokens.Image): Rendered {
  const url = safeUrl(decodeNamed(href));
  if (url === undefined) return html`${raw}`;
  const label = decodeNamed(text).trim();
  return html`<a class="image" href=${url} target="_blank" rel="noopener noreferrer nofollow ugc"
    >${icons.image("small")}<span>${label === "" ? url : label}</span></a
  >`;
}
