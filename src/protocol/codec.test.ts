import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  decodeRequest,
  decodeServerFrame,
  encodeError,
  encodeEvent,
  encodeEvents,
  encodeItem,
  encodeNotification,
  encodeResult,
  frameHead,
} from "./codec.ts";
import { MAX_DEPTH } from "./constants.ts";
import { CLOSE, ERRORS, type ErrorCode, type ErrorRow, isErrorCode, mayReconnect, ParleyError } from "./errors.ts";
import { uuidv7 } from "./id.ts";
import { isoTime } from "./iso-time.ts";

const id = fc.oneof(fc.string({ maxLength: 64, unit: "binary" }), fc.maxSafeInteger());
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 8 }), { maxKeys: 5 });

test("[W7] decode never throws, whatever the text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.string().map((s) => `{"jsonrpc":"2.0","id":${s}`),
  );
  fc.assert(
    fc.property(text, (frame) => {
      const decoded = decodeRequest(frame);
      if (decoded.ok) assert.equal(typeof decoded.request.method, "string");
      else assert.ok(decoded.error instanceof ParleyError);
      decodeServerFrame(frame);
    }),
    { numRuns: 1000 },
  );
});

test("[W3] a request that was encoded is decoded", () => {
  fc.assert(
    fc.property(id, fc.string(), jsonObject, (requestId, method, params) => {
      const decoded = decodeRequest(JSON.stringify({ jsonrpc: "2.0", id: requestId, method, params }));
      assert.ok(decoded.ok);
      // JSON has one zero, and objects of JSON have no prototype tricks.
      const expected: unknown = JSON.parse(JSON.stringify({ jsonrpc: "2.0", id: requestId, method, params }));
      assert.deepEqual(decoded.request, expected);
    }),
  );
});

/** The request, its params, and then arrays or objects: as many levels as asked, at any place of a wide object. */
const nested = (levels: number, objects: boolean, width: number): string => {
  let inner = objects ? "{}" : "[]";
  for (let level = 3; level < levels; level++) inner = objects ? `{"a":${inner}}` : `[${inner}]`;
  const padding = Array.from({ length: width }, (_, i) => `"p${i}":${i}`).join(",");
  const params = levels < 3 ? "{}" : `{"x":${inner}${width > 0 ? `,${padding}` : ""}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;
};

test("[W11] the limit of nesting is exact", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 80 }), fc.boolean(), fc.nat({ max: 20 }), (levels, objects, width) => {
      const decoded = decodeRequest(nested(levels, objects, width));
      assert.equal(decoded.ok, levels <= MAX_DEPTH);
      if (!decoded.ok) assert.deepEqual([decoded.error.code, decoded.id], ["TOO_DEEP", 1]);
    }),
  );
});

test("[W3] answers say their id and nothing is lost", () => {
  fc.assert(
    fc.property(id, jsonObject, (requestId, result) => {
      const frame = decodeServerFrame(encodeResult(requestId, result));
      assert.deepEqual(frame, JSON.parse(JSON.stringify({ jsonrpc: "2.0", id: requestId, result })));
    }),
  );
});

test("[W7] an error on the wire is its row of the table, with its hints and without its cause", () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  for (const code of codes) {
    const error = new ParleyError(code, { retryAfterMs: 5, issues: [{ path: "a.b", expected: "c" }], cause: "secret" });
    const frame = decodeServerFrame(encodeError(7, error));
    assert.deepEqual(frame, {
      jsonrpc: "2.0",
      id: 7,
      error: {
        code: ERRORS[code].rpc,
        message: ERRORS[code].message,
        data: {
          code,
          retryable: ERRORS[code].retryable,
          retryAfterMs: 5,
          issues: [{ path: "a.b", expected: "c" }],
        },
      },
    });
    assert.ok(isErrorCode(code));
  }
  assert.ok(!isErrorCode("toString"));
});

test("[W7] the table: numbers are unique and in their range, statuses are errors, close codes are known", () => {
  const rows: ErrorRow[] = Object.values(ERRORS);
  assert.equal(new Set(rows.map(({ rpc }) => rpc)).size, rows.length);
  const closes: readonly number[] = Object.values(CLOSE);
  for (const { rpc, http, close, message } of rows) {
    assert.ok((rpc >= -32099 && rpc <= -32000) || (rpc >= -32700 && rpc <= -32600), String(rpc));
    assert.ok(http >= 400 && http <= 599);
    assert.ok(close === undefined || closes.includes(close));
    assert.match(message, /\.$/);
  }
});

test("[W8] 4000 to 4499 and the transport's own codes mean reconnect, 4500 to 4999 are final", () => {
  for (const code of [1000, 1001, 1006, 1012, 4001, 4008, 4009, 4010, 4029, 4499])
    assert.equal(mayReconnect(code), true);
  for (const code of [4500, 4501, 4503, 4504, 4999]) assert.equal(mayReconnect(code), false);
});

test("[W4] events: one and several, with and without a merged range", () => {
  const head = frameHead("conversation:c", "e");
  const ts = "2026-01-01T00:00:00.000Z";
  const event = { type: "CUSTOM", name: "x", value: { text: '"\ud83d\ude00\n' } };
  const json = JSON.stringify(event);
  assert.deepEqual(decodeServerFrame(encodeEvent(head, encodeItem(3, 3, ts, json))), {
    jsonrpc: "2.0",
    method: "event",
    params: { topic: "conversation:c", epoch: "e", seq: 3, ts, event },
  });
  assert.deepEqual(decodeServerFrame(encodeEvents(head, [encodeItem(3, 3, ts, json), encodeItem(4, 9, ts, json)])), {
    jsonrpc: "2.0",
    method: "events",
    params: {
      topic: "conversation:c",
      epoch: "e",
      events: [
        { seq: 3, ts, event },
        { seq: 9, fromSeq: 4, ts, event },
      ],
    },
  });
  assert.deepEqual(decodeServerFrame(encodeNotification("resync", { topic: "t" })), {
    jsonrpc: "2.0",
    method: "resync",
    params: { topic: "t" },
  });
});

test("ids are UUIDv7 and sort by the time they were made", () => {
  const times = [0, 1, 255, 256, 1_767_225_600_000, 281_474_976_710_655];
  const ids = times.map((time) => uuidv7(time));
  for (const made of ids) assert.match(made, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(parseInt((ids[4] ?? "").replace("-", "").slice(0, 12), 16), times[4]);
  assert.equal(new Set(Array.from({ length: 10_000 }, () => uuidv7(5))).size, 10_000);
  const together = Array.from({ length: 2_000 }, () => uuidv7(7));
  assert.deepEqual(together, together.toSorted(), "those of one millisecond in the order they were made in");
});

test("times are written as Date does it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 8.64e15 })), fc.integer({ min: 0, max: 999 }), (times, later) => {
      for (const time of times) {
        assert.equal(isoTime(time), new Date(time).toISOString());
        const near = Math.min(time - (time % 1000) + later, 8.64e15);
        assert.equal(isoTime(near), new Date(near).toISOString());
      }
    }),
  );
  assert.ok(Math.abs(Date.parse(isoTime()) - Date.now()) < 1000);
});
