import { css } from "lit";

export const messageSheet = css`
  parley-message {
    display: block;
  }

  .agent > * + * {
    margin-top: 12px;
  }

  .agent > h2 + * {
    margin-top: 0;
  }

  /* Another branch is begun or shown when nothing is being written. */
  .transcript[data-busy] .when-idle {
    visibility: hidden;
  }

  .agent footer {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px;
    min-height: 32px;
    margin-top: 4px;
    margin-inline-start: calc((16px - var(--target-small)) / 2);
    color: var(--muted);
    font: var(--meta);
  }

  .person {
    display: flex;
    flex-direction: column;
    align-items: flex-end;
  }

  /* Beside the pill, so that the answer follows close. */
  .person .said {
    display: flex;
    align-items: end;
    justify-content: flex-end;
    gap: 4px;
    width: 100%;
  }

  .person .pill {
    max-width: 80%;
    padding: 9px 16px 10px;
    border: 1px solid var(--line);
    border-radius: 20px 20px 6px 20px;
    background: var(--surface);
    font: var(--read);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  /* Not by the text's own direction, which the pill has. */
  .person:dir(rtl) .pill {
    border-radius: 20px 20px 20px 6px;
  }

  .person.editing {
    align-items: stretch;
  }

  .editor {
    padding: 6px;
    border: 1px solid var(--accent);
    border-radius: 18px;
    background: var(--raised);
  }

  .editor textarea {
    display: block;
    width: 100%;
    min-height: max(40px, var(--target));
    max-height: min(50vh, 24rem);
    padding: 7px 10px;
    border: 0;
    outline: 0;
    background: none;
    font: var(--read);
    resize: none;
    field-sizing: content;
  }

  .editor .controls {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: flex-end;
    gap: 8px;
  }

  .editor .hint {
    flex: 1 1 200px;
    padding-inline-start: 10px;
    color: var(--muted);
    font: var(--meta);
  }

  @media (max-width: 480px) {
    .editor .hint {
      flex-basis: 100%;
    }
  }

  .versions {
    display: inline-flex;
    align-items: center;
    color: var(--muted);
    font: var(--meta);
    font-variant-numeric: tabular-nums;
  }

  .versions .icon-button {
    width: var(--target-small);
    height: var(--target-small);
  }

  .versions .icon-button[aria-disabled="true"] {
    opacity: 0.4;
  }

  .agent .versions {
    margin-inline-end: 2px;
  }

  .person .versions {
    margin-top: 2px;
  }

  .files {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    padding: 0;
    list-style: none;
  }

  .person .files {
    justify-content: flex-end;
    max-width: 80%;
    margin-bottom: 8px;
  }

  .files li {
    max-width: 100%;
  }

  .files .picture {
    display: block;
    width: 220px;
    max-width: 100%;
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--surface);
    color: var(--muted);
  }

  .files .picture img {
    display: block;
    width: 100%;
    height: auto;
    aspect-ratio: 4 / 3;
    object-fit: cover;
  }

  .files .picture .gone,
  .files .picture.is-gone img {
    display: none;
  }

  .files .picture.is-gone .gone,
  .file-chip {
    display: inline-flex;
    align-items: center;
    gap: 9px;
    max-width: 100%;
    min-height: max(36px, var(--target));
    padding-block: 4px;
    padding-inline: 11px 12px;
    font: var(--control);
    text-decoration: none;
  }

  .file-chip {
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--surface);
    color: var(--text);
  }

  .file-chip:hover {
    background: var(--hover);
  }

  .file-chip .icon {
    color: var(--muted);
  }

  .file-chip .name,
  .files .gone > span:first-of-type {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .files .size {
    unicode-bidi: plaintext;
    flex: none;
    color: var(--muted);
    font: var(--meta);
  }

  .usage {
    min-height: var(--target-small);
    padding: 0 8px;
    border-radius: 8px;
    color: var(--muted);
    font: var(--meta);
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  .usage:hover {
    color: var(--text);
  }

  .usage-details {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: 9px 14px 10px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    color: var(--text);
    font: var(--meta);
    font-variant-numeric: tabular-nums;
  }

  .usage-details caption {
    padding-bottom: 5px;
    font-weight: 550;
    text-align: start;
  }

  .usage-details th {
    padding-block: 1px;
    padding-inline: 0 24px;
    color: var(--muted);
    font-weight: 400;
    text-align: start;
  }

  .usage-details .part th {
    padding-inline-start: 12px;
  }

  .usage-details td {
    text-align: end;
  }

  .person .unfold {
    margin-top: 6px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-message .icon-button.action {
    width: var(--target-small);
    height: var(--target-small);
  }

  parley-message .action {
    opacity: 0;
    transition: opacity var(--quick);
  }

  parley-message:is(:hover, :focus-within) .action,
  .turn:last-child > parley-message:last-child .agent .action,
  parley-message .action[aria-describedby] {
    opacity: 1;
  }

  /* A finger holds a text to copy it; only a whole answer is too long for that. */
  @media (hover: none) {
    .agent .action {
      opacity: 1;
    }

    .person .action:not(.edit) {
      display: none;
    }

    .person .edit {
      opacity: 1;
    }
  }

  parley-message .word {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    padding-inline-start: 8px;
  }

  parley-message .action ~ .word {
    padding-inline-start: 0;
  }

  parley-message .state {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 7px;
    margin-top: 7px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-message .bad {
    color: var(--bad);
  }

  .thinking {
    display: flex;
    align-items: center;
    height: 1.6rem;
  }

  .thinking::before {
    width: 10px;
    height: 10px;
    border-radius: 50%;
    background: var(--muted);
    animation: breathe 1.4s ease-in-out infinite;
    content: "";
  }

  @keyframes breathe {
    50% {
      opacity: 0.25;
      transform: scale(0.82);
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .thinking::before {
      animation: none;
    }
  }

  .failure {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 10px 12px;
    margin-top: 12px;
    padding: 12px 14px;
    border: 1px solid color-mix(in oklab, var(--bad) 34%, transparent);
    border-radius: 14px;
    background: var(--bad-ground);
  }

  .failure > .icon {
    color: var(--bad);
  }

  .failure > div {
    flex: 1 1 240px;
  }

  .failure strong {
    font-weight: 650;
  }

  .failure p {
    color: var(--text);
    overflow-wrap: anywhere;
  }

  parley-message .note {
    color: var(--muted);
    font: var(--control);
    text-align: center;
  }
`;
