import { css } from "lit";

/** What every part of the page shares: the document, controls, focus. */
export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  html {
    height: 100%;
    background: var(--ground);
    color: var(--text);
    -webkit-text-size-adjust: 100%;
    text-size-adjust: 100%;
    scrollbar-color: var(--line-strong) transparent;
  }

  body {
    height: 100%;
    margin: 0;
    font: var(--control);
    overflow: hidden;
    overscroll-behavior: none;
  }

  h1,
  h2,
  h3,
  p,
  ul,
  ol {
    margin: 0;
  }

  button,
  input,
  textarea {
    margin: 0;
    color: inherit;
    font: inherit;
    letter-spacing: inherit;
  }

  button {
    padding: 0;
    border: 0;
    background: none;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
    touch-action: manipulation;
  }

  button:disabled,
  button[aria-disabled="true"] {
    cursor: default;
  }

  a {
    color: var(--accent);
    text-underline-offset: 0.18em;
    text-decoration-thickness: 0.07em;
  }

  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }

  ::selection {
    background: color-mix(in oklab, var(--accent) 26%, transparent);
  }

  .icon {
    display: block;
    flex: none;
    width: 18px;
    height: 18px;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  /* What points along the line. */
  .icon.directed:dir(rtl) {
    scale: -1 1;
  }

  .icon.small {
    width: 16px;
    height: 16px;
  }

  .mark {
    display: block;
    width: 44px;
    height: 44px;
    fill: none;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .mark .bubble {
    fill: var(--text);
  }

  .mark .lines {
    stroke: var(--ground);
    stroke-width: 2.25;
  }

  .icon-button {
    display: inline-grid;
    place-items: center;
    flex: none;
    width: var(--target);
    height: var(--target);
    border-radius: 10px;
    color: var(--muted);
    transition:
      background var(--quick),
      color var(--quick);
  }

  .icon-button:hover:not(:disabled) {
    background: var(--hover);
    color: var(--text);
  }

  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: max(36px, var(--target));
    padding: 6px 14px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--raised);
    color: var(--text);
    font: var(--control);
    font-weight: 550;
    transition: background var(--quick);
  }

  .button:hover:not(:disabled) {
    background: var(--hover);
  }

  .button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }

  .button.primary:hover:not(:disabled) {
    background: var(--accent-hover);
  }

  .quiet-link {
    min-height: var(--target-link);
    padding: 2px 4px;
    border-radius: 6px;
    color: inherit;
    font: inherit;
    font-weight: 550;
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }

  progress {
    display: block;
    width: 100%;
    height: 4px;
    overflow: hidden;
    border: 0;
    border-radius: 2px;
    appearance: none;
    background: var(--line);
    accent-color: var(--accent);
  }

  progress::-webkit-progress-bar {
    background: var(--line);
  }

  progress::-webkit-progress-value {
    border-radius: 2px;
    background: var(--accent);
    transition: width 200ms;
  }

  progress::-moz-progress-bar {
    border-radius: 2px;
    background: var(--accent);
  }

  progress:indeterminate {
    background: linear-gradient(90deg, var(--line) 15%, var(--accent) 45% 55%, var(--line) 85%) 0 0 / 200% 100%;
    animation: slide 1.6s linear infinite;
  }

  progress:indeterminate::-webkit-progress-bar {
    background: none;
  }

  @keyframes slide {
    from {
      background-position-x: 200%;
    }

    to {
      background-position-x: 0%;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    progress:indeterminate {
      animation: none;
    }

    progress::-webkit-progress-value {
      transition: none;
    }
  }

  .hidden-visually:not(:focus):not(:active) {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (forced-colors: active) {
    .mark .bubble {
      fill: CanvasText;
    }

    .mark .lines {
      stroke: Canvas;
    }

    .icon-button,
    .button {
      border: 1px solid ButtonText;
    }
  }
`;
