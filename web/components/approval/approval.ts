import type { ReadonlySignal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import type { Approval, Part, ToolArgs } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import type { DecisionState } from "../../store/conversation.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { inText, timeText } from "../duration.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";
import {
  type Field,
  fieldsOf,
  type Issues,
  issuesOf,
  otherNames,
  type Read,
  readFields,
  readJson,
  sameArgs,
} from "./approval-form.ts";
import { approvalSheet } from "./approval.style.ts";

const NO_ISSUES: Issues = new Map();

/** A question to the person: what would happen, with which arguments, and both answers. */
class ParleyApproval extends ParleyElement {
  static override readonly sheets = [menuSheet, approvalSheet];
  static override readonly properties = {
    app: { attribute: false },
    approval: { attribute: false },
    source: { attribute: false },
    values: { state: true },
    json: { state: true },
    issues: { state: true },
  };
  declare app: AppStore;
  declare approval: Approval;
  /** The part of the call. */
  declare source: ReadonlySignal<Part>;
  /** What the fields say, where somebody wrote. */
  declare values: Readonly<Record<string, string>>;
  /** Undefined: the fields are shown. */
  declare json: string | undefined;
  declare issues: Issues;
  #shownState: DecisionState | undefined;

  constructor() {
    super();
    this.values = {};
    this.json = undefined;
    this.issues = NO_ISSUES;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("approval");
    if (before !== undefined && before.id !== this.approval.id) {
      this.values = {};
      this.json = undefined;
      this.issues = NO_ISSUES;
    }
    const state = this.#state();
    if (state === this.#shownState) return;
    this.#shownState = state;
    if (state?.kind !== "failed") return;
    const { issues } = state.error;
    const shown = this.json === undefined ? fieldsOf(this.#args()).map(({ name }) => name) : [];
    this.issues = issues === undefined ? new Map([["", errorText(state.error)]]) : issuesOf(issues, shown);
  }

  #state(): DecisionState | undefined {
    return this.app.current.value?.deciding.value.get(this.approval.id);
  }

  /** Where they did not fit beside the question, the call has them. */
  #args(): ToolArgs {
    const { args } = this.approval;
    if (Object.keys(args).length > 0) return args;
    const part = this.source.value;
    return part.type === "tool" ? part.args : args;
  }

  protected override render(): unknown {
    const { approval } = this;
    const state = this.#state();
    const busy = state?.kind === "deciding";
    const [before, after] = this.#about();
    return html`<form
      class="approval"
      aria-label=${text().approval.decision(approval.summary)}
      @submit=${(event: SubmitEvent) => event.preventDefault()}
    >
      <p class="ask">
        ${icons.hand("small")}<strong>${text().approval.yourDecision}</strong>
        <parley-deadline .app=${this.app} .at=${approval.expiresAt}></parley-deadline>
      </p>
      <div>
        <p class="consequence" dir="auto">${approval.summary}</p>
        <p class="about">${before}<code dir="ltr">${approval.tool}</code>${after}</p>
      </div>
      ${this.#form(busy)} ${this.#issue("")}
      <div class="answers">
        ${this.#answer("approve", busy, state)} ${this.#answer("deny", busy, state)} ${this.#always(busy)}
      </div>
    </form>`;
  }

  /** Around the name of the tool. */
  #about(): readonly string[] {
    const { again, wants, wantsWith } = text().approval;
    if (this.approval.reason === "repeat") return again;
    return Object.keys(this.#args()).length === 0 ? wants : wantsWith;
  }

  #form(busy: boolean): unknown {
    const args = this.#args();
    if (Object.keys(args).length === 0) return nothing;
    if (this.json !== undefined) return this.#jsonForm(this.json, busy);
    const others = otherNames(args);
    return html`<fieldset class="fields" ?disabled=${busy}>
        <legend class="hidden-visually">${text().approval.argumentsOf(this.approval.tool)}</legend>
        ${fieldsOf(args).map((field) => this.#field(field))}
        ${
          others.length === 0
            ? nothing
            : html`<p class="field"><span>${text().approval.jsonOnly}</span><code>${others.join(", ")}</code></p>`
        }
      </fieldset>
      <button type="button" class="quiet-link" ?disabled=${busy} @click=${() => this.#toJson()}>
        ${text().approval.editJson}
      </button>`;
  }

  #field({ name, kind, value: given }: Field): unknown {
    const value = this.values[name] ?? given;
    const id = `argument-${this.approval.id}-${name}`;
    const described = this.issues.has(name) ? `${id}-issue` : nothing;
    const invalid = this.issues.has(name) ? "true" : nothing;
    const written = (event: Event): void => this.#written(name, event);
    if (kind === "boolean") {
      return html`<div class="field check">
        <label
          ><input id=${id} type="checkbox" .checked=${value === "true"} @change=${written} /><span>${name}</span></label
        >
        ${this.#issue(name, `${id}-issue`)}
      </div>`;
    }
    return html`<div class="field">
      <label for=${id}>${name}</label>
      ${
        kind === "long"
          ? html`<textarea
              id=${id}
              rows="2"
              dir="auto"
              aria-invalid=${invalid}
              aria-describedby=${described}
              .value=${value}
              @input=${written}
            ></textarea>`
          : html`<input
              id=${id}
              type="text"
              dir="auto"
              inputmode=${kind === "number" ? "decimal" : nothing}
              autocomplete="off"
              spellcheck="false"
              aria-invalid=${invalid}
              aria-describedby=${described}
              .value=${value}
              @input=${written}
            />`
      }
      ${this.#issue(name, `${id}-issue`)}
    </div>`;
  }

  #jsonForm(json: string, busy: boolean): unknown {
    const id = `json-${this.approval.id}`;
    return html`<div class="field">
        <label for=${id}>${text().approval.argumentsJson}</label>
        <textarea
          class="json"
          id=${id}
          rows="4"
          spellcheck="false"
          ?disabled=${busy}
          aria-invalid=${this.issues.has("") ? "true" : nothing}
          aria-describedby=${this.issues.has("") ? `${this.approval.id}-issue` : nothing}
          .value=${json}
          @input=${(event: Event) => this.#writtenJson(event)}
        ></textarea>
      </div>
      <button type="button" class="quiet-link" ?disabled=${busy} @click=${() => this.#toFields()}>
        ${text().approval.editForm}
      </button>`;
  }

  #issue(name: string, id = `${this.approval.id}-issue`): unknown {
    const issue = this.issues.get(name);
    return issue === undefined
      ? nothing
      : html`<p class="issue" id=${id} role="alert">${icons.alert("small")}<span>${issue}</span></p>`;
  }

  #answer(decision: "approve" | "deny", busy: boolean, state: DecisionState | undefined): unknown {
    const doing = state?.kind === "deciding" && state.decision === decision;
    const approve = decision === "approve";
    const words = text().approval;
    const label = approve ? (doing ? words.approving : words.approve) : doing ? words.denying : words.deny;
    return html`<button
      type="button"
      class="button"
      aria-disabled=${busy ? "true" : "false"}
      @click=${() => (approve ? this.#approve(false) : this.#decide("deny"))}
    >
      ${approve ? icons.check("small") : icons.close("small")}${label}
    </button>`;
  }

  #always(busy: boolean): unknown {
    const id = `always-${this.approval.id}`;
    return html`<button
        type="button"
        class="icon-button other"
        popovertarget=${id}
        aria-haspopup="menu"
        aria-label=${text().approval.otherAnswers}
        title=${text().approval.otherAnswers}
        ?disabled=${busy}
      >
        ${icons.more()}
      </button>
      <div
        class="menu"
        id=${id}
        popover="auto"
        role="menu"
        aria-label=${text().approval.otherAnswers}
        data-align="end"
        @toggle=${menuToggled}
        @keydown=${menuKeys}
      >
        <button type="button" role="menuitem" tabindex="-1" @click=${(event: Event) => this.#chooseAlways(event)}>
          ${icons.done()}<span>${text().approval.always(this.approval.tool)}</span>
        </button>
      </div>`;
  }

  #written(name: string, { target }: Event): void {
    if (!(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement)) return;
    const checkbox = target instanceof HTMLInputElement && target.type === "checkbox";
    this.values = { ...this.values, [name]: checkbox ? String(target.checked) : target.value };
    this.#forgive(name);
  }

  #writtenJson({ target }: Event): void {
    if (target instanceof HTMLTextAreaElement) this.json = target.value;
    this.#forgive("");
  }

  /** What is being mended is not wrong until it is looked at again. */
  #forgive(name: string): void {
    if (!this.issues.has(name)) return;
    this.issues = new Map([...this.issues].filter(([field]) => field !== name));
  }

  #toJson(): void {
    const read = readFields(this.#args(), this.values);
    this.issues = NO_ISSUES;
    this.json = JSON.stringify(read.ok ? read.args : this.#args(), null, 2);
    this.#focus("textarea.json");
  }

  /** Only what the fields can hold: other names or types stay in the JSON. */
  #toFields(): void {
    const read = this.#read();
    if (!read.ok) return this.#refuse(read.issues);
    const args = this.#args();
    const same = (name: string): boolean => typeof read.args[name] === typeof args[name];
    const fits =
      Object.keys(read.args).every((name) => Object.hasOwn(args, name)) &&
      Object.keys(args).every(same) &&
      otherNames(args).every((name) => sameArgs(read.args[name], args[name]));
    if (!fits) {
      return this.#refuse(new Map([["", text().approval.notInForm]]));
    }
    this.values = Object.fromEntries(fieldsOf(read.args).map(({ name, value }) => [name, value]));
    this.issues = NO_ISSUES;
    this.json = undefined;
    this.#focus(".fields :is(input, textarea)");
  }

  #focus(selector: string): void {
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(selector)?.focus(),
      () => undefined,
    );
  }

  #read(): Read {
    return this.json === undefined ? readFields(this.#args(), this.values) : readJson(this.json);
  }

  #refuse(issues: Issues): void {
    this.issues = issues;
    this.#focus("[aria-invalid=true]");
  }

  #chooseAlways(event: Event): void {
    closeMenu(event.currentTarget);
    this.#approve(true);
  }

  #approve(remember: boolean): void {
    const read = this.#read();
    if (!read.ok) return this.#refuse(read.issues);
    const changed = !sameArgs(read.args, this.#args());
    this.#decide("approve", { ...(changed ? { args: read.args } : {}), ...(remember ? { remember } : {}) });
  }

  #decide(decision: "approve" | "deny", options: { readonly args?: ToolArgs; readonly remember?: boolean } = {}): void {
    this.issues = NO_ISSUES;
    this.app.current.peek()?.decide(this.approval.id, decision, options);
  }
}

/** When nobody's answer is an answer. By itself, as it moves every second. */
class ParleyDeadline extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, at: { attribute: false } };
  declare app: AppStore;
  declare at: string;

  protected override render(): unknown {
    const now = this.app.clock.now.value;
    const left = Date.parse(this.at) - now;
    const words = text().approval;
    return html`<span title=${words.at(timeText(this.at, new Date(now)))}
      >${left <= 0 ? words.deniedAnyMoment : words.deniedSoon(inText(left))}</span
    >`;
  }
}

define("parley-deadline", ParleyDeadline);
define("parley-approval", ParleyApproval);
