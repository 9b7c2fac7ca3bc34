/** Delivery on the faulty log that passes the log's own contract: lost replies and notices, delays, doubles. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type EventLog, TEXT } from "../src/ports/event-log.ts";
import { deltaHead, encodeDelta } from "../src/protocol/codec.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import { message } from "./support/conversations.fake.ts";
import { Bench, type BenchPeer, settle } from "./support/delivery-bench.ts";
import { DeliveryClient } from "./support/delivery-client.ts";
import { ALL_FAULTS, FaultyEventLog, NO_FAULTS, seeded } from "./support/event-log.faulty.ts";

const TOPIC = "conversation:c";
const SEEDS = 25;

interface Reader {
  readonly peer: BenchPeer;
  readonly client: DeliveryClient;
}

async function subscribe(bench: Bench, { peer, client }: Reader): Promise<void> {
  const view = client.view(TOPIC);
  const position = view.wantsSubscribe === "with position" ? view.cursor : undefined;
  view.wantsSubscribe = "no";
  try {
    const result = await bench.ask(peer, position);
    receive({ peer, client });
    client.receive(JSON.stringify({ id: 1, topic: TOPIC, result }));
    peer.link.release(result);
  } catch (error) {
    assert.ok(error instanceof ParleyError && error.code === "UNAVAILABLE", String(error));
    view.wantsSubscribe = "with position";
  }
}

function receive({ peer, client }: Reader): void {
  for (const frame of peer.connection.sent.splice(0)) {
    client.receive(typeof frame === "string" ? frame : new TextDecoder().decode(frame));
  }
}

test(`[L2, L6] on a faulty log every reader shows the whole text (${SEEDS} seeds)`, async (t) => {
  const total = { gapsHealed: 0, readsFailed: 0, events: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    let faulty: FaultyEventLog | undefined;
    const bench = new Bench((log): EventLog => (faulty = new FaultyEventLog(() => log, seed, ALL_FAULTS)));
    assert.ok(faulty);
    const random = seeded(seed + 1_000);
    const rows = bench.store.rows.get("c");
    assert.ok(rows);
    rows.messages = [message("m", "streaming", [])];
    await bench.openTopic();
    const readers = [1, 2, 3].map((): Reader => ({ peer: bench.connect(), client: new DeliveryClient([TOPIC]) }));
    let text = "";
    for (let round = 0; round < 60; round++) {
      const delta = `${round},`;
      const event = encodeDelta(deltaHead(TEXT, "m", 0), text.length, delta);
      const key = { messageId: "m", partIndex: 0, offset: text.length };
      await bench.append([
        { event, delta: { part: "text", ...key, text: delta }, accumulate: { kind: "extend", ...key, delta } },
      ]);
      text += delta;
      const reader = readers[Math.floor(random() * readers.length)];
      if (reader && reader.client.view(TOPIC).wantsSubscribe !== "no") await subscribe(bench, reader);
      if (random() < 0.3) bench.clock.advance(1_000);
      if (random() < 0.5) await settle();
      for (const each of readers) receive(each);
    }
    faulty.faults = NO_FAULTS;
    for (let second = 0; second < 40; second++) {
      for (const reader of readers)
        if (reader.client.view(TOPIC).wantsSubscribe !== "no") await subscribe(bench, reader);
      bench.clock.advance(1_000);
      await settle();
      for (const each of readers) receive(each);
    }
    for (const { client } of readers) {
      const shown = client.messages(TOPIC).get("m")?.parts;
      assert.deepEqual(shown, [{ type: "text", text }], `seed ${seed}`);
      assert.equal(client.gaps, 0, `seed ${seed}`);
    }
    total.gapsHealed += bench.counters.gapsHealed;
    total.readsFailed += bench.counters.readsFailed;
    total.events += bench.counters.events;
    await bench.close();
  }
  t.diagnostic(JSON.stringify(total));
  for (const [what, count] of Object.entries(total)) assert.ok(count > 0, `no ${what}`);
});
