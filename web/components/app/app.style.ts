import { css } from "lit";

export const appSheet = css`
  parley-app {
    display: block;
    height: 100dvh;
  }

  .frame {
    display: flex;
    height: 100%;
  }

  .side {
    flex: none;
    width: var(--sidebar);
    border-inline-end: 1px solid var(--line);
    background: var(--surface);
  }

  .side.drawer {
    position: fixed;
    z-index: 11;
    inset-block: 0;
    inset-inline-start: 0;
    width: min(300px, 84vw);
    box-shadow: var(--shadow-menu);
    animation: slide-in 180ms ease-out;
  }

  .inspect {
    flex: none;
    width: 400px;
    border-inline-start: 1px solid var(--line);
    background: var(--ground);
  }

  .inspect.drawer {
    position: fixed;
    z-index: 11;
    inset-block: 0;
    inset-inline-end: 0;
    width: min(400px, 92vw);
    box-shadow: var(--shadow-menu);
  }

  .scrim {
    position: fixed;
    z-index: 10;
    inset: 0;
    background: oklch(0 0 0 / 0.32);
    animation: fade-in 180ms ease-out;
  }

  @keyframes slide-in {
    from {
      translate: calc(-24px * var(--forward)) 0;
      opacity: 0;
    }
  }

  @keyframes fade-in {
    from {
      opacity: 0;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .side.drawer,
    .scrim {
      animation: none;
    }
  }

  .main {
    display: grid;
    flex: 1;
    /* A title that has no room is cut; it makes no room. */
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    min-width: 0;
  }

  .bar {
    display: flex;
    align-items: center;
    gap: 4px;
    min-height: 52px;
    padding: 4px 20px;
  }

  .bar .heading {
    display: flex;
    flex: 1;
    align-items: center;
    min-width: 0;
  }

  .bar .title {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    color: var(--muted);
    font: var(--control);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  @media (max-width: 767px) {
    .bar {
      padding: 4px 8px;
    }

    .bar .heading {
      flex-direction: column;
      align-items: stretch;
    }

    .bar .title {
      flex: none;
      color: var(--text);
      font-weight: 550;
      text-align: center;
    }
  }

  .skip {
    position: fixed;
    z-index: 20;
    top: 8px;
    inset-inline-start: 8px;
    padding: 10px 14px;
    border-radius: 10px;
    background: var(--accent);
    color: var(--on-accent);
    transform: translateY(-200%);
  }

  .skip:focus {
    transform: none;
  }

  .starting-up {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 16px;
    height: 100%;
    color: var(--muted);
  }

  /* What is said later moves nothing. */
  .starting-up .said {
    display: grid;
    justify-items: center;
    align-content: start;
    gap: 16px;
    min-height: 80px;
    text-align: center;
  }
`;
