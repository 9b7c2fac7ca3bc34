/** A reader whose network lets nothing through for longer than the server waits, while more comes than any buffer holds. */
import assert from "node:assert/strict";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";

const CONVERSATIONS = 90;
const MESSAGES = 2;
/** Two fit a snapshot whole; all of them together are more than the buffers of the kernel and of the server. */
const MESSAGE = "x".repeat(50_000);
const STOPPED_MS = 20_000;

const texts = ({ state }: OpenConversation): string =>
  JSON.stringify(messagesOf(state.transcript).map(({ id, role, status, parts }) => [id, role, status, parts]));

export async function slowReader({ world }: Scene): Promise<void> {
  const node = world.nodes[0];
  assert.ok(node);
  const network = await tcpProxy(node.port);
  const writer = world.connect(node);
  const slow = world.connect({ url: `http://127.0.0.1:${network.port}` });
  try {
    const ids = await Promise.all(
      Array.from({ length: CONVERSATIONS }, async () => (await writer.call("conversation.create", {})).conversation.id),
    );
    const open = ids.map((id) => openConversation(slow, id));
    await until(() => open.every(({ state }) => state.status === "open"), "the slow reader to follow", 60_000);
    network.freeze();
    const frozen = world.lasts(STOPPED_MS);
    for (let i = 0; i < MESSAGES; i++) {
      await Promise.all(
        ids.map((conversationId) =>
          writer.call("chat.send", {
            conversationId,
            text: `${i} ${MESSAGE}`,
            idempotencyKey: crypto.randomUUID(),
          }),
        ),
      );
    }
    await frozen;
    network.mend();
    const rest = async () => {
      const rows = await world.sql(
        "select 1 from runs where conversation_id = any($1) and status in ('queued', 'running')",
        [ids],
      );
      return rows.length === 0;
    };
    await until(rest, "all of it to be answered", 120_000);
    const fresh = ids.map((id) => openConversation(writer, id));
    const same = () => open.every((one, i) => fresh[i]?.state.status === "open" && texts(one) === texts(fresh[i]));
    await until(same, "the slow reader to have what another one has", 60_000);
  } finally {
    slow.close();
    writer.close();
    await network.close();
  }
}
