import { html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { messageSheet } from "./message.style.ts";
import "../markdown/markdown.ts";

const COPIED_MS = 2_000;
/** A person's message longer than this is folded. */
const FOLD_LENGTH = 2_500;

/** One message: a person's in a pill, the agent's on the page, and below it what became of it. */
class ParleyMessage extends ParleyElement {
  static override readonly sheets = [messageSheet];
  static override readonly properties = {
    app: { attribute: false },
    message: { attribute: false },
    /** The person's text that it answers. */
    question: { attribute: false },
    /** Of a person's message: an answer to it has begun. */
    answered: { attribute: false },
    copied: { state: true },
    unfolded: { state: true },
  };
  declare app: AppStore;
  declare message: MessageView;
  declare question: string;
  declare answered: boolean;
  declare copied: boolean;
  declare unfolded: boolean;

  constructor() {
    super();
    this.copied = false;
    this.unfolded = false;
    this.question = "";
    this.answered = false;
  }

  protected override render(): unknown {
    switch (this.message.role) {
      case "user":
        return this.#person();
      case "assistant":
        return this.#agent();
      case "system":
        return html`<article class="note" aria-label="Note">${this.#text()}</article>`;
    }
  }

  #text(): string {
    return this.message.parts.value.map((part) => part.value.text).join("\n\n");
  }

  #person(): unknown {
    const text = this.#text();
    const folded = text.length > FOLD_LENGTH && !this.unfolded;
    return html`<article class="person">
      <h2 class="hidden-visually">You</h2>
      <div class="said">
        ${this.#copyButton("Copy message")}
        <div class="pill" dir="auto">${folded ? `${text.slice(0, FOLD_LENGTH).trimEnd()}…` : text}</div>
      </div>
      ${
        folded
          ? html`<button class="quiet-link unfold" @click=${() => (this.unfolded = true)}>Show all</button>`
          : nothing
      }
      ${this.#delivery()}
    </article>`;
  }

  #delivery(): unknown {
    const delivery = this.message.delivery.value;
    if (delivery === undefined) return this.#unanswered();
    switch (delivery.state) {
      case "sending":
      case "accepted":
        return nothing;
      case "queued":
        return this.app.connection.value.phase === "ready"
          ? nothing
          : html`<p class="state waiting">${icons.clock("small")}<span>Sent when the connection is back</span></p>`;
      case "refused":
        return html`<div class="state bad" role="alert">
          ${icons.alert("small")}<span>Not sent: ${delivery.error.message}</span>
          <button class="quiet-link" @click=${() => this.app.current.value?.retrySend(this.message.id)}>Retry</button>
          <button class="quiet-link" @click=${() => this.#takeBack()}>Discard</button>
        </div>`;
    }
  }

  /** A message whose run was taken back before it began. */
  #unanswered(): unknown {
    const runId = this.message.runId.value;
    const conversation = this.app.current.value;
    if (this.answered || runId === null || conversation === undefined) return nothing;
    const active = conversation.view.activeRun.value;
    if (active?.id === runId || conversation.endedRun(runId).value?.status !== "stopped") return nothing;
    return html`<p class="state">${icons.stopped("small")}<span>Cancelled before it was answered</span></p>`;
  }

  #takeBack(): void {
    this.app.current.value?.discard(this.message.id);
  }

  #agent(): unknown {
    const status = this.message.status.value;
    const parts = this.message.parts.value;
    const streaming = status === "streaming";
    const empty = this.message.empty.value;
    return html`<article class="agent" aria-busy=${streaming ? "true" : "false"}>
      <h2 class="hidden-visually">Parley</h2>
      ${parts.map((part) => html`<parley-markdown .source=${part} ?streaming=${streaming}></parley-markdown>`)}
      ${streaming && empty ? html`<p class="thinking"><span class="hidden-visually">Responding</span></p>` : nothing}
      ${this.#cut(streaming)} ${status === "failed" ? this.#failed() : nothing}
      <footer>
        ${streaming || empty ? nothing : this.#copyButton("Copy answer")}
        ${status === "stopped" ? html`<span class="word">${icons.stopped("small")}Stopped</span>` : nothing}
      </footer>
    </article>`;
  }

  #cut(streaming: boolean): unknown {
    return this.message.cut.value
      ? html`<p class="state">
          ${icons.clock("small")}<span
            >${streaming ? "The rest follows when it is finished" : "Loading the rest…"}</span
          >
        </p>`
      : nothing;
  }

  #failed(): unknown {
    const runId = this.message.runId.value;
    const run = runId === null ? undefined : this.app.current.value?.endedRun(runId).value;
    const reason = run?.error?.message ?? "The server gave no reason.";
    return html`<div class="failure">
      ${icons.alert()}
      <div>
        <strong>The answer failed</strong>
        <p>${reason}</p>
      </div>
      ${
        this.question === ""
          ? nothing
          : html`<button class="button" @click=${() => this.app.send(this.question)}>
              ${icons.retry("small")}Ask again
            </button>`
      }
    </div>`;
  }

  #copyButton(label: string): unknown {
    return html`<button class="icon-button action" aria-label=${label} title=${label} @click=${() => this.#copy()}>
        ${this.copied ? icons.check("small") : icons.copy("small")}</button
      ><span class="hidden-visually" role="status">${this.copied ? "Copied" : ""}</span>`;
  }

  #copy(): void {
    copyText(this.#text()).then(
      (done) => {
        this.copied = done;
        setTimeout(() => (this.copied = false), COPIED_MS);
      },
      () => undefined,
    );
  }
}

define("parley-message", ParleyMessage);
