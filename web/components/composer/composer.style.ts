import { css } from "lit";

export const composerSheet = css`
  parley-composer {
    display: block;
  }

  .composer {
    position: relative;
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
    display: flex;
    align-items: center;
    gap: 4px;
    min-width: 0;
    max-width: 100%;
    min-height: var(--target);
    padding-block: 0;
    padding-inline: 9px 6px;
    border-radius: 10px;
    color: var(--muted);
    font: var(--meta);
    transition:
      background var(--quick),
      color var(--quick);
  }

  .composer .model:hover {
    background: var(--hover);
    color: var(--text);
  }

  .composer .model > span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .composer parley-model-picker {
    min-width: 0;
  }

  .composer parley-send {
    display: flex;
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

  .composer .how {
    display: flex;
    align-items: center;
    gap: 3px;
    min-height: var(--target);
    padding-block: 0;
    padding-inline: 13px 8px;
    border-radius: 22px;
    color: var(--muted);
    font: var(--meta);
    white-space: nowrap;
  }

  .composer .how:hover {
    color: var(--text);
  }

  .attachments {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    max-height: min(176px, 26vh);
    padding: 3px 3px 5px;
    overflow-y: auto;
    list-style: none;
    scrollbar-width: thin;
    cursor: default;
  }

  .attachments li {
    display: flex;
    align-items: center;
    gap: 9px;
    max-width: 100%;
    min-height: 48px;
    padding-block: 5px;
    padding-inline: 6px 4px;
    border: 1px solid var(--line);
    border-radius: 13px;
    background: var(--surface);
  }

  .attachments li.refused {
    border-color: color-mix(in oklab, var(--bad) 34%, transparent);
    background: var(--bad-ground);
  }

  .attachments .thumb {
    display: grid;
    flex: none;
    place-items: center;
    width: 36px;
    height: 36px;
    border-radius: 8px;
    background: var(--hover);
    color: var(--muted);
    object-fit: cover;
  }

  .attachments .refused .thumb {
    background: none;
    color: var(--bad);
  }

  .attachments .about {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    min-width: 88px;
    max-width: 260px;
  }

  .attachments .name {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .attachments .size {
    unicode-bidi: plaintext;
    color: var(--muted);
    font: var(--meta);
  }

  .attachments .reason {
    color: var(--bad);
    font: var(--meta);
  }

  .attachments progress {
    margin-top: 3px;
  }

  .attachments .icon-button {
    width: var(--target-small);
    height: var(--target-small);
  }

  .notice {
    display: flex;
    align-items: center;
    gap: 9px;
    margin-bottom: 8px;
    padding-block: 4px;
    padding-inline: 14px 6px;
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
    .composer .how,
    .composer .model {
      border: 1px solid ButtonText;
    }
  }
`;
