import { css } from "lit";

export const presenceSheet = css`
  parley-presence {
    flex: none;
    max-width: 50%;
    min-width: 0;
  }

  .presence {
    display: flex;
    align-items: center;
    gap: 7px;
    padding-inline: 8px;
    color: var(--muted);
    font: var(--meta);
  }

  .presence .who {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .presence .icon {
    color: var(--accent);
  }

  /* Below the title, which needs the line. */
  @media (max-width: 767px) {
    parley-presence {
      max-width: 100%;
    }

    .presence {
      justify-content: center;
      padding-inline: 0;
    }

    .presence .who {
      white-space: normal;
    }
  }
`;
