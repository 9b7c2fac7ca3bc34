import type { ReadonlySignal } from "@preact/signals-core";
import { html, nothing } from "lit";
import type { Approval, Part, ToolPart } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { text } from "../../text/text.ts";
import { decisionText } from "../approval/decision-text.ts";
import { durationText } from "../duration.ts";
import { define, focusedBeside, ParleyElement } from "../element.ts";
import "../approval/approval.ts";
import { icons } from "../icons.ts";
import { toolDetail } from "./tool-detail.ts";
import { isFinished } from "./tool-groups.ts";
import { STATUS_LOOKS, toolIcon, toolPhrase } from "./tool-words.ts";

/** One call of a tool: a line that opens. What waits for a person stands below it, open. */
class ParleyTool extends ParleyElement {
  static override readonly properties = {
    app: { attribute: false },
    messageId: { attribute: false },
    source: { attribute: false },
    approval: { attribute: false },
    opened: { attribute: false },
  };
  declare app: AppStore;
  declare messageId: string;
  declare source: ReadonlySignal<Part>;
  declare approval: Approval | undefined;
  /** Ids of the calls that somebody opened; shared, as a card may move into a group. */
  declare opened: Set<string>;
  #focusInApproval = false;

  protected override willUpdate(): void {
    this.#focusInApproval = this.querySelector("parley-approval")?.contains(focusedBeside(this)) === true;
  }

  /** Whoever answered with the focus in the question finds it on the line of the call. */
  protected override updated(): void {
    if (!this.#focusInApproval || this.querySelector("parley-approval") !== null) return;
    this.#focusInApproval = false;
    this.querySelector("summary")?.focus({ preventScroll: true });
  }

  protected override render(): unknown {
    const part = this.source.value;
    if (part.type !== "tool") return nothing;
    const open = this.opened.has(part.toolCallId);
    const { icon, tone } = STATUS_LOOKS[part.status];
    return html`<div class="tool">
      <details ?open=${open} @toggle=${(event: Event) => this.#toggled(event, part)}>
        <summary>
          ${icons[toolIcon(part.name)]("small")}
          <span class="phrase" dir="auto">${toolPhrase(part)}</span>
          <span class="status ${tone}"
            >${this.#elapsed(part)}${icons[icon]("small")}<span>${text().tool.statuses[part.status]}</span></span
          >
          <span class="turn-down">${icons.chevronDown("small")}</span>
        </summary>
        ${open ? html`<div class="detail">${toolDetail(part)}</div>` : nothing}
      </details>
      ${this.#progress(part)} ${this.#decision(part)}
    </div>`;
  }

  #elapsed(part: ToolPart): unknown {
    const { startedAt, finishedAt } = part;
    if (startedAt === undefined) return nothing;
    if (part.status === "running") return html`<parley-elapsed .app=${this.app} .since=${startedAt}></parley-elapsed>`;
    const spent = finishedAt === undefined ? undefined : durationText(Date.parse(finishedAt) - Date.parse(startedAt));
    return spent === undefined ? nothing : html`<span class="spent">${spent}</span>`;
  }

  #progress({ status, progress }: ToolPart): unknown {
    if (status !== "running" || progress === undefined) return nothing;
    const { message, fraction } = progress;
    return html`<div class="progress">
      <span dir="auto">${message}</span>
      ${
        fraction === undefined
          ? html`<progress aria-label=${message}></progress>`
          : html`<progress aria-label=${message} max="1" .value=${Math.min(1, Math.max(0, fraction))}></progress>`
      }
    </div>`;
  }

  #decision(part: ToolPart): unknown {
    const { approval } = this;
    if (approval === undefined) return nothing;
    if (approval.status === "pending") {
      return isFinished(part.status)
        ? nothing
        : html`<parley-approval .app=${this.app} .approval=${approval} .source=${this.source}></parley-approval>`;
    }
    const decision = decisionText(approval, {
      userId: this.app.user.value?.id,
      here: this.app.current.value?.decidedHere.value.has(approval.id) === true,
      now: new Date(this.app.clock.read()),
    });
    return decision === undefined
      ? nothing
      : html`<p class="decided">${icons.hand("small")}<span>${decision}</span></p>`;
  }

  #toggled(event: Event, part: ToolPart): void {
    if (!(event.currentTarget instanceof HTMLDetailsElement)) return;
    const { open } = event.currentTarget;
    if (open === this.opened.has(part.toolCallId)) return;
    if (open) this.opened.add(part.toolCallId);
    else this.opened.delete(part.toolCallId);
    if (open && part.length !== undefined) this.app.current.peek()?.readRest(this.messageId);
    this.requestUpdate();
  }
}

/** Time that goes on. */
class ParleyElapsed extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, since: { attribute: false } };
  declare app: AppStore;
  declare since: string;

  protected override render(): unknown {
    return durationText(this.app.clock.now.value - Date.parse(this.since)) ?? nothing;
  }
}

define("parley-elapsed", ParleyElapsed);
define("parley-tool", ParleyTool);
