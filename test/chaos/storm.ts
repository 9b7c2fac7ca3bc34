/**
 * Many clients that lose their sockets at the same moment and come back, each to the next node: how long until all of them
 * follow what they followed. Their sockets are cut at this end, so no proxy stands between, and no limit of one address.
 */
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { type Client, createClient } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import { ACCESS_TOKEN } from "../support/parley.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";
import { ANSWER, answerIn, Tab } from "./streams.ts";

export interface StormOptions {
  /** `ws://…` of each node. */
  readonly urls: readonly string[];
  /** Conversations, one for each client, in turn. */
  readonly conversations: readonly string[];
  readonly clients: number;
  /** Of the owner; the tests' own when absent. */
  readonly token?: string | undefined;
}

export interface Storm {
  readonly clients: readonly Client[];
  readonly conversations: readonly OpenConversation[];
  /** Cuts every socket. Resolves when all follow again, with the time of each in milliseconds, in rising order. */
  break(): Promise<number[]>;
  close(): void;
}

/** Logins and first looks of the clients at a time: the storm is what is measured, not this. */
const AT_ONCE = 50;
const THERE_MS = 120_000;

/** The answer to a subscription says it. */
const SUBSCRIBED = '"mode":"';

class Reader {
  readonly client: Client;
  readonly conversation: OpenConversation;
  /** Since when it follows its conversation; 0 while it does not. */
  followsSince = 0;
  readonly #sockets = new Set<WebSocket>();

  constructor(urlOf: () => string, conversationId: string, token: string) {
    this.client = createClient({
      // The next node's takes its place.
      url: "ws://node/ws",
      auth: { kind: "token", provider: () => token },
      connect: (_, protocol) => this.#connect(urlOf(), protocol),
    });
    this.conversation = openConversation(this.client, conversationId);
  }

  break(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #connect(url: string, protocol: string): WebSocket {
    const socket = new WebSocket(url, protocol, { perMessageDeflate: false });
    this.#sockets.add(socket);
    socket.on("message", (data: Buffer) => {
      if (this.followsSince === 0 && data.includes(SUBSCRIBED)) this.followsSince = performance.now();
    });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.followsSince = 0;
    });
    return socket;
  }
}

export async function gather({ urls, conversations, clients, token = ACCESS_TOKEN }: StormOptions): Promise<Storm> {
  let turn = 0;
  const urlOf = () => urls[turn++ % urls.length] ?? "";
  const readers: Reader[] = [];
  const close = () => {
    for (const { client } of readers) client.close();
  };
  const there = () => readers.every((reader) => reader.followsSince > 0);
  try {
    while (readers.length < clients) {
      for (let i = 0; i < AT_ONCE && readers.length < clients; i++) {
        const id = conversations[readers.length % conversations.length];
        if (id === undefined) throw new Error("a storm needs a conversation");
        readers.push(new Reader(urlOf, id, token));
      }
      await until(there, "the clients to be there", THERE_MS);
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    clients: readers.map(({ client }) => client),
    conversations: readers.map(({ conversation }) => conversation),
    break: async () => {
      const began = performance.now();
      for (const reader of readers) reader.break();
      await until(() => readers.every(({ followsSince }) => followsSince === 0), "all clients to be away", THERE_MS);
      await until(there, "all clients to be back", THERE_MS);
      return readers.map(({ followsSince }) => followsSince - began).toSorted((a, b) => a - b);
    },
    close,
  };
}

export const STORM = 2_000;
/** One of so many clients also follows an answer that is being written. */
const WRITING = 20;
/** Answers that are there, which the clients share. */
const QUIET = 50;
const QUIET_ANSWER = "1 2 3 4 5";

/** All of them come back and see what there is to see; how long that took goes to the standard error. */
export async function storm({ world, streams, more }: Scene): Promise<void> {
  const asker = world.connect();
  const conversations = await Promise.all(
    Array.from({ length: QUIET }, async () => {
      const { conversation } = await asker.call("conversation.create", {});
      asker.send(conversation.id, "count to 5");
      return conversation.id;
    }),
  );
  const urls = world.nodes.map(({ url }) => `${url.replace("http", "ws")}/ws`);
  const all = await gather({ urls, conversations, clients: STORM });
  try {
    const before = streams.length;
    await more(4);
    const begun = streams.slice(before);
    const tabs = all.clients
      .filter((_, i) => i % WRITING === 0)
      .map((client, i) => new Tab(client, begun[i % begun.length]?.conversationId ?? ""));
    await until(() => tabs.every(({ text }) => text !== ""), "text in the tabs", 60_000);
    const times = await all.break();
    const at = (q: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0);
    console.error(`  all ${STORM} follow again after ${at(1)} ms, half of them after ${at(0.5)}`);
    await until(() => tabs.every((tab) => tab.done), "all tabs to see the end", 60_000);
    assert.deepEqual(
      tabs.flatMap(({ wrong }) => wrong),
      [],
    );
    assert.ok(tabs.every(({ text }) => text === ANSWER));
    const quiet = () => all.conversations.every((conversation) => answerIn(conversation) === QUIET_ANSWER);
    await until(quiet, "all of them to see the end", 60_000);
  } finally {
    all.close();
    asker.close();
  }
}
