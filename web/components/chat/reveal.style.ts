import { css } from "lit";

/** For a moment, a message that was looked for. */
export const revealSheet = css`
  article.found {
    border-radius: 16px;
    animation: found 4s ease-out both;
  }

  article.found:focus {
    outline: none;
  }

  ::highlight(found) {
    background-color: light-dark(oklch(0.9 0.1 95), oklch(0.45 0.09 90));
    color: light-dark(oklch(0.22 0.01 80), oklch(0.97 0.005 80));
  }

  @keyframes found {
    from,
    55% {
      background: var(--hover);
      box-shadow: 0 0 0 10px var(--hover);
    }

    to {
      background: transparent;
      box-shadow: 0 0 0 10px transparent;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    article.found {
      background: var(--hover);
      box-shadow: 0 0 0 10px var(--hover);
      animation: none;
    }
  }

  @media (forced-colors: active) {
    article.found {
      outline: 2px solid Highlight;
      outline-offset: 6px;
      animation: none;
    }

    article.found:focus {
      outline: 2px solid Highlight;
    }

    ::highlight(found) {
      background-color: Mark;
      color: MarkText;
    }
  }
`;
