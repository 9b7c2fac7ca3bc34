import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ScriptedServer } from "../../test/support/scripted-server.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { PresenceChange, PresenceMember } from "../protocol/shapes.ts";
import { type Client, createClient } from "./client.ts";

const TOPIC = "user:u1";

const member = (memberId: string, state: PresenceMember["state"] = "active"): PresenceMember => ({
  memberId,
  user: { id: "u", name: "Ann" },
  state,
});

interface World {
  readonly server: ScriptedServer;
  readonly client: Client;
  /** What the next updates are answered with. */
  members: PresenceMember[];
  updates(): unknown[];
  changed(change: PresenceChange, topic?: string): Promise<void>;
}

async function start(): Promise<World> {
  const server = new ScriptedServer();
  const world: World = {
    server,
    client: createClient({ ...server.platform, auth: { kind: "cookie" } }),
    members: [],
    updates: () => server.requests("presence.update").map(({ params }) => params["state"]),
    async changed(value, topic = TOPIC) {
      server.notify("ephemeral", { topic, event: { type: "CUSTOM", name: "presence.changed", value } });
      await server.settle();
    },
  };
  const snapshot = { conversations: [], folders: [], hasMore: false };
  server.on("topic.subscribe", () => ({ mode: "snapshot", position: { epoch: "e", seq: 0 }, snapshot }));
  server.on("topic.unsubscribe", () => ({}));
  server.on("presence.update", () => ({ ttlMs: 30_000, members: world.members }));
  server.on("presence.leave", () => ({}));
  await server.settle();
  return world;
}

const follow = (client: Client) => client.subscribe(TOPIC, { snapshot: () => {}, event: () => {} });
const seen = (others: readonly PresenceMember[]) => others.map(({ memberId, state }) => `${memberId} ${state}`);

describe("presence of the client", () => {
  it("[L10] shows who else is there: the list of each answer, and what is told between; not itself", async () => {
    const world = await start();
    const { client, server } = world;
    const own = client.hello?.connectionId ?? "";
    assert.notEqual(own, "");
    world.members = [member("b"), member(own), member("a", "typing")];
    follow(client);
    const presence = client.presence(TOPIC);
    const changes: string[][] = [];
    presence.subscribe((others) => changes.push(seen(others)));
    await server.settle();
    assert.deepEqual(seen(presence.others), ["a typing", "b active"]);
    await world.changed({ ...member("a"), state: "gone" });
    await world.changed(member("c", "away"));
    await world.changed(member("c", "away"));
    await world.changed(member(own, "away"));
    await world.changed(member("d"), "user:other");
    server.notify("ephemeral", { topic: TOPIC, event: { type: "CUSTOM", name: "cursor.moved", value: {} } });
    await server.settle();
    assert.deepEqual(changes, [["a typing", "b active"], ["b active"], ["b active", "c away"]]);
    world.members = [member(own)];
    await server.pass(10_000);
    assert.deepEqual(seen(presence.others), []);
    client.close();
  });

  it("[L10] says what it does: at once, whenever that changes, and three times within its time", async () => {
    const world = await start();
    const { client, server } = world;
    follow(client);
    await server.settle();
    const presence = client.presence(TOPIC);
    presence.set("typing");
    presence.set("typing");
    await server.settle();
    assert.deepEqual(world.updates(), ["active", "typing"]);
    await server.pass(30_000, 1_000);
    assert.deepEqual(world.updates().slice(2), ["typing", "typing", "typing"]);
    const second = client.presence(TOPIC);
    await server.settle();
    const heard: unknown[] = [];
    presence.subscribe((others) => heard.push(others));
    presence.close();
    presence.close();
    await world.changed(member("a"));
    assert.deepEqual([heard, presence.others, seen(second.others)], [[], [], ["a active"]]);
    presence.set("away");
    assert.deepEqual(server.requests("presence.leave"), []);
    second.close();
    await server.pass(30_000, 1_000);
    assert.equal(server.requests("presence.leave").length, 1);
    assert.equal(world.updates().length, 6);
    client.close();
  });

  it("[L10] is there again on the next connection, once the topic is; without one nobody is", async () => {
    const world = await start();
    const { client, server } = world;
    world.members = [member("a")];
    follow(client);
    const presence = client.presence(TOPIC);
    presence.set("away");
    await server.settle();
    const before = world.updates().length;
    server.end(4001);
    await server.settle();
    assert.deepEqual(presence.others, []);
    await server.pass(5_000, 100);
    assert.equal(client.state.phase, "ready");
    assert.deepEqual(seen(presence.others), ["a active"]);
    assert.deepEqual(world.updates().slice(before), ["away"]);
    const order = server.asked.filter(({ connection }) => connection === 2).map(({ method }) => method);
    assert.deepEqual(order.slice(-2), ["topic.subscribe", "presence.update"]);
    client.close();
  });

  it("[L10] a refusal is no end: asked again when the topic is joined, and who may not type is active", async () => {
    const world = await start();
    const { client, server } = world;
    server.on("presence.update", () => new ParleyError("NOT_FOUND"));
    const presence = client.presence(TOPIC);
    await server.settle();
    assert.deepEqual(world.updates(), ["active"]);
    server.on("presence.update", ({ state }) =>
      state === "typing" ? new ParleyError("FORBIDDEN") : { ttlMs: 30_000, members: [member("a")] },
    );
    follow(client);
    await server.settle();
    presence.set("typing");
    await server.settle();
    assert.deepEqual(world.updates(), ["active", "active", "typing", "active"]);
    assert.deepEqual(seen(presence.others), ["a active"]);
    client.close();
  });
});
