import { css } from "lit";

export const shortcutsSheet = css`
  .shortcuts h3 {
    padding-block: 14px 4px;
    color: var(--muted);
    font: var(--meta);
  }

  .shortcuts dl {
    margin: 0;
  }

  .shortcuts dl > div {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 20px;
    min-height: 38px;
    border-bottom: 1px solid var(--line);
  }

  .shortcuts dl > div:last-child {
    border-bottom: 0;
  }

  .shortcuts dd {
    display: flex;
    flex: none;
    max-width: 65%;
    flex-wrap: wrap;
    justify-content: flex-end;
    gap: 10px;
    margin: 0;
    padding-block: 4px;
  }

  .shortcuts .hint {
    padding-top: 12px;
    color: var(--muted);
    font: var(--meta);
  }
`;
