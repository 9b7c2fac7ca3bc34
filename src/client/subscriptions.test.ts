import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ScriptedServer } from "../../test/support/scripted-server.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { EventItem } from "../protocol/frames.ts";
import type { ConversationSnapshot, Position } from "../protocol/shapes.ts";
import { type Client, createClient } from "./client.ts";
import { judge } from "./cursor.ts";
import type { Subscription, TopicHandlers } from "./subscriptions.ts";

const TOPIC = "conversation:c1";
const event = (n: number): ParleyEvent => ({
  type: "TEXT_MESSAGE_CONTENT",
  messageId: "a1",
  partIndex: 0,
  offset: n,
  delta: String(n),
});
const snapshot = (title: string): ConversationSnapshot => ({
  conversation: {
    id: "c1",
    title,
    model: null,
    headMessageId: null,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
  },
  messages: [],
  hasMore: false,
  queuedRuns: [],
  approvals: [],
});

/** A log that a test appends to, behind `topic.subscribe`. */
class Log {
  epoch = "e1";
  head = 0;
  /** Positions before this are too old to go on from. */
  first = 1;
  readonly server: ScriptedServer;

  constructor(server: ScriptedServer) {
    this.server = server;
    server.on("topic.subscribe", (params) => this.answer(params["position"] as Position | undefined));
    server.on("topic.unsubscribe", () => ({}));
  }

  answer(position: Position | undefined): unknown {
    const { epoch, head, first } = this;
    const replay = position?.epoch === epoch && position.seq <= head && position.seq >= first - 1;
    if (!replay) return { mode: "snapshot", position: { epoch, seq: head }, snapshot: snapshot(`at ${epoch}/${head}`) };
    // After the answer, which leaves when this returns.
    queueMicrotask(() => {
      for (let seq = position.seq + 1; seq <= head; seq++) this.send(seq);
    });
    return { mode: "replay", position };
  }

  append(): number {
    return ++this.head;
  }

  /** Sends events that exist. */
  send(...seqs: readonly number[]): void {
    for (const seq of seqs) this.server.event(TOPIC, this.epoch, { seq, event: event(seq) });
  }

  publish(count = 1): void {
    for (let i = 0; i < count; i++) this.send(this.append());
  }

  get asked(): (Position | undefined)[] {
    return this.server.requests("topic.subscribe").map(({ params }) => params["position"] as Position | undefined);
  }
}

class Reader implements TopicHandlers<ConversationSnapshot> {
  readonly heard: (string | number)[] = [];
  readonly errors: string[] = [];
  readonly subscription: Subscription;

  constructor(client: Client) {
    this.subscription = client.subscribe(TOPIC, this);
  }

  snapshot({ conversation }: ConversationSnapshot): void {
    this.heard.push(conversation.title);
  }

  event(_event: ParleyEvent, { seq }: Position): void {
    this.heard.push(seq);
  }

  failed({ code }: ParleyError): void {
    this.errors.push(code);
  }
}

async function setUp() {
  const server = new ScriptedServer();
  const log = new Log(server);
  const client = createClient({ auth: { kind: "cookie" }, ...server.platform });
  const reader = new Reader(client);
  await server.settle();
  return { server, log, client, reader };
}

describe("position", () => {
  const at = { epoch: "e", seq: 5 };
  const cases: readonly [string, string, number, number, ReturnType<typeof judge>][] = [
    ["the next", "e", 6, 6, "apply"],
    ["a merged one that begins at the next", "e", 9, 6, "apply"],
    ["a merged one that begins before", "e", 7, 3, "apply"],
    ["the one it is at", "e", 5, 5, "drop"],
    ["a merged one that ends at it", "e", 5, 2, "drop"],
    ["one too far", "e", 7, 7, "gap"],
    ["a merged one that begins too far", "e", 9, 7, "gap"],
    ["the next of another epoch", "f", 6, 6, "gap"],
    ["an old one of another epoch", "f", 1, 1, "gap"],
  ];
  for (const [name, epoch, seq, fromSeq, verdict] of cases) {
    it(`[W5] ${name}: ${verdict}`, () => assert.equal(judge(at, epoch, seq, fromSeq), verdict));
  }
});

describe("subscriptions", () => {
  it("[W6] begins with a snapshot, then hears each event once, in order", async () => {
    const { server, log, reader } = await setUp();
    log.publish(2);
    log.send(1, 2);
    log.publish();
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, 3]);
    assert.deepEqual(reader.subscription.position, { epoch: "e1", seq: 3 });
    assert.deepEqual(log.asked, [undefined]);
  });

  it("[W4] several events in one frame are heard one by one", async () => {
    const { server, log, reader } = await setUp();
    const items: EventItem[] = [1, 2, 4].map((seq) => ({
      seq,
      ...(seq === 4 ? { fromSeq: 3 } : {}),
      ts: "",
      event: event(seq),
    }));
    log.head = 4;
    server.notify("events", { topic: TOPIC, epoch: "e1", events: items });
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, 4]);
  });

  it("[W6] resumes in the middle by its position, on another connection", async () => {
    const { server, log, reader } = await setUp();
    log.publish(2);
    await server.settle();
    server.pair.cut();
    log.append();
    log.append();
    await server.pass(1_000);
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, 3, 4]);
    assert.deepEqual(log.asked, [undefined, { epoch: "e1", seq: 2 }]);
  });

  it("[W6] takes a snapshot where the log can't go on", async () => {
    const { server, log, reader } = await setUp();
    log.publish(2);
    await server.settle();
    server.pair.cut();
    log.head = 50;
    log.first = 40;
    await server.pass(1_000);
    log.publish();
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, "at e1/50", 51]);
  });

  it("[W5] a gap is repaired by subscribing again, once, without doubling anything", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    log.append();
    log.publish(3);
    await server.pass(1_000);
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, 3, 4, 5]);
    assert.deepEqual(log.asked, [undefined, { epoch: "e1", seq: 1 }]);
  });

  it("[W5] an event of another epoch is not applied", async () => {
    const { server, log, reader } = await setUp();
    log.publish(2);
    log.epoch = "e2";
    log.head = 2;
    log.publish();
    await server.pass(1_000);
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, "at e2/3"]);
  });

  it("[W6] resync: asks again with its position", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    server.notify("resync", { topic: TOPIC });
    log.epoch = "e2";
    await server.pass(1_000);
    assert.deepEqual(log.asked, [undefined, { epoch: "e1", seq: 1 }]);
    assert.deepEqual(reader.heard, ["at e1/0", 1, "at e2/1"]);
  });

  it("[W9] a heartbeat that names another position shows that the last event was lost", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    server.notify("heartbeat", { time: "", positions: { [TOPIC]: { epoch: "e1", seq: 1 } } });
    await server.settle();
    assert.equal(log.asked.length, 1);
    log.append();
    server.notify("heartbeat", { time: "", positions: { [TOPIC]: { epoch: "e1", seq: 2 } } });
    await server.pass(1_000);
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2]);
    server.notify("heartbeat", { time: "", positions: {} });
    await server.pass(1_000);
    assert.equal(log.asked.length, 3);
  });

  it("asks for a snapshot when the reader says that its text does not join", async () => {
    const { server, log, reader } = await setUp();
    log.publish(2);
    await server.settle();
    reader.subscription.resubscribe({ fresh: true });
    reader.subscription.resubscribe({ fresh: true });
    log.publish();
    await server.pass(1_000);
    log.publish();
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1, 2, "at e1/3", 4]);
    assert.deepEqual(log.asked, [undefined, undefined]);
  });

  it("a wish for a snapshot that comes while an answer is on its way is granted too", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    await server.settle();
    reader.subscription.resubscribe();
    await server.pass(125);
    reader.subscription.resubscribe({ fresh: true });
    await server.pass(5_000, 100);
    assert.equal(reader.heard.at(-1), "at e1/1");
    assert.equal(log.asked.at(-1), undefined);
  });

  it("asks ever more slowly when asking does not help", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    await server.settle();
    server.on("topic.subscribe", () => {
      queueMicrotask(() => server.event(TOPIC, "e1", { seq: 9, event: event(9) }));
      return { mode: "replay", position: { epoch: "e1", seq: 1 } };
    });
    server.event(TOPIC, "e1", { seq: 9, event: event(9) });
    await server.pass(60_000, 250);
    assert.ok(log.asked.length > 5 && log.asked.length < 20, String(log.asked.length));
    assert.deepEqual(reader.heard, ["at e1/0", 1]);
  });

  it("an answer that goes on from where the reader has not been is not believed", async () => {
    const { server, log, reader } = await setUp();
    log.publish();
    await server.settle();
    server.on("topic.subscribe", () => ({ mode: "replay", position: { epoch: "e1", seq: 7 } }));
    server.notify("resync", { topic: TOPIC });
    await server.pass(125);
    server.on("topic.subscribe", (params) => log.answer(params["position"] as Position | undefined));
    await server.pass(5_000, 250);
    assert.deepEqual(reader.heard, ["at e1/0", 1, "at e1/1"]);
  });
});

describe("subscriptions, refused", () => {
  it("a topic that does not exist fails, and is asked for again when the reader wants it", async () => {
    const { server, log, reader } = await setUp();
    server.on("topic.subscribe", () => new ParleyError("NOT_FOUND"));
    server.pair.cut();
    await server.pass(60_000, 1_000);
    assert.deepEqual(reader.errors, ["NOT_FOUND"]);
    assert.equal(log.asked.length, 2);
    server.on("topic.subscribe", (params) => log.answer(params["position"] as Position | undefined));
    reader.subscription.resubscribe({ fresh: true });
    await server.pass(1_000);
    assert.deepEqual(reader.heard, ["at e1/0", "at e1/0"]);
  });

  it("an outage is waited out", async () => {
    const { server, log, reader } = await setUp();
    server.on("topic.subscribe", () => new ParleyError("UNAVAILABLE"));
    server.pair.cut();
    await server.pass(30_000, 250);
    assert.ok(log.asked.length > 5, String(log.asked.length));
    server.on("topic.subscribe", (params) => log.answer(params["position"] as Position | undefined));
    await server.pass(15_000, 250);
    log.publish();
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1]);
    assert.deepEqual(reader.errors, []);
  });

  it("a server that fails and fails is told to the reader in the end", async () => {
    const { server, log, reader } = await setUp();
    server.on("topic.subscribe", () => new ParleyError("INTERNAL"));
    server.pair.cut();
    await server.pass(120_000, 500);
    assert.deepEqual(reader.errors, ["INTERNAL"]);
    assert.equal(log.asked.length, 7);
  });

  it("a request without an answer is given up and made again", async () => {
    const { server, log, reader } = await setUp();
    server.on("topic.subscribe", () => undefined);
    reader.subscription.resubscribe();
    await server.pass(500);
    assert.equal(log.asked.length, 2);
    server.on("topic.subscribe", (params) => log.answer(params["position"] as Position | undefined));
    await server.pass(21_000, 500);
    log.publish();
    await server.settle();
    assert.deepEqual(reader.heard, ["at e1/0", 1]);
  });
});

describe("subscriptions, several readers", () => {
  it("share one subscription; who comes later gets a snapshot", async () => {
    const { server, log, client, reader } = await setUp();
    log.publish();
    await server.settle();
    const second = new Reader(client);
    await server.pass(1_000);
    log.publish();
    await server.settle();
    assert.deepEqual(second.heard, ["at e1/1", 2]);
    assert.deepEqual(reader.heard, ["at e1/0", 1, "at e1/1", 2]);
    reader.subscription.close();
    log.publish();
    await server.settle();
    assert.deepEqual(second.heard.at(-1), 3);
    assert.deepEqual(reader.heard.at(-1), 2);
    assert.equal(server.requests("topic.unsubscribe").length, 0);
  });

  it("the last one to leave ends it; whoever comes meanwhile is served after", async () => {
    const { server, log, client, reader } = await setUp();
    reader.subscription.close();
    reader.subscription.close();
    const next = new Reader(client);
    await server.settle();
    log.publish();
    await server.settle();
    assert.deepEqual(
      server.asked.map(({ method }) => method),
      ["topic.subscribe", "topic.unsubscribe", "topic.subscribe"],
    );
    assert.deepEqual(next.heard, ["at e1/0", 1]);
    assert.deepEqual(reader.heard, ["at e1/0"]);
  });

  it("a handler that throws keeps neither the others nor the next event from being heard", async () => {
    const { server, log, client, reader } = await setUp();
    client.subscribe(TOPIC, {
      snapshot: () => {},
      event: () => {
        throw new Error("broken");
      },
    });
    await server.pass(1_000);
    log.publish(2);
    await server.settle();
    assert.deepEqual(reader.heard.slice(-2), [1, 2]);
  });
});

it("[W6] any sequence of cuts, losses and repeats: each event exactly once, in order, or a snapshot instead", async () => {
  const step = fc.constantFrom("publish", "publish", "publish", "lose", "repeat", "cut", "epoch", "trim", "wait");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { server, log, client, reader } = await setUp();
      for (const action of steps) {
        if (action === "publish") log.publish();
        else if (action === "lose") log.append();
        else if (action === "repeat" && log.head > 0) log.send(Math.max(1, log.head - 1), log.head);
        else if (action === "cut") server.pair.cut();
        else if (action === "epoch") [log.epoch, log.head, log.first] = [`${log.epoch}x`, 0, 1];
        else if (action === "trim") log.first = log.head + 1;
        else if (action === "wait") await server.pass(300);
      }
      await server.pass(2_000, 200);
      server.notify("heartbeat", { time: "", positions: { [TOPIC]: { epoch: log.epoch, seq: log.head } } });
      await server.pass(40_000, 2_000);
      assert.deepEqual(reader.subscription.position, { epoch: log.epoch, seq: log.head });
      let at = -1;
      for (const heard of reader.heard) {
        if (typeof heard === "string") at = Number(heard.split("/")[1]);
        else assert.equal(heard, ++at, reader.heard.join(" "));
      }
      assert.equal(at, log.head);
      client.close();
    }),
    { numRuns: 60 },
  );
});
