/** Three nodes of the built program on one PostgreSQL and one Redis: what is done at one is seen at the others. */
import assert from "node:assert/strict";
import test, { after, before, type TestContext } from "node:test";
import pg from "pg";
import { type Client, createClient } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf, type Transcript } from "../../src/client/transcript.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { ACCESS_TOKEN, type Parley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";

const LIMIT = { timeout: 120_000 };
/** What is told once may be lost, and is known with the next update of presence. */
const HEALED_MS = 30_000;
const count = (to: number) => Array.from({ length: to }, (_, i) => i + 1).join(" ");

let cluster: TestCluster;
before(async () => {
  cluster = await startCluster(3, { PARLEY_DEMO_TOKENS_PER_SECOND: "50", PARLEY_DRAIN_MS: "5000" });
});
after(() => cluster.remove());

function node(index: number): Parley {
  const found = cluster.nodes[index];
  assert.ok(found);
  return found;
}

function connect(t: TestContext, to: Parley): Client {
  const client = createClient({ url: `${to.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  return client;
}

const answers = (transcript: Transcript) => messagesOf(transcript).filter(({ role }) => role === "assistant");
const text = (transcript: Transcript) =>
  answers(transcript)
    .map((message) => message.parts.map(partText).join(""))
    .join("\n");

/** A conversation that is written at one node and followed at another. */
async function conversationOf(t: TestContext, a: Parley, b: Parley) {
  const [writer, follower] = [connect(t, a), connect(t, b)];
  const { conversation } = await writer.call("conversation.create", {});
  const reader = openConversation(follower, conversation.id);
  t.after(() => reader.close());
  await until(() => reader.state.status === "open", "the reader to follow");
  const send = (message: string) =>
    writer.call("chat.send", { conversationId: conversation.id, text: message, idempotencyKey: crypto.randomUUID() });
  const shown = () => text(reader.state.transcript);
  const done = () => answers(reader.state.transcript).some(({ status }) => status === "complete");
  return { writer, follower, conversationId: conversation.id, reader, send, shown, done };
}

/** Which node holds the one run that is active. */
async function ownerOf(): Promise<number> {
  const held = async (each: Parley) =>
    /^parley_runs_active (\d+)$/m.exec(await (await fetch(`${each.url}/metrics`)).text())?.[1];
  let owner = -1;
  const found = async () => (owner = (await Promise.all(cluster.nodes.map(held))).indexOf("1")) >= 0;
  await until(found, "a node to hold the run");
  return owner;
}

test("three first starts at once migrate one database once", LIMIT, async () => {
  const client = new pg.Client({ connectionString: cluster.postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>("select name from parley_migrations order by name");
    assert.ok(rows.length >= 4);
    assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
  } finally {
    await client.end();
  }
  for (const each of cluster.nodes) assert.equal((await fetch(`${each.url}/readyz`)).status, 200);
});

test("[L1] what is sent at one node is read at another", LIMIT, async (t) => {
  const { send, shown, done } = await conversationOf(t, node(0), node(1));
  await send("count to 60");
  await until(done, "the answer");
  assert.equal(shown(), count(60));
});

test("[L10] who looks on at one node is seen at another, with what they do, until they leave", LIMIT, async (t) => {
  const { writer, follower, conversationId } = await conversationOf(t, node(0), node(1));
  const own = openConversation(writer, conversationId);
  t.after(() => own.close());
  const topic = `conversation:${conversationId}`;
  const [here, there] = [writer.presence(topic), follower.presence(topic)];
  const seen = () => [here, there].map(({ others }) => others.map(({ state }) => state).join());
  const shows = (...states: readonly string[]) =>
    until(() => seen().join(";") === states.join(";"), states.join(";"), HEALED_MS);
  await shows("active", "active");
  there.set("typing");
  await shows("typing", "active");
  here.close();
  await shows("", "");
  const again = writer.presence(topic);
  await until(() => again.others.length === 1 && there.others.length === 1, "both again", HEALED_MS);
  follower.close();
  await until(() => again.others.length === 0, "the one that left to be gone", HEALED_MS);
});

interface Answer {
  readonly result?: { readonly session?: { readonly id: string }; readonly sessionToken?: string };
  readonly error?: { readonly data: { readonly code: string } };
}

/** A bare socket that has been greeted: the SDK would hide its close codes. */
async function openSocket(to: Parley) {
  const socket = new WebSocket(`${to.url.replace("http", "ws")}/ws`, "parley.v1");
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  const waiting = new Map<number, (answer: Answer) => void>();
  await new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(String(data)) as Answer & { readonly id?: number; readonly method?: string };
      if (frame.method === "hello") resolve();
      else if (frame.id !== undefined) waiting.get(frame.id)?.(frame);
    };
  });
  const call = (method: string, params: object) =>
    new Promise<Answer>((resolve) => {
      const id = waiting.size + 1;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  return { call, closed, socket };
}

test(
  "[W8] a session that is revoked at one node is closed 4504 at another, at once, and resumed nowhere",
  LIMIT,
  async () => {
    const atA = await openSocket(node(0));
    const atB = await openSocket(node(1));
    const mine = await atA.call("login", { token: ACCESS_TOKEN });
    const other = await openSocket(node(0));
    const { result } = await other.call("login", { token: ACCESS_TOKEN });
    const sessionToken = result?.sessionToken;
    const sessionId = result?.session?.id;
    assert.ok(sessionToken !== undefined && sessionId !== undefined);
    assert.equal((await atB.call("session.resume", { sessionToken })).result?.session?.id, sessionId);
    assert.ok(mine.result);
    const from = performance.now();
    assert.deepEqual((await atA.call("session.revoke", { sessionId })).result, {});
    assert.equal(await other.closed, 4504);
    assert.equal(await atB.closed, 4504);
    assert.ok(performance.now() - from < 2_000, "by the command, and not by the look at the store");
    for (const index of [0, 1, 2]) {
      const late = await openSocket(node(index));
      assert.equal((await late.call("session.resume", { sessionToken })).error?.data.code, "SESSION_ENDED");
      late.socket.close();
    }
    atA.socket.close();
  },
);

test("[R11] a run is stopped from a node that does not own it, at once", LIMIT, async (t) => {
  const { send, shown, reader, conversationId } = await conversationOf(t, node(0), node(1));
  await send("count to 5000");
  await until(() => shown().length > 20, "some text");
  const other = connect(t, node(((await ownerOf()) + 1) % 3));
  await other.whenReady();
  const from = performance.now();
  assert.deepEqual(await other.call("chat.stop", { conversationId }), { stopped: true });
  await until(() => answers(reader.state.transcript)[0]?.status === "stopped", "the stop");
  assert.ok(performance.now() - from < 2_500, "by the command, and not by the renewal");
  assert.ok(count(5000).startsWith(shown()));
});

test("[R7] an approval is decided at another node than the one where the run began", LIMIT, async (t) => {
  const { send, reader, follower, done, shown } = await conversationOf(t, node(0), node(2));
  await send("delete the file notes.txt");
  let approvalId: string | undefined;
  const asked = async () => {
    approvalId = (await follower.call("approval.list", {})).approvals[0]?.id;
    return approvalId !== undefined;
  };
  await until(asked, "the question");
  assert.ok(approvalId !== undefined);
  const { approval } = await follower.call("approval.decide", { approvalId, decision: "deny" });
  assert.equal(approval.status, "denied");
  await until(done, "the end of the answer");
  assert.ok(shown().length > 0);
  assert.equal(answers(reader.state.transcript).length, 1);
});

test(
  "[R3][R5] the owner of a run is killed with -9 in mid-answer: the run goes on elsewhere, its reader has it whole",
  LIMIT,
  async (t) => {
    const { send, shown, done, conversationId, reader } = await conversationOf(t, node(0), node(1));
    // The node that was asked takes it, as it has room.
    await send("count to 300");
    await until(() => shown().length > 100, "some text");
    assert.equal(await ownerOf(), 0);
    const from = performance.now();
    await node(0).kill();
    const before = shown().length;
    await until(() => reader.state.transcript.activeRun?.attempt === 2 || done(), "the takeover", 25_000);
    const took = performance.now() - from;
    await until(done, "the whole answer", 60_000);
    assert.equal(shown(), count(300));
    assert.equal(answers(reader.state.transcript).length, 1);
    t.diagnostic(`taken over after ${Math.round(took)} ms; ${before} characters were shown at the kill`);
    assert.ok(took < 20_000, `${took} ms`);
    const page = await connect(t, node(2)).call("conversation.get", { conversationId });
    assert.equal(partText(page.messages[1]?.parts[0]), count(300));
    await node(0).start();
  },
);

test(
  "[R12] a node that is asked to stop sends its clients away, hands its runs over, and exits 0 in time",
  LIMIT,
  async (t) => {
    const { send, shown, done, writer } = await conversationOf(t, node(0), node(1));
    await send("count to 400");
    await until(() => shown().length > 50, "some text");
    assert.equal(await ownerOf(), 0);
    let drained = 0;
    writer.onState((state) => {
      if (state.phase !== "ready") drained++;
    });
    const from = performance.now();
    assert.equal(await node(0).stop(), 0, node(0).errors);
    const stopped = performance.now() - from;
    assert.ok(stopped < 6_500, `${stopped} ms`);
    assert.ok(drained > 0, "its client has left");
    const length = shown().length;
    await until(() => shown().length > length, "the run to go on", 5_000);
    const took = performance.now() - from - stopped;
    await until(done, "the whole answer", 60_000);
    assert.equal(shown(), count(400));
    t.diagnostic(`stopped in ${Math.round(stopped)} ms; text again ${Math.round(took)} ms later`);
    await node(0).start();
  },
);
