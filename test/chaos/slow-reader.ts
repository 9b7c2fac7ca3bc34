/** A reader whose network lets nothing through for longer than the server waits, while more comes than any buffer holds. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import type { Scene } from "./cases.ts";

const CONVERSATIONS = 90;
const MESSAGES = 3;
/** Each fits an event whole, and three a snapshot; all of them together are more than the buffers of the kernel and of the server. */
const MESSAGE = "x".repeat(28_000);
const STOPPED_MS = 20_000;

const shown = ({ state }: OpenConversation) =>
  messagesOf(state.transcript).map(({ id, role, status, parts }) => ({ id, role, status, parts }));

/** Subscriptions that fell behind at a node. */
async function laggingAt(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^parley_lagging_total (\d+)$/m.exec(metrics)?.[1]);
}

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
    const laggingBefore = await laggingAt(node.url);
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
    assert.ok((await laggingAt(node.url)) > laggingBefore, "it fell behind");
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
    const same = (one: OpenConversation, i: number) => isDeepStrictEqual(shown(one), fresh[i] && shown(fresh[i]));
    const read = () => fresh.every(({ state }) => state.status === "open") && open.every(same);
    await until(read, "the slow reader to have what another one has", 60_000);
  } finally {
    slow.close();
    writer.close();
    await network.close();
  }
}
