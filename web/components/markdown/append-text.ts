import { noChange } from "lit";
import { directive, Directive, type PartInfo, PartType } from "lit/directive.js";

/** Text that mostly grows: what is new is appended to the text node, so that the browser lays out only that. */
class AppendText extends Directive {
  #node: Text | undefined;

  constructor(info: PartInfo) {
    super(info);
    if (info.type !== PartType.CHILD) throw new Error("appendText stands between tags");
  }

  render(text: string): unknown {
    const node = this.#node;
    if (node === undefined) {
      this.#node = document.createTextNode(text);
      return this.#node;
    }
    if (text.startsWith(node.data)) {
      if (text.length > node.data.length) node.appendData(text.slice(node.data.length));
    } else {
      node.data = text;
    }
    return noChange;
  }
}

export const appendText = directive(AppendText);
