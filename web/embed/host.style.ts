import { css } from "lit";

/**
 * The element itself. Nothing of the page's text styles reaches in, but for its colour scheme and its root's font size;
 * what the page says of `parley-chat` wins over what is said here.
 */
export const hostSheet = css`
  :host {
    all: initial;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    box-sizing: border-box;
    height: 640px;
    max-height: 100dvh;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: var(--parley-radius, 16px);
    background: var(--ground);
    color: var(--text);
    color-scheme: inherit;
    font: var(--control);
    text-size-adjust: 100%;
    -webkit-text-size-adjust: 100%;
    scrollbar-color: var(--line-strong) transparent;
  }

  :host([hidden]) {
    display: none;
  }

  :host([theme="light"]) {
    color-scheme: light;
  }

  :host([theme="dark"]) {
    color-scheme: dark;
  }

  :host([theme="system"]) {
    color-scheme: light dark;
  }

  /* The page has chosen. */
  :host([agent]) parley-model-picker {
    display: none;
  }

  .embed {
    display: grid;
    grid-row: 1 / -1;
    grid-template-rows: auto minmax(0, 1fr);
    min-width: 0;
    min-height: 0;
  }

  .embed .scroller {
    scrollbar-gutter: auto;
    scrollbar-width: thin;
  }

  .embed .content {
    padding-inline: 16px;
  }

  .embed > .top {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 48px;
    padding: 4px 8px 4px 16px;
    border-block-end: 1px solid var(--line);
  }

  .embed > .top:dir(rtl) {
    padding: 4px 16px 4px 8px;
  }

  .embed h2.title {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    font: var(--control);
    font-weight: 550;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .embed .stand-in {
    display: grid;
    grid-row: 1 / -1;
    place-content: center;
    justify-items: center;
    gap: 12px;
    padding: 24px;
    text-align: center;
  }

  .embed .stand-in h2 {
    font: var(--read);
    font-size: 1.0625rem;
    font-weight: 650;
    text-wrap: balance;
  }

  .embed .stand-in p {
    max-width: 44ch;
    color: var(--muted);
    text-wrap: pretty;
  }

  .embed .stand-in > .icon {
    width: 24px;
    height: 24px;
    color: var(--muted);
  }
`;
