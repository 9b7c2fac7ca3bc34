import { css } from "lit";

export const inspectorSheet = css`
  parley-inspector {
    display: grid;
    grid-template-rows: auto auto minmax(0, 1fr);
    height: 100%;
    font: var(--control);
  }

  parley-inspector > .head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 52px;
    padding-block: 4px;
    padding-inline: 18px 10px;
  }

  parley-inspector h2 {
    font: var(--control);
    font-weight: 650;
  }

  parley-inspector h3 {
    margin: 20px 0 6px;
    font: var(--control);
    font-weight: 650;
  }

  parley-inspector .tabs {
    display: flex;
    gap: 4px;
    padding: 0 14px 8px;
    border-bottom: 1px solid var(--line);
  }

  parley-inspector [role="tab"] {
    min-height: var(--target);
    padding: 0 12px;
    border-radius: 9px;
    color: var(--muted);
  }

  parley-inspector [role="tab"]:hover {
    background: var(--hover);
  }

  parley-inspector [role="tab"][aria-selected="true"] {
    background: var(--hover);
    color: var(--text);
    font-weight: 550;
  }

  parley-inspector .panel-body {
    padding: 14px 18px 24px;
    overflow-y: auto;
    scrollbar-width: thin;
  }

  parley-inspector .panel-body:focus-visible {
    outline-offset: -3px;
  }

  parley-inspector .hint {
    margin-block: 4px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-inspector .hint .button {
    margin-top: 8px;
  }

  parley-inspector .facts {
    margin: 0;
  }

  parley-inspector .facts > div {
    display: flex;
    justify-content: space-between;
    gap: 16px;
    padding-block: 3px;
  }

  parley-inspector .facts .part dt {
    padding-inline-start: 14px;
  }

  parley-inspector dt {
    color: var(--muted);
  }

  parley-inspector dd {
    margin: 0;
    overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
    text-align: end;
  }

  parley-inspector .wrong {
    display: flex;
    gap: 8px;
    margin-block: 10px;
    padding: 8px 12px;
    border-radius: 10px;
    background: var(--bad-ground);
    color: var(--bad);
  }

  parley-inspector :is(.steps, .events) {
    padding: 0;
    list-style: none;
  }

  parley-inspector .steps > li {
    padding-block: 7px;
  }

  parley-inspector .steps > li + li,
  parley-inspector .events > li + li {
    border-top: 1px solid var(--line);
  }

  parley-inspector .line {
    display: flex;
    justify-content: space-between;
    gap: 12px;
  }

  parley-inspector .name {
    display: flex;
    align-items: center;
    gap: 7px;
    min-width: 0;
    overflow-wrap: anywhere;
  }

  parley-inspector .name .icon {
    color: var(--muted);
  }

  parley-inspector .took {
    flex: none;
    font-variant-numeric: tabular-nums;
  }

  parley-inspector .track {
    position: relative;
    height: 6px;
    margin-block: 5px 4px;
    border-radius: 3px;
    background: var(--hover);
  }

  parley-inspector .track > span {
    position: absolute;
    inset-block: 0;
    min-inline-size: 3px;
    border-radius: 3px;
    background: var(--accent);
    forced-color-adjust: none;
  }

  parley-inspector .failed .track > span {
    background: var(--bad);
  }

  parley-inspector .stopped .track > span {
    background: var(--muted);
  }

  parley-inspector .note {
    color: var(--muted);
    font: var(--meta);
  }

  parley-inspector .note .bad {
    color: var(--bad);
    font-weight: 550;
  }

  parley-inspector .tools {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-top: 16px;
  }

  parley-inspector .tools:first-child {
    margin-top: 0;
  }

  parley-inspector .filter {
    flex: 1;
    min-width: 0;
    min-height: max(34px, var(--target));
    padding: 0 12px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--raised);
  }

  parley-inspector .events summary {
    display: flex;
    align-items: baseline;
    gap: 8px;
    min-height: 28px;
    padding: 4px 2px;
    border-radius: 6px;
    font: var(--code);
    font-size: 0.75rem;
    cursor: pointer;
    list-style: none;
  }

  parley-inspector .events summary:hover {
    background: var(--hover);
  }

  parley-inspector .events .seq {
    min-width: 4ch;
    color: var(--muted);
    text-align: end;
  }

  parley-inspector .events .name {
    display: block;
    flex: 1;
  }

  parley-inspector .events time {
    color: var(--muted);
  }

  parley-inspector .events pre {
    max-height: 320px;
    margin: 2px 0 8px;
    padding: 10px 12px;
    overflow: auto;
    border-radius: 10px;
    background: var(--surface);
    font: var(--code);
    font-size: 0.75rem;
    text-align: left;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
`;
