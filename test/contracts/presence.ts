/** What every `Presence` does. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MAX_PRESENT, type Presence } from "../../src/ports/presence.ts";
import type { PresenceChange, PresenceMember } from "../../src/protocol/shapes.ts";
import { until } from "../support/until.ts";

const TOPIC = "conversation:c";
const LONG_MS = 600_000;

const member = (memberId: string, state: PresenceMember["state"] = "active"): PresenceMember => ({
  memberId,
  user: { id: `user of ${memberId}`, name: 'Ann "Ä" 🦜\n' },
  state,
});

const sorted = (members: readonly PresenceMember[] | null) =>
  (members ?? []).toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1));

function heard(presence: Presence): [string, string, string][] {
  const changes: [string, string, string][] = [];
  presence.listen((topic, { memberId, state }: PresenceChange) => changes.push([topic, memberId, state]));
  return changes;
}

/** `make` answers two nodes that share what they know, and lets both go at the end of the test. */
export function presenceContract(
  name: string,
  make: (t: TestContext, ttlMs: number) => Promise<readonly [Presence, Presence]>,
): void {
  test(`[L10] ${name}: who is there is known on every node, by topic, until removed`, async (t) => {
    const [a, b] = await make(t, LONG_MS);
    assert.deepEqual(await a.list(TOPIC), []);
    assert.deepEqual(await a.update(TOPIC, member("1")), [member("1")]);
    assert.deepEqual(sorted(await b.update(TOPIC, member("2", "typing"))), [member("1"), member("2", "typing")]);
    assert.deepEqual(sorted(await b.update(TOPIC, member("1", "away"))), [member("1", "away"), member("2", "typing")]);
    assert.deepEqual(await b.list("user:c"), []);
    await b.remove(TOPIC, "1");
    await b.remove(TOPIC, "nobody");
    assert.deepEqual(await a.list(TOPIC), [member("2", "typing")]);
    await a.remove(TOPIC, "2");
    assert.deepEqual(await b.list(TOPIC), []);
  });

  test(`[L10] ${name}: every node hears what changed, once, and nothing of what did not`, async (t) => {
    const [a, b] = await make(t, LONG_MS);
    const [atA, atB] = [heard(a), heard(b)];
    await a.update(TOPIC, member("1"));
    await a.update(TOPIC, member("1"));
    await b.update("user:u", member("2"));
    await b.update(TOPIC, member("1", "typing"));
    await a.remove(TOPIC, "1");
    await a.remove(TOPIC, "1");
    const ofTopic = (changes: typeof atA) => changes.filter(([topic]) => topic === TOPIC).map(([, ...rest]) => rest);
    const expected = [
      ["1", "active"],
      ["1", "typing"],
      ["1", "gone"],
    ];
    await until(() => atA.length >= 4 && atB.length >= 4, "the changes");
    assert.deepEqual(ofTopic(atA), expected);
    assert.deepEqual(ofTopic(atB), expected);
    assert.deepEqual([atA.length, atB.length], [4, 4]);
  });

  test(`[L10] ${name}: whoever is not named again is gone, which is told when somebody looks`, async (t) => {
    const [a, b] = await make(t, 1);
    const atB = heard(b);
    await a.update(TOPIC, member("1"));
    await until(async () => (await b.list(TOPIC)).length === 0, "the end of the member");
    await b.update(TOPIC, member("2"));
    await until(() => atB.some(([, id]) => id === "2"), "the second member");
    assert.deepEqual(atB[0], [TOPIC, "1", "active"]);
  });

  test(`[L10] ${name}: a topic takes ${MAX_PRESENT}, and those again, and one more when one has left`, async (t) => {
    const [a, b] = await make(t, LONG_MS);
    for (let i = 0; i < MAX_PRESENT; i++) assert.ok(await a.update(TOPIC, member(String(i))));
    assert.equal(await b.update(TOPIC, member("one more")), null);
    assert.equal((await b.update(TOPIC, member("7", "typing")))?.length, MAX_PRESENT);
    assert.equal((await b.list(TOPIC)).length, MAX_PRESENT);
    await a.remove(TOPIC, "7");
    assert.equal((await b.update(TOPIC, member("one more")))?.length, MAX_PRESENT);
  });

  test(`[L10] ${name}: a listener that has left hears nothing more, nor does a node that is closed`, async (t) => {
    const [a, b] = await make(t, LONG_MS);
    const left: unknown[] = [];
    a.listen((...change) => left.push(change))();
    const atA = heard(a);
    await b.update(TOPIC, member("1"));
    await until(() => atA.length > 0, "the change");
    assert.deepEqual(left, []);
    a.close();
    a.close();
  });
}
