import { css } from "lit";

export const markdownSheet = css`
  parley-markdown {
    display: block;
  }

  .markdown {
    font: var(--read);
    overflow-wrap: anywhere;
  }

  /* What changes at the end of an answer is laid out and painted by itself. */
  .markdown > .chunk {
    contain: layout style paint;
    contain-intrinsic-size: auto 600px;
  }

  /* A block that did not change is not painted again with what did. */
  .chunk > * {
    isolation: isolate;
  }

  /* In a long answer, what is off the screen costs nothing, and keeps the size it had. */
  .markdown:not(.grown) > .chunk:not(:last-child, .place),
  .markdown > .chunk.far {
    content-visibility: auto;
  }

  /* What of it is still to come takes the room of a chunk. */
  .markdown > .chunk.place {
    content-visibility: hidden;
  }

  .chunk + .chunk,
  .chunk > * + *,
  .markdown blockquote > * + * {
    margin-top: 12px;
  }

  .markdown :is(.h1, .h2, .h3, .h4) {
    margin: 0;
    font: var(--read);
    font-weight: 650;
    line-height: 1.35;
    letter-spacing: -0.005em;
    text-wrap: balance;
  }

  .markdown .h1 {
    font-size: 1.375rem;
  }

  .markdown .h2 {
    font-size: 1.1875rem;
  }

  .markdown .h3 {
    font-size: 1.0625rem;
  }

  .chunk > * + :is(.h1, .h2) {
    margin-top: 28px;
  }

  .chunk > * + :is(.h3, .h4) {
    margin-top: 20px;
  }

  .chunk + .chunk > :is(.h1, .h2, .h3, .h4):first-child {
    margin-top: 20px;
  }

  .chunk > :is(.h1, .h2, .h3, .h4) + * {
    margin-top: 8px;
  }

  .markdown strong {
    font-weight: 650;
  }

  .markdown :is(ul, ol) {
    padding-inline-start: 26px;
  }

  .markdown li {
    padding-inline-start: 4px;
  }

  .markdown li::marker {
    color: var(--muted);
    font-variant-numeric: tabular-nums;
  }

  .markdown li + li {
    margin-top: 4px;
  }

  .markdown .loose > li + li {
    margin-top: 12px;
  }

  .markdown li > * + *,
  .markdown li > :is(ul, ol) {
    margin-top: 4px;
  }

  .markdown .loose > li > * + * {
    margin-top: 12px;
  }

  .markdown li.task {
    list-style: none;
    margin-inline-start: -24px;
  }

  .markdown li.task > input {
    width: 15px;
    height: 15px;
    margin-block: 0;
    margin-inline: 0 9px;
    accent-color: var(--accent);
    vertical-align: -2px;
  }

  .markdown blockquote {
    margin-inline: 0;
    margin-bottom: 0;
    padding-inline-start: 16px;
    border-inline-start: 3px solid var(--line-strong);
    color: var(--muted);
  }

  .markdown hr {
    height: 1px;
    margin-block: 28px;
    border: 0;
    background: var(--line);
  }

  .markdown :not(pre) > code {
    padding: 0.14em 0.36em;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    font: var(--code);
    font-size: 0.875em;
    line-height: inherit;
  }

  .markdown a.image {
    display: inline-flex;
    align-items: center;
    gap: 7px;
    max-width: 100%;
    padding-block: 3px;
    padding-inline: 8px 10px;
    border: 1px solid var(--line);
    border-radius: 9px;
    background: var(--surface);
    font: var(--control);
    text-decoration: none;
    vertical-align: middle;
  }

  .markdown a.image > span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .markdown .as-written {
    white-space: pre-wrap;
  }

  .markdown .own-image {
    display: inline-block;
    max-width: 100%;
    vertical-align: top;
  }

  .markdown .own-image img {
    display: block;
    max-width: 100%;
    max-height: 420px;
    border: 1px solid var(--line);
    border-radius: 12px;
  }
`;
