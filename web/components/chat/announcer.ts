/** What is said to those who listen: that an answer began, the answer when it is finished, and what asks for a decision. */
import { effect, type Signal, signal } from "@preact/signals-core";
import type { ConversationStore } from "../../store/conversation.ts";
import { text } from "../../text/text.ts";

/** After this an announcement is over: the text itself is in the transcript. */
const ANNOUNCED_MS = 8_000;
/** UTF-16 units that are read out of an answer when it is finished; the rest can be read in the transcript. */
const MAX_ANNOUNCED = 3_000;

export class Announcer {
  /** For `role=status`. */
  readonly polite: Signal<string> = signal("");
  /** For `role=alert`. */
  readonly assertive: Signal<string> = signal("");
  readonly #root: HTMLElement;
  #stop: (() => void)[] = [];

  /** `root` holds the transcript. */
  constructor(root: HTMLElement) {
    this.#root = root;
  }

  /** Of this conversation from now on. */
  follow(conversation: ConversationStore | undefined): void {
    this.stop();
    this.polite.value = "";
    this.assertive.value = "";
    if (conversation === undefined) return;
    this.#stop = [this.#followRun(conversation), this.#followApprovals(conversation)];
  }

  stop(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  #followRun(conversation: ConversationStore): () => void {
    let responding: string | undefined;
    return effect(() => {
      const id = conversation.view.activeRun.value?.id;
      if (id === responding) return;
      const finished = responding;
      responding = id;
      if (id !== undefined) this.polite.value = text().chat.responding;
      // Its last words are rendered with the next frame.
      else if (finished !== undefined) requestAnimationFrame(() => this.#sayAnswer());
    });
  }

  #sayAnswer(): void {
    const article = [...this.#root.querySelectorAll<HTMLElement>(".agent")].at(-1);
    const answer = [...(article?.querySelectorAll(":scope > parley-markdown") ?? [])].map(beginning).join(" ");
    const state = article?.querySelector("footer .word")?.textContent ?? "";
    const failure = article?.querySelector(".failure div")?.textContent ?? "";
    const said = `${failure} ${state} ${answer}`.replaceAll(/\s+/g, " ").trim().slice(0, MAX_ANNOUNCED);
    this.polite.value = said;
    setTimeout(() => {
      if (this.polite.value === said) this.polite.value = "";
    }, ANNOUNCED_MS);
  }

  /** Each question once. */
  #followApprovals(conversation: ConversationStore): () => void {
    const asked = new Set<string>();
    return effect(() => {
      const waiting = [...conversation.view.approvals.value.values()].filter(({ status }) => status === "pending");
      const fresh = waiting.filter(({ id }) => !asked.has(id));
      for (const { id } of fresh) asked.add(id);
      if (fresh.length > 0) {
        this.assertive.value = text().chat.decisionsNeeded(fresh.map(({ summary }) => summary).join(" "));
      } else if (waiting.length === 0) {
        this.assertive.value = "";
      }
    });
  }
}

/** Of what stands in it, as much as is read out at most: all of a long one would be looked through in one go. */
function beginning(element: Element): string {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let said = "";
  while (said.length < MAX_ANNOUNCED && texts.nextNode() !== null) {
    const words = texts.currentNode.nodeValue?.replaceAll(/\s+/g, " ") ?? "";
    said += said.endsWith(" ") ? words.trimStart() : words;
  }
  return said;
}
