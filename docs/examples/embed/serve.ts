/**
 * A site with a chat of another origin on its page, as small as it can be:
 *
 *   PARLEY_URL=http://127.0.0.1:8765 PARLEY_ACCESS_TOKEN=… node docs/examples/embed/serve.ts
 *
 * The server must have been started with the same PARLEY_ACCESS_TOKEN, and with PARLEY_ALLOWED_ORIGINS=http://127.0.0.1:8090.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";

/** JSON-RPC over the socket, one request: who it is. Resolves with the result; undefined when that was refused. */
async function ask(server: string, method: string, params: object): Promise<{ sessionToken?: string } | undefined> {
  const socket = new WebSocket(`${server.replace(/^http/, "ws")}/ws?auth=token`, "parley.v1");
  try {
    return await new Promise((resolve, reject) => {
      socket.onerror = () => reject(new Error(`${server} can't be reached`));
      socket.onclose = () => reject(new Error(`${server} ended the connection`));
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(String(data)) as { method?: string; result?: { sessionToken?: string } };
        if (frame.method === "hello") socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
        else resolve(frame.result);
      };
    });
  } finally {
    socket.onclose = null;
    socket.close();
  }
}

/**
 * The site's backend: the access token never leaves it, its pages get the token of a session. A real site keeps one
 * session for each of its visitors, and gives it to nobody else.
 */
export function sessions(server: string, accessToken: string): () => Promise<string | undefined> {
  let known: string | undefined;
  return async () => {
    if (known !== undefined && (await ask(server, "session.resume", { sessionToken: known })) !== undefined)
      return known;
    known = (await ask(server, "login", { token: accessToken, device: "The shop" }))?.sessionToken;
    return known;
  };
}

const TYPES: Readonly<Record<string, string>> = { html: "text/html", css: "text/css", js: "text/javascript" };

/** What the page's policy needs for the chat: its script, its two connections, and the policy that Lit makes templates with. */
export const policyFor = (server: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' ${server}`,
    "style-src 'self'",
    "img-src data:",
    `connect-src 'self' ${server} ${server.replace(/^http/, "ws")}`,
    "trusted-types lit-html",
    "require-trusted-types-for 'script'",
  ].join("; ");

/** Resolves when it listens. `getToken`: of the visitor; undefined when there is none. */
export async function serveSite(
  server: string,
  port: number,
  getToken: () => Promise<string | undefined>,
  policy = policyFor(server),
): Promise<Server> {
  const site = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.method === "POST" && request.url === "/chat-token") {
        const token = await getToken();
        response.writeHead(token === undefined ? 403 : 200, { "cache-control": "no-store" }).end(token);
        return;
      }
      const name = request.url === "/" ? "index.html" : (request.url ?? "").slice(1);
      const type = TYPES[/^[\w-]+\.(\w+)$/.exec(name)?.[1] ?? ""];
      if (type === undefined) return void response.writeHead(404).end();
      const text = await readFile(join(import.meta.dirname, name), "utf8");
      response
        .writeHead(200, { "content-type": `${type}; charset=utf-8`, "content-security-policy": policy })
        .end(text.replaceAll("{server}", server));
    };
    answer().catch((error: unknown) => {
      console.error(error);
      response.writeHead(502).end();
    });
  });
  site.listen(port, "127.0.0.1");
  await once(site, "listening");
  return site;
}

if (process.argv[1] === import.meta.filename) {
  const { PARLEY_URL = "http://127.0.0.1:8765", PARLEY_ACCESS_TOKEN = "", PORT = "8090" } = process.env;
  await serveSite(PARLEY_URL, Number(PORT), sessions(PARLEY_URL, PARLEY_ACCESS_TOKEN));
  console.log(`http://127.0.0.1:${PORT}/`);
}
