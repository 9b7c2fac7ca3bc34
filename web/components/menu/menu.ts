/** What makes a `popover` beside its button a menu: its place, and the keys that move within it. */
import { css } from "lit";
import { focusedBeside } from "../element.ts";

const GAP_PX = 6;
const EDGE_PX = 8;

/** For `@toggle`: above or below the button that opened it, inside of the window, and with the focus in it. */
export function menuToggled(event: Event): void {
  const menu = event.currentTarget;
  if (!(menu instanceof HTMLElement) || !(event instanceof ToggleEvent) || event.newState !== "open") return;
  const opener = openerOf(menu);
  if (opener !== undefined) placeBeside(menu, opener.getBoundingClientRect());
  (itemsOf(menu).find((item) => item.getAttribute("aria-checked") === "true") ?? itemsOf(menu)[0])?.focus();
}

/** For `@keydown`. Escape and clicks outside are the popover's own. */
export function menuKeys(event: KeyboardEvent): void {
  const menu = event.currentTarget;
  if (!(menu instanceof HTMLElement)) return;
  const items = itemsOf(menu);
  const at = items.findIndex((item) => item === focusedBeside(menu));
  const to = targetOf(event.key, at, items.length) ?? startingWith(event, items, at);
  if (to !== undefined) {
    event.preventDefault();
    items.at(to)?.focus();
  } else if (event.key === "Tab") {
    menu.hidePopover();
  }
}

/** Closes it; the focus goes back to the button. */
export function closeMenu(inside: EventTarget | null): void {
  const menu = inside instanceof Element ? inside.closest<HTMLElement>("[popover]") : null;
  if (menu === null) return;
  menu.hidePopover();
  openerOf(menu)?.focus();
}

/** Is something open that Escape closes? */
export const isSomethingOpen = (root: ParentNode): boolean =>
  root.querySelector(
    ":popover-open, dialog[open], [data-open-drawer], [data-open-editor], [data-open-list], [data-open-search], [data-open-toast]:focus-within",
  ) !== null;

function targetOf(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return at <= 0 ? -1 : at - 1;
    case "Home":
      return 0;
    case "End":
      return -1;
    default:
      return undefined;
  }
}

/** A letter goes to the next item that begins with it. */
function startingWith(event: KeyboardEvent, items: readonly HTMLElement[], at: number): number | undefined {
  const { key, ctrlKey, metaKey, altKey, isComposing } = event;
  if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey || isComposing) return undefined;
  const begins = (item: HTMLElement): boolean => item.textContent.trim().toLowerCase().startsWith(key.toLowerCase());
  const after = items.findIndex((item, i) => i > at && begins(item));
  const found = after < 0 ? items.findIndex(begins) : after;
  return found < 0 ? undefined : found;
}

const itemsOf = (menu: HTMLElement): readonly HTMLElement[] => [
  ...menu.querySelectorAll<HTMLElement>('[role^="menuitem"]'),
];

const openerOf = (menu: HTMLElement): HTMLElement | undefined =>
  (menu.getRootNode() as ParentNode).querySelector<HTMLElement>(`[popovertarget="${menu.id}"]`) ?? undefined;

/** Above or below `opener`, where there is room, and inside of the window. */
export function placeBeside(menu: HTMLElement, opener: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect();
  const atRight = (menu.dataset["align"] === "end") === (getComputedStyle(menu).direction === "ltr");
  const left = Math.min(atRight ? opener.right - width : opener.left, innerWidth - width - EDGE_PX);
  const below = opener.bottom + GAP_PX;
  const top = below + height + EDGE_PX <= innerHeight ? below : opener.top - height - GAP_PX;
  menu.style.left = `${Math.max(EDGE_PX, left)}px`;
  menu.style.top = `${Math.max(EDGE_PX, top)}px`;
}

export const menuSheet = css`
  .menu {
    position: fixed;
    inset: auto;
    min-width: 200px;
    max-width: min(360px, calc(100vw - 16px));
    max-height: min(440px, calc(100dvh - 24px));
    margin: 0;
    overflow-y: auto;
    scrollbar-width: thin;
    padding: 5px;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    color: var(--text);
    font: var(--control);
  }

  .menu [role^="menuitem"] {
    display: flex;
    align-items: center;
    gap: 10px;
    width: 100%;
    min-height: max(34px, var(--target));
    padding: 4px 10px;
    border-radius: 9px;
    text-align: start;
  }

  .menu [role^="menuitem"][aria-disabled="true"] {
    color: var(--muted);
  }

  .menu [role^="menuitem"] .hint {
    display: block;
    color: var(--muted);
    font: var(--meta);
  }

  .menu [role^="menuitem"]:not([aria-disabled="true"]):is(:hover, :focus-visible) {
    background: var(--hover);
  }

  .menu [role^="menuitem"]:focus-visible {
    outline-offset: -2px;
  }

  .menu [role^="menuitem"] > .icon {
    color: var(--muted);
  }

  .menu .trailing {
    margin-inline-start: auto;
    color: var(--muted);
  }

  .menu .heading {
    padding: 8px 10px 4px;
    color: var(--muted);
    font: var(--meta);
  }

  .menu .rule {
    height: 1px;
    margin: 5px 10px;
    background: var(--line);
  }
`;
