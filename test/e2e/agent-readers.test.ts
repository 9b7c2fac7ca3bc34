/**
 * Readers of an agent that acts, through the real program and the real SDK: one that hears everything, one that starts
 * anew from a snapshot again and again, and after each turn one that has just come. Whatever happens, all of them see the same.
 */
import assert from "node:assert/strict";
import test, { after, before, type TestContext } from "node:test";
import { type Client, createClient } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import { messageOf, messagesOf, pendingApprovals, siblingsOf, type Transcript } from "../../src/client/transcript.ts";
import type { Message, Part } from "../../src/protocol/shapes.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { until } from "../support/until.ts";

const LIMIT = { timeout: 170_000 };
const WAIT_MS = 60_000;

let parley: Parley;
before(async () => {
  parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "60" });
});
after(() => parley.remove());

function connect(t: TestContext): Client {
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  return client;
}

/** What a reader sees, but for what is told in passing. */
const seen = (state: Transcript) => ({
  head: state.head,
  order: state.order,
  waiting: state.waiting,
  siblings: state.order.map((id) => siblingsOf(state, id)),
  messages: state.loaded
    .flatMap((id) => messageOf(state, id) ?? [])
    .map((message) => ({ ...message, parts: message.parts.map(withoutProgress) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  active: state.activeRun && { ...state.activeRun, attempt: 0, usage: undefined },
  queued: state.queuedRuns.map(({ id }) => id),
  approvals: pendingApprovals(state),
  pending: state.pending.length + state.pendingAnswers.length,
});

const withoutProgress = (part: Part): Part => (part.type === "tool" ? { ...part, progress: undefined } : part) as Part;

class Readers {
  readonly live: OpenConversation;
  readonly #t: TestContext;
  readonly #others: readonly OpenConversation[];
  /** How often the other reader got a snapshot in the middle of something. */
  restarts = 0;

  private constructor(t: TestContext, conversationId: string) {
    this.#t = t;
    this.live = openConversation(connect(t), conversationId);
    const client = connect(t);
    let deltas = 0;
    const other = openConversation(client, conversationId, {
      onEvent: (event) => {
        if (!("delta" in event) || ++deltas % 25 !== 0) return;
        this.restarts++;
        // Whoever joins a topic needs a snapshot, and all who follow it on this connection get it.
        client.subscribe(`conversation:${conversationId}`, { snapshot() {}, event() {} }).close();
      },
    });
    this.#others = [other];
  }

  static async open(t: TestContext): Promise<Readers> {
    const { conversation } = await connect(t).call("conversation.create", {});
    return new Readers(t, conversation.id);
  }

  get transcript(): Transcript {
    return this.live.state.transcript;
  }

  /** Until the reader that hears everything sees that. */
  until(what: string, wanted: (state: Transcript) => boolean): Promise<void> {
    return until(() => this.live.state.status === "open" && wanted(this.transcript), what, WAIT_MS);
  }

  /** Until nothing runs, and all see the same, also somebody who comes now. */
  async agree(what: string): Promise<void> {
    await this.until(`${what}: the end`, ({ activeRun, queuedRuns, pending }) => {
      const idle = activeRun === undefined || activeRun.status === "waiting";
      return idle && queuedRuns.length === 0 && pending.length === 0;
    });
    const fresh = openConversation(connect(this.#t), this.live.id);
    const all = [fresh, this.live, ...this.#others];
    const views = () => all.map(({ state }) => JSON.stringify(seen(state.transcript)));
    try {
      await until(() => fresh.state.status === "open" && new Set(views()).size === 1, `${what}: agreement`, 10_000);
    } catch {
      const [expected, ...others] = all.map(({ state }) => seen(state.transcript));
      for (const other of others) assert.deepEqual(other, expected, what);
    }
    fresh.close();
  }
}

const answerOf = (state: Transcript): Message | undefined =>
  messagesOf(state).findLast(({ role }) => role === "assistant");
const toolsOf = (message: Message | undefined) => (message?.parts ?? []).filter((part) => part.type === "tool");
const statusesOf = (state: Transcript): string[] => toolsOf(answerOf(state)).map(({ status }) => status);
const idle = ({ activeRun, queuedRuns }: Transcript): boolean => activeRun === undefined && queuedRuns.length === 0;

test("[W4][W6] parallel calls, a plan and a queue: all readers see the same", LIMIT, async (t) => {
  const readers = await Readers.open(t);
  const { live } = readers;
  live.send("use the calculator: 6*7, then what time is it, and research tides, and research the moon");
  await readers.until("the results", (state) => statusesOf(state).length === 4 && idle(state));
  assert.deepEqual(new Set(statusesOf(readers.transcript)), new Set(["completed"]));
  await readers.agree("parallel calls");
  live.send("plan a picnic");
  live.send("count to 30");
  live.send("think about tea");
  await readers.until("the last of them", (state) => messagesOf(state).length === 8 && idle(state));
  await readers.agree("a plan and a queue");
  assert.ok(messagesOf(readers.transcript).some(({ plan }) => plan !== undefined && plan.length > 2));
  assert.ok(messagesOf(readers.transcript).some(({ parts }) => parts.some(({ type }) => type === "reasoning")));
  assert.ok(readers.restarts > 0);
});

test("[R2][R11] steered, stopped, retried, regenerated, edited, switched", LIMIT, async (t) => {
  const readers = await Readers.open(t);
  const { live } = readers;
  live.send("research rivers");
  await readers.until("a call that runs", (state) => statusesOf(state).includes("running"));
  live.steer("and count to 5");
  await readers.until("the steered answer", (state) => messagesOf(state).length === 4 && idle(state));
  await readers.agree("a steer");
  const [question, first] = messagesOf(readers.transcript);
  assert.deepEqual(
    messagesOf(readers.transcript).map(({ role, runId }) => [role, runId]),
    ["user", "assistant", "user", "assistant"].map((role) => [role, question?.runId]),
  );

  live.send("count to 500");
  await readers.until(
    "some of it",
    (state) => state.activeRun !== undefined && (answerOf(state)?.parts.length ?? 0) > 0,
  );
  await live.stop();
  await readers.until("the stop", idle);
  await readers.agree("a stop");
  const stopped = answerOf(readers.transcript);
  assert.equal(stopped?.status, "stopped");

  live.retryRun(stopped?.runId ?? "");
  await readers.until("the retry", (state) => answerOf(state)?.id !== stopped?.id && answerOf(state) !== undefined);
  await live.stop();
  await readers.agree("a retry");
  assert.equal(siblingsOf(readers.transcript, answerOf(readers.transcript)?.id ?? "").length, 2);

  live.regenerate(first?.id ?? "");
  await readers.until("another answer", (state) => idle(state) && messagesOf(state).length === 2);
  await readers.agree("a regeneration");
  live.edit(question?.id ?? "", "count to 3");
  await readers.until("another question", (state) => idle(state) && messagesOf(state)[0]?.id !== question?.id);
  await readers.agree("an edit");
  await live.selectBranch(first?.id ?? "");
  await readers.agree("another branch");
  assert.equal(messagesOf(readers.transcript)[1]?.id, first?.id);
});

test("[R7][R5] decided, denied, and killed in between", LIMIT, async (t) => {
  const readers = await Readers.open(t);
  const { live } = readers;
  live.send("delete the file a.txt, and delete the file b.txt, and use the calculator: 1+1");
  await readers.until("two questions", (state) => pendingApprovals(state).length === 2);
  await readers.until("a run that waits", (state) => state.activeRun?.status === "waiting");
  await readers.agree("two questions");
  await parley.kill();
  await parley.start();
  const [one, two] = pendingApprovals(readers.transcript);
  await live.decide(one?.id ?? "", "approve");
  await live.decide(two?.id ?? "", "deny");
  await readers.until("the end", idle);
  await readers.agree("decisions");
  assert.deepEqual(statusesOf(readers.transcript).toSorted(), ["completed", "denied", "failed"]);

  live.send("research stars, and research the sea, and research the wind");
  await readers.until("calls that run", (state) => statusesOf(state).includes("running"));
  await parley.kill();
  await parley.start();
  await readers.until("what another process made of it", (state) => statusesOf(state).length === 3 && idle(state));
  await readers.agree("a takeover");
  assert.deepEqual(new Set(statusesOf(readers.transcript)), new Set(["completed"]));
});
