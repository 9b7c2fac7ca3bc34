import { computed, type ReadonlySignal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Part, ToolPart } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { isHiddenCall } from "../../store/plan-calls.ts";
import { text } from "../../text/text.ts";
import { durationText } from "../duration.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { groupWords, segmentsOf } from "./tool-groups.ts";
import { toolSheet } from "./tool.style.ts";
import "./tool.ts";

interface Call {
  readonly part: ReadonlySignal<Part>;
  readonly call: ToolPart;
}

/** Calls that follow each other: cards, and one line for many that have finished. */
class ParleyTools extends ParleyElement {
  static override readonly sheets = [toolSheet];
  static override readonly properties = {
    app: { attribute: false },
    messageId: { attribute: false },
    parts: { attribute: false },
  };
  declare app: AppStore;
  declare messageId: string;
  declare parts: readonly ReadonlySignal<Part>[];
  readonly #opened = new Set<string>();
  /** Changes only when a call's status does. */
  #statuses: ReadonlySignal<string> = computed(() => "");

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("parts")) return;
    const { parts } = this;
    this.#statuses = computed(() => parts.map(({ value }) => (value.type === "tool" ? value.status : "")).join());
  }

  protected override render(): unknown {
    // Read for its changes: the calls themselves are looked at without.
    void this.#statuses.value;
    const shown = this.parts.filter((part) => !isHiddenCall(part.peek()));
    const calls = shown.flatMap((part) => {
      const call = part.peek();
      return call.type === "tool" ? [{ part, call }] : [];
    });
    const segments = segmentsOf(calls.map(({ call }) => call.status));
    this.hidden = segments.length === 0;
    return html`<div class="tools">
      ${repeat(
        segments,
        ({ from }) => calls[from]?.call.toolCallId,
        (segment) =>
          segment.grouped
            ? this.#group(calls.slice(segment.from, segment.to))
            : calls.slice(segment.from, segment.to).map((one) => this.#card(one)),
      )}
    </div>`;
  }

  #card({ part, call }: Call): unknown {
    return html`<parley-tool
      .app=${this.app}
      .messageId=${this.messageId}
      .source=${part}
      .approval=${this.app.current.value?.view.approvals.value.get(call.toolCallId)}
      .opened=${this.#opened}
    ></parley-tool>`;
  }

  #group(group: readonly Call[]): unknown {
    const members = group.map(({ call }) => call);
    const { title, ms, failed, denied } = groupWords(members);
    const spent = durationText(ms);
    // Whoever reads one of them goes on reading.
    const open = members.some(({ toolCallId }) => this.#opened.has(toolCallId)) || this.#opened.has(groupId(members));
    return html`<div class="tool-group">
      <details ?open=${open} @toggle=${(event: Event) => this.#toggled(event, members)}>
        <summary>
          ${icons.wrench("small")}
          <span class="phrase">${spent === undefined ? title : `${title} · ${spent}`}</span>
          ${failed === 0 ? nothing : html`<span class="status bad">${icons.alert("small")}<span>${text().tool.failed(failed)}</span></span>`}
          ${denied === 0 ? nothing : html`<span class="status bad">${icons.ban("small")}<span>${text().tool.denied(denied)}</span></span>`}
          <span class="turn-down">${icons.chevronDown("small")}</span>
        </summary>
        ${
          open
            ? html`<div class="inside">
                ${repeat(
                  group,
                  ({ call }) => call.toolCallId,
                  (one) => this.#card(one),
                )}
              </div>`
            : nothing
        }
      </details>
    </div>`;
  }

  #toggled(event: Event, members: readonly ToolPart[]): void {
    if (!(event.currentTarget instanceof HTMLDetailsElement) || event.target !== event.currentTarget) return;
    const id = groupId(members);
    if (event.currentTarget.open) {
      this.#opened.add(id);
    } else {
      this.#opened.delete(id);
      for (const { toolCallId } of members) this.#opened.delete(toolCallId);
    }
    this.requestUpdate();
  }
}

/** A group is known by its first call: more may join it. */
const groupId = (members: readonly ToolPart[]): string => `group ${members[0]?.toolCallId ?? ""}`;

define("parley-tools", ParleyTools);
