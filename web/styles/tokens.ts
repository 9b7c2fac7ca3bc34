import { css } from "lit";

/**
 * Colours, sizes and motion. Names say what a value is for. Text on every ground it may stand on has a contrast of at
 * least 4.5 : 1, in both schemes. What a page of another site may set is read from a `--parley-` name.
 */
export const tokens = css`
  :root,
  :host {
    color-scheme: light dark;

    --ground: var(--parley-ground, light-dark(oklch(0.985 0.003 80), oklch(0.17 0.006 80)));
    --surface: var(--parley-surface, light-dark(oklch(0.965 0.004 80), oklch(0.21 0.007 80)));
    --raised: var(--parley-raised, light-dark(oklch(1 0 0), oklch(0.225 0.007 80)));
    --hover: light-dark(oklch(0.94 0.005 80), oklch(0.255 0.008 80));
    --line: var(--parley-line, light-dark(oklch(0.905 0.006 80), oklch(0.29 0.008 80)));
    --line-strong: light-dark(oklch(0.82 0.008 80), oklch(0.38 0.01 80));
    --text: var(--parley-text, light-dark(oklch(0.22 0.01 80), oklch(0.93 0.005 80)));
    --muted: var(--parley-muted, light-dark(oklch(0.47 0.012 80), oklch(0.7 0.01 80)));
    --accent: var(--parley-accent, light-dark(oklch(0.52 0.13 255), oklch(0.74 0.12 255)));
    --accent-hover: color-mix(in oklab, var(--accent) 86%, var(--text));
    --on-accent: var(--parley-on-accent, light-dark(oklch(0.99 0.002 255), oklch(0.18 0.03 255)));
    --bad: light-dark(oklch(0.5 0.16 27), oklch(0.76 0.12 25));
    --bad-ground: light-dark(oklch(0.965 0.014 27), oklch(0.215 0.018 25));
    --wait: light-dark(oklch(0.48 0.09 70), oklch(0.82 0.1 80));
    --wait-ground: light-dark(oklch(0.965 0.022 85), oklch(0.225 0.018 80));
    --shadow: 0 4px 24px light-dark(oklch(0.3 0.02 80 / 0.07), oklch(0 0 0 / 0.32));
    --shadow-menu: 0 8px 32px light-dark(oklch(0.3 0.02 80 / 0.14), oklch(0 0 0 / 0.48));

    --sans: var(--parley-sans, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
    --mono: var(--parley-mono, ui-monospace, "SF Mono", "Cascadia Code", "Segoe UI Mono", Menlo, Consolas, monospace);
    --read: 400 1rem/1.6 var(--sans);
    --control: 400 0.875rem/1.4 var(--sans);
    --meta: 400 0.78125rem/1.4 var(--sans);
    --code: 400 0.84375rem/1.55 var(--mono);

    --column: var(--parley-column, 720px);
    --sidebar: 260px;
    --target: 32px;
    --target-small: 28px;
    --target-link: 24px;
    --quick: 120ms;
    /* 1 from the left to the right, -1 the other way; a length along the line is multiplied with it. */
    --forward: 1;
    /* Where a line of the page begins, for texts that have a direction of their own. */
    --begin: left;
  }

  :root:dir(rtl),
  :host(:dir(rtl)),
  .embed:dir(rtl) {
    --forward: -1;
    --begin: right;
  }

  /* On a page that runs the other way. */
  .embed:dir(ltr) {
    --forward: 1;
    --begin: left;
  }

  :root[data-theme="light"] {
    color-scheme: light;
  }

  :root[data-theme="dark"] {
    color-scheme: dark;
  }

  @media (pointer: coarse) {
    :root,
    :host {
      --target: 44px;
      --target-small: 44px;
      --target-link: 44px;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    :root,
    :host {
      --quick: 0ms;
    }
  }
`;
