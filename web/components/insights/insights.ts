/** The insights page: what the whole tenant asked, what it took and how well it went, for its owner. Fetched on demand. */
import { html, nothing } from "lit";
import type { Client } from "../../../src/client/client.ts";
import type { Insights } from "../../../src/protocol/methods/insights.ts";
import { InsightsStore, type Range, RANGES } from "../../store/insights.ts";
import { errorText } from "../../text/error-text.ts";
import { number } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { costText, countText } from "../message/usage-text.ts";
import type { ChartLine } from "./chart.ts";
import { insightsSheet } from "./insights.style.ts";
import "./chart.ts";

/** "240 ms", "1.2 s", "3 min". */
function tookText(ms: number): string {
  if (ms < 1_000) return `${number(ms, { maximumFractionDigits: 0 })}\u00a0${text().insights.ms}`;
  if (ms < 60_000) return text().insights.seconds(number(ms / 1_000, { maximumFractionDigits: ms < 10_000 ? 1 : 0 }));
  return text().insights.minutes(number(ms / 60_000, { maximumFractionDigits: 1 }));
}
/** In millionths of a dollar. */
const CENT = 10_000;
const money = (micros: number): string => costText(micros) ?? "$0";
const counted = (value: number): string => countText(Math.round(value));
const orNone = (value: number | null, format: (value: number) => string): string =>
  value === null ? "–" : format(value);

class ParleyInsights extends ParleyElement {
  static override readonly sheets = [insightsSheet];
  static override readonly properties = { client: { attribute: false } };
  declare client: Client;
  #store: InsightsStore | undefined;

  protected override willUpdate(): void {
    if (this.#store !== undefined) return;
    this.#store = new InsightsStore(this.client);
    this.#store.load();
  }

  protected override render(): unknown {
    const store = this.#store;
    if (store === undefined) return nothing;
    const words = text().insights;
    return html`<div class="insights">
      <header>
        <div>
          <h1>${words.title}</h1>
          <p>${words.what}</p>
        </div>
        <fieldset>
          <legend class="hidden-visually">${words.range}</legend>
          ${RANGES.map((range) => this.#choice(store, range))}
        </fieldset>
      </header>
      ${this.#content(store)}
    </div>`;
  }

  #choice(store: InsightsStore, range: Range): unknown {
    return html`<label>
      <input
        type="radio"
        name="insights-range"
        .checked=${store.range.value === range}
        @change=${() => store.choose(range)}
      /><span>${text().insights.ranges[range]}</span>
    </label>`;
  }

  #content(store: InsightsStore): unknown {
    const state = store.state.value;
    const words = text().insights;
    switch (state.kind) {
      case "loading":
        return html`<p class="quiet" role="status">${words.loading}</p>`;
      case "failed":
        return html`<div class="problem" role="alert">
          ${icons.alert()}
          <p>${state.error.code === "FORBIDDEN" ? words.forbidden : errorText(state.error)}</p>
          ${
            state.error.code === "FORBIDDEN"
              ? nothing
              : html`<button class="button" @click=${() => store.load()}>${text().common.tryAgain}</button>`
          }
        </div>`;
      case "ready":
        return state.insights.totals.runs === 0 && state.insights.totals.calls === 0
          ? html`<div class="problem">
              ${icons.clock()}
              <h2>${words.empty}</h2>
              <p>${words.emptyWhy}</p>
            </div>`
          : html`${this.#tiles(state.insights)} ${this.#charts(state.insights, state.times)}
            ${this.#tables(state.insights)}`;
    }
  }

  #tiles({ totals }: Insights): unknown {
    const words = text().insights;
    const tiles: readonly (readonly [string, string, string])[] = [
      [words.answers, number(totals.runs), words.ofPeople(totals.people)],
      [words.failed, number(totals.failed), totals.runs === 0 ? "" : words.ofAll(totals.failed / totals.runs)],
      [words.tokens, counted(totals.inputTokens + totals.outputTokens), words.written(counted(totals.outputTokens))],
      [words.cost, money(totals.costMicros), words.calls(totals.calls)],
      [
        words.firstToken,
        orNone(totals.firstToken.p50, tookText),
        words.slowest(orNone(totals.firstToken.p95, tookText)),
      ],
      [words.answerTime, orNone(totals.answer.p50, tookText), words.slowest(orNone(totals.answer.p95, tookText))],
    ];
    return html`<dl class="tiles">
      ${tiles.map(
        ([name, value, note]) =>
          html`<div>
            <dt>${name}</dt>
            <dd><strong>${value}</strong><span>${note}</span></dd>
          </div>`,
      )}
    </dl>`;
  }

  #charts({ series }: Insights, times: readonly Date[]): unknown {
    const words = text().insights;
    const chart = (
      heading: string,
      format: (value: number) => string,
      least: number,
      lines: readonly ChartLine[],
    ): unknown =>
      html`<parley-chart
        .heading=${heading}
        .times=${times}
        .format=${format}
        .least=${least}
        .lines=${lines}
      ></parley-chart>`;
    return html`<div class="charts">
      ${chart(words.answers, counted, 4, [
        { name: words.asked, values: series.runs, colour: "--chart-1", shape: "bars" },
        { name: words.failed, values: series.failed, colour: "--chart-bad", shape: "bars" },
      ])}
      ${chart(words.tokens, counted, 100, [
        { name: words.read, values: series.inputTokens, colour: "--chart-1", shape: "line" },
        { name: words.writtenName, values: series.outputTokens, colour: "--chart-2", shape: "line" },
      ])}
      ${chart(words.cost, money, CENT, [{ name: words.cost, values: series.costMicros, colour: "--chart-1", shape: "bars" }])}
      ${chart(words.firstToken, tookText, 100, [
        { name: words.half, values: series.firstTokenP50, colour: "--chart-1", shape: "line" },
        { name: words.most, values: series.firstTokenP95, colour: "--chart-2", shape: "line" },
      ])}
      ${chart(words.answerTime, tookText, 100, [
        { name: words.half, values: series.answerP50, colour: "--chart-1", shape: "line" },
        { name: words.most, values: series.answerP95, colour: "--chart-2", shape: "line" },
      ])}
    </div>`;
  }

  #tables({ models, tools, errors }: Insights): unknown {
    const words = text().insights;
    return html`<div class="tables">
      ${table(
        words.models,
        [words.model, words.callsName, words.tokens, words.cost, words.firstToken],
        models.map((each) => [
          each.model,
          number(each.calls),
          counted(each.inputTokens + each.outputTokens),
          money(each.costMicros),
          orNone(each.firstTokenP50, tookText),
        ]),
      )}
      ${table(
        words.tools,
        [words.tool, words.callsName, words.failed, words.time],
        tools.map((each) => [each.name, number(each.calls), number(each.failed), orNone(each.durationP50, tookText)]),
      )}
      ${table(
        words.errors,
        [words.error, words.count],
        errors.map(({ code, count }) => [code === "" ? words.unknown : code, number(count)]),
      )}
    </div>`;
  }
}

function table(heading: string, columns: readonly string[], rows: readonly (readonly string[])[]): unknown {
  return html`<section>
    <h2>${heading}</h2>
    ${
      rows.length === 0
        ? html`<p class="quiet">${text().insights.none}</p>`
        : html`<div class="scrolls" tabindex="0" role="group" aria-label=${heading}>
            <table>
              <thead>
                <tr>
                  ${columns.map((column) => html`<th scope="col">${column}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${rows.map(
                  ([name, ...values]) =>
                    html`<tr>
                      <th scope="row"><bdi>${name}</bdi></th>
                      ${values.map((value) => html`<td>${value}</td>`)}
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

define("parley-insights", ParleyInsights);
