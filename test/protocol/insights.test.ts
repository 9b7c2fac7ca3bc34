/** Numbers about a tenant, over the real store. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { uuidv7 } from "../../src/protocol/id.ts";
import { hashSecret, newSecret } from "../../src/sessions/secrets.ts";
import { Harness, type Peer } from "../support/gateway-harness.ts";
import { openTestPglite } from "../support/pglite.ts";
import { newUser, runAsAdmin, worldOf } from "../support/store-world.ts";

const world = worldOf(await openTestPglite());
const { store } = world;
const harness = new Harness({ store });
const { tenant, user } = await store.sessions.owner();
const owner = await harness.user();

after(async () => {
  harness.gateway.close();
  await store.close();
});

async function loggedIn(scope: { readonly tenantId: string; readonly userId: string }): Promise<Peer> {
  const sessionToken = newSecret();
  const session = { tokenHash: hashSecret(sessionToken), device: "", lifetimeMs: 3_600_000, method: "test" };
  await store.sessions.create({ ...scope, ...session, id: uuidv7() });
  const peer = harness.connect();
  await peer.ok("session.resume", { sessionToken });
  return peer;
}

const times = (count: number, stepMs = 86_400_000): string[] =>
  Array.from({ length: count }, (_, i) => new Date(Date.UTC(2026, 0, 1) + i * stepMs).toISOString());

test("an owner gets the numbers of as many spans as may be asked for, and is told to be one", async () => {
  const { insights } = await owner.ok("insights.get", { times: times(201) });
  assert.equal(insights.series.runs.length, 200);
  assert.deepEqual((await owner.ok("session.get", {})).roles, ["owner"]);
});

test("who is no owner, or is none any more, is refused", async () => {
  const member = await loggedIn(await newUser(world, tenant.id));
  await member.fails("FORBIDDEN", "insights.get", { times: times(2) });
  assert.deepEqual((await member.ok("session.get", {})).roles, []);
  const second = await newUser(world, tenant.id);
  await runAsAdmin(world, `update users set roles = '{owner}' where id = '${second.userId}'`);
  const peer = await loggedIn(second);
  await peer.ok("insights.get", { times: times(2) });
  await runAsAdmin(world, `update users set roles = '{}' where id = '${second.userId}'`);
  await peer.fails("FORBIDDEN", "insights.get", { times: times(2) });
  assert.notEqual(second.userId, user.id);
});

test("times that are none, don't ascend, are too many or reach too far are refused", async () => {
  for (const wrong of [
    [],
    times(1),
    times(202),
    times(3).toReversed(),
    [...times(1), ...times(1)],
    times(3, 201 * 86_400_000),
    ["yesterday", "today"],
    ["2026-01-01T00:00:00.000Z'; drop table usage; --", "2026-01-02T00:00:00.000Z"],
  ])
    await owner.fails("INVALID_PARAMS", "insights.get", { times: wrong });
});
