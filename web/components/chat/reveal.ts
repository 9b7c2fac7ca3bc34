/**
 * Goes to a message of the open conversation that may be far from its end:
 *
 *   open ─▶ read older pages until it is here ─▶ show its branch ─▶ put its turn on the page ─▶ scroll, mark, focus
 *
 * Whatever the reader does meanwhile ends it.
 */
import { effect } from "@preact/signals-core";
import { asParleyError } from "../../../src/client/errors.ts";
import type { AppStore } from "../../store/app.ts";
import type { ConversationStore } from "../../store/conversation.ts";
import type { Route } from "../../store/route.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { adopt } from "../element.ts";
import { wordsIn } from "../sidebar/marked.ts";
import type { ParleyChat } from "./chat.ts";
import { revealSheet } from "./reveal.style.ts";

type Place = Extract<Route, { readonly kind: "conversation" }>;

/** A message is marked for so long. */
const MARKED_MS = 4_000;
/** Turns that are put on the page with a frame. */
const TURNS = 12;
/** Frames in which what is above may still take its size. */
const MAX_FRAMES = 90;
const STEADY_FRAMES = 12;
/** The beginning of a long answer comes when the page is idle; behind other tabs that may be never. */
const WHOLE_MS = 10_000;
const MAX_RANGES = 200;

/** Rejects when `signal` ends it. */
export async function reveal(app: AppStore, { id, messageId, words = "" }: Place, signal: AbortSignal): Promise<void> {
  if (messageId === undefined) return;
  const conversation = await opened(app, id, signal);
  if (!(await fetched(conversation, messageId, signal)))
    return void (app.notice.value = text().conversations.messageGone);
  if (turnOf(conversation, messageId) < 0) await branched(app, conversation, messageId, signal);
  const message = await mounted(conversation, messageId, signal);
  await shown(message, words, signal);
}

/** Resolves with the first value that is not undefined. */
function when<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let stop: (() => void) | undefined;
    let over = false;
    const end = (): void => {
      over = true;
      stop?.();
    };
    signal.addEventListener("abort", () => (end(), reject(signal.reason as Error)), { once: true });
    signal.throwIfAborted();
    stop = effect(() => {
      const value = look();
      if (value === undefined || over) return;
      resolve(value);
      over = true;
      queueMicrotask(end);
    });
  });
}

const frame = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    requestAnimationFrame(() => (signal.aborted ? reject(signal.reason as Error) : resolve()));
  });

const opened = (app: AppStore, id: string, signal: AbortSignal): Promise<ConversationStore> =>
  when(() => {
    const open = app.current.value;
    return open?.id === id && open.status.value === "open" ? open : undefined;
  }, signal);

/** Is it one of the conversation's? */
async function fetched(conversation: ConversationStore, messageId: string, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    if (conversation.has(messageId)) return true;
    if (!conversation.view.hasMore.peek()) return false;
    await when(() => (conversation.loadingOlder.value ? undefined : true), signal);
    if (conversation.has(messageId)) return true;
    const chat = chatOf();
    // What comes is put on the page when the message is here.
    await new Promise<void>((resolve) =>
      conversation.loadOlder(() => {
        if (chat !== null) chat.mounted = conversation.view.turns.peek().length;
        queueMicrotask(resolve);
      }),
    );
    signal.throwIfAborted();
  }
}

async function branched(app: AppStore, { id }: ConversationStore, messageId: string, signal: AbortSignal) {
  const { client } = app.shell.peek() ?? {};
  try {
    await client?.call("conversation.selectBranch", { conversationId: id, messageId }, { signal });
  } catch (error) {
    if (!signal.aborted) app.notice.value = errorText(asParleyError(error));
    throw error;
  }
}

const turnOf = ({ view }: ConversationStore, messageId: string): number =>
  view.turns.value.findIndex(({ messages }) => messages.some(({ id }) => id === messageId));

/** Everything between it and the end of the conversation. */
async function mounted(conversation: ConversationStore, messageId: string, signal: AbortSignal): Promise<HTMLElement> {
  const turns = await when(() => {
    const at = turnOf(conversation, messageId);
    return at < 0 ? undefined : conversation.view.turns.value.length - at;
  }, signal);
  for (;;) {
    const chat = chatOf();
    const message = elementOf(chat, messageId);
    if (message !== undefined) return message;
    if (chat !== null && chat.mounted < turns) chat.mounted += TURNS;
    await frame(signal);
  }
}

const chatOf = (): ParleyChat | null => document.querySelector<ParleyChat>("parley-conversation");

function elementOf(chat: ParleyChat | null, messageId: string): HTMLElement | undefined {
  const all = chat?.querySelectorAll<HTMLElement & { readonly message?: MessageView }>("parley-message") ?? [];
  return [...all].find(({ message }) => message?.id === messageId);
}

async function shown(message: HTMLElement, words: string, signal: AbortSignal): Promise<void> {
  if ("unfolded" in message) message.unfolded = true;
  adopt(document, [revealSheet]);
  const stop = new AbortController();
  // Whoever scrolls knows where to.
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"])
    addEventListener(type, () => stop.abort(), { signal: stop.signal, passive: true, once: true });
  let at = Number.NaN;
  let steady = 0;
  const until = performance.now() + WHOLE_MS;
  for (let frames = 0; frames < MAX_FRAMES && steady < STEADY_FRAMES && !stop.signal.aborted;) {
    const article = message.querySelector("article");
    const whole = isWhole(message) || performance.now() > until;
    const ranges = article === null || !whole ? [] : rangesOf(article, words);
    const box = (ranges[0] ?? article ?? message).getBoundingClientRect();
    // A message that fits is shown from its beginning.
    const own = message.getBoundingClientRect();
    chatOf()?.showBox(box.bottom - own.top < innerHeight / 2 ? own : box);
    if (Number.isNaN(at) && article !== null) focusOn(article);
    mark(article, ranges);
    await frame(signal);
    if (whole) frames++;
    const { top } = message.getBoundingClientRect();
    steady = whole && Math.abs(top - at) < 1 && (article?.textContent.trim() ?? "") !== "" ? steady + 1 : 0;
    at = top;
  }
  stop.abort();
  setTimeout(() => unmark(message), MARKED_MS);
}

const isWhole = (message: HTMLElement): boolean =>
  [...message.querySelectorAll<HTMLElement & { readonly whole: boolean }>("parley-markdown")].every(
    ({ whole }) => whole,
  );

/** It is read out, and the keys go on from there. */
function focusOn(article: HTMLElement): void {
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
  article.addEventListener("blur", () => article.removeAttribute("tabindex"), { once: true });
}

function rangesOf(article: Element, words: string): readonly Range[] {
  const ranges: Range[] = [];
  const nodes = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node !== null && ranges.length < MAX_RANGES; node = nodes.nextNode()) {
    // What tools and thoughts say is not looked through.
    const within = (selector: string): boolean => node.parentElement?.closest(selector) != null;
    if (!within(".pill, parley-markdown") || within("parley-reasoning, button")) continue;
    for (const { from, to } of wordsIn(node.textContent ?? "", words)) {
      const range = new Range();
      range.setStart(node, from);
      range.setEnd(node, to);
      ranges.push(range);
    }
  }
  return ranges;
}

function mark(article: Element | null, ranges: readonly Range[]): void {
  for (const other of document.querySelectorAll("article.found"))
    if (other !== article) other.classList.remove("found");
  article?.classList.add("found");
  if ("highlights" in CSS) CSS.highlights.set("found", new Highlight(...ranges));
}

function unmark(message: Element): void {
  const article = message.querySelector(".found");
  // Another one is marked now.
  if (article === null) return;
  article.classList.remove("found");
  if ("highlights" in CSS) CSS.highlights.delete("found");
}
