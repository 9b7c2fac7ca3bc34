import { css } from "lit";

export const panelSheet = css`
  .panel {
    width: min(640px, calc(100vw - 24px));
    max-width: none;
    max-height: min(720px, calc(100dvh - 24px));
    padding: 0;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    color: var(--text);
    font: var(--control);
  }

  .panel[open] {
    display: flex;
    flex-direction: column;
  }

  .panel::backdrop {
    background: oklch(0 0 0 / 0.32);
  }

  .panel > header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
    padding-block: 12px 8px;
    padding-inline: 20px 12px;
  }

  .panel h2 {
    font: var(--read);
    font-size: 1.0625rem;
    font-weight: 650;
  }

  .panel h3 {
    margin: 0;
    font: var(--control);
    font-weight: 650;
  }

  .panel .body {
    min-height: 0;
    overflow-y: auto;
    scrollbar-width: thin;
    padding-block: 4px 20px;
    padding-inline: 20px;
  }

  .panel kbd {
    display: inline-block;
    min-width: 24px;
    padding: 1px 7px 2px;
    border: 1px solid var(--line);
    border-bottom-width: 2px;
    border-radius: 7px;
    background: var(--surface);
    color: var(--text);
    font: var(--meta);
    text-align: center;
    white-space: nowrap;
  }

  .panel .keys {
    display: inline-flex;
    flex: none;
    gap: 4px;
  }
`;
