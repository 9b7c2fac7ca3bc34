import { css } from "lit";

export const settingsSheet = css`
  .settings {
    width: min(760px, calc(100vw - 24px));
    height: min(580px, calc(100dvh - 24px));
  }

  .settings .columns {
    display: flex;
    flex: 1;
    min-height: 0;
  }

  .settings .tabs {
    display: flex;
    flex: none;
    flex-direction: column;
    gap: 2px;
    width: 188px;
    padding: 4px 10px 12px;
    overflow-y: auto;
  }

  .settings [role="tab"] {
    display: flex;
    flex: none;
    align-items: center;
    gap: 10px;
    min-height: max(36px, var(--target));
    padding: 4px 10px;
    border-radius: 10px;
    text-align: start;
    white-space: nowrap;
  }

  .settings [role="tab"] .icon {
    color: var(--muted);
  }

  .settings [role="tab"]:hover,
  .settings [role="tab"][aria-selected="true"] {
    background: var(--hover);
  }

  .settings [role="tab"][aria-selected="true"] {
    font-weight: 550;
  }

  .settings .body {
    flex: 1;
    min-width: 0;
    padding-inline-start: 12px;
    border-radius: 8px;
  }

  .settings .body:focus-visible {
    outline-offset: -3px;
  }

  .settings .lead {
    max-width: 60ch;
    padding-bottom: 14px;
  }

  .settings .hint {
    color: var(--muted);
    font: var(--meta);
  }

  .settings .none {
    padding-block: 14px;
    color: var(--muted);
  }

  .settings .choice {
    margin: 0;
    padding: 0 0 22px;
    border: 0;
  }

  .settings .choice > :is(legend, h3, label:not(.check)) {
    display: block;
    padding: 0 0 8px;
    font-weight: 650;
  }

  .settings .themes {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
  }

  .settings .themes label {
    position: relative;
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: max(38px, var(--target));
    padding: 4px 14px;
    border: 1px solid var(--line);
    border-radius: 10px;
    cursor: pointer;
  }

  .settings .themes label:has(:checked) {
    border-color: var(--accent);
    box-shadow: inset 0 0 0 1px var(--accent);
  }

  .settings .themes label:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  .settings .themes input {
    position: absolute;
    inset: 0;
    opacity: 0;
    cursor: pointer;
  }

  .settings :is(select, textarea, .edit input) {
    width: 100%;
    min-height: max(38px, var(--target));
    padding: 7px 12px;
    border: 1px solid var(--line-strong);
    border-radius: 10px;
    background: var(--ground);
    color: var(--text);
    font: var(--control);
  }

  .settings .choice select {
    width: auto;
    min-width: 220px;
  }

  .settings textarea {
    resize: vertical;
    line-height: 1.5;
  }

  .settings .check {
    display: flex;
    align-items: flex-start;
    gap: 10px;
    min-height: var(--target-link);
    padding-block: 4px;
    cursor: pointer;
  }

  .settings .check input {
    flex: none;
    width: 18px;
    height: 18px;
    margin: 1px 0 0;
    accent-color: var(--accent);
  }

  .settings .check:has(:disabled) {
    color: var(--muted);
    cursor: default;
  }

  .settings .check + .hint {
    padding-inline-start: 28px;
    padding-bottom: 12px;
  }

  .settings .rows {
    margin-block: 10px 14px;
    padding: 0;
    list-style: none;
  }

  .settings .rows > li {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 52px;
    padding-block: 8px;
    border-top: 1px solid var(--line);
  }

  .settings .rows > li > .icon {
    margin-inline-end: 4px;
    color: var(--muted);
  }

  .settings .about {
    display: grid;
    flex: 1;
    gap: 2px;
    min-width: 0;
  }

  .settings .about > * {
    overflow-wrap: anywhere;
    text-align: var(--begin);
  }

  .settings .about strong {
    font-weight: 550;
  }

  .settings .said {
    white-space: pre-wrap;
  }

  .settings .clamp {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }

  .settings .tag {
    padding: 1px 7px;
    border: 1px solid var(--line);
    border-radius: 999px;
    color: var(--text);
  }

  .settings .edit {
    display: grid;
    flex: 1;
    gap: 10px;
    padding-block: 6px;
  }

  .settings .edit label {
    display: grid;
    gap: 5px;
    font-weight: 550;
  }

  .settings .answers {
    display: flex;
    justify-content: flex-end;
    gap: 8px;
  }

  .settings .issue {
    display: flex;
    align-items: center;
    gap: 8px;
    padding-block: 8px;
    color: var(--bad);
  }

  @media (max-width: 640px) {
    .settings {
      height: calc(100dvh - 24px);
    }

    .settings .columns {
      flex-direction: column;
    }

    .settings .tabs {
      flex-direction: row;
      width: auto;
      padding-block: 4px 10px;
      overflow-x: auto;
      scroll-padding-inline: 16px;
      scrollbar-width: none;
    }

    .settings .body {
      padding-inline: 20px;
    }

    .settings .rows > li {
      flex-wrap: wrap;
    }
  }

  @media (forced-colors: active) {
    .settings [role="tab"][aria-selected="true"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
