import { css } from "lit";

export const tableSheet = css`
  parley-table {
    display: block;
  }

  .markdown .table {
    max-width: 100%;
    max-height: min(640px, 80dvh);
    overflow: auto;
    border: 1px solid var(--line);
    border-radius: 12px;
  }

  .markdown table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
    font-size: 0.9375rem;
    line-height: 1.5;
    overflow-wrap: normal;
  }

  /* Of a long one, only the rows on the screen are laid out: for that all columns have one width, and no cell another. */
  .markdown table.long {
    display: block;
    width: max(100%, var(--columns) * 120px);
  }

  .markdown table.long :is(thead, tbody) {
    display: block;
  }

  /* One box that sticks costs less than one in each column. */
  .markdown thead {
    position: sticky;
    z-index: 1;
    top: 0;
  }

  .markdown table.long tbody:not(.growing) {
    content-visibility: auto;
    contain-intrinsic-size: auto 820px;
  }

  .markdown table.long tr {
    display: grid;
    grid-auto-columns: minmax(0, 1fr);
    grid-auto-flow: column;
  }

  .markdown table.long :is(th, td) {
    overflow-wrap: anywhere;
  }

  .markdown :is(th, td) {
    padding: 9px 14px;
    text-align: start;
    vertical-align: top;
  }

  .markdown th {
    background: var(--surface);
    font-size: 0.875rem;
    font-weight: 550;
    white-space: nowrap;
  }

  .markdown table.long th {
    white-space: normal;
  }

  .markdown td {
    border-top: 1px solid var(--line);
  }

  .markdown :is(th, td).right {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }

  .markdown :is(th, td).center {
    text-align: center;
  }
`;
