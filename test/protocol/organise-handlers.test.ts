/** Order, deletion, search and links over the real store: what handlers answer, announce and ask of the rest. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import type { Scope } from "../../src/ports/store.ts";
import type { EphemeralParams } from "../../src/protocol/frames.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { hashSecret, newSecret } from "../../src/sessions/secrets.ts";
import { createShareService } from "../../src/sessions/share-service.ts";
import { Harness } from "../support/gateway-harness.ts";
import { connectAs, RecordingAgent, topicsOf } from "../support/handlers-world.ts";
import { openTestPglite } from "../support/pglite.ts";
import { asked, newConversation, newUser, turn, worldOf } from "../support/store-world.ts";
import { until } from "../support/until.ts";

const agent = new RecordingAgent();
const world = worldOf(await openTestPglite());
const { store } = world;
const topics = topicsOf(store);
const { hub, reads } = topics;
const shares = createShareService(store.shares, (id) => hub.shareReaders.revoked(id));
const harness = new Harness({ store, agent, hub, shares, reads });

const { tenant, user } = await store.sessions.owner();
const scope: Scope = { tenantId: tenant.id, userId: user.id };
const owner = await harness.user();
const colleague = await connectAs(harness, store, await newUser(world, tenant.id));
const stranger = await connectAs(harness, store, await newUser(world));

after(async () => {
  harness.gateway.close();
  await topics.close();
  await store.close();
});

test("conversation.update: pinned, archived and moved, told on the user's topic, and in its snapshot", async () => {
  const { folder } = await owner.ok("folder.create", { name: " My\n folder ", idempotencyKey: uuidv7() });
  assert.equal(folder.name, "My folder");
  const { conversation } = await owner.ok("conversation.create", { title: "Taxes" });
  agent.take();
  const { id } = conversation;
  const updated = await owner.ok("conversation.update", { conversationId: id, pinned: true, folderId: folder.id });
  assert.equal(updated.conversation.folderId, folder.id);
  assert.deepEqual(agent.take(), { calls: [], names: ["user conversation.updated"] });
  const answer = await owner.ok("topic.subscribe", { topic: `user:${user.id}` });
  assert(answer.mode === "snapshot" && "conversations" in answer.snapshot);
  assert.deepEqual(answer.snapshot.pinned, [updated.conversation]);
  assert.deepEqual(answer.snapshot.folders, [folder]);
  await owner.ok("topic.unsubscribe", { topic: `user:${user.id}` });
  assert.deepEqual((await owner.ok("folder.list", {})).folders, [folder]);
  await owner.ok("conversation.update", { conversationId: id, archived: true });
  assert.deepEqual(
    (await owner.ok("conversation.list", { archived: true })).conversations.map((listed) => listed.id),
    [id],
  );
  const renamed = await owner.ok("folder.rename", { folderId: folder.id, name: "Office" });
  assert.equal(renamed.folder.name, "Office");
  await owner.ok("folder.delete", { folderId: folder.id });
  assert.deepEqual(agent.take().names, ["user conversation.updated", "user folder.updated", "user folder.deleted"]);
  for (const [method, params] of [
    ["conversation.update", { conversationId: id, folderId: folder.id }],
    ["conversation.update", { conversationId: uuidv7(), pinned: true }],
    ["folder.rename", { folderId: folder.id, name: "x" }],
    ["folder.delete", { folderId: folder.id }],
    ["conversation.restore", { conversationId: uuidv7() }],
    ["conversation.purge", { conversationId: uuidv7() }],
    ["share.get", { conversationId: uuidv7() }],
    ["share.create", { conversationId: uuidv7() }],
  ] as const) {
    await owner.fails("NOT_FOUND", method, params);
  }
  for (const [method, params] of [
    ["folder.create", { name: " ", idempotencyKey: uuidv7() }],
    ["folder.create", { name: "x".repeat(61), idempotencyKey: uuidv7() }],
    ["conversation.search", { query: "  " }],
    ["conversation.list", { cursor: "x" }],
    ["share.open", { shareToken: "short" }],
  ] as const) {
    await owner.fails("INVALID_PARAMS", method, params);
  }
});

test("[R11] conversation.delete: what runs in it is stopped, all tabs hear of it, and a restore brings it back", async () => {
  const { conversationId, runId } = await asked(world, scope);
  agent.take();
  await owner.ok("conversation.delete", { conversationId });
  assert.deepEqual(agent.take(), {
    calls: [`stop ${runId}`, "wake"],
    names: [
      "conversation approval.decided",
      "conversation run.updated",
      "conversation conversation.deleted",
      "user conversation.deleted",
    ],
  });
  await owner.ok("conversation.delete", { conversationId });
  const send = { conversationId, text: "Hello?", idempotencyKey: uuidv7() };
  await owner.fails("NOT_FOUND", "chat.send", send);
  await owner.fails("NOT_FOUND", "chat.send", { ...send, model: "demo" });
  await owner.fails("NOT_FOUND", "topic.subscribe", { topic: `conversation:${conversationId}` });
  await owner.fails("NOT_FOUND", "conversation.get", { conversationId });
  await colleague.fails("NOT_FOUND", "conversation.restore", { conversationId });
  const deleted = async (by: typeof owner) =>
    (await by.ok("conversation.listDeleted", {})).deleted.map((one) => one.conversation.id);
  assert.deepEqual([await deleted(owner), await deleted(colleague)], [[conversationId], []]);
  const { conversation } = await owner.ok("conversation.restore", { conversationId });
  assert.equal(conversation.id, conversationId);
  assert.deepEqual(agent.take(), { calls: ["wake"], names: ["user conversation.restored"] });
  assert.deepEqual(await deleted(owner), []);
});

test("conversation.purge: nobody has it back, and whoever lists what was deleted looks again", async () => {
  const { id: conversationId } = await newConversation(world, scope, "Secret");
  await owner.fails("NOT_FOUND", "conversation.purge", { conversationId });
  await owner.ok("conversation.delete", { conversationId });
  agent.take();
  await colleague.fails("NOT_FOUND", "conversation.purge", { conversationId });
  await owner.ok("conversation.purge", { conversationId });
  assert.deepEqual(agent.take().names, ["user conversation.deleted"]);
  await owner.fails("NOT_FOUND", "conversation.restore", { conversationId });
  assert.deepEqual((await owner.ok("conversation.listDeleted", {})).deleted, []);
  const running = await asked(world, scope);
  await owner.ok("conversation.delete", { conversationId: running.conversationId });
  await owner.fails("BUSY", "conversation.purge", { conversationId: running.conversationId });
});

test("conversation.search: in titles and in what was said, one's own alone", async () => {
  const { id } = await newConversation(world, scope, "Kitchen");
  await turn(world, scope, id, "Where is the colander?", "In the cupboard.");
  const { results } = await owner.ok("conversation.search", { query: "Cupboard" });
  assert.deepEqual(
    results.map(({ conversation, excerpt }) => [conversation.id, excerpt?.text]),
    [[id, "In the cupboard."]],
  );
  const titled = await owner.ok("conversation.search", { query: "kitch" });
  assert.deepEqual(titled.results[0]?.excerpt, undefined);
  assert.deepEqual((await colleague.ok("conversation.search", { query: "cupboard" })).results, []);
});

test("a link: whoever has it reads and follows, nobody else does, and nobody when it was revoked", async () => {
  const { id } = await newConversation(world, scope, "Shared");
  const { userMessageId } = await turn(world, scope, id, "x".repeat(200_000), "answer");
  const topic = `conversation:${id}`;
  const { share, shareToken } = await owner.ok("share.create", { conversationId: id });
  assert.deepEqual((await owner.ok("share.get", { conversationId: id })).share, share);
  const opened = await colleague.ok("share.open", { shareToken });
  assert.deepEqual([opened.conversation.id, opened.sharedBy, opened.share], [id, user, share]);

  const page = await colleague.ok("conversation.get", { conversationId: id, shareToken });
  assert.equal(page.messages.length, 2);
  const rest = await colleague.ok("message.read", {
    messageId: userMessageId,
    partIndex: 0,
    offset: 199_990,
    shareToken,
  });
  assert.equal(rest.text, "x".repeat(10));
  const answer = await colleague.ok("topic.subscribe", { topic, shareToken });
  assert.equal(answer.mode, "snapshot");

  const reads = [
    ["topic.subscribe", { topic }],
    ["conversation.get", { conversationId: id }],
    ["message.read", { messageId: userMessageId, partIndex: 0, offset: 0 }],
  ] as const;
  const wrong = newSecret();
  for (const [method, params] of reads) {
    await colleague.fails("NOT_FOUND", method, params);
    await colleague.fails("NOT_FOUND", method, { ...params, shareToken: wrong });
    await stranger.fails("NOT_FOUND", method, { ...params, shareToken });
  }
  await stranger.fails("NOT_FOUND", "share.open", { shareToken });
  for (const [method, params] of [
    ["conversation.rename", { conversationId: id, title: "Mine" }],
    ["conversation.delete", { conversationId: id }],
    ["share.get", { conversationId: id }],
    ["chat.send", { conversationId: id, text: "Hi", idempotencyKey: uuidv7() }],
  ] as const) {
    await colleague.fails("NOT_FOUND", method, params);
  }
  await colleague.ok("share.revoke", { conversationId: id });
  await colleague.ok("share.open", { shareToken });

  await owner.ok("share.revoke", { conversationId: id });
  await until(() => colleague.notifications("resync").some((told) => told.topic === topic), "the end of the link");
  assert.equal(hub.subscriptions, 0);
  for (const [method, params] of reads) await colleague.fails("NOT_FOUND", method, { ...params, shareToken });
  await colleague.fails("NOT_FOUND", "topic.subscribe", { topic, shareToken, position: answer.position });
  await colleague.fails("NOT_FOUND", "share.open", { shareToken });
});

test("a link that is replaced, or whose conversation is deleted, ends for its readers; a node that was not told finds out", async () => {
  const { id } = await newConversation(world, scope);
  const topic = `conversation:${id}`;
  const ends = () => colleague.notifications("resync").filter((told) => told.topic === topic).length;
  const follow = async () => {
    const { shareToken } = await owner.ok("share.create", { conversationId: id });
    await colleague.ok("topic.subscribe", { topic, shareToken });
  };
  await follow();
  await follow();
  assert.equal(ends(), 1);
  await owner.ok("conversation.delete", { conversationId: id });
  assert.equal(ends(), 2);
  await owner.ok("conversation.restore", { conversationId: id });
  await follow();
  await store.shares.revoke(scope, id);
  assert.equal(ends(), 2);
  await hub.shareReaders.confirm((ids) => store.shares.living(ids));
  assert.equal(ends(), 3);
  await hub.shareReaders.confirm(() => assert.fail("nobody reads by a link any more"));
});

test("[L10] who reads by a link is there with their name, but types nothing, and is gone with the link", async () => {
  const { conversation } = await owner.ok("conversation.create", { title: "Looked at" });
  const topic = `conversation:${conversation.id}`;
  const { shareToken } = await owner.ok("share.create", { conversationId: conversation.id });
  await colleague.ok("presence.leave", { topic });
  await colleague.fails("NOT_FOUND", "presence.update", { topic, state: "active" });
  await colleague.fails("NOT_FOUND", "presence.list", { topic });
  await owner.fails("INVALID_PARAMS", "presence.update", { topic, state: "gone" });
  await owner.ok("topic.subscribe", { topic });
  await colleague.ok("topic.subscribe", { topic, shareToken });
  assert.equal((await owner.ok("presence.update", { topic, state: "active" })).members.length, 1);
  const { members } = await colleague.ok("presence.update", { topic, state: "active" });
  assert.deepEqual(
    members.map(({ memberId, user: { id }, state }) => ({ memberId, id, state })),
    [
      { memberId: owner.hello.connectionId, id: user.id, state: "active" },
      { memberId: colleague.hello.connectionId, id: members[1]?.user.id, state: "active" },
    ],
  );
  assert.notEqual(members[1]?.user.id, user.id);
  await colleague.fails("FORBIDDEN", "presence.update", { topic, state: "typing" });
  await owner.ok("presence.update", { topic, state: "typing" });
  await owner.ok("share.revoke", { conversationId: conversation.id });
  assert.equal((await owner.ok("presence.list", { topic })).members.length, 1);
  const told = ({ topic: of, event: { value } }: EphemeralParams) =>
    of === topic && value.memberId === colleague.hello.connectionId ? [value.state] : [];
  assert.deepEqual(owner.notifications("ephemeral").flatMap(told), ["active", "gone"]);
  await owner.ok("topic.unsubscribe", { topic });
});

test("the token of a link is nowhere but in its answer: not in a result that is kept, not in the log, not in a table", async () => {
  const { id } = await newConversation(world, scope);
  const { shareToken } = await owner.ok("share.create", { conversationId: id });
  await colleague.ok("share.open", { shareToken });
  await colleague.fails("NOT_FOUND", "topic.subscribe", { topic: `conversation:${uuidv7()}`, shareToken });
  assert.equal(JSON.stringify(harness.log.lines).includes(shareToken), false);
  assert.equal(JSON.stringify(await store.shares.find(scope, id)).includes(hashSecret(shareToken)), false);
});
