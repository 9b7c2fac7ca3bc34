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
    display: flex;
    flex-wrap: wrap;
    gap: 0 2px;
    align-items: center;
    justify-content: flex-end;
    padding-block: 6px;
    padding-inline: 12px 4px;
    border-radius: 10px;
  }

  parley-sidebar parley-trash li:is(:hover, :focus-within) {
    background: var(--hover);
  }

  parley-trash .gone-title {
    flex: 1 0 100%;
    overflow: hidden;
    text-align: var(--begin);
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  /* On a line of its own where a language needs it. */
  parley-trash .when {
    flex: 1 0 auto;
    max-width: 100%;
    color: var(--muted);
    font: var(--meta);
  }

  parley-sidebar parley-trash .restore {
    position: static;
    min-height: max(30px, var(--target));
    padding: 0 6px;
    border-radius: 8px;
    color: var(--accent);
    font-weight: 550;
  }

  parley-trash .ways {
    display: flex;
    align-items: center;
  }

  parley-sidebar parley-trash parley-delete > button {
    position: static;
    opacity: 1;
  }

  /* The question has the room of what it is about. */
  parley-sidebar parley-trash li:has(.danger) :is(.restore, .when) {
    display: none;
  }

  parley-trash .restore:hover {
    text-decoration: underline;
    text-underline-offset: 0.18em;
  }

  parley-trash h2:focus {
    outline: none;
  }

  @media (forced-colors: active) {
    parley-sidebar parley-trash .restore {
      border: 1px solid ButtonText;
    }
  }
`;
