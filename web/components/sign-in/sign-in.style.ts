import { css } from "lit";

export const signInSheet = css`
  parley-sign-in {
    display: block;
    height: 100%;
    overflow-y: auto;
  }

  .sign-in {
    display: grid;
    place-items: center;
    min-height: 100%;
    padding: 32px 20px;
    outline: 0;
  }

  .sign-in .card {
    width: min(100%, 440px);
  }

  .sign-in .mark {
    margin-inline-start: -2px;
  }

  .sign-in h1 {
    margin-top: 20px;
    font: 650 1.5rem/1.3 var(--sans);
    letter-spacing: -0.015em;
    text-wrap: balance;
  }

  .sign-in .lead {
    margin-top: 8px;
    color: var(--muted);
    font: var(--read);
  }

  .sign-in .problem {
    display: flex;
    gap: 12px;
    margin-top: 16px;
    padding: 12px 14px;
    border: 1px solid color-mix(in oklab, var(--bad) 34%, transparent);
    border-radius: 14px;
    background: var(--bad-ground);
  }

  .sign-in .problem .icon {
    margin-top: 1px;
    color: var(--bad);
  }

  .sign-in .way {
    margin-top: 24px;
    padding-top: 20px;
    border-top: 1px solid var(--line);
  }

  .sign-in h2 {
    font: var(--control);
    font-weight: 650;
  }

  .sign-in .way p {
    margin-top: 4px;
    color: var(--muted);
    line-height: 1.5;
  }

  .sign-in code {
    font: var(--code);
    font-size: 0.8125rem;
  }

  .sign-in .sample {
    margin: 12px 0 0;
    padding: 9px 12px;
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--surface);
    color: var(--muted);
    font: var(--code);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  .sign-in .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-top: 12px;
  }

  .sign-in input {
    flex: 1 1 200px;
    min-width: 0;
    min-height: max(38px, var(--target));
    padding: 6px 12px;
    border: 1px solid var(--line-strong);
    border-radius: 10px;
    background: var(--raised);
  }

  .sign-in input[aria-invalid="true"] {
    border-color: var(--bad);
  }

  .sign-in .button {
    min-height: max(38px, var(--target));
  }
`;
