import { effect } from "@preact/signals-core";
import { type CSSResult, LitElement } from "lit";

/**
 * An element of the app. It renders into the tree it stands in, without a shadow root of its own, so that ids, labels
 * and selections reach across elements; its sheets are adopted once by that tree's root, be it the document or the
 * shadow root of an embedding. It renders again when a signal changes that its rendering read.
 */
export class ParleyElement extends LitElement {
  static readonly sheets: readonly CSSResult[] = [];

  #stop: (() => void) | undefined;

  protected override createRenderRoot(): HTMLElement | ShadowRoot {
    return this;
  }

  override connectedCallback(): void {
    adopt(this.getRootNode(), (this.constructor as typeof ParleyElement).sheets);
    super.connectedCallback();
    // Rendered before, and deaf since it left the page.
    if (this.hasUpdated && this.#stop === undefined) this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    this.#stop = undefined;
  }

  protected override performUpdate(): void {
    if (!this.isUpdatePending) return;
    this.#stop?.();
    let rendered = false;
    this.#stop = effect(() => {
      if (rendered) return this.requestUpdate();
      // Before it renders: what changes a signal while it does brings the effect back here at once.
      rendered = true;
      super.performUpdate();
    });
    if (!this.isConnected) {
      this.#stop();
      this.#stop = undefined;
    }
  }
}

/** What has the focus in the tree that `node` stands in: a document names only the host of a shadow tree. */
export function focusedBeside(node: Node): Element | null {
  const root = node.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
}

/** Makes a root show these sheets; those it shows already are left alone. */
export function adopt(root: Node, sheets: readonly CSSResult[]): void {
  if (!(root instanceof Document || root instanceof ShadowRoot)) return;
  const adopted = new Set(root.adoptedStyleSheets);
  const missing = sheets.flatMap(({ styleSheet }) =>
    styleSheet === undefined || adopted.has(styleSheet) ? [] : [styleSheet],
  );
  if (missing.length > 0) root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...missing];
}

/** Defines an element once: a script that is loaded twice does no harm. */
export function define(name: string, element: CustomElementConstructor): void {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}
