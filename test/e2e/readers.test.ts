/** Many readers of one answer, each cut at another place, through the real program and the real SDK. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { createClient, type Client } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import type { Connect, Socket } from "../../src/client/platform.ts";
import { messagesOf, type Transcript } from "../../src/client/transcript.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";

const READERS = 400;
const NUMBERS = 700;
const EXPECTED = Array.from({ length: NUMBERS }, (_, i) => i + 1).join(" ");

let parley: Parley;
before(async () => {
  parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "60" });
});
after(() => parley.remove());

/** The text of the newest answer, and whether it is complete. */
function answer(transcript: Transcript): { text: string; complete: boolean } {
  const last = messagesOf(transcript).findLast((message) => message.role === "assistant");
  return { text: last?.parts.map(partText).join("") ?? "", complete: last?.status === "complete" };
}

/** A platform whose present socket can be cut, as a network does: no close frame, no word. */
function cuttable(): { readonly connect: Connect; readonly cut: () => void } {
  let current: Socket | undefined;
  return {
    connect: (url, protocol) => {
      const socket = new WebSocket(url, protocol);
      current = socket;
      return socket;
    },
    cut: () => {
      const { onclose } = current ?? {};
      const socket = current;
      if (socket === undefined) return;
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
      onclose?.call(socket, { code: 1006, reason: "" });
    },
  };
}

test(
  "[W6][L6] 400 readers of one answer, reader k cut when it has k/400 of it: all of them have it whole",
  { timeout: 150_000 },
  async (t) => {
    const writer = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    t.after(() => writer.close());
    const { conversation } = await writer.call("conversation.create", {});
    const { sessionToken } = await login(writer);

    const clients: Client[] = [];
    t.after(() => clients.forEach((client) => client.close()));
    let events = 0;
    const cutAt = new Set<number>();
    const open = Array.from({ length: READERS }, (_, k) => {
      const { connect, cut } = cuttable();
      const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "session", token: sessionToken }, connect });
      clients.push(client);
      return openConversation(client, conversation.id, {
        onEvent: (event) => {
          events++;
          if (event.type !== "TEXT_MESSAGE_CONTENT" || cutAt.has(k)) return;
          // By text and not by events: how many deltas there are depends on how much a busy machine merges.
          if (event.offset + event.delta.length < (k / READERS) * EXPECTED.length) return;
          cutAt.add(k);
          queueMicrotask(cut);
        },
      });
    });
    await until(() => open.every((reader) => reader.state.status === "open"), "every reader to follow", 60_000);
    await writer.call("chat.send", {
      conversationId: conversation.id,
      text: `count to ${NUMBERS}`,
      idempotencyKey: "four-hundred-readers",
    });
    const whole = () => open.filter((reader) => answer(reader.state.transcript).complete).length;
    await until(() => whole() === READERS, "every reader to have the whole answer", 90_000).catch((error: unknown) => {
      throw new Error(`${whole()} of ${READERS} have it`, { cause: error });
    });
    for (const reader of open) assert.equal(answer(reader.state.transcript).text, EXPECTED);
    t.diagnostic(`${READERS} readers, ${cutAt.size} cuts, ${events} events read`);
    assert.equal(cutAt.size, READERS);
  },
);

async function login(client: Client): Promise<{ sessionToken: string }> {
  // A session of its own for the readers: one login, resumed by each of them.
  await client.whenReady();
  const socket = new WebSocket(`${parley.url.replace("http", "ws")}/ws`, "parley.v1");
  try {
    return await new Promise((resolve, reject) => {
      socket.onerror = () => reject(new Error("no connection"));
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(String(data)) as { method?: string; result?: { sessionToken: string } };
        if (frame.method === "hello") {
          socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "login", params: { token: ACCESS_TOKEN } }));
        } else if (frame.result !== undefined) resolve(frame.result);
      };
    });
  } finally {
    socket.close();
  }
}
