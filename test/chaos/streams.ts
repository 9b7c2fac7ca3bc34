/** Answers that are known beforehand, each read in two tabs, and what these readers found. */
import type { Client } from "../../src/client/client.ts";
import { openConversation, type OpenConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";
import type { World } from "./world.ts";

/** Numbers of a stream: each is an event of the model. */
export const NUMBERS = 300;
export const ANSWER = Array.from({ length: NUMBERS }, (_, i) => i + 1).join(" ");
const TOOLS = ["use the calculator: 1+1 and what time is it", "remember"] as const;

const answersOf = ({ state }: OpenConversation) =>
  messagesOf(state.transcript).filter(({ role }) => role === "assistant");

/** What was answered, whole or so far. */
export const answerIn = (conversation: OpenConversation): string =>
  answersOf(conversation)
    .map((message) => message.parts.map(partText).join(""))
    .join("\n");

/** One reader of one answer: every state that it showed was a beginning of the known answer. */
export class Tab {
  readonly conversation: OpenConversation;
  /** Changes that showed something else. */
  wrong: string[] = [];
  #changedAt = 0;
  #length = 0;
  #watchedFrom = Infinity;
  /** Longest time without news while watched, in milliseconds. */
  silence = 0;

  constructor(client: Client, conversationId: string) {
    this.conversation = openConversation(client, conversationId);
    this.conversation.subscribe(() => this.#changed());
  }

  get text(): string {
    return answerIn(this.conversation);
  }

  get done(): boolean {
    return answersOf(this.conversation).some(({ status }) => status === "complete");
  }

  watch(): void {
    this.#watchedFrom = performance.now();
    this.#changedAt = this.#watchedFrom;
  }

  /** What happened to it; `undefined`: no answer at all. */
  get status(): string | undefined {
    return answersOf(this.conversation)[0]?.status;
  }

  #changed(): void {
    const { text } = this;
    if (!ANSWER.startsWith(text) && this.wrong.length < 5) this.wrong.push(text.slice(-60));
    if (text.length === this.#length && !this.done) return;
    const now = performance.now();
    if (this.#length < ANSWER.length && now >= this.#watchedFrom) {
      this.silence = Math.max(this.silence, now - this.#changedAt);
    }
    this.#changedAt = now;
    this.#length = text.length;
  }
}

export interface Stream {
  readonly conversationId: string;
  readonly tabs: readonly Tab[];
}

/** Begins one answer in a conversation of its own. */
export async function beginStream(writer: Client, reader: Client): Promise<Stream> {
  const { conversation } = await writer.call("conversation.create", {});
  const tabs = [new Tab(writer, conversation.id), new Tab(reader, conversation.id)];
  await until(() => tabs.every((tab) => tab.conversation.state.status === "open"), "both tabs to follow", 60_000);
  writer.send(conversation.id, `count to ${NUMBERS}`);
  return { conversationId: conversation.id, tabs };
}

/** Questions that call tools, one after the other, until it is stopped. */
export class ToolTalk {
  readonly conversation: OpenConversation;
  readonly remembered: string[] = [];
  sent = 0;
  #going = true;
  #ended: Promise<void> = Promise.resolve();

  constructor(client: Client, conversationId: string) {
    this.conversation = openConversation(client, conversationId);
  }

  begin(name: string): void {
    this.#ended = this.#talk(name);
  }

  /** Resolves when the last question has its answer. */
  stop(): Promise<void> {
    this.#going = false;
    return this.#ended;
  }

  get answered(): number {
    return answersOf(this.conversation).filter(({ status }) => status === "complete").length;
  }

  get answers(): number {
    return answersOf(this.conversation).length;
  }

  async #talk(name: string): Promise<void> {
    while (this.#going) {
      const fact = `${name} ${this.sent}`;
      const remembers = this.sent % 2 === 1;
      if (remembers) this.remembered.push(fact);
      this.conversation.send(remembers ? `${TOOLS[1]} ${fact}` : TOOLS[0]);
      const expected = ++this.sent;
      await until(() => this.answered >= expected, `answer ${expected} with tools`, 120_000);
    }
  }
}

/** How many numbers of the known answer a text lacks, and how many it has once too often. */
export function compare(text: string): { readonly received: number; readonly lost: number; readonly doubled: number } {
  const found = text.split(/\s+/).filter((word) => word !== "");
  const distinct = new Set(found.filter((word) => Number(word) >= 1 && Number(word) <= NUMBERS));
  return { received: found.length, lost: NUMBERS - distinct.size, doubled: found.length - distinct.size };
}

/** The runs of these conversations: a message that was sent once has one, whoever made it. */
export async function runsOf(world: World, conversationIds: readonly string[]): Promise<number> {
  const [row] = await world.sql<{ count: string }>("select count(*) from runs where conversation_id = any($1)", [
    conversationIds,
  ]);
  return Number(row?.count);
}
