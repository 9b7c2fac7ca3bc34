/** A stage on which one scenario is played: the client that stays, what it follows, and what it was promised. */
import { type Client, createClient } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import type { SendOptions } from "../../src/client/outbox.ts";
import type { Transcript } from "../../src/client/transcript.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { ACCESS_TOKEN } from "../support/parley.ts";
import { until } from "../support/until.ts";
import { answersTo, quote, textOf } from "./findings.ts";
import type { Asked, Finding, Stage } from "./scenario.ts";

export const connectTo = (port: number): Client =>
  createClient({ url: `ws://127.0.0.1:${port}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });

export class LiveStage implements Stage {
  readonly dir: string;
  readonly client: Client;
  asked: readonly Asked[] = [];
  readonly conversations: OpenConversation[] = [];
  /** What was wrong at some moment, each once. */
  readonly #seen = new Map<string, Finding>();
  readonly #stopServer: () => void;

  constructor(dir: string, client: Client, stopServer: () => void) {
    this.dir = dir;
    this.client = client;
    this.#stopServer = stopServer;
  }

  get findings(): readonly Finding[] {
    return [...this.#seen.values()];
  }

  async converse(): Promise<OpenConversation> {
    const { conversation } = await this.client.call("conversation.create", {});
    const open = openConversation(this.client, conversation.id);
    open.subscribe(({ transcript }) => this.#look(transcript));
    this.conversations.push(open);
    return open;
  }

  ask(
    conversation: OpenConversation,
    text: string,
    answer: string,
    { ends = ["complete"], ...options }: SendOptions & Partial<Pick<Asked, "ends">> = {},
  ): Asked {
    const { clientMessageId } = conversation.send(text, options);
    const asked: Asked = { conversationId: conversation.id, clientMessageId, text, answer, ends, answers: 1 };
    this.expect(asked);
    return asked;
  }

  expect(asked: Asked): void {
    this.asked = [...this.asked.filter((other) => other.clientMessageId !== asked.clientMessageId), asked];
  }

  async answered(): Promise<void> {
    const hasEnded = (asked: Asked): boolean => {
      const transcript = this.conversations.find(({ id }) => id === asked.conversationId)?.state.transcript;
      const answers = transcript === undefined ? [] : answersTo(transcript, asked);
      return answers.filter(({ status }) => status !== "streaming").length >= asked.answers;
    };
    // Whoever plays limits the time.
    await until(() => this.asked.every(hasEnded), "all answers", 60_000);
  }

  async insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof ParleyError) || !error.retryable) throw error;
        await this.client.whenReady();
      }
    }
  }

  stopServer(): void {
    this.#stopServer();
  }

  /** At every moment a reader sees no more answers than there may be, and of each the beginning. */
  #look(transcript: Transcript): void {
    for (const asked of this.asked) {
      const answers = answersTo(transcript, asked);
      if (answers.length > asked.answers) this.#saw("doubled", `"${asked.text}": ${answers.length} answers were shown`);
      for (const text of answers.map(textOf)) {
        if (!asked.answer.startsWith(text)) this.#saw("wrong", `"${asked.text}": it was shown ${quote(text)}`);
      }
    }
  }

  #saw(kind: Finding["kind"], what: string): void {
    this.#seen.set(kind, { kind, what });
  }
}
