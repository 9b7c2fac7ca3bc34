import { html, nothing } from "lit";
import type { Part } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { answerParts } from "./answer-parts.ts";
import { messageFiles } from "./files.ts";
import { messageSheet } from "./message.style.ts";
import { focusVersion, versionSwitch } from "./versions.ts";

const COPIED_MS = 2_000;
/** A person's message longer than this is folded. */
const FOLD_LENGTH = 2_500;

/** One message: a person's in a pill, the agent's on the page, and below it what became of it. */
class ParleyMessage extends ParleyElement {
  static override readonly sheets = [messageSheet];
  static override readonly properties = {
    app: { attribute: false },
    message: { attribute: false },
    /** Of a person's message: an answer to it has begun. */
    answered: { attribute: false },
    copied: { state: true },
    unfolded: { state: true },
  };
  declare app: AppStore;
  declare message: MessageView;
  declare answered: boolean;
  declare copied: boolean;
  declare unfolded: boolean;
  #wasEditing = false;

  constructor() {
    super();
    this.copied = false;
    this.unfolded = false;
    this.answered = false;
  }

  protected override render(): unknown {
    switch (this.message.role) {
      case "user":
        return this.#person();
      case "assistant":
        return this.#agent();
      case "system":
        return html`<article class="note" aria-label=${text().message.note}>${this.#text()}</article>`;
    }
  }

  #text(): string {
    return textOf(this.message.parts.value.map(({ value }) => value));
  }

  // ── a person ────────────────────────────────────────────────────────────────────────────────────────────────────

  #person(): unknown {
    const said = this.#text();
    const files = this.message.parts.value.flatMap(({ value }) => (value.type === "file" ? [value] : []));
    if (this.app.current.value?.editing.value === this.message.id) return this.#editor(said);
    const folded = said.length > FOLD_LENGTH && !this.unfolded;
    return html`<article class="person">
      <h2 class="hidden-visually">${text().common.you}</h2>
      ${messageFiles(files, this.app.fileAccess)}
      <div class="said">
        ${this.#copyButton(text().message.copyMessage)}${this.#editButton()}
        <div class="pill" part="said" dir="auto">${folded ? `${said.slice(0, FOLD_LENGTH).trimEnd()}…` : said}</div>
      </div>
      ${
        folded
          ? html`<button class="quiet-link unfold" @click=${() => (this.unfolded = true)}>
              ${text().common.showAll}
            </button>`
          : nothing
      }
      ${versionSwitch(this.app, this.message)} ${this.#delivery()}
    </article>`;
  }

  #editButton(): unknown {
    if (this.message.delivery.value !== undefined) return nothing;
    return html`<button
      class="icon-button action when-idle edit"
      aria-label=${text().message.editMessage}
      title=${text().message.edit}
      @click=${() => this.#edit(this.message.id)}
    >
      ${icons.pencil("small")}
    </button>`;
  }

  #edit(id: string | undefined): void {
    const conversation = this.app.current.peek();
    if (conversation !== undefined) conversation.editing.value = id;
  }

  #editor(said: string): unknown {
    return html`<article class="person editing">
      <h2 class="hidden-visually">${text().common.you}</h2>
      <parley-editor
        .text=${said}
        @parley-edited=${(event: Event) => this.#edited(event)}
        @parley-left=${() => this.#edit(undefined)}
      ></parley-editor>
    </article>`;
  }

  #edited(event: Event): void {
    if (!(event instanceof CustomEvent) || typeof event.detail !== "string") return;
    const files = this.message.parts.peek().flatMap((part) => {
      const value = part.peek();
      return value.type === "file" ? [value] : [];
    });
    if (!this.app.edit(this.message.id, event.detail, files)) return;
    this.#edit(undefined);
    this.dispatchEvent(new Event("parley-sent", { bubbles: true }));
  }

  #delivery(): unknown {
    const delivery = this.message.delivery.value;
    if (delivery === undefined) return this.#unanswered();
    switch (delivery.state) {
      case "sending":
      case "accepted":
        return nothing;
      case "queued":
        return this.#waitsForConnection();
      case "refused":
        return html`<div class="state bad" role="alert">
          ${icons.alert("small")}<span>${text().message.notSent(errorText(delivery.error))}</span>
          <button class="quiet-link" @click=${() => this.app.current.value?.retrySend(this.message.id)}>
            ${text().common.retry}
          </button>
          <button class="quiet-link" @click=${() => this.#takeBack()}>${text().message.discard}</button>
        </div>`;
    }
  }

  #waitsForConnection(): unknown {
    return this.app.connection.value.phase === "ready"
      ? nothing
      : html`<p class="state waiting">${icons.clock("small")}<span>${text().message.waits}</span></p>`;
  }

  /** A message whose run was taken back before it began. */
  #unanswered(): unknown {
    const runId = this.message.runId.value;
    const conversation = this.app.current.value;
    if (this.answered || runId === null || conversation === undefined) return nothing;
    const active = conversation.view.activeRun.value;
    if (active?.id === runId || conversation.endedRun(runId).value?.status !== "stopped") return nothing;
    return html`<p class="state">
      ${icons.stopped("small")}<span>${text().message.cancelled}</span>${this.#retryLink(runId)}
    </p>`;
  }

  #takeBack(): void {
    this.app.current.value?.discard(this.message.id);
  }

  // ── the agent ───────────────────────────────────────────────────────────────────────────────────────────────────

  #agent(): unknown {
    const { message } = this;
    const status = message.status.value;
    const streaming = status === "streaming";
    const asked = message.delivery.value !== undefined;
    return html`<article class="agent" part="answer" aria-busy=${streaming ? "true" : "false"}>
      <h2 class="hidden-visually">${text().common.parley}</h2>
      ${message.plan.value === undefined ? nothing : html`<parley-plan .message=${message}></parley-plan>`}
      ${answerParts(this.app, message)}
      ${
        message.silent.value && !this.#waitsForPerson()
          ? html`<p class="thinking"><span class="hidden-visually">${text().message.responding}</span></p>`
          : nothing
      }
      ${asked ? this.#waitsForConnection() : nothing} ${streaming ? this.#notice() : nothing} ${this.#cut(streaming)}
      ${status === "failed" ? this.#failed() : nothing}
      <footer>${asked ? nothing : this.#footer(streaming)}</footer>
    </article>`;
  }

  #waitsForPerson(): boolean {
    const run = this.app.current.value?.view.activeRun.value;
    return run?.status === "waiting" && run.assistantMessageId === this.message.id;
  }

  #footer(streaming: boolean): unknown {
    const { message } = this;
    const status = message.status.value;
    const runId = message.runId.value;
    if (streaming) return versionSwitch(this.app, message);
    const usage = message.usage.value;
    return html`${versionSwitch(this.app, message)}
    ${message.empty.value ? nothing : this.#copyButton(text().message.copyAnswer)}
    ${status === "complete" ? this.#regenerateButton() : nothing} ${this.#inspectButton()}
    ${
      status === "stopped"
        ? html`<span class="word">${icons.stopped("small")}${text().message.stopped}</span>${
              runId === null ? this.#regenerateButton() : this.#retryLink(runId)
            }`
        : nothing
    }
    ${
      usage === undefined
        ? nothing
        : html`<parley-usage .messageId=${message.id} .usage=${usage} .model=${this.#modelName()}></parley-usage>`
    }`;
  }

  #modelName(): string {
    const { author } = this.message;
    return this.app.models.value?.find(({ id }) => id === author)?.name ?? author;
  }

  /** Not on another site's page: there is no room for it. */
  #inspectButton(): unknown {
    const shell = this.app.shell.value;
    if (shell === undefined || this.message.runId.value === null) return nothing;
    const label = text().inspector.openRun;
    return html`<button
      class="icon-button action"
      aria-label=${label}
      title=${label}
      @click=${() => shell.inspect({ messageId: this.message.id })}
    >
      ${icons.inspect("small")}
    </button>`;
  }

  #regenerateButton(): unknown {
    return html`<button
      class="icon-button action when-idle"
      aria-label=${text().message.regenerateAnswer}
      title=${text().message.regenerate}
      @click=${() => this.app.regenerate(this.message.id)}
    >
      ${icons.retry("small")}
    </button>`;
  }

  #retryLink(runId: string): unknown {
    return html`<button class="quiet-link when-idle" @click=${() => this.app.retryRun(runId)}>
      ${text().common.retry}
    </button>`;
  }

  #notice(): unknown {
    const notice = this.app.current.value?.view.notice.value;
    return notice === undefined || notice.runId !== this.message.runId.value
      ? nothing
      : html`<p class="state" role="status">${icons.clock("small")}<span>${notice.message}</span></p>`;
  }

  #cut(streaming: boolean): unknown {
    return this.message.cut.value
      ? html`<p class="state">
          ${icons.clock("small")}<span>${streaming ? text().message.restFollows : text().common.theRest}</span>
        </p>`
      : nothing;
  }

  #failed(): unknown {
    const runId = this.message.runId.value;
    const told = this.message.error.value;
    const run = runId === null || told !== undefined ? undefined : this.app.current.value?.endedRun(runId).value;
    const error = told ?? run?.error ?? undefined;
    const reason = error === undefined ? text().message.noReason : errorText(error);
    return html`<div class="failure">
      ${icons.alert()}
      <div>
        <strong>${text().message.failed}</strong>
        <p>${reason}</p>
      </div>
      ${
        runId === null
          ? nothing
          : html`<button class="button when-idle" @click=${() => this.app.retryRun(runId)}>
              ${icons.retry("small")}${text().common.retry}
            </button>`
      }
    </div>`;
  }

  #copyButton(label: string): unknown {
    return html`<button class="icon-button action" aria-label=${label} title=${label} @click=${() => this.#copy()}>
        ${this.copied ? icons.check("small") : icons.copy("small")}</button
      ><span class="hidden-visually" role="status">${this.copied ? text().common.copied : ""}</span>`;
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

  protected override updated(): void {
    const conversation = this.app.current.peek();
    const editing = conversation?.editing.peek() === this.message.id;
    if (this.#wasEditing && !editing) this.querySelector<HTMLElement>(".edit")?.focus({ preventScroll: true });
    this.#wasEditing = editing;
    const focus = conversation?.versionFocus.peek();
    if (conversation === undefined || focus?.messageId !== this.message.id) return;
    conversation.versionFocus.value = undefined;
    focusVersion(this, focus.direction);
  }
}

const textOf = (parts: readonly Part[]): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");

define("parley-message", ParleyMessage);
