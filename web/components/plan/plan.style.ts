import { css } from "lit";

export const planSheet = css`
  parley-plan {
    display: block;
  }

  .plan {
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--surface);
    font: var(--control);
  }

  .plan summary {
    display: flex;
    align-items: center;
    gap: 9px;
    min-height: max(36px, var(--target));
    padding-block: 0;
    padding-inline: 11px 10px;
    border-radius: 11px;
    list-style: none;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  .plan summary::-webkit-details-marker {
    display: none;
  }

  .plan summary:hover {
    background: var(--hover);
  }

  .plan summary:focus-visible {
    outline-offset: -1px;
  }

  .plan summary > .icon,
  .plan summary .count,
  .plan summary > .turn-down {
    color: var(--muted);
  }

  .plan summary .name {
    font-weight: 550;
  }

  .plan summary .now {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    color: var(--muted);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .plan summary .count {
    flex: none;
    font: var(--meta);
    font-variant-numeric: tabular-nums;
  }

  .plan summary > .turn-down {
    display: grid;
    transition: rotate var(--quick);
  }

  .plan details[open] > summary > .turn-down {
    rotate: 180deg;
  }

  .plan ol {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1px;
    margin: 0;
    padding: 0 11px 9px;
    list-style: none;
  }

  .plan li {
    display: flex;
    align-items: start;
    gap: 9px;
    padding: 4px 0;
    line-height: 1.45;
  }

  .plan li .icon {
    margin-top: 2px;
    color: var(--muted);
  }

  .plan li .title {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }

  .plan li .word {
    flex: none;
    padding: 0;
    color: var(--muted);
    font: var(--meta);
    line-height: 1.6;
  }

  .plan li.completed .title {
    color: var(--muted);
  }

  .plan li.running .title {
    font-weight: 550;
  }

  .plan li.running .icon {
    color: var(--text);
  }
`;
