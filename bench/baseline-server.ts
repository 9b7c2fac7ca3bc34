/**
 * Bare uWebSockets.js doing the same visible work with nothing behind it: the floor that Parley is compared with.
 *   echo    answers each frame with a frame of `bytes` bytes
 *   stream  once told to start, sends every socket `perSecond` frames of `bytes` bytes a second, paced by one timer
 *   idle    holds connections
 */
import { App, us_socket_local_port, type WebSocket } from "uWebSockets.js";

const [mode = "echo", bytesText = "100", perSecondText = "50"] = process.argv.slice(2);
const bytes = Number(bytesText);
const perSecond = Number(perSecondText);
const sockets = new Set<WebSocket<undefined>>();
const answer = "x".repeat(bytes);

const app = App().ws<undefined>("/ws", {
  idleTimeout: 120,
  maxBackpressure: 4 * 1024 * 1024,
  open: (ws) => {
    if (mode !== "echo") sockets.add(ws);
  },
  message: (ws) => {
    if (mode === "echo") ws.send(answer, false);
    else if (mode === "stream") startStream();
  },
  close: (ws) => {
    sockets.delete(ws);
  },
});

let timer: NodeJS.Timeout | undefined;
function startStream(): void {
  // The send time stands where Parley's frames have it, so that one load generator measures both.
  timer ??= setInterval(() => {
    const head = `{"ts":"${new Date().toISOString()}","pad":"`;
    const frame = `${head}${"x".repeat(Math.max(0, bytes - head.length - 2))}"}`;
    for (const socket of sockets) socket.send(frame, false);
  }, 1000 / perSecond);
}

app.listen("127.0.0.1", 0, (token) => {
  if (token === false) throw new Error("no port");
  process.send?.({ port: us_socket_local_port(token) });
});
