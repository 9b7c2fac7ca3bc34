/**
 * The floor of a chat: bare uWebSockets.js that passes the provider's stream on, chunk by chunk, unread; no session, no
 * storage, no resume. One frame in, one request out. Argument: the provider's port.
 */
import { Agent, type ClientRequest, request } from "node:http";
import { App, us_socket_local_port } from "uWebSockets.js";

const provider = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** What is under way for a socket. */
interface Asked {
  request?: ClientRequest;
}

const app = App().ws<Asked>("/ws", {
  idleTimeout: 120,
  maxBackpressure: 4 * 1024 * 1024,
  upgrade: (res, req, context) => {
    const [key, protocol, extensions] = ["key", "protocol", "extensions"].map((name) =>
      req.getHeader(`sec-websocket-${name}`),
    );
    res.upgrade<Asked>({}, key ?? "", protocol ?? "", extensions ?? "", context);
  },
  close: (ws) => {
    ws.getUserData().request?.destroy();
  },
  message: (ws, message) => {
    const content = Buffer.from(message).toString("utf8");
    const body = JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content }] });
    const sent = request({
      agent,
      host: "127.0.0.1",
      port: provider,
      path: "/v1/chat/completions",
      method: "POST",
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    sent.on("response", (answer) => answer.on("data", (chunk: Buffer) => ws.send(chunk, false)));
    sent.on("error", () => undefined);
    ws.getUserData().request = sent;
    sent.end(body);
  },
});

app.listen("127.0.0.1", 0, (token) => {
  if (token === false) throw new Error("no port");
  process.send?.({ port: us_socket_local_port(token) });
});
