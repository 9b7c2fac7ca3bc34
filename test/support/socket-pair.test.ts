import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, ConnectionListener } from "../../src/ports/connection.ts";
import { openPair, PairNetwork } from "./socket-pair.ts";

function recorder(log: string[], onMessage?: (connection: Connection, text: string) => void): ConnectionListener {
  return {
    open: (connection) => {
      log.push("open");
      connection.send("hello");
    },
    message: (connection, text) => {
      log.push(`message ${text}`);
      onMessage?.(connection, text);
    },
    drain: (connection) => log.push(`drain ${connection.bufferedBytes}`),
    close: (_connection, code) => log.push(`close ${code}`),
  };
}

test("nothing moves without a flush, and everything moves with one", () => {
  const log: string[] = [];
  const pair = openPair(recorder(log, (connection, text) => connection.send(`echo ${text}`)));
  assert.deepEqual([log, pair.client.received, pair.client.readyState], [["open"], [], 1]);
  pair.flush();
  pair.client.send("a");
  assert.deepEqual(pair.client.received, ["hello"]);
  pair.flush();
  assert.deepEqual(
    [log, pair.client.received],
    [
      ["open", "message a"],
      ["hello", "echo a"],
    ],
  );
});

test("bytes above the window are buffered, and a flush drains them", () => {
  const log: string[] = [];
  const pair = openPair(recorder(log), { window: 5 });
  assert.equal(pair.connection.bufferedBytes, 0);
  assert.equal(pair.connection.send("1234567"), "buffered");
  assert.equal(pair.connection.bufferedBytes, 7);
  pair.flushToClient(1);
  assert.deepEqual(log, ["open", "drain 2"]);
  pair.flush();
  assert.equal(pair.connection.bufferedBytes, 0);
});

test("a cut that only one end notices leaves the other open", () => {
  const log: string[] = [];
  const pair = openPair(recorder(log));
  pair.flush();
  pair.cut("server");
  assert.deepEqual(log, ["open", "close 1006"]);
  assert.equal(pair.client.readyState, 1);
  assert.equal(pair.connection.send("x"), "closed");
  pair.cut("client");
  assert.equal(pair.client.closed?.code, 1006);
  assert.deepEqual(log, ["open", "close 1006"]);
});

test("a network connects by itself, and refuses while it is unreachable", async () => {
  const log: string[] = [];
  const network = new PairNetwork(recorder(log), { auto: true });
  const first = network.connect("ws://here/ws", "parley.v1");
  const texts: unknown[] = [];
  first.onmessage = ({ data }) => texts.push(data);
  await Promise.resolve();
  assert.deepEqual([first.readyState, first.protocol, texts], [1, "parley.v1", ["hello"]]);

  network.unreachable = true;
  const second = network.connect("ws://here/ws", "parley.v1");
  const ends: number[] = [];
  second.onclose = ({ code }) => ends.push(code);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([second.readyState, ends, network.pairs.length], [3, [1006], 2]);
  assert.deepEqual(log, ["open"]);
});
