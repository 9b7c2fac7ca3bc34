import { css } from "lit";

export const chatSheet = css`
  parley-conversation {
    position: relative;
    display: block;
    min-height: 0;
  }

  /* What scrolls away under the bar fades. */
  parley-conversation::before {
    position: absolute;
    z-index: 1;
    top: 0;
    inset-inline: 0 16px;
    height: 20px;
    background: linear-gradient(to bottom, var(--ground), transparent);
    content: "";
    pointer-events: none;
  }

  .scroller {
    height: 100%;
    overflow-x: hidden;
    overflow-y: auto;
    overscroll-behavior: contain;
    container-type: size;
    /* Whatever changes in it, the page around it is not laid out again. */
    contain: strict;
    scrollbar-gutter: stable;
    /* Behind what is opaque, the compositor scrolls alone: else each line that comes paints all of them again. */
    background: var(--ground);
    --dock: 128px;
  }

  /* Plain blocks, all the way to the text: with each token, they are laid out again fastest. */
  .content {
    width: min(100%, var(--column) + 48px);
    min-height: 100%;
    margin: 0 auto;
    padding-inline: 24px;
  }

  .transcript {
    min-height: calc(100cqh - var(--dock));
    padding-top: 20px;
    border-radius: 8px;
  }

  .transcript:focus-visible {
    outline-offset: 6px;
  }

  .turn {
    padding-bottom: 12px;
  }

  /* What is off the screen costs nothing. The last ones are on it when a conversation opens, or soon: to find that out takes a second layout. */
  .turn:nth-last-child(n + 6) {
    content-visibility: auto;
    contain-intrinsic-size: auto 240px;
  }

  .turn > * + * {
    margin-top: 16px;
  }

  /* A message that was just sent stands near the top, and its answer grows below it. */
  .turn.fresh {
    min-height: calc(100cqh - var(--dock) - 20px);
  }

  .person.starting .pill {
    opacity: 0.75;
  }

  .drop-here {
    position: absolute;
    z-index: 5;
    inset: 8px;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 10px;
    border: 2px dashed var(--accent);
    border-radius: 18px;
    background: color-mix(in oklab, var(--ground) 88%, transparent);
    font-weight: 550;
    pointer-events: none;
  }

  .dock {
    position: sticky;
    bottom: 0;
    z-index: 2;
    margin-inline: -8px;
    padding-inline: 8px;
    padding-bottom: max(12px, env(safe-area-inset-bottom));
    background: linear-gradient(to bottom, transparent, var(--ground) 28px);
  }

  .dock[hidden] {
    display: none;
  }

  .quiet {
    min-height: 1.4em;
    margin-top: 8px;
    color: var(--muted);
    font: var(--meta);
    text-align: center;
  }

  .to-end {
    position: absolute;
    bottom: 100%;
    inset-inline: 0;
    display: grid;
    place-items: center;
    width: max(34px, var(--target));
    height: max(34px, var(--target));
    margin: 0 auto 4px;
    border: 1px solid var(--line);
    border-radius: 50%;
    background: var(--raised);
    box-shadow: var(--shadow);
    color: var(--muted);
  }

  .to-end.waits {
    display: flex;
    align-items: center;
    gap: 7px;
    width: fit-content;
    padding-block: 0;
    padding-inline: 11px 14px;
    border-radius: 22px;
    border-color: color-mix(in oklab, var(--wait) 38%, transparent);
    background: var(--wait-ground);
    color: var(--wait);
    white-space: nowrap;
  }

  .to-end[hidden] {
    display: none;
  }

  .to-end:hover {
    color: var(--text);
  }

  .older {
    display: grid;
    place-items: center;
    min-height: 44px;
    color: var(--muted);
    font: var(--meta);
  }

  .loading {
    width: 62%;
    height: 1.1rem;
    margin-top: 56px;
    border-radius: 8px;
    background: var(--surface);
    box-shadow:
      0 2rem 0 var(--surface),
      0 4rem 0 var(--surface);
    opacity: 0;
    animation: appear 200ms 400ms forwards;
  }

  @keyframes appear {
    to {
      opacity: 1;
    }
  }

  .apology {
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 10px;
    min-height: calc(100cqh - 80px);
    padding: 48px 16px;
    text-align: center;
  }

  .apology .icon {
    width: 28px;
    height: 28px;
    color: var(--muted);
  }

  .apology h2 {
    font: var(--read);
    font-size: 1.1875rem;
    font-weight: 650;
  }

  .apology p {
    color: var(--muted);
  }

  .apology .button {
    margin-top: 8px;
  }

  .content.empty {
    display: flex;
    flex-direction: column;
    justify-content: center;
    padding-bottom: 6vh;
  }

  .content.empty .transcript {
    display: none;
  }

  .content.empty .dock {
    position: static;
    padding-bottom: 0;
    background: none;
  }

  .welcome {
    display: grid;
    justify-items: center;
    gap: 18px;
    padding: 32px 0 28px;
    text-align: center;
  }

  .welcome h1 {
    font: 400 1.75rem/1.25 var(--sans);
    letter-spacing: -0.02em;
    text-wrap: balance;
  }

  .suggestions {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 8px;
    min-height: 36px;
    margin-top: 18px;
  }

  /* Whoever writes needs none, and what is written is not replaced. */
  .dock:has(textarea:not(:placeholder-shown)) ~ .below .suggestions {
    visibility: hidden;
  }

  .suggestion {
    min-height: max(36px, var(--target));
    padding: 6px 15px;
    border: 1px solid var(--line);
    border-radius: 999px;
    color: var(--text);
    transition: background var(--quick);
  }

  .suggestion:hover {
    background: var(--surface);
  }

  .below .quiet {
    margin-top: 22px;
  }

  .strip-place:has(.strip) {
    display: grid;
    justify-items: center;
    padding-block: 4px 10px;
  }

  .strip {
    display: flex;
    align-items: center;
    gap: 9px;
    max-width: 100%;
    min-height: 32px;
    padding: 3px 12px;
    border: 1px solid color-mix(in oklab, var(--wait) 32%, transparent);
    border-radius: 16px;
    background: var(--wait-ground);
    color: var(--wait);
  }

  .strip.final {
    border-color: color-mix(in oklab, var(--bad) 34%, transparent);
    background: var(--bad-ground);
    color: var(--bad);
  }

  @media (max-width: 767px) {
    .content {
      padding-inline: 16px;
    }
  }

  /* Where there is hardly any height (a page at 400 %), reading needs it more than writing. */
  @media (max-height: 360px) {
    .dock {
      position: relative;
    }

    .transcript,
    .turn.fresh {
      min-height: 0;
    }

    .welcome .mark {
      display: none;
    }
  }
`;
