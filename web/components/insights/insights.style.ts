import { css } from "lit";

/** The rules at the end are those of uPlot (MIT, © Leon Sorokin) that its parts used here need. */
export const insightsSheet = css`
  parley-insights {
    display: block;
    min-height: 0;
    overflow-y: auto;
    scrollbar-width: thin;

    --chart-1: var(--accent);
    --chart-2: light-dark(oklch(0.6 0.13 60), oklch(0.78 0.12 75));
    --chart-bad: var(--bad);
  }

  .insights {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 24px;
    max-width: 1080px;
    margin-inline: auto;
    padding: 8px 24px 48px;
    font: var(--control);
  }

  .insights > header {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    justify-content: space-between;
    gap: 16px;
  }

  .insights h1 {
    font: var(--read);
    font-size: 1.375rem;
    font-weight: 650;
  }

  .insights h2 {
    margin-bottom: 8px;
    font: var(--read);
    font-weight: 650;
  }

  .insights figcaption h2 {
    margin: 0;
    font: var(--control);
    font-weight: 650;
  }

  .insights header p,
  .insights .quiet {
    color: var(--muted);
  }

  .insights fieldset {
    display: flex;
    flex-wrap: wrap;
    gap: 2px;
    min-width: 0;
    max-width: 100%;
    margin: 0;
    padding: 3px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--surface);
  }

  .insights fieldset label {
    position: relative;
    display: grid;
    place-items: center;
    min-height: var(--target);
    padding: 0 12px;
    border-radius: 9px;
    color: var(--muted);
    cursor: pointer;
  }

  .insights fieldset label:hover {
    color: var(--text);
  }

  .insights fieldset label:has(:checked) {
    background: var(--raised);
    box-shadow: 0 0 0 1px var(--line);
    color: var(--text);
    font-weight: 550;
  }

  .insights fieldset label:has(:focus-visible) {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }

  .insights fieldset input {
    position: absolute;
    inset: 0;
    opacity: 0;
    cursor: pointer;
  }

  .insights .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
    gap: 12px;
    margin: 0;
  }

  .insights .tiles > div,
  .insights .chart {
    margin: 0;
    padding: 14px 16px;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--raised);
  }

  .insights dt,
  .insights dd span {
    color: var(--muted);
    font: var(--meta);
  }

  .insights dd {
    margin: 0;
  }

  .insights dd strong {
    display: block;
    font-size: 1.375rem;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
    line-height: 1.5;
  }

  .insights .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
    gap: 12px;
  }

  .insights .tables {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr));
    gap: 24px 16px;
  }

  .insights .chart {
    min-width: 0;
    height: 100%;
  }

  .insights .charts > :first-child {
    grid-column: 1 / -1;
  }

  .insights figcaption {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    justify-content: space-between;
    gap: 4px 16px;
    margin-bottom: 8px;
  }

  .insights .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 14px;
    padding: 0;
    color: var(--muted);
    font: var(--meta);
    list-style: none;
  }

  .insights .legend b {
    color: var(--text);
    font-weight: 550;
    font-variant-numeric: tabular-nums;
  }

  .insights .key {
    display: inline-block;
    width: 10px;
    height: 10px;
    margin-inline-end: 5px;
    border-radius: 3px;
    background: currentcolor;
    forced-color-adjust: none;
  }

  .insights .key.line {
    height: 3px;
    vertical-align: 3px;
  }

  .insights .chart-1 {
    color: var(--chart-1);
  }

  .insights .chart-2 {
    color: var(--chart-2);
  }

  .insights .chart-bad {
    color: var(--chart-bad);
  }

  /* What the canvas is drawn with is what the legend shows. */
  .insights :is(.chart-1, .chart-2, .chart-bad) {
    forced-color-adjust: none;
  }

  .insights .chart-ink {
    color: var(--muted);
  }

  .insights .chart-line {
    color: var(--line);
  }

  .insights .plot {
    min-height: 190px;
    overflow: hidden;
  }

  .insights .nothing {
    display: grid;
    place-content: center;
    min-height: 190px;
    color: var(--muted);
  }

  .insights .when {
    min-height: 1.4em;
    color: var(--muted);
    font: var(--meta);
    text-align: center;
  }

  .insights details summary {
    width: fit-content;
    min-height: var(--target-link);
    padding: 2px 4px;
    border-radius: 6px;
    color: var(--muted);
    font: var(--meta);
    cursor: pointer;
  }

  .insights .scrolls {
    max-height: 320px;
    overflow: auto;
    scrollbar-width: thin;
    border: 1px solid var(--line);
    border-radius: 12px;
  }

  .insights details .scrolls {
    margin-top: 6px;
  }

  .insights table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
    font: var(--control);
  }

  .insights :is(th, td) {
    padding: 7px 12px;
    font-weight: 400;
    text-align: end;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }

  .insights :is(th, td):first-child {
    text-align: start;
    overflow-wrap: anywhere;
    white-space: normal;
  }

  .insights thead th {
    position: sticky;
    top: 0;
    background: var(--surface);
    color: var(--muted);
    font: var(--meta);
  }

  .insights tbody :is(th, td) {
    border-top: 1px solid var(--line);
  }

  .insights .problem {
    display: grid;
    justify-items: center;
    gap: 8px;
    padding: 64px 16px;
    color: var(--muted);
    text-align: center;
  }

  .insights .problem h2 {
    margin: 0;
    color: var(--text);
  }

  @media (forced-colors: active) {
    .insights fieldset label:has(:checked) {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }

  @media (max-width: 767px) {
    .insights {
      padding: 8px 16px 32px;
    }
  }

  @media (max-width: 359px) {
    .insights fieldset {
      display: grid;
      grid-template-columns: 1fr 1fr;
      width: 100%;
    }
  }

  .u-wrap {
    position: relative;
    user-select: none;
  }

  .u-over,
  .u-under,
  .u-axis,
  .u-select {
    position: absolute;
  }

  .u-select {
    pointer-events: none;
  }

  .u-under {
    overflow: hidden;
  }

  .uplot canvas {
    display: block;
    position: relative;
    width: 100%;
    height: 100%;
  }

  .u-cursor-x,
  .u-cursor-y {
    position: absolute;
    top: 0;
    left: 0;
    pointer-events: none;
  }

  .u-hz .u-cursor-x {
    height: 100%;
    border-inline-end: 1px dashed var(--line-strong);
  }

  .u-axis.u-off,
  .u-select.u-off,
  .u-cursor-x.u-off,
  .u-cursor-y.u-off {
    display: none;
  }
`;
