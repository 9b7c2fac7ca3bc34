import { css } from "lit";

export const queueSheet = css`
  .queue {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    max-height: 168px;
    margin: 0 14px -1px;
    padding-block: 5px;
    padding-inline: 14px 6px;
    overflow-y: auto;
    border: 1px solid var(--line);
    border-bottom: 0;
    border-radius: 16px 16px 0 0;
    background: var(--surface);
    list-style: none;
  }

  .queue li {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 34px;
    color: var(--muted);
  }

  .queue .word {
    flex: none;
    font: var(--meta);
  }

  .queue .text {
    flex: 1;
    overflow: hidden;
    color: var(--text);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .queue .icon-button {
    width: var(--target-small);
    height: var(--target-small);
  }
`;
