import { css } from "lit";

export const slashSheet = css`
  .slash {
    position: absolute;
    z-index: 4;
    inset-inline: 0;
    bottom: calc(100% + 6px);
    max-height: min(300px, 32vh);
    overflow-y: auto;
    padding: 5px;
    border: 1px solid var(--line);
    border-radius: 16px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    scrollbar-width: thin;
    scroll-padding-block: 5px;
  }

  .slash .option {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: max(36px, var(--target));
    padding: 4px 11px;
    border-radius: 10px;
    cursor: pointer;
  }

  .slash .option[aria-selected="true"] {
    background: var(--hover);
  }

  .slash .icon {
    color: var(--muted);
  }

  .slash .name {
    flex: none;
    max-width: 45%;
    overflow: hidden;
    font-weight: 550;
    text-align: var(--begin);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .slash .about {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    color: var(--muted);
    text-align: var(--begin);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  @media (forced-colors: active) {
    .slash .option[aria-selected="true"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
