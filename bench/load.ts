/**
 * The load, in a process of its own so that its cost is never counted as the server's. The driver forks it and sends
 * one order at a time; each is answered with one `Report`.
 */
import { WsSocket } from "./ws-socket.ts";

export type Order =
  /** Opens sockets; with `token` each logs in to Parley, so that each has a session of its own. */
  | { readonly op: "connect"; readonly port: number; readonly count: number; readonly token?: string }
  /** Every socket keeps one request of about 100 bytes outstanding. */
  | { readonly op: "requests"; readonly seconds: number; readonly frame: string }
  /** Parley: every socket that has none makes a conversation of its own and subscribes to it. */
  | { readonly op: "subscribe" }
  /** Parley, started again: so many more clients come back, each with its session, and subscribe to their conversations. */
  | { readonly op: "return"; readonly port: number; readonly count: number }
  /** Parley: every socket sends this text to its conversation. */
  | { readonly op: "chat"; readonly text: string }
  /** Baseline: one frame starts the stream. */
  | { readonly op: "start" }
  /** Counts what arrives for a while. */
  | { readonly op: "count"; readonly seconds: number };

export interface Report {
  readonly error?: string;
  readonly frames?: number;
  readonly tokens?: number;
  readonly bytes?: number;
  /** Milliseconds from the server's time stamp to here, of a sample of frames; clocks are the same machine's. */
  readonly p50?: number;
  readonly p99?: number;
}

const PER_ADDRESS = 8000;
const AT_ONCE = 50;
const sockets: WsSocket[] = [];
const conversations = new Map<WsSocket, string>();
const sessions = new Map<WsSocket, unknown>();
let closed = 0;

async function inBatches<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) {
    await Promise.all(items.slice(i, i + AT_ONCE).map((item, k) => work(item, i + k)));
  }
}

let nextId = 1;
/** One request and its answer; for set-up only. */
function call(socket: WsSocket, method: string, params: object): Promise<Record<string, unknown>> {
  const id = nextId++;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), 60_000);
    const before = socket.onFrame;
    socket.onFrame = (payload) => {
      before(payload);
      if (!payload.includes(`"id":${id},`)) return;
      const frame = JSON.parse(payload.toString()) as { result?: Record<string, unknown>; error?: { message: string } };
      clearTimeout(timer);
      socket.onFrame = before;
      if (frame.result === undefined) reject(new Error(`${method}: ${frame.error?.message ?? "no result"}`));
      else resolve(frame.result);
    };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  });
}

async function open(order: Extract<Order, { op: "connect" }>): Promise<Report> {
  const addresses = Array.from({ length: order.count }, (_, i) => `127.0.0.${1 + Math.floor(i / PER_ADDRESS)}`);
  await inBatches(addresses, async (address) => {
    const socket = await WsSocket.open(order.port, address);
    socket.onClose = () => {
      closed++;
    };
    sockets.push(socket);
    if (order.token === undefined) return;
    const { sessionToken } = await call(socket, "login", { token: order.token });
    sessions.set(socket, sessionToken);
  });
  return {};
}

async function requests(order: Extract<Order, { op: "requests" }>): Promise<Report> {
  let frames = 0;
  let running = true;
  for (const socket of sockets) {
    socket.onFrame = () => {
      frames++;
      if (running) socket.send(order.frame);
    };
    socket.send(order.frame);
  }
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  running = false;
  const done = frames;
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { frames: done };
}

async function subscribe(): Promise<Report> {
  const fresh = sockets.filter((socket) => !conversations.has(socket));
  await inBatches(fresh, async (socket) => {
    const { conversation } = (await call(socket, "conversation.create", {})) as { conversation: { id: string } };
    conversations.set(socket, conversation.id);
    await call(socket, "topic.subscribe", { topic: `conversation:${conversation.id}` });
  });
  return {};
}

/** Those whose server has ended, and who have not come back. */
const away: WsSocket[] = [];

async function comeBack({ port, count: many }: Extract<Order, { op: "return" }>): Promise<Report> {
  if (away.length === 0) {
    away.push(...sockets.splice(0));
    closed = 0;
  }
  await inBatches(away.splice(0, many), async (old, index) => {
    const socket = await WsSocket.open(port, `127.0.0.${1 + Math.floor(index / PER_ADDRESS)}`);
    socket.onClose = () => {
      closed++;
    };
    sockets.push(socket);
    await call(socket, "session.resume", { sessionToken: sessions.get(old) });
    await call(socket, "topic.subscribe", { topic: `conversation:${conversations.get(old)}` });
  });
  return {};
}

async function chat(order: Extract<Order, { op: "chat" }>): Promise<Report> {
  await inBatches(sockets, async (socket) => {
    const params = {
      conversationId: conversations.get(socket),
      text: order.text,
      idempotencyKey: crypto.randomUUID(),
    };
    await call(socket, "chat.send", params);
  });
  return {};
}

const MANY = '{"jsonrpc":"2.0","method":"events"'.length - 2;

async function count(order: Extract<Order, { op: "count" }>): Promise<Report> {
  let frames = 0;
  let tokens = 0;
  let bytes = 0;
  const latencies: number[] = [];
  for (const socket of sockets) {
    socket.onFrame = (payload) => {
      frames++;
      bytes += payload.length;
      tokens += payload[MANY] === 0x73 ? payload.toString("latin1").split('"offset":').length - 1 : 1;
      if (frames % 64 !== 0) return;
      const at = payload.indexOf('"ts":"');
      if (at >= 0) latencies.push(Date.now() - Date.parse(payload.toString("latin1", at + 6, at + 30)));
    };
  }
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  const report = { frames, tokens, bytes };
  for (const socket of sockets) socket.onFrame = () => {};
  latencies.sort((a, b) => a - b);
  const at = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return { ...report, p50: at(0.5), p99: at(0.99) };
}

async function obey(order: Order): Promise<Report> {
  switch (order.op) {
    case "connect":
      return open(order);
    case "requests":
      return requests(order);
    case "subscribe":
      return subscribe();
    case "return":
      return comeBack(order);
    case "chat":
      return chat(order);
    case "start":
      sockets[0]?.send("start");
      return {};
    case "count":
      return count(order);
  }
}

process.on("message", (order: Order) => {
  obey(order).then(
    (report) => process.send?.(closed === 0 ? report : { ...report, error: `${closed} connections were closed` }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
