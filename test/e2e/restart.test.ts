/** kill -9 in mid-answer, as often as one likes: the real program, the real SDK. */
import assert from "node:assert/strict";
import test from "node:test";
import { createClient } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf, type Transcript } from "../../src/client/transcript.ts";
import { ACCESS_TOKEN, startParley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";

const NUMBERS = 400;
const EXPECTED = Array.from({ length: NUMBERS }, (_, i) => i + 1).join(" ");

const answers = (transcript: Transcript) => messagesOf(transcript).filter((message) => message.role === "assistant");
const text = (transcript: Transcript) =>
  answers(transcript)
    .map((message) => message.parts.map(partText).join(""))
    .join("\n");

test(
  "[R1][R3][R5] a server that is killed with -9 four times finishes the answer once, whole",
  { timeout: 170_000 },
  async (t) => {
    // So slowly that no machine finishes the answer before it is killed.
    const parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "20" });
    t.after(() => parley.remove());
    const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    t.after(() => client.close());
    const { conversation } = await client.call("conversation.create", {});
    const reader = openConversation(client, conversation.id);
    t.after(() => reader.close());

    reader.send(`count to ${NUMBERS}`);
    const shown = () => text(reader.state.transcript);
    let longest = 0;
    for (let kill = 1; kill <= 4; kill++) {
      const streams = () => reader.state.transcript.activeRun?.attempt === kill && shown().length >= 40 * kill;
      await until(streams, `text of attempt ${kill}`, 60_000);
      await parley.kill();
      longest = Math.max(longest, shown().length);
      assert.ok(EXPECTED.startsWith(shown()), `what is shown is the beginning of the answer: ${shown().slice(-40)}`);
      await parley.start(kill === 4 ? { PARLEY_DEMO_TOKENS_PER_SECOND: "200" } : {});
      // Its back-off has grown while the server was away; on a busy machine the answer would be over before it is.
      client.connectNow();
    }
    const done = () => answers(reader.state.transcript).some((message) => message.status === "complete");
    await until(done, "the whole answer", 90_000);
    assert.equal(shown(), EXPECTED);
    assert.equal(answers(reader.state.transcript).length, 1);

    const [answer] = answers(reader.state.transcript);
    assert.ok(answer?.runId);
    const { run, steps } = await client.call("run.get", { runId: answer.runId });
    assert.equal(run.status, "completed");
    assert.equal(steps.length, 1);
    t.diagnostic(`4 kills, attempt ${run.attempt}, longest text before a kill: ${longest}`);

    // What the store holds, without anything that this client remembers.
    const page = await client.call("conversation.get", { conversationId: conversation.id });
    assert.deepEqual(
      page.messages.map((message) => message.role),
      ["user", "assistant"],
    );
    assert.equal(partText(page.messages[1]?.parts[0]), EXPECTED);
  },
);

test(
  "[R12] a server that is asked to stop in mid-answer exits 0, and the next start finishes the answer",
  { timeout: 120_000 },
  async (t) => {
    const parley = await startParley({ PARLEY_DEMO_TOKENS_PER_SECOND: "50", PARLEY_DRAIN_MS: "4000" });
    t.after(() => parley.remove());
    const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    t.after(() => client.close());
    const { conversation } = await client.call("conversation.create", {});
    const reader = openConversation(client, conversation.id);
    reader.send(`count to ${NUMBERS}`);
    await until(() => text(reader.state.transcript).length > 50, "some text", 30_000);
    assert.equal(await parley.stop(), 0, parley.errors);
    await parley.start();
    await until(() => answers(reader.state.transcript)[0]?.status === "complete", "the whole answer", 60_000);
    assert.equal(text(reader.state.transcript), EXPECTED);
  },
);
