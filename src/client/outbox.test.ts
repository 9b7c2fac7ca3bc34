import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IDENTITY, ScriptedServer } from "../../test/support/scripted-server.ts";
import { CLOSE, type ErrorCode, ParleyError } from "../protocol/errors.ts";
import { type Client, createClient } from "./client.ts";
import type { StoredMessage } from "./outbox-message.ts";
import { MAX_UNSENT, type OutboxStorage } from "./outbox.ts";

class Storage implements OutboxStorage {
  readonly kept = new Map<string, StoredMessage>();
  failing = false;

  load(): StoredMessage[] {
    this.#check();
    return [...this.kept.values()];
  }

  save(message: StoredMessage): void {
    this.#check();
    this.kept.set(message.clientMessageId, message);
  }

  remove(clientMessageId: string): void {
    this.#check();
    this.kept.delete(clientMessageId);
  }

  #check(): void {
    if (this.failing) throw new Error("quota exceeded");
  }
}

/** One effect a key, as the server promises [W10]. */
class Messages {
  readonly byKey = new Map<string, { runId: string; userMessageId: string; state: "running" }>();
  readonly texts: string[] = [];

  readonly accept = (params: Record<string, unknown>) => {
    const key = String(params["idempotencyKey"]);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const answer = {
      runId: `run-${this.byKey.size}`,
      userMessageId: String(params["clientMessageId"]),
      state: "running",
    } as const;
    this.byKey.set(key, answer);
    this.texts.push(String(params["text"]));
    return answer;
  };
}

const make = (server: ScriptedServer, outbox?: OutboxStorage): Client =>
  createClient({ auth: { kind: "cookie" }, ...server.platform, ...(outbox === undefined ? {} : { outbox }) });

const states = (client: Client): string[] => client.outbox.items.map(({ delivery }) => delivery.state);
const keys = (server: ScriptedServer) => server.requests("chat.send").map(({ params }) => params["idempotencyKey"]);

async function setUp(outbox?: OutboxStorage) {
  const server = new ScriptedServer();
  const messages = new Messages();
  server.on("chat.send", messages.accept);
  const client = make(server, outbox);
  await server.settle();
  return { server, messages, client };
}

describe("outbox", () => {
  it("sends what it is given, and says what became of it", async () => {
    const { server, client } = await setUp();
    const sent = client.send("c1", "hello", { model: "demo", whenBusy: "interrupt" });
    assert.deepEqual(states(client), ["sending"]);
    await server.settle();
    assert.deepEqual(client.outbox.items[0]?.delivery, {
      state: "accepted",
      run: "running",
      runId: "run-0",
      userMessageId: sent.clientMessageId,
    });
    const { params } = server.requests("chat.send")[0] ?? {};
    assert.deepEqual(params, { conversationId: "c1", text: "hello", model: "demo", whenBusy: "interrupt", ...sent });
  });

  it("[W10] is sent again with its own key until its answer comes", async () => {
    const { server, messages, client } = await setUp();
    server.on("chat.send", () => undefined);
    client.send("c1", "hello");
    await server.settle();
    for (let i = 0; i < 3; i++) {
      server.pair.cut();
      await server.pass(5_000, 500);
    }
    server.on("chat.send", messages.accept);
    server.pair.cut();
    await server.pass(5_000, 500);
    assert.deepEqual(states(client), ["accepted"]);
    assert.deepEqual(messages.texts, ["hello"]);
    assert.equal(keys(server).length, 5);
    assert.equal(new Set(keys(server)).size, 1);
  });

  it("keeps what is written offline, counts it, and sends it in order", async () => {
    const { server, messages, client } = await setUp();
    server.network.unreachable = true;
    server.pair.cut();
    await server.settle();
    for (const text of ["one", "two", "three"]) client.send("c1", text);
    assert.deepEqual(states(client), ["queued", "queued", "queued"]);
    assert.equal(client.state.queued, 3);
    await server.pass(300_000, 5_000);
    assert.equal(client.state.queued, 3);
    server.network.unreachable = false;
    await server.pass(15_000, 1_000);
    assert.deepEqual(messages.texts, ["one", "two", "three"]);
    assert.equal(client.state.queued, 0);
  });

  it("a conversation's messages leave one at a time; another conversation does not wait for them", async () => {
    const { server, client } = await setUp();
    server.on("chat.send", () => undefined);
    client.send("c1", "one");
    client.send("c1", "two");
    client.send("c2", "other");
    await server.settle();
    const texts = () => server.requests("chat.send").map(({ params }) => params["text"]);
    assert.deepEqual(texts(), ["one", "other"]);
    server.result(server.asked[0]?.id ?? "", { runId: "r", userMessageId: "m", state: "queued" });
    await server.settle();
    assert.deepEqual(texts(), ["one", "other", "two"]);
  });

  const verdicts: readonly [ErrorCode, "waits" | "refused"][] = [
    ["UNAVAILABLE", "waits"],
    ["TIMEOUT", "waits"],
    ["QUEUE_FULL", "waits"],
    ["RATE_LIMITED", "waits"],
    ["BUSY", "refused"],
    ["NOT_FOUND", "refused"],
    ["INVALID_PARAMS", "refused"],
    ["IDEMPOTENCY_MISMATCH", "refused"],
    ["INTERNAL", "refused"],
  ];
  for (const [code, verdict] of verdicts) {
    it(`${code}: ${verdict}`, async () => {
      const { server, messages, client } = await setUp();
      server.on("chat.send", (params) => (params["text"] === "one" ? new ParleyError(code) : messages.accept(params)));
      client.send("c1", "one");
      client.send("c1", "two");
      await server.settle();
      server.on("chat.send", messages.accept);
      await server.pass(5_000, 250);
      assert.deepEqual(messages.texts, verdict === "waits" ? ["one", "two"] : ["two"]);
      assert.deepEqual(states(client), verdict === "waits" ? ["accepted", "accepted"] : ["refused", "accepted"]);
    });
  }

  it("a refused message is sent again, or taken back, when its author says so", async () => {
    const { server, messages, client } = await setUp();
    server.on("chat.send", () => new ParleyError("FORBIDDEN"));
    const one = client.send("c1", "one");
    const two = client.send("c1", "two");
    await server.settle();
    assert.deepEqual(states(client), ["refused", "refused"]);
    server.on("chat.send", messages.accept);
    assert.equal(client.outbox.discard(two.clientMessageId), true);
    client.outbox.retry(one.clientMessageId);
    await server.settle();
    assert.deepEqual(messages.texts, ["one"]);
    assert.equal(new Set(keys(server)).size, 2);
  });

  it("a message that may have arrived can't be taken back", async () => {
    const { server, client } = await setUp();
    server.on("chat.send", () => undefined);
    const one = client.send("c1", "one");
    const two = client.send("c1", "two");
    await server.settle();
    assert.equal(client.outbox.discard(one.clientMessageId), false);
    assert.equal(client.outbox.discard(two.clientMessageId), true);
    await server.pass(30_000, 5_000);
    assert.equal(client.outbox.items[0]?.delivery.state, "queued");
    assert.equal(client.outbox.discard(one.clientMessageId), false);
  });

  it("waiting for its next try is cut short by its author", async () => {
    const { server, messages, client } = await setUp();
    server.on("chat.send", () => new ParleyError("QUEUE_FULL", { retryAfterMs: 600_000 }));
    const { clientMessageId } = client.send("c1", "one");
    await server.pass(1_000);
    server.on("chat.send", messages.accept);
    client.outbox.retry(clientMessageId);
    await server.settle();
    assert.deepEqual(messages.texts, ["one"]);
  });

  it(`holds ${MAX_UNSENT} unsent messages and refuses one more`, async () => {
    const { server, client } = await setUp();
    server.network.unreachable = true;
    server.pair.cut();
    await server.settle();
    for (let i = 0; i < MAX_UNSENT; i++) client.send("c1", `${i}`);
    assert.throws(
      () => client.send("c1", "one more"),
      (error) => error instanceof ParleyError && error.code === "QUEUE_FULL",
    );
    assert.equal(client.state.queued, MAX_UNSENT);
  });

  it("remembers a bounded number of accepted ones", async () => {
    const { server, client } = await setUp();
    for (let i = 0; i < 80; i++) {
      client.send(`c${i}`, "hi");
      await server.settle();
    }
    assert.equal(client.outbox.items.length, 50);
    assert.equal(client.outbox.items.at(-1)?.conversationId, "c79");
  });

  it("waits for the next login when the session ends", async () => {
    const { server, messages, client } = await setUp();
    server.on("chat.send", () => {
      server.end(CLOSE.REVOKED);
    });
    client.send("c1", "hello");
    await server.settle();
    assert.equal(client.state.closed?.reason, "signed-out");
    assert.deepEqual(states(client), ["queued"]);
    server.on("chat.send", messages.accept);
    client.connectNow();
    await server.settle();
    assert.deepEqual(messages.texts, ["hello"]);
  });
});

describe("outbox, over a reload", () => {
  it("[W10] nothing is lost or doubled, whether the server had it or not", async () => {
    const storage = new Storage();
    const { server, messages, client } = await setUp(storage);
    client.send("c1", "done");
    await server.settle();
    // Accepted, but the page is gone before it hears of it.
    server.on("chat.send", (params) => {
      messages.accept(params);
    });
    client.send("c1", "taken");
    await server.settle();
    client.send("c1", "waiting");
    assert.deepEqual(
      [...storage.kept.values()].map(({ text }) => text),
      ["taken", "waiting"],
    );
    client.close();

    server.on("chat.send", messages.accept);
    const reloaded = make(server, storage);
    assert.equal(reloaded.state.queued, 2);
    await server.settle();
    assert.deepEqual(messages.texts, ["done", "taken", "waiting"]);
    assert.equal(storage.kept.size, 0);
  });

  it("[W10] two tabs that share a storage send a message as one", async () => {
    const storage = new Storage();
    const { server, messages, client } = await setUp(storage);
    server.on("chat.send", () => undefined);
    client.send("c1", "hello");
    await server.settle();
    const other = make(server, storage);
    server.on("chat.send", messages.accept);
    await server.pass(31_000, 1_000);
    assert.deepEqual(messages.texts, ["hello"]);
    assert.ok(keys(server).length >= 2);
    assert.deepEqual([states(client), states(other)], [["accepted"], ["accepted"]]);
  });

  it("what one user wrote is not sent for another", async () => {
    const storage = new Storage();
    const { server, messages, client } = await setUp(storage);
    server.on("chat.send", () => undefined);
    client.send("c1", "from Ann");
    await server.settle();
    client.close();
    server.on("chat.send", messages.accept);
    server.identity = { ...IDENTITY, user: { id: "u2", name: "Bob" } };
    const bob = make(server, storage);
    await server.settle();
    bob.send("c2", "from Bob");
    await server.settle();
    assert.deepEqual(messages.texts, ["from Bob"]);
    assert.deepEqual(
      [...storage.kept.values()].map(({ text }) => text),
      ["from Ann"],
    );
  });

  it("a storage that fails, or answers late, does not keep messages from being sent", async () => {
    const storage = new Storage();
    storage.failing = true;
    const { server, messages, client } = await setUp(storage);
    client.send("c1", "one");
    await server.settle();
    assert.deepEqual(messages.texts, ["one"]);

    const stored = {
      clientMessageId: "m",
      idempotencyKey: "k2345678",
      conversationId: "c1",
      text: "late",
      createdAt: "2026-01-01T00:00:00.000Z",
    };
    const late = Promise.withResolvers<StoredMessage[]>();
    const slow: OutboxStorage = {
      load: () => late.promise,
      save: async () => {},
      remove: () => Promise.reject(new Error("gone")),
    };
    make(server, slow);
    await server.settle();
    late.resolve([stored]);
    await server.settle();
    assert.deepEqual(messages.texts, ["one", "late"]);
  });
});

it("[W10] any sequence of sends, cuts and lost answers: every message once, in the order of its conversation", async () => {
  const step = fc.constantFrom("send", "send", "send", "cut", "mute", "lose", "serve", "outage", "wait", "reload");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const storage = new Storage();
      const { server, messages, client: first } = await setUp(storage);
      let client = first;
      let count = 0;
      for (const action of steps) {
        if (action === "send") client.send(`c${count % 2}`, `${count++}`);
        else if (action === "cut") server.pair.cut();
        else if (action === "mute") server.on("chat.send", () => undefined);
        else if (action === "lose") server.on("chat.send", (params) => void messages.accept(params));
        else if (action === "serve") server.on("chat.send", messages.accept);
        else if (action === "outage") server.on("chat.send", () => new ParleyError("UNAVAILABLE"));
        else if (action === "reload") {
          client.close();
          client = make(server, storage);
        } else await server.pass(400);
      }
      server.on("chat.send", messages.accept);
      await server.pass(90_000, 2_000);
      const sorted = (parity: number) => messages.texts.map(Number).filter((n) => n % 2 === parity);
      for (const parity of [0, 1])
        assert.deepEqual(
          sorted(parity),
          sorted(parity).toSorted((a, b) => a - b),
        );
      assert.equal(messages.texts.length, count);
      assert.equal(client.state.queued, 0);
      assert.equal(storage.kept.size, 0);
      client.close();
    }),
    { numRuns: 60 },
  );
});
