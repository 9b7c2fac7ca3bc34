import { once } from "node:events";
/**
 * A server whose every word a test chooses: it speaks parley.v1 to pages, keeps its conversations in a plain object,
 * and answers a message only when it is told to. The pages and headers are the real ones.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SECURITY_HEADERS } from "../../src/gateway/http-headers.ts";
import { staticRoute } from "../../src/gateway/static.ts";
import { encodeError, encodeResult } from "../../src/protocol/codec.ts";
import { PROTOCOL } from "../../src/protocol/constants.ts";
import { ERRORS, type ErrorCode, ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Conversation, Message, ModelInfo, Run } from "../../src/protocol/shapes.ts";
import { acceptSocket, type ServerSocket } from "./websocket-server.ts";

const USER = { id: "user-1", name: "Ada" };
const EPOCH = "epoch-1";

interface Topic {
  epoch: string;
  readonly log: { readonly seq: number; readonly event: ParleyEvent }[];
}

interface Thread {
  conversation: Conversation;
  readonly messages: Message[];
  readonly runs: Run[];
}

interface Connection {
  readonly socket: ServerSocket;
  readonly topics: Set<string>;
}

type Params = Record<string, unknown>;

export interface PageServerOptions {
  readonly models?: readonly ModelInfo[];
  /** UTF-16 units of a message that a snapshot shows; what is longer comes cut. */
  readonly cutAt?: number;
  /** Called for each message, after its run was made; by default nothing answers. */
  readonly onMessage?: (run: Run, text: string, server: PageServer) => void;
}

export class PageServer {
  url = "";
  /** The code of a login link that works, again and again. */
  readonly code = "good-code";
  readonly token = "a-good-access-token-of-32-characters";
  readonly threads = new Map<string, Thread>();
  /** Methods that are refused, and with what. */
  readonly refusals = new Map<string, ErrorCode>();
  /** Every request that came, in order. */
  readonly requests: { readonly method: string; readonly params: Params }[] = [];
  readonly sessions = new Set<string>();
  /** New connections are cut off at once. */
  down = false;
  readonly #topics = new Map<string, Topic>();
  readonly #connections = new Set<Connection>();
  readonly #options: PageServerOptions;
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  #static: Awaited<ReturnType<typeof staticRoute>> | undefined;

  constructor(options: PageServerOptions = {}) {
    this.#options = options;
    this.#http.on("upgrade", (request: IncomingMessage, stream) => {
      if (this.down) stream.destroy();
      else acceptSocket(request, stream, PROTOCOL, (socket) => this.#connected(request, socket));
    });
  }

  async start(): Promise<this> {
    this.#static = await staticRoute(join(import.meta.dirname, "../../dist/web"));
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    this.url = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.drop();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  /** Cuts every connection. */
  drop(): void {
    for (const { socket } of this.#connections) socket.cut();
  }

  closeAll(code: number): void {
    for (const { socket } of this.#connections) socket.close(code);
  }

  /** A conversation that exists, with messages as `[role, text]`. */
  thread(title: string, messages: readonly (readonly ["user" | "assistant", string])[] = [], ageMs = 0): Thread {
    const at = new Date(Date.now() - ageMs).toISOString();
    const conversation: Conversation = { id: uuidv7(), title, model: null, createdAt: at, updatedAt: at };
    const thread: Thread = { conversation, messages: [], runs: [] };
    for (const [role, text] of messages) {
      thread.messages.push(makeMessage(conversation.id, role, text, thread.messages.at(-1)?.id ?? null));
    }
    this.threads.set(conversation.id, thread);
    return thread;
  }

  /** Appends to a topic and sends it to who follows it. `repeat` sends it that often. */
  emit(topicName: string, event: ParleyEvent, repeat = 1): void {
    const topic = this.#topic(topicName);
    const seq = topic.log.length + 1;
    topic.log.push({ seq, event });
    for (let i = 0; i < repeat; i++) this.#send(topicName, seq, event);
  }

  /** A new epoch: nobody can go on from where they are. */
  forget(topicName: string): void {
    this.#topics.set(topicName, { epoch: uuidv7(), log: [] });
    for (const { socket, topics } of this.#connections) {
      if (topics.has(topicName))
        socket.send(JSON.stringify({ jsonrpc: "2.0", method: "resync", params: { topic: topicName } }));
    }
  }

  begin(run: Run): Message {
    const thread = this.#thread(run.conversationId);
    const message = makeMessage(run.conversationId, "assistant", "", run.userMessageId, run, "streaming");
    const question = thread.messages.find(({ id }) => id === run.userMessageId);
    if (question !== undefined) question.runId = run.id;
    Object.assign(run, { status: "running", startedAt: new Date().toISOString() });
    thread.messages.push(message);
    this.emit(topicOf(run), {
      type: "RUN_STARTED",
      threadId: run.conversationId,
      runId: run.id,
      run: { ...run },
      message: clone(message),
    });
    return message;
  }

  /** Adds text to the answer of a run that has begun. `repeat`: how often it is sent. */
  say(run: Run, delta: string, repeat = 1): void {
    const message = this.#answer(run);
    const [part = { type: "text", text: "" }] = message.parts;
    const offset = part.text.length;
    message.parts = [{ ...part, text: part.text + delta }];
    this.emit(
      topicOf(run),
      { type: "TEXT_MESSAGE_CONTENT", messageId: message.id, partIndex: 0, offset, delta },
      repeat,
    );
  }

  reset(run: Run, length: number): void {
    const message = this.#answer(run);
    const text = message.parts[0]?.text ?? "";
    message.parts = [{ type: "text", text: text.slice(0, length) }];
    const value = { messageId: message.id, partIndex: 0, length, attempt: run.attempt + 1, runId: run.id };
    this.emit(topicOf(run), { type: "CUSTOM", name: "message.reset", value });
  }

  finish(run: Run, status: "completed" | "stopped" | "failed", error?: string): void {
    const message = this.#answer(run);
    const messageStatus = { completed: "complete", stopped: "stopped", failed: "failed" } as const;
    message.status = messageStatus[status];
    Object.assign(run, {
      status,
      finishedAt: new Date().toISOString(),
      error: error === undefined ? null : { code: "MODEL_FAILED", message: error },
    });
    const ends = { threadId: run.conversationId, runId: run.id, run: { ...run } };
    this.emit(topicOf(run), {
      type: "TEXT_MESSAGE_END",
      messageId: message.id,
      partIndex: 0,
      length: message.parts[0]?.text.length ?? 0,
      status: message.status,
    });
    if (status === "failed") {
      this.emit(topicOf(run), { type: "RUN_ERROR", ...ends, message: error ?? "", code: "MODEL_FAILED" });
    } else {
      const outcome = { type: status === "completed" ? "success" : "cancelled" } as const;
      this.emit(topicOf(run), { type: "RUN_FINISHED", ...ends, outcome, usage: [] });
    }
    const next = this.#thread(run.conversationId).runs.find((other) => other.status === "queued");
    const question = next && this.#thread(run.conversationId).messages.find(({ id }) => id === next.userMessageId);
    if (next === undefined || question === undefined) return;
    question.parentId = message.id;
    this.emit(topicOf(run), { type: "CUSTOM", name: "message.updated", value: { message: clone(question) } });
    this.#options.onMessage?.(next, question.parts[0]?.text ?? "", this);
  }

  /** The run that answers, or was the last to. */
  lastRun(conversationId?: string): Run {
    const threads = [...this.threads.values()].filter(
      ({ conversation }) => conversationId === undefined || conversation.id === conversationId,
    );
    const run = threads.flatMap(({ runs }) => runs).at(-1);
    if (run === undefined) throw new Error("no run yet");
    return run;
  }

  #thread(id: string): Thread {
    const thread = this.threads.get(id);
    if (thread === undefined) throw new ParleyError("NOT_FOUND");
    return thread;
  }

  #answer(run: Run): Message {
    const message = this.#thread(run.conversationId).messages.find(({ id }) => id === run.assistantMessageId);
    if (message === undefined) throw new Error("the run has not begun");
    return message;
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic: Topic = { epoch: EPOCH, log: [] };
    this.#topics.set(name, topic);
    return topic;
  }

  #send(topic: string, seq: number, event: ParleyEvent): void {
    const params = { topic, epoch: this.#topic(topic).epoch, seq, ts: new Date().toISOString(), event };
    const text = JSON.stringify({ jsonrpc: "2.0", method: "event", params });
    for (const { socket, topics } of this.#connections) if (topics.has(topic)) socket.send(text);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    if (path === "/auth/session") return this.#session(request, response);
    const answer = await this.#static?.handle({
      method: "GET",
      path,
      query: "",
      headers: new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: new Uint8Array(),
      remoteAddress: "127.0.0.1",
      signal: new AbortController().signal,
    });
    response.writeHead(answer?.status ?? 500, { ...SECURITY_HEADERS, ...answer?.headers });
    response.end(answer?.body);
  }

  async #session(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    if (request.method === "DELETE") {
      this.sessions.clear();
      response.writeHead(200, { ...SECURITY_HEADERS, "set-cookie": "parley_session=; Path=/; Max-Age=0" }).end("{}");
      return this.closeAll(4504);
    }
    const { code, token } = JSON.parse(text) as { code?: string; token?: string };
    if (code !== this.code && token !== this.token) {
      const error = { message: ERRORS.AUTH_FAILED.message, code: "AUTH_FAILED", retryable: false };
      response
        .writeHead(401, { ...SECURITY_HEADERS, "content-type": "application/json" })
        .end(JSON.stringify({ error }));
      return;
    }
    const session = uuidv7();
    this.sessions.add(session);
    const cookie = `parley_session=${session}; Path=/; HttpOnly; SameSite=Strict`;
    response
      .writeHead(200, { ...SECURITY_HEADERS, "content-type": "application/json", "set-cookie": cookie })
      .end("{}");
  }

  #connected(request: IncomingMessage, socket: ServerSocket) {
    const session = /parley_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const signedIn = this.sessions.has(session);
    const connection: Connection = { socket, topics: new Set() };
    this.#connections.add(connection);
    const identity = {
      session: { id: session, expiresAt: new Date(Date.now() + 86_400_000).toISOString() },
      user: USER,
      tenant: { id: "tenant-1", name: "Home" },
    };
    const hello = {
      protocol: PROTOCOL,
      connectionId: uuidv7(),
      nodeId: "scripted",
      time: new Date().toISOString(),
      heartbeatMs: 25_000,
      silenceMs: 33_000,
      authDeadlineMs: 5_000,
      auth: ["cookie", "token", "session"],
      limits: {
        frameIn: 262_144,
        frameInAnonymous: 65_536,
        frameOut: 131_072,
        event: 65_536,
        depth: 32,
        inFlight: 64,
        subscriptions: 64,
        requestsPerSecond: 300,
        requestBurst: 600,
      },
      ...(signedIn ? identity : {}),
    };
    socket.send(JSON.stringify({ jsonrpc: "2.0", method: "hello", params: hello }));
    return {
      message: (text: string) => {
        const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: Params };
        this.requests.push({ method, params });
        const after: (() => void)[] = [];
        try {
          const refusal = signedIn ? this.refusals.get(method) : "UNAUTHENTICATED";
          if (refusal !== undefined) throw new ParleyError(refusal);
          socket.send(encodeResult(id, this.#call(connection, method, params, after)));
        } catch (error) {
          if (!(error instanceof ParleyError)) throw error;
          socket.send(encodeError(id, error));
        }
        for (const work of after) work();
      },
      closed: () => void this.#connections.delete(connection),
    };
  }

  #call(connection: Connection, method: string, params: Params, after: (() => void)[]): unknown {
    switch (method) {
      case "ping":
        return { pong: true, time: new Date().toISOString() };
      case "model.list":
        return { models: this.#options.models ?? [DEMO] };
      case "topic.subscribe":
        return this.#subscribe(
          connection,
          String(params["topic"]),
          params["position"] as { epoch: string; seq: number } | undefined,
          after,
        );
      case "topic.unsubscribe":
        connection.topics.delete(String(params["topic"]));
        return {};
      case "conversation.create": {
        const { conversation } = this.thread("");
        after.push(() => this.#changed("conversation.created", conversation));
        return { conversation };
      }
      case "conversation.list":
        return { conversations: this.#list(), nextCursor: null };
      case "conversation.get":
        return this.#page(String(params["conversationId"]), String(params["before"]), Number(params["limit"] ?? 50));
      case "conversation.rename": {
        const thread = this.#thread(String(params["conversationId"]));
        thread.conversation = { ...thread.conversation, title: String(params["title"]) };
        after.push(() => this.#changed("conversation.renamed", thread.conversation));
        return { conversation: thread.conversation };
      }
      case "message.read": {
        const text = this.#messages().find(({ id }) => id === params["messageId"])?.parts[0]?.text ?? "";
        return { text: text.slice(Number(params["offset"])), length: text.length };
      }
      case "run.get":
        return {
          run: [...this.threads.values()].flatMap(({ runs }) => runs).find(({ id }) => id === params["runId"]),
          steps: [],
        };
      case "chat.send":
        return this.#chat(params, after);
      case "chat.stop":
        return this.#stop(params, after);
      default:
        return {};
    }
  }

  #messages(): Message[] {
    return [...this.threads.values()].flatMap(({ messages }) => messages);
  }

  #list(): Conversation[] {
    const all = [...this.threads.values()].map(({ conversation }) => conversation);
    return all.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  }

  #changed(
    name: "conversation.created" | "conversation.renamed" | "conversation.updated",
    conversation: Conversation,
  ): void {
    const event = { type: "CUSTOM", name, value: { conversation } } as const;
    this.emit(`user:${USER.id}`, event);
    if (name !== "conversation.created") this.emit(`conversation:${conversation.id}`, event);
  }

  #subscribe(
    connection: Connection,
    name: string,
    position: { epoch: string; seq: number } | undefined,
    after: (() => void)[],
  ): unknown {
    const topic = this.#topic(name);
    connection.topics.add(name);
    if (position?.epoch === topic.epoch && position.seq <= topic.log.length) {
      const missed = topic.log.slice(position.seq);
      after.push(() => missed.forEach(({ seq, event }) => this.#send(name, seq, event)));
      return { mode: "replay", position };
    }
    const head = { epoch: topic.epoch, seq: topic.log.length };
    const [kind, id = ""] = name.split(":");
    if (kind === "user") {
      return { mode: "snapshot", position: head, snapshot: { conversations: this.#list(), nextCursor: null } };
    }
    const { conversation, messages, runs } = this.#thread(id);
    const activeRun = runs.find(({ status }) => status === "running");
    const snapshot = {
      conversation,
      messages: messages.slice(-50).map((message) => this.#cut(message)),
      hasMore: messages.length > 50,
      ...(activeRun === undefined ? {} : { activeRun: { ...activeRun } }),
      queuedRuns: runs.filter(({ status }) => status === "queued").map((run) => ({ ...run })),
    };
    return { mode: "snapshot", position: head, snapshot };
  }

  #cut(message: Message): Message {
    const { cutAt = Infinity } = this.#options;
    const parts = message.parts.map((part) =>
      part.text.length > cutAt ? { ...part, text: part.text.slice(0, cutAt), length: part.text.length } : part,
    );
    return { ...message, parts };
  }

  #page(conversationId: string, before: string, limit: number): unknown {
    const { conversation, messages } = this.#thread(conversationId);
    const end = messages.findIndex(({ id }) => id === before);
    const start = Math.max(0, end - limit);
    return { conversation, messages: messages.slice(start, end).map(clone), hasMore: start > 0, position: null };
  }

  #chat(params: Params, after: (() => void)[]): unknown {
    const conversationId = String(params["conversationId"]);
    const text = String(params["text"]);
    const thread = this.#thread(conversationId);
    const busy = thread.runs.find(({ status }) => status === "running" || status === "queued");
    const interrupt = params["whenBusy"] === "interrupt";
    const message = makeMessage(
      conversationId,
      "user",
      text,
      busy === undefined ? (thread.messages.at(-1)?.id ?? null) : null,
    );
    message.id = typeof params["clientMessageId"] === "string" ? params["clientMessageId"] : message.id;
    const run = makeRun(conversationId, message.id, thread.runs.length + 1);
    message.runId = run.id;
    const known = thread.messages.find(({ id }) => id === message.id);
    if (known !== undefined) {
      const earlier = thread.runs.find(({ id }) => id === known.runId) ?? run;
      return { runId: earlier.id, userMessageId: known.id, state: "running" };
    }
    thread.messages.push(message);
    thread.runs.push(run);
    thread.conversation = {
      ...thread.conversation,
      title: thread.conversation.title || text.slice(0, 60),
      updatedAt: new Date().toISOString(),
    };
    after.push(() => {
      this.#changed("conversation.updated", thread.conversation);
      this.emit(topicOf(run), { type: "CUSTOM", name: "message.created", value: { message: clone(message) } });
      if (busy === undefined) return this.#options.onMessage?.(run, text, this);
      this.emit(topicOf(run), { type: "CUSTOM", name: "run.updated", value: { run: { ...run } } });
      if (interrupt) this.finish(busy, "stopped");
    });
    return { runId: run.id, userMessageId: message.id, state: busy === undefined ? "running" : "queued" };
  }

  #stop(params: Params, after: (() => void)[]): unknown {
    const run = [...this.threads.values()]
      .flatMap(({ runs }) => runs)
      .find(({ id, conversationId, status }) =>
        "runId" in params
          ? id === params["runId"]
          : conversationId === params["conversationId"] && status === "running",
      );
    if (run === undefined) return { stopped: false };
    after.push(() => {
      if (run.status === "running") return this.finish(run, "stopped");
      Object.assign(run, { status: "stopped", finishedAt: new Date().toISOString() });
      this.emit(topicOf(run), { type: "CUSTOM", name: "run.updated", value: { run: { ...run } } });
    });
    return { stopped: true };
  }
}

export const DEMO: ModelInfo = {
  id: "demo",
  provider: "demo",
  name: "Demo",
  demo: true,
  hint: "The built-in demo model: no key, fixed answers.",
  available: true,
};

const topicOf = ({ conversationId }: Run): string => `conversation:${conversationId}`;

const clone = (message: Message): Message => ({ ...message, parts: message.parts.map((part) => ({ ...part })) });

function makeMessage(
  conversationId: string,
  role: "user" | "assistant",
  text: string,
  parentId: string | null,
  run?: Run,
  status: Message["status"] = "complete",
): Message {
  return {
    id: run?.assistantMessageId ?? uuidv7(),
    conversationId,
    parentId,
    role,
    author: role === "user" ? USER.id : "demo",
    parts: text === "" && status === "streaming" ? [] : [{ type: "text", text }],
    status,
    createdAt: new Date().toISOString(),
    runId: run?.id ?? null,
  };
}

const makeRun = (conversationId: string, userMessageId: string, position: number): Run => ({
  id: uuidv7(),
  conversationId,
  status: "queued",
  attempt: 1,
  model: "demo",
  userMessageId,
  assistantMessageId: uuidv7(),
  position,
  stopRequested: false,
  usage: { inputTokens: 0, outputTokens: 0 },
  error: null,
  createdAt: new Date().toISOString(),
  startedAt: null,
  finishedAt: null,
});
