import { html, nothing } from "lit";
import { ref } from "lit/directives/ref.js";
import type { Run, Step } from "../../../src/protocol/shapes.ts";
import type { RunInspection } from "../../store/run-inspection.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { errorText } from "../../text/error-text.ts";
import { dateTime, number } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { usageRows, usageText } from "../message/usage-text.ts";
import "./copy-json.ts";

/** What `run.get` lists at most. */
const LISTED = 200;

/** A run: what became of it, what it took, its plan, and its steps over time. */
class ParleyRunView extends ParleyElement {
  static override readonly properties = {
    inspection: { attribute: false },
    message: { attribute: false },
  };
  declare inspection: RunInspection;
  /** Its answer, if the page has it. */
  declare message: MessageView | undefined;

  protected override render(): unknown {
    const state = this.inspection.state.value;
    const words = text().inspector;
    switch (state.kind) {
      case "loading":
        return html`<p class="hint" role="status">${words.loading}</p>`;
      case "failed":
        return html`<div class="hint" role="alert">
          <p>${words.failed} ${errorText(state.error)}</p>
          <button class="button" @click=${() => this.inspection.read()}>${text().common.tryAgain}</button>
        </div>`;
      case "ready":
        return this.#run(state.run, state.steps);
    }
  }

  #run(run: Run, steps: readonly Step[]): unknown {
    const words = text().inspector;
    const rows: readonly (readonly [string, unknown])[] = [
      [words.status, words.statuses[run.status]],
      [words.model, html`<bdi>${run.model}</bdi>`],
      [words.attempts, number(run.attempt)],
      [words.started, run.startedAt === null ? "–" : timeOf(run.startedAt)],
      [words.took, run.startedAt === null ? "–" : tookText(span(run.startedAt, run.finishedAt))],
    ];
    return html`
      <dl class="facts">
        ${rows.map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>
      ${
        run.error === null
          ? nothing
          : html`<p class="wrong">
              ${icons.alert("small")}<span>${errorText(run.error)} <code>${run.error.code}</code></span>
            </p>`
      }
      ${this.message?.plan.value === undefined ? nothing : html`<parley-plan .message=${this.message}></parley-plan>`}
      <h3>${words.usage}</h3>
      <dl class="facts">
        ${usageRows(run.usage).map(
          ([name, value, part]) =>
            html`<div class=${part ? "part" : ""}>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>
      <h3>${words.steps}</h3>
      ${steps.length === 0 ? html`<p class="hint">${words.noSteps}</p>` : this.#timeline(steps)}
      ${steps.length < LISTED ? nothing : html`<p class="hint">${words.stepsCut}</p>`}
      <div class="tools"><parley-copy-json .value=${() => ({ run, steps })}></parley-copy-json></div>
    `;
  }

  #timeline(steps: readonly Step[]): unknown {
    const from = Math.min(...steps.map(({ startedAt }) => Date.parse(startedAt)));
    const to = Math.max(...steps.map(({ startedAt, finishedAt }) => Date.parse(finishedAt ?? startedAt)), from + 1);
    return html`<ol class="steps">
      ${steps.map((step) => this.#step(step, from, to - from))}
    </ol>`;
  }

  #step(step: Step, from: number, length: number): unknown {
    const words = text().inspector;
    const after = Date.parse(step.startedAt) - from;
    const took = span(step.startedAt, step.finishedAt);
    const usage = usageText(step.usage);
    const bad = step.status === "failed";
    return html`<li class=${step.status}>
      <div class="line">
        <span class="name"
          >${step.kind === "model" ? icons.thought("small") : icons.wrench("small")}<span class="hidden-visually"
            >${words.kinds[step.kind]}</span
          ><bdi>${step.name}</bdi></span
        ><span class="took">${step.finishedAt === null ? text().tool.statuses.running : tookText(took)}</span>
      </div>
      <div class="track" aria-hidden="true">
        <span
          ${ref((bar) => place(bar, after / length, step.finishedAt === null ? 1 - after / length : took / length))}
        ></span>
      </div>
      <p class="note">
        ${bad ? html`<span class="bad">${text().tool.statuses.failed}</span> · ` : nothing}${
          step.status === "stopped" ? html`${text().tool.statuses.stopped} · ` : nothing
        }${words.at(tookText(after), tookText(took))}${step.attempt > 1 ? ` · ${words.attempt(step.attempt)}` : ""}${
          usage === undefined ? "" : ` · ${usage}`
        }
      </p>
    </li>`;
  }
}

/** Where a bar stands in its track: parts of the whole time. A policy forbids style attributes, so by its properties. */
function place(bar: Element | undefined, start: number, length: number): void {
  if (!(bar instanceof HTMLElement)) return;
  bar.style.setProperty("inset-inline-start", `${Math.min(start, 1) * 100}%`);
  bar.style.setProperty("inline-size", `${Math.max(0, Math.min(length, 1 - start)) * 100}%`);
}

const span = (from: string, to: string | null): number =>
  Math.max(0, (to === null ? Date.now() : Date.parse(to)) - Date.parse(from));

const timeOf = (time: string): string => dateTime(new Date(time), { dateStyle: "medium", timeStyle: "medium" });

/** "240 ms", "1.2 s": what takes long is told in seconds too, as times stand beside each other here. */
const tookText = (ms: number): string =>
  ms < 1_000
    ? `${number(ms, { maximumFractionDigits: 0 })}\u00a0${text().insights.ms}`
    : text().insights.seconds(number(ms / 1_000, { maximumFractionDigits: ms < 10_000 ? 2 : 1 }));

define("parley-run-view", ParleyRunView);
