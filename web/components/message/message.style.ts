import { css } from "lit";

export const messageSheet = css`
  parley-message {
    display: block;
    content-visibility: auto;
    contain-intrinsic-size: auto 120px;
  }

  /* What is streamed is always on screen or soon; skipping it would only make it jump. */
  .turn:last-child > parley-message {
    content-visibility: visible;
  }

  .agent footer {
    display: flex;
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

  .person .unfold {
    margin-top: 6px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-message .action {
    width: var(--target-small);
    height: var(--target-small);
    opacity: 0;
    transition: opacity var(--quick);
  }

  parley-message:is(:hover, :focus-within) .action,
  .turn:last-child > parley-message:last-child .agent .action {
    opacity: 1;
  }

  /* A finger holds a text to copy it; only a whole answer is too long for that. */
  @media (hover: none) {
    .agent .action {
      opacity: 1;
    }

    .person .action {
      display: none;
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
