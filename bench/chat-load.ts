/**
 * People who chat, in a process of their own: each asks, reads the answer to its end, and asks again. Works with Parley
 * and with the relay; where a chat begins and ends is the only difference.
 */
import { TOKENS } from "./chat-tokens.ts";
import { WsSocket } from "./ws-socket.ts";

export type ChatOrder =
  /** Opens so many sockets; with `token` each logs in to Parley and makes a conversation. */
  | { readonly op: "open"; readonly port: number; readonly count: number; readonly token?: string }
  /** Chats begin, spread over `spreadMs`, and go on. */
  | { readonly op: "begin"; readonly spreadMs: number }
  /** Nobody asks again; done when all have their answer and the sockets are closed. */
  | { readonly op: "end" }
  /** What happened since the last order. */
  | { readonly op: "report" };

export interface ChatReport {
  readonly error?: string;
  readonly tokens?: number;
  /** Milliseconds from a question to its answer's first token, of the answers that began. */
  readonly first?: readonly number[];
}

const AT_ONCE = 10;
/** Tokens stand in these events only, of Parley; and in every frame of the relay. */
const CONTENT = "TEXT_MESSAGE_CONTENT";

class Chat {
  readonly #socket: WsSocket;
  readonly #parley: boolean;
  #conversationId = "";
  #nextId = 1;
  #askedAt = 0;
  #tokens = 0;
  #waiting: PromiseWithResolvers<Record<string, unknown>> | undefined;
  #ending: PromiseWithResolvers<void> | undefined;

  private constructor(socket: WsSocket, parley: boolean) {
    this.#socket = socket;
    this.#parley = parley;
    socket.onFrame = (payload) => this.#read(payload);
    socket.onClose = () => fail("a connection was closed");
  }

  static async open(port: number, token: string | undefined): Promise<Chat> {
    const chat = new Chat(await WsSocket.open(port), token !== undefined);
    if (token === undefined) return chat;
    await chat.#call("login", { token });
    const { conversation } = (await chat.#call("conversation.create", {})) as { conversation: { id: string } };
    chat.#conversationId = conversation.id;
    await chat.#call("topic.subscribe", { topic: `conversation:${conversation.id}` });
    return chat;
  }

  /** Resolves with the end of the answer under way. */
  end(): Promise<void> {
    this.#ending = Promise.withResolvers();
    if (this.#askedAt === 0) this.#close();
    return this.#ending.promise;
  }

  #close(): void {
    this.#socket.onClose = () => {};
    this.#socket.destroy();
    this.#ending?.resolve();
  }

  ask(): void {
    if (this.#ending !== undefined) return this.#close();
    this.#tokens = 0;
    this.#askedAt = performance.now();
    const text = "Say something, please.";
    if (!this.#parley) return this.#socket.send(text);
    const idempotencyKey = `${this.#conversationId}-${this.#nextId}`;
    this.#request("chat.send", { conversationId: this.#conversationId, text, idempotencyKey });
  }

  #request(method: string, params: object): void {
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id: this.#nextId++, method, params }));
  }

  /** For set-up only. */
  async #call(method: string, params: object): Promise<Record<string, unknown>> {
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting = waiting;
    const timer = setTimeout(() => waiting.reject(new Error(`${method} was not answered`)), 60_000);
    this.#request(method, params);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #read(payload: Buffer): void {
    const text = payload.toString("latin1");
    if (this.#waiting !== undefined) return this.#answered(text);
    if (text.includes('"error":{')) fail(text.slice(0, 500));
    if (!this.#parley || text.includes(CONTENT)) this.#count(text);
    if (text.includes(this.#parley ? "RUN_FINISHED" : "[DONE]")) this.#end();
  }

  #answered(text: string): void {
    const { id, result, error } = JSON.parse(text) as {
      id?: number;
      result?: Record<string, unknown>;
      error?: object;
    };
    if (error !== undefined) this.#waiting?.reject(new Error(JSON.stringify(error)));
    if (id !== undefined && result !== undefined) this.#waiting?.resolve(result);
  }

  #count(text: string): void {
    let came = 0;
    for (let at = text.indexOf(" tok"); at >= 0; at = text.indexOf(" tok", at + 4)) came++;
    if (came > 0 && this.#tokens === 0) first.push(performance.now() - this.#askedAt);
    this.#tokens += came;
    tokens += came;
  }

  #end(): void {
    if (this.#tokens !== TOKENS) fail(`an answer had ${this.#tokens} tokens and not ${TOKENS}`);
    this.ask();
  }
}

const chats: Chat[] = [];
let tokens = 0;
let first: number[] = [];
let failure: string | undefined;

function fail(reason: string): void {
  failure ??= reason;
}

async function obey(order: ChatOrder): Promise<ChatReport> {
  switch (order.op) {
    case "open":
      while (chats.length < order.count) {
        const some = Math.min(AT_ONCE, order.count - chats.length);
        chats.push(...(await Promise.all(Array.from({ length: some }, () => Chat.open(order.port, order.token)))));
      }
      return {};
    case "begin":
      for (const [index, chat] of chats.entries()) {
        setTimeout(() => chat.ask(), (index * order.spreadMs) / chats.length);
      }
      return {};
    case "end":
      await Promise.all(chats.splice(0).map((chat) => chat.end()));
      return {};
    case "report": {
      const report = { tokens, first };
      tokens = 0;
      first = [];
      return report;
    }
  }
}

process.on("message", (order: ChatOrder) => {
  obey(order).then(
    (report) => process.send?.(failure === undefined ? report : { error: failure }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
