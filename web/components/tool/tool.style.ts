import { css } from "lit";

export const toolSheet = css`
  parley-tools {
    display: block;
  }

  parley-tools[hidden] {
    display: none;
  }

  parley-tool {
    display: block;
  }

  .tools > * + * {
    margin-top: 6px;
  }

  .tool,
  .tool-group {
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--surface);
    font: var(--control);
  }

  :is(.tool, .tool-group) summary {
    display: flex;
    align-items: center;
    gap: 9px;
    min-height: max(34px, var(--target));
    padding-block: 0;
    padding-inline: 11px 10px;
    border-radius: 11px;
    list-style: none;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  :is(.tool, .tool-group) summary::-webkit-details-marker {
    display: none;
  }

  :is(.tool, .tool-group) summary:hover {
    background: var(--hover);
  }

  :is(.tool, .tool-group) summary:focus-visible {
    outline-offset: -1px;
  }

  :is(.tool, .tool-group) summary > .icon {
    color: var(--muted);
  }

  .tool .phrase,
  .tool-group .phrase {
    flex: 1;
    text-align: var(--begin);
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .tool .status,
  .tool-group .status {
    display: inline-flex;
    align-items: center;
    flex: none;
    gap: 6px;
    color: var(--muted);
    font: var(--meta);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  .tool .status.wait {
    color: var(--wait);
  }

  .tool .status.bad,
  .tool-group .status.bad {
    color: var(--bad);
  }

  .tool summary > .turn-down,
  .tool-group summary > .turn-down {
    display: grid;
    color: var(--muted);
    transition: rotate var(--quick);
  }

  :is(.tool, .tool-group) details[open] > summary > .turn-down {
    rotate: 180deg;
  }

  .icon .spins {
    transform-origin: 12px 12px;
    animation: spin 0.9s linear infinite;
  }

  @keyframes spin {
    to {
      rotate: 1turn;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .icon .spins {
      animation: none;
    }
  }

  .tool .progress {
    display: grid;
    gap: 5px;
    padding-block: 0 10px;
    padding-inline: 38px 12px;
    color: var(--muted);
    font: var(--meta);
  }

  .tool .progress > span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .tool .detail {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 10px;
    padding: 2px 11px 11px;
  }

  .tool .detail h3 {
    margin: 0 0 4px;
    color: var(--muted);
    font: var(--meta);
  }

  .tool .detail .failed {
    color: var(--bad);
    overflow-wrap: anywhere;
  }

  .tool .detail .quietly {
    color: var(--muted);
    font: var(--meta);
  }

  .tool .value {
    position: relative;
  }

  .tool .value pre {
    max-height: 320px;
    margin: 0;
    padding-block: 8px;
    padding-inline: 11px 44px;
    overflow: auto;
    border: 1px solid var(--line);
    border-radius: 9px;
    background: var(--ground);
    font: var(--code);
    font-size: 0.8125rem;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    scrollbar-width: thin;
  }

  .tool .value pre:focus-visible {
    outline-offset: -2px;
  }

  .tool .value .icon-button {
    position: absolute;
    top: 4px;
    inset-inline-end: 6px;
    width: var(--target-small);
    height: var(--target-small);
    background: var(--ground);
  }

  .tool .decided {
    display: flex;
    align-items: center;
    gap: 7px;
    padding: 0 12px 9px 12px;
    color: var(--muted);
    font: var(--meta);
  }

  .tool-group .inside {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 6px;
    padding: 2px 8px 8px;
  }

  .tool-group .inside .tool {
    background: var(--ground);
  }

  @media (max-width: 480px) {
    .tool .status .spent {
      display: none;
    }
  }
`;
