import { css } from "lit";

export const approvalSheet = css`
  parley-approval {
    display: block;
  }

  .approval {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 12px;
    margin: 0 -1px -1px;
    padding: 13px 15px 15px;
    border: 1px solid color-mix(in oklab, var(--wait) 38%, transparent);
    border-inline-start: 4px solid var(--wait);
    border-radius: 0 0 12px 12px;
    background: var(--wait-ground);
    font: var(--control);
  }

  .approval .ask {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 8px;
    color: var(--wait);
    font: var(--meta);
  }

  .approval .ask strong {
    font-weight: 650;
  }

  .approval .ask parley-deadline {
    margin-inline-start: auto;
    color: var(--muted);
    font-variant-numeric: tabular-nums;
  }

  .approval .consequence {
    font: var(--read);
    font-weight: 550;
    overflow-wrap: anywhere;
  }

  .approval .about {
    margin-top: 4px;
    color: var(--muted);
  }

  .approval code {
    font: var(--code);
    font-size: 0.8125rem;
  }

  .approval .fields {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 10px;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }

  .approval .field > label,
  .approval .field > span {
    display: block;
    margin-bottom: 3px;
    color: var(--muted);
    font: var(--meta);
  }

  .approval .field.check > label {
    display: inline-flex;
    align-items: center;
    gap: 9px;
    min-height: max(28px, var(--target-small));
    color: var(--text);
    font: var(--control);
  }

  .approval input[type="checkbox"] {
    width: 17px;
    height: 17px;
    accent-color: var(--accent);
  }

  .approval :is(input:not([type="checkbox"]), textarea) {
    display: block;
    width: 100%;
    min-height: max(36px, var(--target));
    padding: 7px 11px;
    border: 1px solid var(--line-strong);
    border-radius: 9px;
    background: var(--raised);
  }

  .approval textarea {
    max-height: 300px;
    line-height: 1.5;
    resize: vertical;
    field-sizing: content;
  }

  .approval textarea.json {
    font: var(--code);
    font-size: 0.8125rem;
    tab-size: 2;
  }

  .approval :is(input, textarea)[aria-invalid="true"] {
    border-color: var(--bad);
  }

  .approval .issue {
    display: flex;
    align-items: start;
    gap: 7px;
    margin-top: 4px;
    color: var(--bad);
    white-space: pre-line;
    overflow-wrap: anywhere;
  }

  .approval .answers {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
  }

  .approval .answers .button {
    flex: 0 1 148px;
    border-color: var(--line-strong);
  }

  .approval .answers .other {
    width: max(36px, var(--target));
    height: max(36px, var(--target));
    margin-inline-start: auto;
  }

  .approval .quiet-link {
    justify-self: start;
    margin-inline-start: -4px;
    color: var(--muted);
    font-weight: 400;
  }

  @media (max-width: 480px) {
    .approval .answers .button {
      flex: 1 1 110px;
    }
  }
`;
