/** The examples of docs/client.md, compiled: each stands there word for word. And what must not compile. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { createClient, type Client } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import type { OutboxStorage } from "../../src/client/outbox.ts";
import { isCut, messagesOf, pendingApprovals, siblingsOf } from "../../src/client/transcript.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { ScriptedServer } from "../support/scripted-server.ts";

const show = (text: string): void => console.log(text);
declare const ask: (question: string) => boolean;

const examples = {
  browser(storage: OutboxStorage) {
    const client = createClient({ url: "wss://example.org/ws", auth: { kind: "cookie" }, outbox: storage });
    for (const type of ["online", "pageshow", "visibilitychange"]) {
      addEventListener(type, () => {
        client.probe().catch(console.error);
      });
    }

    client.onState((state) => {
      if (state.phase === "waiting") show(`Reconnecting… ${state.queued} queued`);
      if (state.closed?.reason === "signed-out") show("Signed out");
    });
  },
  storage() {
    const storage: OutboxStorage = {
      load: () =>
        Object.entries(localStorage)
          .filter(([key]) => key.startsWith("outbox."))
          .map(([, text]) => JSON.parse(text)),
      save: (message) => localStorage.setItem(`outbox.${message.clientMessageId}`, JSON.stringify(message)),
      remove: (clientMessageId) => localStorage.removeItem(`outbox.${clientMessageId}`),
    };
    return storage;
  },
  async node(accessToken: string) {
    const client = createClient({
      url: "ws://127.0.0.1:8765/ws",
      auth: { kind: "token", provider: () => accessToken },
      device: "my terminal",
    });
    await client.whenReady();

    const { conversation } = await client.call("conversation.create", { title: "Numbers" });
    const open = openConversation(client, conversation.id);
    const { clientMessageId } = open.send("count to 20");
    open.subscribe(({ transcript }) => {
      const answer = messagesOf(transcript).find((message) => message.parentId === clientMessageId);
      if (answer?.status !== "complete") return;
      console.log(answer.parts.map((part) => (part.type === "text" ? part.text : "")).join(""));
      client.close();
    });
  },
  async calls(client: Client, conversationId: string, signal: AbortSignal) {
    const { models } = await client.call("model.list", {}, { signal, timeoutMs: 5_000 });
    try {
      await client.call("conversation.rename", { conversationId, title: "Plans" });
    } catch (error) {
      if (error instanceof ParleyError && error.retryable) show("Try again");
      else throw error;
    }
    return models;
  },
  send(open: OpenConversation, questionId: string, answerId: string, runId: string) {
    open.send("and now in French", { whenBusy: "queue" });
    open.steer("shorter, please");
    open.edit(questionId, "count to 10");
    open.regenerate(answerId, { model: "demo" });
    open.retryRun(runId);
  },
  async files(client: Client, open: OpenConversation, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal) {
    const file = await client.files.upload("plan.txt", "text/plain", bytes, { signal });
    open.send("What do you think of it?", { files: [file] });
    show(client.files.url(file.fileId));
  },
  parts(open: OpenConversation) {
    open.subscribe(({ transcript }) => {
      for (const message of messagesOf(transcript)) {
        if (message.parts.some(isCut)) open.readRest(message.id).catch(console.error);
        for (const part of message.parts) {
          if (part.type === "text") show(part.text);
          else if (part.type === "tool") show(`${part.name}: ${part.progress?.message ?? part.status}`);
        }
        for (const task of message.plan ?? []) show(`${task.status} ${task.title}`);
      }
    });
  },
  async approvals(open: OpenConversation) {
    for (const { id, tool, summary, expiresAt } of pendingApprovals(open.state.transcript)) {
      const approve = ask(`${tool}: ${summary} (until ${expiresAt})`);
      try {
        await open.decide(id, approve ? "approve" : "deny", { remember: false });
      } catch (error) {
        if (error instanceof ParleyError && error.code === "ALREADY_DECIDED") show("Somebody else was first");
        else throw error;
      }
    }
  },
  async branches(open: OpenConversation, messageId: string) {
    const beside = siblingsOf(open.state.transcript, messageId);
    const next = beside[beside.indexOf(messageId) + 1];
    if (next !== undefined) await open.selectBranch(next);
  },
  topic(client: Client, conversationId: string) {
    const subscription = client.subscribe(`conversation:${conversationId}`, {
      snapshot: (snapshot, position) => show(`${snapshot.messages.length} messages at ${position.seq}`),
      event: (event, { seq }) => show(`${seq} ${event.type}`),
      failed: (error) => show(error.message),
    });
    subscription.close();
  },
  presence(client: Client, conversationId: string) {
    const presence = client.presence(`conversation:${conversationId}`);
    presence.subscribe((others) => show(others.map(({ user, state }) => `${user.name}: ${state}`).join(", ")));
    presence.set("typing");
    presence.close();
  },
};

test("the guide's examples compile", () => {
  const guide = readFileSync(new URL("../../docs/client.md", import.meta.url), "utf8");
  const here = readFileSync(new URL(import.meta.url), "utf8").replace(/^ +/gm, "");
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code.replace(/^ +/gm, ""));
  assert.equal(blocks.length, Object.keys(examples).length);
  for (const block of blocks) {
    const code = block.replace(/^import .*\n+/gm, "");
    assert.ok(here.includes(code), `not in ${import.meta.filename}:\n${code}`);
    for (const [, names = "", file = ""] of block.matchAll(/^import (?:type )?\{ (.*) \} from "\.\/(.*)";$/gm)) {
      const statement = here.split("\n").find((line) => line.startsWith("import") && line.includes(`../../${file}"`));
      assert.ok(statement?.includes(names), `${file} has no ${names}`);
    }
  }
});

test("[W1] a call with wrong params, or a wrong use of its result, does not compile", async () => {
  const server = new ScriptedServer();
  const client = createClient({ auth: { kind: "cookie" }, ...server.platform });
  const calls: readonly Promise<unknown>[] = [
    // @ts-expect-error there is no such method
    client.call("nonsense", {}),
    // @ts-expect-error a title is a text
    client.call("conversation.create", { title: 5 }),
    // @ts-expect-error the conversation is missing
    client.call("conversation.rename", { title: "T" }),
    // @ts-expect-error there is no such field
    client.call("conversation.list", { limits: 5 }),
    // @ts-expect-error the key is missing
    client.call("chat.send", { conversationId: "c1", text: "hi" }),
    // @ts-expect-error the result has models
    client.call("model.list", {}).then((result) => result.model),
    // @ts-expect-error there is no such decision
    client.call("approval.decide", { approvalId: "a", decision: "maybe" }),
    // @ts-expect-error a file is uploaded before it is sent
    Promise.resolve().then(() => client.send("c1", "hi", { files: ["plan.txt"] })),
    // @ts-expect-error there is no such way to be busy
    Promise.resolve().then(() => client.send("c1", "hi", { whenBusy: "panic" })),
  ];
  const snapshots = client.subscribe("conversation:c1", {
    // @ts-expect-error a conversation's snapshot has no list of conversations
    snapshot: ({ conversations }) => show(`${conversations}`),
    event: () => {},
  });
  snapshots.close();
  // @ts-expect-error a token needs its provider
  const broken = createClient({ ...server.platform, auth: { kind: "token" } });
  await server.settle();
  client.close();
  broken.close();
  await Promise.allSettled(calls);
  assert.equal(client.state.closed?.reason, "stopped");
});
