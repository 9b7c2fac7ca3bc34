/** Rows of a topic come into the log in the order of their commits, whoever appends them [L11]. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { opened, readFrom, stateOf } from "../../test/support/event-log-appends.ts";
import { NO_FAULTS } from "../../test/support/event-log.faulty.ts";
import { aNode, conversation, setup, titles } from "../../test/support/outbox-world.ts";
import { until } from "../../test/support/until.ts";
import type { EventLog } from "../ports/event-log.ts";

test("[L11] a row whose node died before it told it comes before a newer one of another node", async (t) => {
  const { log, table, outbox } = setup(t);
  table.commit("conversation:1", conversation("of the dead"));
  table.commit("conversation:2", conversation("of another topic"));
  await outbox.announce([table.commit("conversation:1", conversation("newer"))]);
  await outbox.sweep();
  await until(() => table.rows.size === 0, "the rows are cleared");
  assert.deepEqual(await titles(log, "conversation:1"), ["of the dead", "newer"]);
});

test("[L11] what a slow node sends comes late, and changes nothing", async (t) => {
  const { log, table, outbox } = setup(t);
  await opened(log, "user:1");
  const sent = Promise.withResolvers<void>();
  const arrives = Promise.withResolvers<void>();
  const slow: Pick<EventLog, "open" | "append"> = {
    open: (request) => log.open(request),
    append: async (batch) => {
      sent.resolve();
      await arrives.promise;
      return log.append(batch);
    },
  };
  const other = aNode(t, slow, table);
  const announcing = other.outbox.announce([table.commit("user:1", conversation("older"))]);
  await sent.promise;
  await outbox.announce([table.commit("user:1", conversation("newer"))]);
  assert.deepEqual(await titles(log, "user:1"), ["older", "newer"]);
  arrives.resolve();
  await announcing;
  await until(() => table.rows.size === 0, "the rows are cleared");
  assert.deepEqual(await titles(log, "user:1"), ["older", "newer"]);
});

test("[L11] rows whose commits were answered in another order are told in that of their commits", async (t) => {
  const { log, table, outbox } = setup(t);
  const [first, second, third] = ["1", "2", "3"].map((title) => table.commit("user:1", conversation(title)));
  assert.ok(first && second && third);
  await Promise.all([outbox.announce([third]), outbox.announce([second]), outbox.announce([first])]);
  assert.deepEqual(await titles(log, "user:1"), ["1", "2", "3"]);
  await until(() => table.rows.size === 0, "the rows are cleared");
});

for (const shared of [true, false]) {
  test(`[L11] what was left comes before what is newer, ${shared ? "among others" : "alone"}`, async (t) => {
    const { log, table, outbox } = setup(t, 1, { shared });
    await outbox.sweep(0);
    log.faults = { ...NO_FAULTS, refused: 1 };
    await outbox.announce([table.commit("user:1", conversation("left"))]);
    log.faults = NO_FAULTS;
    await outbox.announce([table.commit("user:1", conversation("newer"))]);
    assert.deepEqual(await titles(log, "user:1"), ["left", "newer"]);
    await outbox.sweep();
    await outbox.announce([table.commit("user:1", conversation("newest"))]);
    assert.deepEqual(await titles(log, "user:1"), ["left", "newer", "newest"]);
  });
}

test("[L11] a row that another node has told and cleared is not told again", async (t) => {
  const { log, table, outbox } = setup(t);
  const row = table.commit("user:1", conversation("told"));
  await opened(log, "user:1");
  table.rows.delete(row.id);
  await outbox.announce([row]);
  assert.deepEqual(await titles(log, "user:1"), []);
});

test("[L11] rows without room are left, and those after them too", async (t) => {
  const { log, table, outbox } = setup(t);
  const rows = Array.from({ length: 4_100 }, (_, i) => table.commit("user:1", conversation(`${i}`)));
  const last = table.commit("user:1", conversation("4100"));
  await outbox.announce([last, ...rows]);
  await outbox.sweep();
  await until(() => table.rows.size === 0, "the rows are cleared");
  const { epoch, seq } = await stateOf(log, "user:1");
  const told = await readFrom(log, "user:1", { epoch, seq: seq - 150 });
  const titleIn = (event: string) => event.match(/"title":"(\d+)"/u)?.[1];
  assert.deepEqual(
    told.map(({ event }) => titleIn(event)),
    Array.from({ length: 150 }, (_, i) => `${3_951 + i}`),
  );
});
