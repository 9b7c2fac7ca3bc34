import { css } from "lit";

export const composerSheet = css`
  parley-composer {
    display: block;
  }

  .composer {
    padding: 6px;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--raised);
    box-shadow: var(--shadow);
    cursor: text;
    transition: border-color var(--quick);
  }

  .composer:has(textarea:focus-visible) {
    border-color: var(--accent);
    box-shadow:
      var(--shadow),
      0 0 0 3px color-mix(in oklab, var(--accent) 13%, transparent);
  }

  .composer textarea {
    display: block;
    width: 100%;
    min-height: 2.75rem;
    max-height: min(40vh, 18rem);
    padding: 9px 12px 4px;
    border: 0;
    outline: 0;
    background: none;
    font: var(--read);
    line-height: 1.5;
    resize: none;
    field-sizing: content;
    scrollbar-width: thin;
  }

  .composer textarea::placeholder {
    color: var(--muted);
    opacity: 1;
  }

  .composer .controls {
    display: flex;
    align-items: center;
    gap: 6px;
    min-height: 36px;
  }

  .composer .push {
    flex: 1;
  }

  .composer .model {
    overflow: hidden;
    padding-inline-start: 12px;
    color: var(--muted);
    font: var(--meta);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .composer .round {
    display: grid;
    place-items: center;
    width: max(36px, var(--target));
    height: max(36px, var(--target));
    border-radius: 50%;
    transition:
      background var(--quick),
      color var(--quick);
  }

  .composer .send {
    background: var(--accent);
    color: var(--on-accent);
  }

  .composer .send:hover {
    background: var(--accent-hover);
  }

  .composer .send[aria-disabled="true"] {
    background: var(--hover);
    color: var(--muted);
  }

  .composer .stop {
    border: 1px solid var(--line);
    color: var(--text);
  }

  .composer .stop:hover:not(:disabled) {
    background: var(--hover);
  }

  .composer .stop.strong {
    border-color: transparent;
    background: var(--text);
    color: var(--ground);
  }

  .composer .stop.strong:hover:not(:disabled) {
    background: color-mix(in oklab, var(--text) 85%, var(--ground));
  }

  .composer .stop:disabled {
    opacity: 0.5;
  }

  .composer .split {
    display: flex;
    border-radius: 22px;
    background: var(--hover);
  }

  .composer .split .more {
    display: grid;
    place-items: center;
    order: -1;
    width: var(--target);
    border-radius: 22px 0 0 22px;
    color: var(--muted);
  }

  .composer .split .more:hover {
    color: var(--text);
  }

  .queue {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    max-height: 168px;
    margin: 0 14px -1px;
    padding: 5px 6px 5px 14px;
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

  .notice {
    display: flex;
    align-items: center;
    gap: 9px;
    margin-bottom: 8px;
    padding: 4px 6px 4px 14px;
    border: 1px solid color-mix(in oklab, var(--bad) 34%, transparent);
    border-radius: 14px;
    background: var(--bad-ground);
  }

  .notice > .icon {
    color: var(--bad);
  }

  .notice > span {
    flex: 1;
  }

  @media (forced-colors: active) {
    .composer:has(textarea:focus-visible) {
      outline: 2px solid Highlight;
    }

    .composer .round,
    .composer .more {
      border: 1px solid ButtonText;
    }
  }
`;
