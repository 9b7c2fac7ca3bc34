import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IDENTITY, LIMITS, ScriptedServer } from "../../test/support/scripted-server.ts";
import { CLOSE, type ErrorCode, ParleyError } from "../protocol/errors.ts";
import { type Client, type ClientOptions, createClient } from "./client.ts";
import { MAX_REQUESTS } from "./requests.ts";

const COOKIE: ClientOptions["auth"] = { kind: "cookie" };
const make = (server: ScriptedServer, options: Partial<ClientOptions> = {}): Client =>
  createClient({ auth: COOKIE, ...server.platform, ...options });

async function ready(server: ScriptedServer, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = make(server, options);
  await server.settle();
  assert.equal(client.state.phase, "ready");
  return client;
}

/** The error that a promise is rejected with, and not before it is asked for. */
function failure(promise: Promise<unknown>): { error: ParleyError | undefined } {
  const seen: { error: ParleyError | undefined } = { error: undefined };
  promise.then(
    () => {},
    (error: unknown) => {
      assert.ok(error instanceof ParleyError, String(error));
      seen.error = error;
    },
  );
  return seen;
}

function outcome<T>(promise: Promise<T>): { value: T | undefined; code: ErrorCode | undefined } {
  const seen: { value: T | undefined; code: ErrorCode | undefined } = { value: undefined, code: undefined };
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.code = error instanceof ParleyError ? error.code : undefined),
  );
  return seen;
}

describe("client, connecting", () => {
  it("[W2] says nothing when the cookie was accepted, and is ready", async () => {
    const server = new ScriptedServer();
    const phases: string[] = [];
    const client = make(server, { autoConnect: false });
    client.onState(({ phase }) => phases.push(phase));
    assert.equal(client.state.phase, "idle");
    client.connectNow();
    await server.settle();
    assert.deepEqual(phases, ["connecting", "greeting", "authenticating", "ready"]);
    assert.deepEqual(server.asked, []);
    assert.deepEqual(client.identity, IDENTITY);
    assert.equal(server.pair.client.url, "ws://server/ws");
  });

  it("[W2] without a session is signed out, and comes back when asked to", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    const client = make(server);
    const waiting = outcome(client.whenReady());
    await server.settle();
    assert.equal(client.state.closed?.reason, "signed-out");
    assert.equal(waiting.code, "UNAUTHENTICATED");
    const refused = outcome(client.call("model.list", {}));
    await server.settle();
    assert.equal(refused.code, "UNAUTHENTICATED");
    server.identity = IDENTITY;
    client.connectNow();
    const again = client.whenReady();
    await server.settle();
    await again;
    assert.equal(client.state.phase, "ready");
  });

  it("[W2] a server that can't tell whether the cookie is good is asked again", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    server.on("session.get", () => {
      server.error(null, new ParleyError("UNAVAILABLE"));
      server.end(CLOSE.RESYNC);
    });
    const client = make(server);
    await server.settle();
    assert.equal(client.state.phase, "waiting");
    server.identity = IDENTITY;
    await server.pass(1_000);
    assert.equal(client.state.phase, "ready");
  });

  it("[W2] a token logs in once, and its session is resumed from then on", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    let asked = 0;
    const provider = async () => `token-${++asked > 2 ? "new" : "old"}`;
    const client = make(server, { auth: { kind: "token", provider }, device: "a test" });
    for (let connection = 1; connection <= 3; connection++) {
      await server.settle();
      assert.equal(client.state.phase, "ready");
      server.pair.cut();
      await server.pass(1_000);
    }
    assert.deepEqual(
      server.asked.map(({ method, params }) => [method, params]),
      [
        ["login", { token: "token-old", device: "a test" }],
        ["session.resume", { sessionToken: "token-of-1" }],
        ["login", { token: "token-new", device: "a test" }],
        ["session.resume", { sessionToken: "token-of-3" }],
      ],
    );
  });

  it("a token provider that fails is asked again, unless it says that it is final", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    const answers: (string | Error)[] = [new Error("offline"), "token"];
    const provider = async () => {
      const answer = answers.shift() ?? new ParleyError("AUTH_FAILED");
      if (typeof answer === "string") return answer;
      throw answer;
    };
    const client = make(server, { auth: { kind: "token", provider } });
    await server.settle();
    assert.equal(client.state.phase, "waiting");
    assert.equal(server.connections, 0);
    await server.pass(1_000);
    assert.equal(client.state.phase, "ready");
    server.pair.cut();
    await server.pass(1_000);
    assert.equal(client.state.closed?.reason, "signed-out");
    assert.equal(client.state.closed?.error?.code, "AUTH_FAILED");
  });

  it("[W2] a session that ended is replaced by a login, once; then it is signed out", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    const client = make(server, { auth: { kind: "token", provider: () => "token" } });
    await server.settle();
    server.on("session.resume", () => new ParleyError("SESSION_ENDED"));
    server.pair.cut();
    await server.pass(2_000, 100);
    assert.equal(client.state.phase, "ready");
    assert.deepEqual(
      server.asked.map(({ method }) => method),
      ["login", "session.resume", "login"],
    );
    server.on("login", () => new ParleyError("AUTH_FAILED"));
    server.end(CLOSE.AUTHENTICATION);
    await server.pass(2_000, 100);
    assert.equal(client.state.closed?.reason, "signed-out");
  });

  it("[W2] a refused session token without a provider signs out; an outage does not", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    server.on("session.resume", () => new ParleyError("UNAVAILABLE", { retryAfterMs: 3_000 }));
    const client = make(server, { auth: { kind: "session", token: "kept" } });
    await server.settle();
    assert.equal(client.state.phase, "waiting");
    assert.ok((client.state.retryAt ?? 0) >= 3_000);
    server.on("session.resume", () => new ParleyError("SESSION_ENDED"));
    await server.pass(4_000);
    assert.equal(client.state.closed?.reason, "signed-out");
  });

  it("[W2] a session that somebody else got is asked for before each connection, and once more when refused", async () => {
    const server = new ScriptedServer();
    server.identity = undefined;
    const tokens = ["first", "stale", "second"];
    const provider = () => tokens.shift() ?? "third";
    const client = make(server, { auth: { kind: "session", provider } });
    await server.settle();
    assert.equal(client.state.phase, "ready");
    assert.equal(server.pair.client.url, "ws://server/ws?auth=token");
    server.on("session.resume", (params) =>
      params["sessionToken"] === "stale" ? new ParleyError("SESSION_ENDED") : IDENTITY,
    );
    server.pair.cut();
    await server.pass(3_000, 100);
    assert.equal(client.state.phase, "ready");
    assert.deepEqual(
      server.asked.map(({ method, params }) => [method, params["sessionToken"]]),
      [
        ["session.resume", "first"],
        ["session.resume", "stale"],
        ["session.resume", "second"],
      ],
    );
    server.on("session.resume", () => new ParleyError("SESSION_ENDED"));
    server.pair.cut();
    await server.pass(5_000, 100);
    assert.equal(client.state.closed?.reason, "signed-out");
  });

  it("gives up on a socket that does not open, and on a server that does not speak", async () => {
    const server = new ScriptedServer();
    server.mute = true;
    const client = make(server);
    await server.settle();
    assert.equal(client.state.phase, "greeting");
    await server.pass(10_000);
    assert.equal(client.state.phase, "waiting");
    server.mute = false;
    await server.pass(1_000);
    assert.equal(client.state.phase, "ready");
  });

  it("an address that is none is final", async () => {
    const connect = () => {
      throw new SyntaxError("no URL");
    };
    const client = make(new ScriptedServer(), { connect });
    assert.equal(client.state.closed?.reason, "refused");
    assert.equal(client.state.closed?.error?.code, "INVALID_REQUEST");
  });

  it("logout signs out, on a connection that the server keeps", async () => {
    const server = new ScriptedServer();
    server.on("logout", () => ({}));
    const client = await ready(server);
    const done = outcome(client.call("logout", {}));
    await server.settle();
    assert.deepEqual(done.value, {});
    assert.equal(client.state.closed?.reason, "signed-out");
    assert.equal(client.identity, undefined);
  });
});

describe("client, losing the connection", () => {
  it("[W8] comes back after 1006, ever more slowly while nobody answers", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    await server.pass(10_000);
    server.network.unreachable = true;
    server.pair.cut();
    await server.settle();
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      assert.equal(client.state.phase, "waiting");
      const delay = (client.state.retryAt ?? 0) - server.clock.now();
      delays.push(delay);
      await server.pass(delay);
    }
    assert.deepEqual(delays, [125, 250, 500, 1_000, 2_000, 4_000, 7_500, 7_500]);
    server.network.unreachable = false;
    client.connectNow();
    await server.settle();
    assert.equal(client.state.phase, "ready");
    assert.equal(client.state.attempt, 0);
  });

  it("[W8] a final close code ends it, with the reason", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.end(CLOSE.TOO_MANY_CONNECTIONS);
    await server.pass(60_000);
    assert.equal(client.state.closed?.reason, "too-many-connections");
    assert.equal(server.connections, 1);
    const refused = outcome(client.call("model.list", {}));
    await server.settle();
    assert.equal(refused.code, "TOO_MANY_CONNECTIONS");
  });

  it("[W9] 33 s of silence are death; any frame is life", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    await server.pass(32_000);
    server.notify("heartbeat", { time: "", positions: {} });
    await server.settle();
    await server.pass(32_000);
    assert.equal(server.connections, 1);
    await server.pass(1_500, 500);
    assert.equal(server.connections, 2);
    assert.equal(client.state.phase, "ready");
  });

  it("a probe finds a dead connection within 3 s and replaces it", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const first = outcome(client.probe());
    const second = outcome(client.probe());
    await server.settle();
    await server.pass(3_000);
    assert.deepEqual([first.value, second.value], [true, true]);
    assert.equal(server.requests("ping").length, 1);

    server.pair.cut("server");
    const third = outcome(client.probe());
    await server.pass(3_000);
    assert.equal(third.value, false);
    assert.equal(server.connections, 2);
    assert.equal(client.state.phase, "ready");
  });

  it("a probe skips the wait of a back-off", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.pair.cut();
    await server.settle();
    assert.equal(client.state.phase, "waiting");
    const probe = outcome(client.probe());
    await server.settle();
    assert.equal(probe.value, false);
    assert.equal(client.state.phase, "ready");
  });

  it("[W8] moves to another node when this one drains", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.notify("draining", { reconnectAfterMs: 500 });
    await server.pass(400);
    assert.equal(server.connections, 1);
    await server.pass(300);
    assert.equal(server.connections, 2);
    assert.equal(client.state.phase, "ready");
  });

  it("may be closed by whoever hears that it is ready", async () => {
    const server = new ScriptedServer();
    const client = make(server);
    const phases: string[] = [];
    client.subscribe("user:u1", { snapshot: () => client.close(), event: () => {} });
    server.on("topic.subscribe", () => ({ mode: "snapshot", position: { epoch: "e", seq: 0 }, snapshot: {} }));
    client.onState(({ phase }) => {
      phases.push(phase);
      if (phase === "ready") client.close();
    });
    await server.pass(60_000, 1_000);
    assert.deepEqual(phases, ["greeting", "authenticating", "ready", "closed"]);
    const late = outcome(client.call("model.list", {}));
    await server.settle();
    assert.equal(late.code, "CANCELLED");
  });

  it("close is final, and rejects what waits", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const call = outcome(client.call("model.list", {}));
    client.close();
    await server.pass(60_000);
    assert.equal(call.code, "CANCELLED");
    assert.equal(client.state.closed?.reason, "stopped");
    client.connectNow();
    await server.settle();
    assert.equal(server.connections, 1);
    assert.equal(server.pair.client.closed?.code, 1000);
  });
});

describe("client, calls", () => {
  it("[W3] answers go to those who asked, in any order", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const models = outcome(client.call("model.list", {}));
    const sessions = outcome(client.call("session.list", {}));
    await server.settle();
    const [first, second] = server.asked;
    assert.ok(first && second);
    server.result(second.id, { sessions: [] });
    server.result(first.id, { models: [] });
    server.result(first.id, { models: ["twice"] });
    await server.settle();
    assert.deepEqual(models.value, { models: [] });
    assert.deepEqual(sessions.value, { sessions: [] });
  });

  it("[W7] an error arrives as it was thrown", async () => {
    const server = new ScriptedServer();
    const issues = [{ path: "title", expected: "not blank" }];
    server.on("conversation.create", () => new ParleyError("INVALID_PARAMS", { message: "No.", issues }));
    const client = await ready(server);
    const call = failure(client.call("conversation.create", {}));
    await server.settle();
    assert.equal(call.error?.code, "INVALID_PARAMS");
    assert.equal(call.error?.message, "No.");
    assert.equal(call.error?.retryable, false);
    assert.deepEqual(call.error?.issues, issues);
  });

  it("[W7] a code of a newer server keeps its meaning for retries", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const codes: (ErrorCode | undefined)[] = [];
    for (const retryable of [true, false]) {
      const call = failure(client.call("chat.stop", { conversationId: "c1" }));
      await server.settle();
      const id = server.asked.at(-1)?.id ?? "";
      const error = Object.assign(new ParleyError("INTERNAL"), {
        code: "NEW",
        data: () => ({ code: "NEW", retryable }),
      });
      Object.defineProperty(error, "row", { value: { rpc: -32_099 } });
      server.error(id, error);
      await server.settle();
      codes.push(call.error?.code);
    }
    assert.deepEqual(codes, ["UNAVAILABLE", "INTERNAL"]);
  });

  it("waits for a connection, and says so when there is none in time", async () => {
    const server = new ScriptedServer();
    server.network.unreachable = true;
    const client = make(server);
    const short = outcome(client.call("model.list", {}, { timeoutMs: 1_000 }));
    const long = outcome(client.call("model.list", {}, { timeoutMs: 60_000 }));
    server.on("model.list", () => ({ models: [] }));
    await server.pass(2_000, 100);
    assert.equal(short.code, "UNAVAILABLE");
    server.network.unreachable = false;
    await server.pass(20_000, 1_000);
    assert.deepEqual(long.value, { models: [] });
    assert.equal(server.requests("model.list").length, 1);
  });

  it("[W10] after a lost connection repeats reads and keyed calls, and leaves the rest to the caller", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const read = outcome(client.call("model.list", {}));
    const keyed = outcome(client.call("conversation.create", { title: "T" }));
    const stopRun = outcome(client.call("chat.stop", { runId: "r1" }));
    const rename = outcome(client.call("conversation.rename", { conversationId: "c1", title: "T" }));
    const stopAny = outcome(client.call("chat.stop", { conversationId: "c1" }));
    await server.settle();
    server.on("model.list", () => ({ models: [] }));
    server.on("conversation.create", () => ({ conversation: {} }));
    server.on("chat.stop", () => ({ stopped: true }));
    server.pair.cut();
    await server.settle();
    assert.deepEqual([rename.code, stopAny.code], ["UNAVAILABLE", "UNAVAILABLE"]);
    await server.pass(1_000);
    assert.deepEqual(
      [read.value, keyed.value, stopRun.value],
      [{ models: [] }, { conversation: {} }, { stopped: true }],
    );
    const keys = server.requests("conversation.create").map(({ params }) => params["idempotencyKey"]);
    assert.equal(keys.length, 2);
    assert.equal(typeof keys[0], "string");
    assert.equal(keys[0], keys[1]);
    assert.deepEqual(
      server.asked.slice(5).map(({ method }) => method),
      ["model.list", "conversation.create", "chat.stop"],
    );
  });

  it("[W7] repeats when the server says when, a bounded number of times, within the time limit", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.on("model.list", () => new ParleyError("RATE_LIMITED", { retryAfterMs: 100 }));
    const call = outcome(client.call("model.list", {}));
    await server.pass(99);
    assert.equal(server.requests("model.list").length, 1);
    await server.pass(29_000, 50);
    assert.equal(call.code, "RATE_LIMITED");
    assert.equal(server.requests("model.list").length, 6);

    const late = outcome(client.call("model.list", {}, { timeoutMs: 150 }));
    await server.settle();
    assert.equal(late.code, "RATE_LIMITED");
    assert.equal(server.requests("model.list").length, 7);
  });

  it("does not repeat what the server says nothing about, nor what may have had its effect", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.on("chat.send", () => new ParleyError("BUSY"));
    server.on("conversation.rename", () => new ParleyError("TIMEOUT", { retryAfterMs: 10 }));
    const send = outcome(client.call("chat.send", { conversationId: "c1", text: "x", idempotencyKey: "12345678" }));
    const rename = outcome(client.call("conversation.rename", { conversationId: "c1", title: "T" }));
    await server.pass(5_000, 500);
    assert.deepEqual([send.code, rename.code], ["BUSY", "TIMEOUT"]);
    assert.equal(server.asked.length, 2);
  });

  it("[W7] makes a read once more that the server could not answer, and nothing else", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    for (const method of ["model.list", "chat.stop", "conversation.create"] as const) {
      server.on(method, () => new ParleyError("UNAVAILABLE"));
    }
    const calls = [
      outcome(client.call("model.list", {})),
      outcome(client.call("chat.stop", { conversationId: "c1" })),
      outcome(client.call("conversation.create", {})),
    ];
    await server.pass(5_000, 50);
    assert.deepEqual(
      calls.map(({ code }) => code),
      ["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"],
    );
    const made = (method: Parameters<typeof server.requests>[0]) => server.requests(method).length;
    assert.deepEqual([made("model.list"), made("chat.stop"), made("conversation.create")], [2, 1, 1]);

    const late = outcome(client.call("model.list", {}, { timeoutMs: 50 }));
    await server.settle();
    assert.equal(late.code, "UNAVAILABLE", "no time is left for another");
    assert.equal(made("model.list"), 3);
  });

  it("[W12] a signal cancels here at once, and on the server", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const stop = new AbortController();
    const call = failure(client.call("model.list", {}, { signal: stop.signal }));
    await server.settle();
    const reason = new Error("not needed");
    stop.abort(reason);
    await server.settle();
    assert.equal(call.error?.code, "CANCELLED");
    assert.equal(call.error?.cause, reason);
    assert.deepEqual(
      server.requests("request.cancel").map(({ params }) => params),
      [{ requestId: server.asked[0]?.id }],
    );
    const never = outcome(client.call("model.list", {}, { signal: stop.signal }));
    await server.settle();
    assert.equal(never.code, "CANCELLED");
    assert.equal(server.requests("model.list").length, 1);
  });

  it("[W12] a request that takes too long is cancelled", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const call = outcome(client.call("model.list", {}, { timeoutMs: 500 }));
    await server.settle();
    await server.pass(500);
    assert.equal(call.code, "TIMEOUT");
    assert.equal(server.requests("request.cancel").length, 1);
  });

  it("[W11] refuses a frame that is too large before it is sent, counted in bytes", async () => {
    const server = new ScriptedServer();
    server.limits = { ...LIMITS, frameIn: 1_000 };
    const client = await ready(server);
    const text = (characters: string) => client.call("conversation.list", { query: characters });
    const large = outcome(text("x".repeat(1_000)));
    const wide = outcome(text("€".repeat(320)));
    const fits = outcome(text("x".repeat(600)));
    await server.settle();
    assert.deepEqual([large.code, wide.code, fits.code], ["FRAME_TOO_LARGE", "FRAME_TOO_LARGE", undefined]);
    assert.equal(server.asked.length, 1);
  });

  it("[W11] sends no more at a time than the server takes", async () => {
    const server = new ScriptedServer();
    server.limits = { ...LIMITS, inFlight: 2 };
    const client = await ready(server);
    const calls = [1, 2, 3].map(() => outcome(client.call("model.list", {})));
    await server.settle();
    assert.equal(server.asked.length, 2);
    server.result(server.asked[0]?.id ?? "", { models: [] });
    await server.settle();
    assert.equal(server.asked.length, 3);
    assert.deepEqual(calls[0]?.value, { models: [] });
  });

  it("holds a bounded number of calls", async () => {
    const server = new ScriptedServer();
    server.network.unreachable = true;
    const client = make(server);
    const calls = Array.from({ length: MAX_REQUESTS + 1 }, () => outcome(client.call("model.list", {})));
    await server.settle();
    assert.deepEqual(
      calls.map(({ code }) => code).filter((code) => code !== undefined),
      ["TOO_MANY_IN_FLIGHT"],
    );
    client.close();
    await server.settle();
  });

  it("does not ask for one user what another had asked for", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    const call = outcome(client.call("model.list", {}));
    await server.settle();
    server.identity = { ...IDENTITY, user: { id: "u2", name: "Bob" } };
    server.pair.cut();
    await server.pass(1_000);
    assert.equal(client.identity?.user.id, "u2");
    assert.equal(call.code, "UNAUTHENTICATED");
    assert.equal(server.requests("model.list").length, 1);
  });

  it("frames that are none, or of a newer server, change nothing", async () => {
    const server = new ScriptedServer();
    const client = await ready(server);
    server.pair.connection.send("{");
    server.pair.connection.send("null");
    server.notify("news", {});
    server.error(null, new ParleyError("PARSE_ERROR"));
    await server.settle();
    assert.equal(client.state.phase, "ready");
  });
});
