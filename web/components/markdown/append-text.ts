import { noChange } from "lit";
import { directive, Directive, type PartInfo, PartType } from "lit/directive.js";

/**
 * UTF-16 units. The browser shapes all of a text node again that something is appended to: a longer one is followed by
 * another, behind a space, where nothing joins one letter to the next.
 */
const LONG_NODE = 2_000;

/** Text that mostly grows: what is new is appended to the last text node, so that the browser lays out only that. */
class AppendText extends Directive {
  readonly #nodes: Text[] = [];
  /** What was put into them. */
  #text = "";

  constructor(info: PartInfo) {
    super(info);
    if (info.type !== PartType.CHILD) throw new Error("appendText stands between tags");
  }

  render(text: string): unknown {
    const [first] = this.#nodes;
    const before = this.#text;
    this.#text = text;
    if (first === undefined) {
      const node = document.createTextNode(text);
      this.#nodes.push(node);
      return node;
    }
    // Not by asking the nodes, which copy their text for it.
    const length = this.#nodes.reduce((sum, node) => sum + node.length, 0);
    if (length === before.length && text.slice(0, length) === before) {
      if (text.length > length) this.#append(text.slice(length));
    } else {
      for (const node of this.#nodes.splice(1)) node.remove();
      first.data = text;
    }
    return noChange;
  }

  #append(text: string): void {
    const last = this.#nodes.at(-1);
    if (last === undefined) return;
    const end = last.length < LONG_NODE ? text.length : text.search(/\s/) + 1 || text.length;
    last.appendData(text.slice(0, end));
    if (end === text.length) return;
    const node = document.createTextNode(text.slice(end));
    last.after(node);
    this.#nodes.push(node);
  }
}

export const appendText = directive(AppendText);
