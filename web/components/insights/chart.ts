import { html, nothing, type PropertyValues } from "lit";
import uPlot from "uplot";
import { dateTime, timeRange } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";

export interface ChartLine {
  readonly name: string;
  /** A number for each span; null where there is none. */
  readonly values: readonly (number | null)[];
  /** Of the sheet: a custom property with a colour. */
  readonly colour: "--chart-1" | "--chart-2" | "--chart-bad";
  readonly shape: "bars" | "line";
}

const HEIGHT = 190;
/** Between the names of two times, in pixels. */
const GAP = 18;

/** Lines and bars over time, and the same numbers as a table for whoever can't see them. */
class ParleyChart extends ParleyElement {
  static override readonly properties = {
    heading: { attribute: false },
    times: { attribute: false },
    lines: { attribute: false },
    format: { attribute: false },
    least: { attribute: false },
    pointed: { state: true },
  };
  declare heading: string;
  /** Where the spans begin, and where the last one ends. */
  declare times: readonly Date[];
  declare lines: readonly ChartLine[];
  declare format: (value: number) => string;
  /** The axis reaches at least so far: small numbers are not blown up. */
  declare least: number;
  /** The span that the pointer is over. */
  declare pointed: number | undefined;
  #plot: uPlot | undefined;
  #resize: ResizeObserver | undefined;
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  readonly #contrast = matchMedia("(forced-colors: active)");
  #themes: MutationObserver | undefined;
  readonly #redraw = (): void => this.#draw();

  constructor() {
    super();
    this.times = [];
    this.lines = [];
    this.least = 1;
    this.pointed = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener("change", this.#redraw);
    this.#contrast.addEventListener("change", this.#redraw);
    // Somebody chose another theme: colours of a canvas don't follow by themselves.
    this.#themes = new MutationObserver(this.#redraw);
    this.#themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scheme.removeEventListener("change", this.#redraw);
    this.#contrast.removeEventListener("change", this.#redraw);
    this.#themes?.disconnect();
    this.#resize?.disconnect();
    this.#resize = undefined;
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  protected override render(): unknown {
    return html`<figure class="chart">
      <figcaption>
        <h2>${this.heading}</h2>
        <ul class="legend">
          ${this.lines.map(
            (line) =>
              html`<li>
                <span class="key ${line.colour.slice(2)} ${line.shape}"></span>${line.name}
                <b>${this.#shown(line)}</b>
              </li>`,
          )}
        </ul>
      </figcaption>
      ${
        this.lines.some(({ values }) => values.some(Boolean))
          ? html`<div class="plot" dir="ltr" aria-hidden="true"></div>
              <p class="when" aria-hidden="true">
                ${this.pointed === undefined ? nothing : this.#spanText(this.pointed)}
              </p>
              ${this.#table()}`
          : html`<p class="nothing">${text().insights.none}</p>`
      }
    </figure>`;
  }

  /** What it is where the pointer is. */
  #shown({ values }: ChartLine): string {
    const value = this.pointed === undefined ? undefined : values[this.pointed];
    return value === undefined || value === null ? "" : this.format(value);
  }

  #spanText(index: number): string {
    const [from, to] = [this.times[index], this.times[index + 1]];
    if (from === undefined || to === undefined) return "";
    const hours = (to.getTime() - from.getTime()) / 3_600_000;
    if (hours > 20) return dateTime(from, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
    const options = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
    // Until a minute before: it ends on its own day.
    return hours < 2 ? dateTime(from, options) : timeRange(from, new Date(to.getTime() - 60_000), options);
  }

  /** Spans in which nothing was counted are left out. */
  #table(): unknown {
    const spans = this.times.slice(0, -1).flatMap((_, i) => (this.lines.some(({ values }) => values[i]) ? [i] : []));
    return html`<details>
      <summary>${text().insights.asTable}<span class="hidden-visually">: ${this.heading}</span></summary>
      <div class="scrolls" tabindex="0" role="group" aria-label=${this.heading}>
        <table>
          <thead>
            <tr>
              <th scope="col">${text().insights.time}</th>
              ${this.lines.map(({ name }) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${spans.map(
              (i) =>
                html`<tr>
                  <th scope="row">${this.#spanText(i)}</th>
                  ${this.lines.map(({ values }) => html`<td>${this.#cell(values[i])}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  #cell(value: number | null | undefined): string {
    return value === null || value === undefined ? "–" : this.format(value);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("times") || changed.has("lines") || changed.has("format")) this.#draw();
  }

  #draw(): void {
    const place = this.querySelector<HTMLElement>(".plot");
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#resize?.disconnect();
    if (place === null) return;
    // In the middle of its span, so that a bar stands between the two times that it is of.
    const bounds = this.times.map((time) => time.getTime() / 1000);
    const times = bounds.slice(0, -1).map((from, i) => (from + (bounds[i + 1] ?? from)) / 2);
    this.#plot = new uPlot(
      this.#options(place.clientWidth),
      [times, ...this.lines.map(({ values }) => [...values])],
      place,
    );
    this.#resize = new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
    this.#resize.observe(place);
  }

  #options(width: number): uPlot.Options {
    const style = getComputedStyle(this);
    // A probe: a custom property is text, and only a used colour is one that a canvas takes everywhere.
    const probe = document.createElement("span");
    this.append(probe);
    const colour = (name: string): string => {
      probe.className = `probe ${name.slice(2)}`;
      return getComputedStyle(probe).color;
    };
    const [ink, line] = [colour("--chart-ink"), colour("--chart-line")];
    const series = this.lines.map((each): uPlot.Series => {
      const stroke = colour(each.colour);
      const bars = uPlot.paths.bars?.({ size: [0.7, 28], radius: 0.2 });
      return each.shape === "bars" && bars !== undefined
        ? { stroke, fill: stroke, width: 0, paths: bars, points: { show: false } }
        : { stroke, width: 2, points: { show: true, filter: alone, size: 5, fill: stroke }, spanGaps: false };
    });
    probe.remove();
    const font = `12px ${style.fontFamily}`;
    const widest = widestOf(
      this.times.map((time) => this.#tick(time.getTime() / 1000)),
      font,
    );
    const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    return {
      width,
      height: HEIGHT,
      padding: [10, 26, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { range: () => [this.#second(0), this.#second(-1)] },
        y: { range: (_, __, max) => [0, Math.max(max * 1.1, this.least)] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          space: widest + GAP,
          grid: { show: false },
          values: (_, splits) => splits.map((split) => this.#tick(split)),
        },
        { ...axis, size: 62, values: (_, splits) => splits.map((split) => this.format(split)) },
      ],
      series: [{}, ...series],
      hooks: { setCursor: [({ cursor }) => (this.pointed = cursor.idx ?? undefined)] },
    };
  }

  #second(index: number): number {
    return (this.times.at(index)?.getTime() ?? 0) / 1000;
  }

  #tick(seconds: number): string {
    const at = new Date(seconds * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return midnight
      ? dateTime(at, { day: "numeric", month: "short" })
      : dateTime(at, { hour: "2-digit", minute: "2-digit" });
  }
}

/** Points that no line leads to. */
function alone(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const is = (at: number): boolean => values[at] !== null && values[at] !== undefined;
  return [...values.keys()].filter((at) => is(at) && !is(at - 1) && !is(at + 1));
}

/** In pixels. Dates are long in some languages. */
function widestOf(texts: readonly string[], font: string): number {
  const canvas = document.createElement("canvas").getContext("2d");
  if (canvas === null) return 0;
  canvas.font = font;
  return Math.max(...texts.map((each) => canvas.measureText(each).width));
}

define("parley-chart", ParleyChart);
