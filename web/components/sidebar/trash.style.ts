import { css } from "lit";

export const trashSheet = css`
  parley-trash .hint {
    padding: 0 12px 8px;
    color: var(--muted);
    font: var(--meta);
  }

  parley-trash .issue {
    padding: 0 12px;
  }

  parley-sidebar parley-trash li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0 8px;
    align-items: center;
    padding-block: 6px;
    padding-inline: 12px 4px;
    border-radius: 10px;
  }

  parley-sidebar parley-trash li:is(:hover, :focus-within) {
    background: var(--hover);
  }

  parley-trash .gone-title {
    overflow: hidden;
    text-align: var(--begin);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  parley-trash .when {
    grid-column: 1;
    color: var(--muted);
    font: var(--meta);
  }

  parley-sidebar parley-trash li > .restore {
    position: static;
    grid-row: 1 / span 2;
    grid-column: 2;
    min-height: max(30px, var(--target));
    padding: 0 10px;
    border-radius: 8px;
    color: var(--accent);
    font-weight: 550;
  }

  parley-trash .restore:hover {
    text-decoration: underline;
    text-underline-offset: 0.18em;
  }

  parley-trash h2:focus {
    outline: none;
  }

  @media (forced-colors: active) {
    parley-sidebar parley-trash li > .restore {
      border: 1px solid ButtonText;
    }
  }
`;
