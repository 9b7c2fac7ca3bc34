import { css } from "lit";

export const reasoningSheet = css`
  parley-reasoning {
    display: block;
  }

  .reasoning {
    color: var(--muted);
    font: var(--control);
  }

  .reasoning summary {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: max(30px, var(--target));
    margin-inline-start: -8px;
    padding-block: 0;
    padding-inline: 8px 10px;
    border-radius: 9px;
    list-style: none;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  .reasoning summary::-webkit-details-marker {
    display: none;
  }

  .reasoning summary:hover {
    background: var(--hover);
    color: var(--text);
  }

  .reasoning summary .turn-down {
    display: grid;
    transition: rotate var(--quick);
  }

  .reasoning[open] summary .turn-down {
    rotate: 180deg;
  }

  .reasoning .thoughts {
    margin-block: 4px 6px;
    margin-inline: 7px 0;
    padding-inline-start: 17px;
    border-inline-start: 2px solid var(--line);
  }

  .reasoning .thoughts .markdown {
    font: var(--control);
    line-height: 1.6;
  }
`;
