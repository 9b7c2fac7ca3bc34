import type { Client } from "../../src/client/client.ts";
/** What people do with a server while it dies, and what must have come of it. */
import type { OpenConversation } from "../../src/client/conversation.ts";
import type { SendOptions } from "../../src/client/outbox.ts";
import type { Transcript } from "../../src/client/transcript.ts";
import type { MessageStatus } from "../../src/protocol/shapes.ts";
import type { Audit } from "./audit.ts";
import type { Point } from "./point.ts";

/** One message, and what its answers must be. */
export interface Asked {
  readonly conversationId: string;
  readonly clientMessageId: string;
  /** Texts differ within a scenario. */
  readonly text: string;
  /** The whole text of each answer. One that is stopped or failed has the beginning of it. */
  readonly answer: string;
  /** How an answer may end. */
  readonly ends: readonly MessageStatus[];
  /** 1, and one more each time that it was answered again. */
  readonly answers: number;
}

export interface Stage {
  /** A folder outside of the server's own: what is written there outlives every process. */
  readonly dir: string;
  /** Makes a conversation, and follows it to the end of the case. */
  converse(): Promise<OpenConversation>;
  /** Sends, and expects the answer. */
  ask(
    conversation: OpenConversation,
    text: string,
    answer: string,
    options?: SendOptions & Partial<Pick<Asked, "ends">>,
  ): Asked;
  /** A message that was sent has its answers checked at every look from now on; told again, it is replaced. */
  expect(asked: Asked): void;
  /** Until each message has as many answers that ended as are expected. */
  answered(): Promise<void>;
  /** For a call that may have had its effect when its connection was lost, and whose repeat is harmless. */
  insist<T>(call: () => Promise<T>): Promise<T>;
  /** Asks the server to stop. Another process follows it, as it follows one that died. */
  stopServer(): void;
}

export interface Finding {
  readonly kind:
    /** Accepted, and without an answer. */
    | "lost"
    /** More than was asked for. */
    | "doubled"
    /** Something waits for what does not come. */
    | "hung"
    | "wrong";
  readonly what: string;
}

/** How a case came out, when nothing moves any more. */
export interface Outcome {
  readonly dir: string;
  readonly asked: readonly Asked[];
  /** By conversation: what the client has that saw it all, and what one has that came at the end. */
  readonly transcripts: ReadonlyMap<string, { readonly stayed: Transcript; readonly fresh: Transcript }>;
  readonly audit: Audit;
}

export interface Scenario {
  readonly name: string;
  /** The server's environment, beside what every scenario has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Deaths that bring the server to where the point is looked for: in the process after them. */
  readonly deathsBefore?: readonly Point[];
  /** The calls whose boundaries this scenario is for; all when absent. */
  readonly about?: RegExp;
  /** Only the first call of each name is tried, unless all are asked for. */
  readonly few?: true;
  /** It takes long: left out unless all are asked for, and then only what it is about is tried. */
  readonly slow?: true;
  /**
   * Plays on while the server dies and comes back. Ends when everything that it asked is answered. Nothing that
   * it awaits may fail for a lost connection: see `insist`.
   */
  play(client: Client, stage: Stage): Promise<void>;
  /** Runs, where messages that joined one have none of their own: how many there may be. As many as answers when absent. */
  readonly runs?: { readonly least: number; readonly most: number };
  /** What it looks at beside answers, runs and transcripts, which are looked at always. */
  check?(outcome: Outcome): readonly Finding[];
}
