import { css } from "lit";

export const paletteSheet = css`
  .palette {
    margin-block-start: min(14vh, 120px);
    max-height: min(520px, calc(86dvh - 16px));
  }

  .palette .find {
    display: flex;
    align-items: center;
    gap: 10px;
    padding-block: 8px;
    padding-inline: 18px 10px;
    border-bottom: 1px solid var(--line);
    color: var(--muted);
  }

  .palette .find input {
    flex: 1;
    min-width: 0;
    min-height: 40px;
    padding: 0 2px;
    border: 0;
    background: none;
    color: var(--text);
    font: var(--read);
  }

  /* The frame around it says that it has the focus. */
  .palette .find input:focus-visible {
    outline: none;
  }

  .palette:has(input:focus-visible) {
    border-color: var(--accent);
  }

  .palette .list {
    min-height: 0;
    overflow-y: auto;
    padding: 6px;
    scrollbar-width: thin;
    scroll-padding-block: 6px;
  }

  .palette .heading {
    padding: 10px 12px 5px;
    color: var(--muted);
    font: var(--meta);
  }

  .palette .option {
    display: flex;
    align-items: center;
    gap: 12px;
    min-height: max(38px, var(--target));
    padding: 4px 12px;
    border-radius: 10px;
    cursor: pointer;
  }

  .palette .option > .icon,
  .palette .chosen {
    color: var(--muted);
  }

  .palette .option[aria-selected="true"] {
    background: var(--hover);
  }

  .palette .option .name {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-align: var(--begin);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .palette .name .excerpt {
    display: block;
    overflow: hidden;
    color: var(--muted);
    font: var(--meta);
    text-overflow: ellipsis;
  }

  .palette .excerpt mark {
    border-radius: 3px;
    background: color-mix(in oklab, var(--accent) 22%, transparent);
    color: var(--text);
  }

  .palette .none {
    padding: 22px 20px 28px;
    color: var(--muted);
    text-align: center;
  }

  @media (pointer: coarse), (max-width: 480px) {
    .palette .keys {
      display: none;
    }
  }

  @media (forced-colors: active) {
    .palette .excerpt mark {
      background: Mark;
      color: MarkText;
    }

    .palette .option[aria-selected="true"] {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
`;
