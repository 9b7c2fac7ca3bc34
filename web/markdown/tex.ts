/**
 * TeX as MathML elements, by KaTeX: its tree is walked, and each element and attribute is made only if it stands in the
 * lists below. Fetched when the first finished formula comes near the screen.
 */
import * as katex from "katex";
import { styledText } from "./math-letters.ts";

const NAMESPACE = "http://www.w3.org/1998/Math/MathML";
/** Longer ones are shown as they were written. */
const MAX_LENGTH = 5_000;
/** In em: what a formula may ask for in space. */
const MAX_SIZE = 10;
const MAX_EXPANSIONS = 300;
const MAX_DEPTH = 200;
const MAX_NODES = 5_000;

const ELEMENTS: ReadonlySet<string> = new Set(
  `menclose mfrac mi mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext
  mtr munder munderover`.split(/\s+/),
);
const ATTRIBUTES: ReadonlySet<string> = new Set(
  `accent accentunder displaystyle fence form largeop linethickness movablelimits scriptlevel separator
  stretchy symmetric`.split(/\s+/),
);
const LENGTHS: ReadonlySet<string> = new Set("depth height lspace maxsize minsize rspace voffset width".split(" "));

/** What `__renderToDomTree` gives: elements of HTML around `math`, elements of MathML, and text. */
interface KatexNode {
  readonly type?: unknown;
  readonly attributes?: unknown;
  readonly children?: unknown;
  readonly text?: unknown;
  readonly character?: unknown;
  readonly width?: unknown;
}

// Not in its types, but exported for just this: https://katex.org/docs/api has only strings and `innerHTML`-free `render`,
// which would set styles and colours that the text has chosen.
const { __renderToDomTree } = katex as unknown as {
  readonly __renderToDomTree: (tex: string, options: katex.KatexOptions) => KatexNode;
};

/** Undefined for what is no TeX, or too much of it. */
export function mathElement(tex: string, display: boolean): Element | undefined {
  if (tex.length > MAX_LENGTH) return undefined;
  try {
    const tree = __renderToDomTree(tex, {
      output: "mathml",
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: "ignore",
      maxSize: MAX_SIZE,
      maxExpand: MAX_EXPANSIONS,
    });
    const math = document.createElementNS(NAMESPACE, "math");
    if (display) math.setAttribute("display", "block");
    math.setAttribute("alttext", tex);
    const budget = { nodes: MAX_NODES };
    math.append(...childrenOf(formulaOf(tree)).flatMap((child) => nodesOf(child, budget, 0)));
    return math;
  } catch {
    return undefined;
  }
}

const childrenOf = ({ children }: KatexNode): readonly KatexNode[] =>
  Array.isArray(children) ? children.filter((child: unknown) => typeof child === "object" && child !== null) : [];

/** Within `span > math > semantics`: what stands beside the source. */
function formulaOf(tree: KatexNode): KatexNode {
  const math = childrenOf(tree)[0];
  const semantics = math === undefined ? undefined : childrenOf(math)[0];
  if (math?.type !== "math" || semantics?.type !== "semantics") throw new TypeError("another tree than expected");
  return { children: childrenOf(semantics).filter(({ type }) => type !== "annotation") };
}

function nodesOf(node: KatexNode, budget: { nodes: number }, depth: number): Node[] {
  if (depth > MAX_DEPTH || budget.nodes-- <= 0) throw new RangeError("too large");
  if (typeof node.text === "string") return [document.createTextNode(node.text)];
  if (typeof node.character === "string") return [document.createTextNode(node.character)];
  const within = (): Node[] => childrenOf(node).flatMap((child) => nodesOf(child, budget, depth + 1));
  if (typeof node.type !== "string") return typeof node.width === "number" ? [space(node.width)] : within();
  if (!ELEMENTS.has(node.type)) return within();
  const element = document.createElementNS(NAMESPACE, node.type);
  const attributes = attributesOf(node);
  for (const [name, value] of attributes) {
    if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
    else if (LENGTHS.has(name)) element.setAttribute(name, bounded(value));
  }
  element.append(...within());
  style(element, attributes);
  return [element];
}

const attributesOf = ({ attributes }: KatexNode): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(typeof attributes === "object" && attributes !== null ? attributes : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

function space(width: number): Element {
  const element = document.createElementNS(NAMESPACE, "mspace");
  element.setAttribute("width", bounded(`${width}em`));
  return element;
}

/** Room for the formula, but nothing that would lie over what is beside it. */
function bounded(length: string): string {
  const found = /^([+-]?)(\d*\.?\d+)(em|ex|pt|px|%)?$/.exec(length);
  if (found === null) return "0";
  const [, sign = "", amount = "0", unit = ""] = found;
  const most = sign === "-" ? 0.5 : MAX_SIZE;
  return unit === "em" || unit === "ex" ? `${sign}${Math.min(Number(amount), most)}${unit}` : length;
}

/** What browsers no longer take from attributes: the shape of letters, and how tables and boxes are drawn. */
function style(element: Element, attributes: ReadonlyMap<string, string>): void {
  const variant = attributes.get("mathvariant");
  if (variant === "normal") element.setAttribute("mathvariant", variant);
  else if (variant !== undefined) {
    for (const child of element.childNodes) {
      if (child instanceof Text) child.data = styledText(child.data, variant);
    }
  }
  const notation = attributes.get("notation");
  if (notation !== undefined) {
    element.setAttribute("class", notation.split(" ").map((name) => `draw-${name.replace(/[^a-z]/g, "")}`).join(" ")); // prettier-ignore
  }
  const align = attributes.get("columnalign");
  if (align !== undefined) alignColumns(element, align.split(" "), attributes.get("columnspacing") === "0em");
}

function alignColumns(table: Element, alignments: readonly string[], tight: boolean): void {
  for (const row of table.children) {
    [...row.children].forEach((cell, i) => {
      const alignment = alignments[i] ?? "center";
      cell.setAttribute(
        "class",
        `to-${/^(?:left|right)$/.test(alignment) ? alignment : "center"}${tight ? " tight" : ""}`,
      );
    });
  }
}
