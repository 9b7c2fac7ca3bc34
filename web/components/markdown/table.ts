import { html } from "lit";
import { guard } from "lit/directives/guard.js";
import type { Tokens } from "marked";
import { whenIdle } from "../../markdown/idle.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { tableSheet } from "./table.style.ts";

/** Rows that are looked at, and laid out, together: those that did not change or are off the screen are skipped. */
const GROUP = 20;
/** So many rows are shown at once; those of a longer table follow when the page is idle. */
const FIRST = 40;
const MORE = 20;
/** From here on all columns are as wide as each other: else each new row is measured with all before. */
const LONG = 200;

type Row = readonly Tokens.TableCell[];

const hasFormula = (row: Row): boolean => row.some(({ text: written }) => /[$\\]/.test(written));

/** A table that scrolls in both directions and keeps its heading. Its roles are said: a long one is laid out as blocks. */
class ParleyTable extends ParleyElement {
  static override readonly sheets = [tableSheet];
  static override readonly properties = {
    header: { attribute: false },
    rows: { attribute: false },
    cell: { attribute: false },
    settled: { attribute: false },
    shown: { state: true },
    finished: { state: true },
  };
  declare header: Row;
  declare rows: readonly Row[];
  /** What stands in a cell. */
  declare cell: (cell: Tokens.TableCell) => unknown;
  declare settled: boolean;
  declare shown: number;
  /** Of a table that will not change any more, the formulas of so many rows are set. */
  declare finished: number;
  #cancel: (() => void) | undefined;
  /** By the first row of a group: whether formulas stand in it, as long as its last row is this one. */
  readonly #formulas = new Map<number, { readonly last: Row | undefined; readonly some: boolean }>();
  /** The first rows of groups that were shown before all of their rows were there. */
  readonly #grown = new Set<number>();

  constructor() {
    super();
    this.header = [];
    this.rows = [];
    this.settled = false;
    this.shown = FIRST;
    this.finished = FIRST;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  protected override render(): unknown {
    return html`<div class="table" tabindex="0" role="group" aria-label=${text().code.table}>
      <table class=${this.rows.length > LONG ? "long" : ""} role="table">
        <thead role="rowgroup">
          <tr role="row">
            ${guard([this.header, this.settled], () =>
              this.header.map(
                (item) => html`<th scope="col" role="columnheader" class=${item.align ?? ""}>${this.cell(item)}</th>`,
              ),
            )}
          </tr>
        </thead>
        ${this.#groups()}
      </table>
    </div>`;
  }

  #groups(): unknown {
    const groups: unknown[] = [];
    const end = Math.min(this.rows.length, this.shown);
    for (let from = 0; from < end; from += GROUP) {
      const rows = this.rows.slice(from, Math.min(from + GROUP, end));
      // Whether it is finished is seen only where there are formulas: thousands of cells are not looked at again for it.
      const settled = this.settled && from < this.finished && this.#withFormulas(from, rows);
      const shown = guard([settled, rows.length, rows[0], rows.at(-1)], () => this.#group(from, rows));
      const growing = !this.settled && from + GROUP >= end;
      groups.push(
        html`<tbody role="rowgroup" class=${growing ? "growing" : ""}>
          ${shown}
        </tbody>`,
      );
    }
    return groups;
  }

  /** Of the group that begins with row `from`. */
  #withFormulas(from: number, rows: readonly Row[]): boolean {
    const last = rows.at(-1);
    const known = this.#formulas.get(from);
    if (known !== undefined && known.last === last) return known.some;
    const some = rows.some(hasFormula);
    this.#formulas.set(from, { last, some });
    return some;
  }

  /** Rows of words that come all at once are made without templates, which cost a long table most of its time. */
  #group(from: number, rows: readonly Row[]): unknown {
    const cells = rows.length < GROUP || this.#grown.has(from) ? undefined : rows.map((row) => row.map(this.cell));
    if (cells?.every((row) => row.every((content) => typeof content === "string")) === true) {
      const group = document.createDocumentFragment();
      rows.forEach((row, i) => group.append(rowElement(row, cells[i] as readonly string[])));
      return group;
    }
    this.#grown.add(from);
    return rows.map((row) => this.#row(row));
  }

  #row(row: Row): unknown {
    return html`<tr role="row">
      ${row.map((item) => html`<td role="cell" class=${item.align ?? ""}>${this.cell(item)}</td>`)}
    </tr>`;
  }

  protected override updated(): void {
    if (this.rows.length > LONG)
      this.querySelector("table")?.style.setProperty("--columns", String(this.header.length));
    const finished = this.settled ? this.finished : Infinity;
    if (Math.min(this.shown, finished) >= this.rows.length || this.#cancel !== undefined) return;
    this.#cancel = whenIdle(() => {
      this.shown += MORE;
      if (this.settled) this.finished += MORE;
      this.performUpdate();
      const more = Math.min(this.shown, this.settled ? this.finished : Infinity) < this.rows.length;
      if (!more) this.#cancel = undefined;
      return more;
    });
  }
}

function rowElement(row: Row, cells: readonly string[]): HTMLTableRowElement {
  const element = document.createElement("tr");
  element.setAttribute("role", "row");
  row.forEach(({ align }, i) => {
    const cell = document.createElement("td");
    cell.setAttribute("role", "cell");
    if (align !== null) cell.className = align;
    cell.textContent = cells[i] ?? "";
    element.append(cell);
  });
  return element;
}

define("parley-table", ParleyTable);
