import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AppStore } from "../../store/app.ts";
import type { Queued } from "../../store/queue.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** UTF-16 units of a message in the name of its button. */
const NAMED = 80;

/** What was said and waits: for the answer's next step, or for its end. */
class ParleyQueue extends ParleyElement {
  static override readonly properties = { app: { attribute: false } };
  declare app: AppStore;

  protected override render(): unknown {
    const queued = this.app.current.value?.view.queued.value ?? [];
    if (queued.length === 0) return nothing;
    return html`<ul class="queue" aria-label=${text().composer.queuedMessages}>
      ${repeat(
        queued,
        ({ id }) => id,
        (message) => this.#item(message),
      )}
    </ul>`;
  }

  #item(message: Queued): unknown {
    const { how } = message;
    return html`<li>
      ${how === "steer" ? icons.join("small") : icons.clock("small")}
      <span class="word">${how === "steer" ? text().composer.joins : text().composer.queued}</span>
      <span class="text" title=${message.text} dir="auto">${message.text}</span>
      ${this.#cancelButton(message)}
    </li>`;
  }

  /** What has reached an answer that is being written can't be taken back. */
  #cancelButton({ id, text: said, how, runId, delivery }: Queued): unknown {
    if (how === "steer" && (delivery === undefined || delivery.state === "accepted")) return nothing;
    return html`<button
      type="button"
      class="icon-button"
      aria-label=${text().composer.cancelQueued(said.slice(0, NAMED))}
      title=${text().common.cancel}
      ?disabled=${runId === undefined && delivery?.state === "sending"}
      @click=${() => this.app.current.value?.cancel(id, runId)}
    >
      ${icons.close("small")}
    </button>`;
  }
}

define("parley-queue", ParleyQueue);
