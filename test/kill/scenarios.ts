/** Chats without tools, in which people do what changes something. */
import type { OpenConversation } from "../../src/client/conversation.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { upTo } from "../engine-process.ts";
import { until } from "../support/until.ts";
import { answersTo, textOf } from "./findings.ts";
import type { Asked, Scenario } from "./scenario.ts";

/** About a third of a second at the pace of a case. */
const LONG = 600;
/** Longer than anybody waits. */
const ENDLESS = 100_000;

const shown = (conversation: OpenConversation, asked: Asked): string =>
  answersTo(conversation.state.transcript, asked).map(textOf).join("");

/** A message, and one that waits in the queue behind it. */
export const chat: Scenario = {
  name: "chat",
  async play(_, stage) {
    const conversation = await stage.converse();
    stage.ask(conversation, `count to ${LONG}`, upTo(LONG));
    stage.ask(conversation, "count to 40", upTo(40));
    await stage.answered();
  },
};

/** The process that takes a run over dies as well. */
export const takeover: Scenario = {
  ...chat,
  name: "takeover",
  few: true,
  deathsBefore: [{ call: "log.append/TEXT_MESSAGE_CONTENT", nth: 4, side: "after" }],
};

export const stop: Scenario = {
  name: "stop",
  about: /^(conversations\.rename|runs\.(stop|commit))$/,
  async play(client, stage) {
    const conversation = await stage.converse();
    const asked = stage.ask(conversation, `count to ${ENDLESS}`, upTo(ENDLESS), { ends: ["stopped"] });
    await until(() => shown(conversation, asked).length > 200, "some text", 60_000);
    const params = { conversationId: conversation.id, title: "Numbers" };
    await stage.insist(() => client.call("conversation.rename", params));
    await stage.insist(() => conversation.stop());
    await stage.answered();
  },
  check: ({ transcripts }) =>
    [...transcripts.values()]
      .filter(({ fresh }) => fresh.conversation?.title !== "Numbers")
      .map(() => ({ kind: "lost", what: "the new title" })),
};

/** The newer message does not wait for the end of the answer to the older. */
export const interrupt: Scenario = {
  name: "interrupt",
  about: /^runs\.(send|claim|commit)$/,
  async play(_, stage) {
    const conversation = await stage.converse();
    const asked = stage.ask(conversation, `count to ${ENDLESS}`, upTo(ENDLESS), { ends: ["stopped"] });
    await until(() => shown(conversation, asked).length > 200, "some text", 60_000);
    stage.ask(conversation, "count to 40", upTo(40), { whenBusy: "interrupt" });
    await stage.answered();
  },
};

/** The server is asked to stop in mid-answer, and dies of something else before it has. */
export const drain: Scenario = {
  name: "drain",
  // It hands over what has not ended a second before its time is up.
  env: { PARLEY_DRAIN_MS: "3100", PARLEY_DEMO_TOKENS_PER_SECOND: "1000" },
  about: /^runs\.release$/,
  async play(_, stage) {
    const conversation = await stage.converse();
    const asked = stage.ask(conversation, "count to 3000", upTo(3000));
    await until(() => shown(conversation, asked).length > 200, "some text", 60_000);
    stage.stopServer();
    await stage.answered();
  },
};

/** Long enough for the lease to be renewed. */
export const slow: Scenario = {
  name: "slow",
  env: { PARLEY_DEMO_TOKENS_PER_SECOND: "100" },
  about: /^runs\.renew$/,
  slow: true,
  async play(_, stage) {
    const conversation = await stage.converse();
    stage.ask(conversation, "count to 700", upTo(700));
    await stage.answered();
  },
};

/** Answers beside answers, on branches. */
export const branches: Scenario = {
  name: "branches",
  about: /^(runs\.(again|send|commit)|conversations\.selectBranch)$/,
  async play(client, stage) {
    const conversation = await stage.converse();
    const asked = stage.ask(conversation, "count to 60", upTo(60));
    await stage.answered();
    const [first] = answersTo(conversation.state.transcript, asked);
    if (first === undefined) throw new Error("It was answered");
    conversation.regenerate(first.id);
    stage.expect({ ...asked, answers: 2 });
    await stage.answered();
    const { clientMessageId } = conversation.edit(asked.clientMessageId, "count to 50");
    stage.expect({ ...asked, clientMessageId, text: "count to 50", answer: upTo(50) });
    await stage.answered();
    await stage.insist(() =>
      client.call("conversation.selectBranch", { conversationId: conversation.id, messageId: first.id }),
    );
  },
  check: ({ transcripts, asked: [asked] }) =>
    [...transcripts.values()].flatMap(({ fresh }) => {
      const first = asked && answersTo(fresh, asked)[0];
      return first?.id === fresh.head ? [] : [{ kind: "lost", what: "the branch that was chosen" }];
    }),
};

/** A message joins the answer that is being written. */
export const steer: Scenario = {
  name: "steer",
  about: /^runs\.(send|steer|commit)$/,
  // One that comes when the run has ended is answered by its own.
  runs: { least: 1, most: 2 },
  async play(_, stage) {
    const conversation = await stage.converse();
    const asked = stage.ask(conversation, "count to 1500", upTo(1500));
    await until(() => shown(conversation, asked).length > 200, "some text", 60_000);
    const { clientMessageId } = conversation.steer("count to 40");
    stage.expect({ ...asked, clientMessageId, text: "count to 40", answer: upTo(40) });
    await stage.answered();
  },
};

/** What a person writes down beside their conversations. */
export const memories: Scenario = {
  name: "memories",
  about: /^memories\./,
  async play(client) {
    const create = (text: string) => client.call("memory.create", { text, idempotencyKey: uuidv7() });
    const { memory } = await create("one");
    await create("two");
    await client.call("memory.update", { memoryId: memory.id, text: "three" });
  },
  check: ({ audit }) =>
    audit.memories.join() === "three,two" ? [] : [{ kind: "wrong", what: `memories are ${audit.memories.join()}` }],
};
