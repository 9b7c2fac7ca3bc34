import { css } from "lit";

/** Every colour has a contrast of at least 4.5 : 1 on the ground of code, in both schemes. */
export const codeSheet = css`
  parley-code {
    display: block;

    --code-comment: light-dark(oklch(0.5 0.015 80), oklch(0.68 0.015 80));
    --code-word: light-dark(oklch(0.48 0.17 300), oklch(0.78 0.12 300));
    --code-string: light-dark(oklch(0.46 0.11 150), oklch(0.8 0.12 150));
    --code-value: light-dark(oklch(0.5 0.13 45), oklch(0.8 0.11 55));
    --code-name: light-dark(oklch(0.47 0.14 255), oklch(0.78 0.11 250));
    --code-type: light-dark(oklch(0.47 0.09 205), oklch(0.8 0.09 205));
    --code-field: light-dark(oklch(0.47 0.12 340), oklch(0.8 0.1 345));
    --code-meta: light-dark(oklch(0.48 0.08 100), oklch(0.8 0.08 100));
  }

  .code {
    margin: 0;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--surface);
  }

  .code figcaption {
    display: flex;
    align-items: center;
    gap: 2px;
    min-height: 36px;
    padding-block: 0;
    padding-inline: 14px 6px;
    color: var(--muted);
    font: var(--meta);
  }

  .code figcaption > :first-child {
    flex: 1;
  }

  .code figcaption button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-width: var(--target-small);
    min-height: var(--target-small);
    padding: 0 8px;
    border-radius: 8px;
    color: var(--muted);
  }

  .code figcaption .wrap {
    padding: 0 6px;
  }

  .code figcaption button:is(:hover, [aria-pressed="true"]) {
    background: var(--hover);
    color: var(--text);
  }

  .code pre {
    margin: 0;
    padding: 4px 14px 14px;
    overflow-x: auto;
    font: var(--code);
    tab-size: 2;
    white-space: pre;
    overflow-wrap: normal;
  }

  .code pre.wrapped {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  .code pre:focus-visible {
    outline-offset: -3px;
    border-radius: 8px;
  }

  .code code {
    display: block;
    font: inherit;
    text-align: left;
  }

  /* A slice is lines: laid out apart, so that the next one costs only itself. */
  .code code > span {
    display: block;
  }

  .code-comment {
    color: var(--code-comment);
  }

  .code-word {
    color: var(--code-word);
  }

  .code-string,
  .code-added {
    color: var(--code-string);
  }

  .code-value {
    color: var(--code-value);
  }

  .code-name {
    color: var(--code-name);
  }

  .code-type {
    color: var(--code-type);
  }

  .code-field {
    color: var(--code-field);
  }

  .code-meta {
    color: var(--code-meta);
  }

  .code-removed {
    color: var(--bad);
  }

  @media (forced-colors: active) {
    .code code span {
      color: inherit;
    }

    .code figcaption button {
      border: 1px solid ButtonText;
    }
  }
`;
