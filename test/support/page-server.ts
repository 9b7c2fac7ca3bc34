/**
 * A server whose every word a test chooses: it speaks parley.v1 to pages, keeps its conversations in a plain object,
 * and answers a message only when it is told to. The pages and headers are the real ones.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { errorAnswer } from "../../src/gateway/http-answer.ts";
import { SECURITY_HEADERS } from "../../src/gateway/http-headers.ts";
import { staticRoute } from "../../src/gateway/static.ts";
import { encodeError, encodeResult } from "../../src/protocol/codec.ts";
import { PROTOCOL } from "../../src/protocol/constants.ts";
import { ERRORS, type ErrorCode, type Issue, ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type {
  Approval,
  Conversation,
  FilePart,
  Message,
  ModelInfo,
  Part,
  PlanTask,
  Run,
  ToolArgs,
  ToolPart,
  Usage,
} from "../../src/protocol/shapes.ts";
import { PageList } from "./page-list.ts";
import { PagePresence } from "./page-presence.ts";
import { type Asked, PageThread, USER } from "./page-thread.ts";
import { acceptSocket, type ServerSocket } from "./websocket-server.ts";

const EPOCH = "epoch-1";

interface Topic {
  epoch: string;
  readonly log: { readonly seq: number; readonly event: ParleyEvent }[];
}

interface Connection {
  readonly id: string;
  readonly socket: ServerSocket;
  readonly topics: Set<string>;
}

type Params = Record<string, unknown>;

export interface PageServerOptions {
  readonly models?: readonly ModelInfo[];
  /** UTF-16 units of a message that a snapshot shows; what is longer comes cut. */
  readonly cutAt?: number;
  /** Every event is sent so often. */
  readonly repeats?: number;
  /** Called for each message, after its run was made; by default nothing answers. */
  readonly onMessage?: (run: Run, text: string, server: PageServer) => void;
}

export class PageServer {
  url = "";
  /** The code of a login link that works, again and again. */
  readonly code = "good-code";
  readonly token = "a-good-access-token-of-32-characters";
  readonly threads = new Map<string, PageThread>();
  readonly list = new PageList(this.threads, (topic, event) => this.emit(topic, event));
  readonly presence = new PagePresence((topic, frame) => {
    for (const { socket, topics } of this.#connections) if (topics.has(topic)) socket.send(frame);
  });
  /** Methods that are refused, and with what. */
  readonly refusals = new Map<string, ErrorCode>();
  /** What is answered to methods that nothing here knows; `{}` to any other. */
  readonly answers = new Map<string, (params: Params) => unknown>();
  /** What is wrong with the arguments of the next decision. */
  issues: readonly Issue[] = [];
  /** Every request that came, in order. */
  readonly requests: { readonly method: string; readonly params: Params }[] = [];
  readonly sessions = new Set<string>();
  /** What was uploaded, by id. */
  readonly files = new Map<string, { readonly part: FilePart; readonly bytes: Uint8Array }>();
  /** Files that were asked for, and with which token of a link. */
  readonly downloads: { readonly id: string; readonly token: string | string[] | undefined }[] = [];
  /** Uploads wait for this. */
  uploads: Promise<void> = Promise.resolve();
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

  /** A conversation that exists, with messages as `[role, text]`, or `[role, parts]`. */
  thread(
    title: string,
    messages: readonly (readonly ["user" | "assistant", string | readonly Part[]])[] = [],
    ageMs = 0,
  ): PageThread {
    const at = new Date(Date.now() - ageMs).toISOString();
    const conversation: Conversation = {
      id: uuidv7(),
      title,
      model: null,
      headMessageId: null,
      createdAt: at,
      updatedAt: at,
    };
    const topic = `conversation:${conversation.id}`;
    const thread = new PageThread(conversation, (event, repeat) => this.emit(topic, event, repeat));
    thread.onTurn = (run, text) => this.#options.onMessage?.(run, text, this);
    for (const [role, content] of messages) {
      const parts: Part[] = typeof content === "string" ? [{ type: "text", text: content }] : [...content];
      thread.add({ role, parts });
    }
    this.threads.set(conversation.id, thread);
    return thread;
  }

  /** Appends to a topic and sends it to who follows it. `repeat` sends it that often. */
  emit(topicName: string, event: ParleyEvent, repeat = this.#options.repeats ?? 1): void {
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

  // ── what a run does ─────────────────────────────────────────────────────────────────────────────────────────────

  begin(run: Run): Message {
    return this.#of(run).begin(run);
  }

  /** Adds text to the answer of a run that has begun. `repeat`: how often it is sent. */
  say(run: Run, delta: string, repeat?: number): void {
    this.#of(run).say(run, delta, repeat);
  }

  reason(run: Run, delta: string): void {
    this.#of(run).reason(run, delta);
  }

  /** The model calls a tool; `whole`: with all of the arguments. The call's id. */
  call(run: Run, name: string, args: ToolArgs = {}, whole = true): string {
    return this.#of(run).call(run, name, args, whole);
  }

  tool(run: Run, toolCallId: string, changes: Partial<ToolPart>): void {
    this.#of(run).tool(run, toolCallId, changes);
  }

  progress(run: Run, toolCallId: string, message: string, fraction?: number): void {
    this.#of(run).progress(run, toolCallId, message, fraction);
  }

  ask(run: Run, toolCallId: string, fields?: Partial<Approval>): Approval {
    return this.#of(run).ask(run, toolCallId, fields);
  }

  plan(run: Run, plan: readonly PlanTask[]): void {
    this.#of(run).plan(run, plan);
  }

  notice(run: Run, message: string): void {
    this.#of(run).notice(run, message);
  }

  join(run: Run): void {
    this.#of(run).join(run);
  }

  reset(run: Run, length: number, partIndex?: number): void {
    this.#of(run).reset(run, length, partIndex);
  }

  finish(run: Run, status: "completed" | "stopped" | "failed", error?: string, usage?: Usage): void {
    this.#of(run).finish(run, status, error, usage);
  }

  #of({ conversationId }: Run): PageThread {
    return this.#thread(conversationId);
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

  #thread(id: string): PageThread {
    const thread = this.threads.get(id);
    if (thread === undefined) throw new ParleyError("NOT_FOUND");
    return thread;
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

  // ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    if (path === "/auth/session") return this.#session(request, response);
    if (path === "/files") return this.#upload(request, response);
    if (path.startsWith("/files/")) return this.#download(path.slice("/files/".length), request, response);
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

  async #upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await this.uploads;
    const refusal = this.refusals.get("files");
    if (refusal !== undefined) {
      const { status, headers, body } = errorAnswer(new ParleyError(refusal));
      response.writeHead(status, { ...SECURITY_HEADERS, ...headers }).end(body);
      return;
    }
    const bytes = Buffer.concat(chunks);
    const name = decodeURIComponent(String(request.headers["x-file-name"] ?? ""));
    const mediaType = request.headers["content-type"] ?? "";
    const part: FilePart = { type: "file", fileId: uuidv7(), name, mediaType, size: bytes.length };
    this.files.set(part.fileId, { part, bytes });
    const { type: _, ...file } = part;
    response.writeHead(201, { ...SECURITY_HEADERS, "content-type": "application/json" }).end(JSON.stringify({ file }));
  }

  #download(id: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.files.get(id);
    const token = request.headers["x-share-token"];
    this.downloads.push({ id, token });
    const hasIt = ({ parts }: Message): boolean => parts.some((part) => part.type === "file" && part.fileId === id);
    const opens = [...this.threads.values()].some(
      ({ conversation, messages }) => messages.some(hasIt) && this.list.opens(conversation.id, token),
    );
    if (file === undefined || (token !== undefined && !opens)) {
      response.writeHead(404, SECURITY_HEADERS).end();
      return;
    }
    response.writeHead(200, { ...SECURITY_HEADERS, "content-type": file.part.mediaType }).end(file.bytes);
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
    const connection: Connection = { id: uuidv7(), socket, topics: new Set() };
    this.#connections.add(connection);
    const identity = {
      session: { id: session, expiresAt: new Date(Date.now() + 86_400_000).toISOString() },
      user: USER,
      tenant: { id: "tenant-1", name: "Home" },
    };
    const hello = {
      protocol: PROTOCOL,
      connectionId: connection.id,
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
      closed: () => {
        this.#connections.delete(connection);
        this.presence.leave(connection.id);
      },
    };
  }

  #call(connection: Connection, method: string, params: Params, after: (() => void)[]): unknown {
    switch (method) {
      case "ping":
        return { pong: true, time: new Date().toISOString() };
      case "model.list":
        return { models: this.#options.models ?? [DEMO] };
      case "topic.subscribe":
        return this.#subscribe(connection, params, after);
      case "topic.unsubscribe":
        connection.topics.delete(String(params["topic"]));
        return {};
      case "conversation.create": {
        const { conversation } = this.thread("");
        after.push(() => this.#changed("conversation.created", conversation));
        return { conversation };
      }
      case "conversation.list":
        return this.list.list(params);
      case "conversation.get":
        return this.#page(
          String(params["conversationId"]),
          params["before"] as string | undefined,
          Number(params["limit"] ?? 50),
        );
      case "conversation.rename": {
        const thread = this.#thread(String(params["conversationId"]));
        thread.conversation = { ...thread.conversation, title: String(params["title"]) };
        after.push(() => this.#changed("conversation.renamed", thread.conversation));
        return { conversation: thread.conversation };
      }
      case "conversation.selectBranch": {
        const thread = this.#thread(String(params["conversationId"]));
        const conversation = thread.select(String(params["messageId"]));
        after.push(() => thread.selected());
        return { conversation };
      }
      case "message.read":
        return this.#read(String(params["messageId"]), Number(params["partIndex"]), Number(params["offset"]));
      case "run.get": {
        const answer = this.answers.get("run.get")?.(params);
        return answer ?? { run: this.#run(String(params["runId"])).run, steps: [] };
      }
      case "chat.send":
        return this.#chat(params, after);
      case "chat.edit":
        return this.#thread(String(params["conversationId"])).edit(
          String(params["messageId"]),
          this.#asked(params),
          after,
        );
      case "chat.regenerate":
        return this.#thread(String(params["conversationId"])).again(
          String(params["messageId"]),
          params["model"] as string | undefined,
          after,
        );
      case "run.retry": {
        const { thread, run } = this.#run(String(params["runId"]));
        return thread.again(run.userMessageId, undefined, after);
      }
      case "chat.stop":
        return this.#stop(params, after);
      case "approval.decide":
        return this.#decide(params);
      default:
        return (
          this.answers.get(method)?.(params) ??
          this.presence.call(connection.id, method, params) ??
          this.list.call(method, params, after) ??
          {}
        );
    }
  }

  #messages(): Message[] {
    return [...this.threads.values()].flatMap(({ messages }) => messages);
  }

  #run(runId: string): { readonly thread: PageThread; readonly run: Run } {
    for (const thread of this.threads.values()) {
      const run = thread.runs.find(({ id }) => id === runId);
      if (run !== undefined) return { thread, run };
    }
    throw new ParleyError("NOT_FOUND");
  }

  #changed(
    name: "conversation.created" | "conversation.renamed" | "conversation.updated",
    conversation: Conversation,
  ): void {
    const event = { type: "CUSTOM", name, value: { conversation } } as const;
    this.emit(`user:${USER.id}`, event);
    if (name !== "conversation.created") this.emit(`conversation:${conversation.id}`, event);
  }

  #subscribe(connection: Connection, params: Params, after: (() => void)[]): unknown {
    const name = String(params["topic"]);
    const position = params["position"] as { epoch: string; seq: number } | undefined;
    const token = params["shareToken"];
    if (token !== undefined && !this.list.opens(name.split(":")[1] ?? "", token)) throw new ParleyError("NOT_FOUND");
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
      return { mode: "snapshot", position: head, snapshot: this.list.snapshot };
    }
    const { conversation, messages, active, queued, approvals } = this.#thread(id);
    const snapshot = {
      conversation,
      messages: messages.slice(-50).map((message) => this.#cut(message)),
      hasMore: messages.length > 50,
      ...(active === undefined ? {} : { activeRun: { ...active } }),
      queuedRuns: queued.map((run) => ({ ...run })),
      approvals: approvals.filter(({ status }) => status === "pending"),
    };
    return { mode: "snapshot", position: head, snapshot };
  }

  #cut(message: Message): Message {
    const { cutAt = Infinity } = this.#options;
    const parts = message.parts.map((part): Part => {
      switch (part.type) {
        case "text":
        case "reasoning":
          return part.text.length > cutAt
            ? { ...part, text: part.text.slice(0, cutAt), length: part.text.length }
            : part;
        case "tool": {
          const { result: _, ...rest } = part;
          const { length } = JSON.stringify(part);
          return length > cutAt ? { ...rest, args: {}, length } : part;
        }
        case "file":
          return part;
      }
    });
    return { ...message, parts };
  }

  #read(messageId: string, partIndex: number, offset: number): unknown {
    const part = this.#messages().find(({ id }) => id === messageId)?.parts[partIndex];
    const text = part?.type === "text" || part?.type === "reasoning" ? part.text : JSON.stringify(part ?? null);
    return { text: text.slice(offset), length: text.length };
  }

  #page(conversationId: string, before: string | undefined, limit: number): unknown {
    const { conversation, messages } = this.#thread(conversationId);
    const end = before === undefined ? messages.length : messages.findIndex(({ id }) => id === before);
    const start = Math.max(0, end - limit);
    const page = structuredClone(messages.slice(start, end)).map((message) => this.#cut(message));
    return { conversation, messages: page, hasMore: start > 0, position: null };
  }

  #asked(params: Params): Asked {
    const parts = (params["parts"] ?? []) as readonly { readonly fileId: string }[];
    const files = parts.map(({ fileId }) => {
      const file = this.files.get(fileId);
      if (file === undefined) throw new ParleyError("INVALID_PARAMS");
      return file.part;
    });
    return {
      text: String(params["text"]),
      files,
      model: params["model"] as string | undefined,
      whenBusy: (params["whenBusy"] as string | undefined) ?? "queue",
      clientMessageId: params["clientMessageId"] as string | undefined,
    };
  }

  #chat(params: Params, after: (() => void)[]): unknown {
    const thread = this.#thread(String(params["conversationId"]));
    const asked = this.#asked(params);
    const { conversation } = thread;
    const title = conversation.title || asked.text.slice(0, 60);
    thread.conversation = { ...conversation, title, updatedAt: new Date().toISOString() };
    after.push(() => this.#changed("conversation.updated", thread.conversation));
    return thread.send(asked, after);
  }

  #stop(params: Params, after: (() => void)[]): unknown {
    const { thread, run } =
      "runId" in params
        ? this.#run(String(params["runId"]))
        : ((thread) => ({ thread, run: thread.active }))(this.#thread(String(params["conversationId"])));
    if (run === undefined || run.finishedAt !== null) return { stopped: false };
    after.push(() => thread.stop(run));
    return { stopped: true };
  }

  #decide(params: Params): unknown {
    const issues = this.issues;
    this.issues = [];
    if (issues.length > 0) throw new ParleyError("INVALID_PARAMS", { issues, message: issues[0]?.expected ?? "" });
    const id = String(params["approvalId"]);
    const thread = [...this.threads.values()].find(({ approvals }) => approvals.some((approval) => approval.id === id));
    if (thread === undefined) throw new ParleyError("NOT_FOUND");
    const decision = params["decision"] as "approve" | "deny";
    return { approval: thread.decide(id, decision, params["args"] as ToolArgs | undefined) };
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
