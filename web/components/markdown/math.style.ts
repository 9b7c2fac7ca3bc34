import { css } from "lit";

export const mathSheet = css`
  .tex {
    font: var(--code);
    font-size: 0.875em;
    line-height: inherit;
    white-space: pre-wrap;
  }

  .tex.display {
    display: block;
  }

  /* Nothing that a formula asks for is drawn outside of its line. */
  parley-math {
    max-width: 100%;
    overflow-wrap: normal;
  }

  .formula {
    display: block;
    max-width: 100%;
    padding-block: 6px;
    overflow-x: auto;
    overflow-y: hidden;
    scrollbar-width: thin;
  }

  .formula:focus-visible {
    outline-offset: -2px;
    border-radius: 6px;
  }

  parley-math math {
    font-size: 1.06em;
  }

  parley-math math[display="block"] {
    min-width: max-content;
    padding-inline: 2px;
  }

  parley-math mtd {
    padding: 0.16em 0.5em;
  }

  parley-math mtd.tight {
    padding-inline: 0;
  }

  parley-math mtd.to-left {
    text-align: -webkit-left;
    text-align: left;
  }

  parley-math mtd.to-right {
    text-align: -webkit-right;
    text-align: right;
  }

  parley-math .draw-box {
    padding: 0.2em 0.3em;
    border: 1px solid currentcolor;
  }

  parley-math .draw-top {
    border-top: 1px solid currentcolor;
  }

  parley-math .draw-bottom {
    border-bottom: 1px solid currentcolor;
  }

  parley-math .draw-left {
    border-left: 1px solid currentcolor;
  }

  parley-math .draw-right {
    border-right: 1px solid currentcolor;
  }

  parley-math :is(.draw-updiagonalstrike, .draw-horizontalstrike, .draw-downdiagonalstrike) {
    background: linear-gradient(currentcolor, currentcolor) center / 100% 1px no-repeat;
  }
`;
