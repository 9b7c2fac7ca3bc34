import { css } from "lit";

export const dialogsSheet = css`
  parley-dialogs dialog {
    width: min(440px, calc(100vw - 32px));
    max-height: min(640px, calc(100dvh - 32px));
    padding: 22px 24px 20px;
    overflow-y: auto;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    color: var(--text);
    font: var(--control);
  }

  parley-dialogs dialog::backdrop {
    background: light-dark(oklch(0.2 0.01 80 / 0.28), oklch(0 0 0 / 0.5));
  }

  parley-dialogs h2 {
    font-size: 1rem;
    font-weight: 650;
  }

  parley-dialogs p {
    margin-top: 8px;
    color: var(--muted);
  }

  parley-dialogs label {
    display: block;
    margin-top: 16px;
    font-weight: 550;
  }

  parley-dialogs input {
    width: 100%;
    min-height: max(38px, var(--target));
    margin-top: 6px;
    padding: 6px 12px;
    border: 1px solid var(--line-strong);
    border-radius: 10px;
    background: var(--ground);
    font-weight: 400;
    text-overflow: ellipsis;
  }

  parley-dialogs .row {
    display: flex;
    gap: 8px;
    align-items: end;
  }

  parley-dialogs .row label {
    flex: 1;
    min-width: 0;
  }

  parley-dialogs .wrong {
    color: var(--bad);
  }

  parley-dialogs .answers {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    gap: 8px;
    margin-top: 20px;
  }
`;
