import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { PlanTask } from "../../../src/protocol/shapes.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { planSheet } from "./plan.style.ts";

const ICONS = {
  pending: icons.circle,
  running: icons.current,
  completed: icons.done,
  /** What was being done when the answer ended. */
  left: icons.circle,
} as const;

/** What an answer sets out to do, as a checklist. Closes when all of it is done; whoever opens it keeps it open. */
class ParleyPlan extends ParleyElement {
  static override readonly sheets = [planSheet];
  static override readonly properties = {
    message: { attribute: false },
    open: { state: true },
  };
  declare message: MessageView;
  declare open: boolean;
  #wasDone: boolean | undefined;

  constructor() {
    super();
    this.open = true;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const done = (this.message.plan.value ?? []).every(({ status }) => status === "completed");
    if (changed.has("message")) this.#wasDone = undefined;
    if (done !== this.#wasDone) this.open = !done;
    this.#wasDone = done;
  }

  protected override render(): unknown {
    const plan = this.message.plan.value ?? [];
    if (plan.length === 0) return nothing;
    const live = this.message.status.value === "streaming";
    const done = plan.filter(({ status }) => status === "completed").length;
    const now = live ? plan.find(({ status }) => status === "running")?.title : undefined;
    return html`<div class="plan">
      <details ?open=${this.open} @toggle=${(event: Event) => this.#toggled(event)}>
        <summary>
          ${icons.list("small")}<span class="name">${text().plan.plan}</span>
          <span class="now" dir="auto">${this.open ? "" : (now ?? "")}</span>
          <span class="count">${text().plan.done(done, plan.length)}</span>
          <span class="turn-down">${icons.chevronDown("small")}</span>
        </summary>
        <ol>
          ${repeat(
            plan,
            ({ id }) => id,
            (task) => this.#task(task, live),
          )}
        </ol>
      </details>
    </div>`;
  }

  #task({ title, status }: PlanTask, live: boolean): unknown {
    const state = status === "running" && !live ? "left" : status;
    return html`<li class=${status} aria-current=${status === "running" && live ? "step" : nothing}>
      ${ICONS[state]("small")}<span class="title" dir="auto">${title}</span
      ><span class="word">${text().plan.states[state]}</span>
    </li>`;
  }

  #toggled({ currentTarget }: Event): void {
    if (currentTarget instanceof HTMLDetailsElement) this.open = currentTarget.open;
  }
}

define("parley-plan", ParleyPlan);
