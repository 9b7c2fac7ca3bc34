import assert from "node:assert/strict";
import { test } from "node:test";
import { DELIVERY_TABLE, type DeliveryInput, type DeliveryState, type DeliveryStep, step } from "./delivery.ts";

/** The cursor of every state below is e/5. */
const STATES = {
  held: { kind: "held", epoch: "e", seq: 5 },
  catching: { kind: "catching-up", epoch: "e", seq: 5, heard: 5 },
  "catching, heard 8": { kind: "catching-up", epoch: "e", seq: 5, heard: 8 },
  "catching, in doubt": { kind: "catching-up", epoch: "e", seq: 5, heard: Infinity },
  live: { kind: "live", epoch: "e", seq: 5 },
  lagging: { kind: "lagging", epoch: "e", seq: 5, reading: false, behind: false },
  "lagging, behind": { kind: "lagging", epoch: "e", seq: 5, reading: false, behind: true },
  "lagging, reading": { kind: "lagging", epoch: "e", seq: 5, reading: true, behind: true },
  ended: { kind: "ended" },
} as const satisfies Record<string, DeliveryState>;

const INPUTS = {
  "published 6": { type: "published", epoch: "e", first: 6, last: 6 },
  "published 6-8": { type: "published", epoch: "e", first: 6, last: 8 },
  "published 4-7": { type: "published", epoch: "e", first: 4, last: 7 },
  "published 3-5": { type: "published", epoch: "e", first: 3, last: 5 },
  "published 7": { type: "published", epoch: "e", first: 7, last: 7 },
  "published 6 of f": { type: "published", epoch: "f", first: 6, last: 6 },
  "published 1 of f": { type: "published", epoch: "f", first: 1, last: 1 },
  "head 5": { type: "head", epoch: "e", seq: 5 },
  "head 4": { type: "head", epoch: "e", seq: 4 },
  "head 7": { type: "head", epoch: "e", seq: 7 },
  "head 5 of f": { type: "head", epoch: "f", seq: 5 },
  doubt: { type: "doubt" },
  "entries none": { type: "entries", first: 0, last: 0, head: 5 },
  "entries none, head 9": { type: "entries", first: 0, last: 0, head: 9 },
  "entries 6-8": { type: "entries", first: 6, last: 8, head: 8 },
  "entries 6-7 of 9": { type: "entries", first: 6, last: 7, head: 9 },
  "entries 7-8": { type: "entries", first: 7, last: 8, head: 8 },
  unreadable: { type: "unreadable" },
  unread: { type: "unread" },
  released: { type: "released", pressed: false },
  "released, pressed": { type: "released", pressed: true },
  pressure: { type: "pressure" },
  relieved: { type: "relieved" },
  stopped: { type: "stopped" },
} as const satisfies Record<string, DeliveryInput>;

type StateName = keyof typeof STATES;
type InputName = keyof typeof INPUTS;

function show({ state, actions }: DeliveryStep): string {
  const words = actions.map((action) => (action.type === "send" ? `send+${action.skip}` : action.type));
  return [showState(state), ...words].join(" ");
}

function showState(state: DeliveryState): string {
  switch (state.kind) {
    case "held":
    case "live":
      return `${state.kind}@${state.seq}`;
    case "catching-up":
      return `catching@${state.seq}${state.heard > state.seq ? `<${state.heard}` : ""}`;
    case "lagging":
      return `lagging@${state.seq}${state.behind ? " behind" : ""}${state.reading ? " reading" : ""}`;
    case "ended":
      return "ended";
  }
}

/** "=": nothing changes and nothing is done. */
const SAME = "=";
const ALL_SAME = Object.fromEntries(Object.keys(INPUTS).map((name) => [name, SAME])) as Record<InputName, string>;

const EXPECTED: Record<StateName, Record<InputName, string>> = {
  held: {
    ...ALL_SAME,
    released: "catching@5 read",
    "released, pressed": "lagging@5 behind",
    stopped: "ended",
  },
  catching: {
    ...ALL_SAME,
    "published 6": "catching@5<6",
    "published 6-8": "catching@5<8",
    "published 4-7": "catching@5<7",
    "published 7": "catching@5<7",
    "published 6 of f": "catching@5<Infinity",
    "published 1 of f": "catching@5<Infinity",
    "head 7": "catching@5<7",
    "head 5 of f": "catching@5<Infinity",
    doubt: "catching@5<Infinity",
    "entries none": "live@5",
    "entries none, head 9": "ended resync",
    "entries 6-8": "live@8 send+0",
    "entries 6-7 of 9": "catching@7 send+0 read",
    "entries 7-8": "ended resync",
    unreadable: "ended resync",
    unread: "catching@5 read",
    pressure: "lagging@5 behind reading",
    stopped: "ended",
  },
  "catching, heard 8": {
    ...ALL_SAME,
    "published 6 of f": "catching@5<Infinity",
    "published 1 of f": "catching@5<Infinity",
    "head 5 of f": "catching@5<Infinity",
    doubt: "catching@5<Infinity",
    "entries none": "catching@5 read",
    "entries none, head 9": "ended resync",
    "entries 6-8": "live@8 send+0",
    "entries 6-7 of 9": "catching@7 send+0 read",
    "entries 7-8": "ended resync",
    unreadable: "ended resync",
    unread: "catching@5 read",
    pressure: "lagging@5 behind reading",
    stopped: "ended",
  },
  "catching, in doubt": {
    ...ALL_SAME,
    "entries none": "catching@5 read",
    "entries none, head 9": "ended resync",
    "entries 6-8": "catching@8 send+0 read",
    "entries 6-7 of 9": "catching@7 send+0 read",
    "entries 7-8": "ended resync",
    unreadable: "ended resync",
    unread: "catching@5 read",
    pressure: "lagging@5 behind reading",
    stopped: "ended",
  },
  live: {
    ...ALL_SAME,
    "published 6": "live@6 send+0",
    "published 6-8": "live@8 send+0",
    "published 4-7": "live@7 send+2",
    "published 7": "catching@5 read",
    "published 6 of f": "catching@5 read",
    "published 1 of f": "catching@5 read",
    "head 7": "catching@5 read",
    "head 5 of f": "catching@5 read",
    doubt: "catching@5 read",
    pressure: "lagging@5",
    stopped: "ended",
  },
  lagging: {
    ...ALL_SAME,
    "published 6": "lagging@5 behind",
    "published 6-8": "lagging@5 behind",
    "published 4-7": "lagging@5 behind",
    "published 7": "lagging@5 behind",
    "published 6 of f": "lagging@5 behind",
    "published 1 of f": "lagging@5 behind",
    "head 7": "lagging@5 behind",
    "head 5 of f": "lagging@5 behind",
    doubt: "lagging@5 behind",
    "entries none": "lagging@5 behind",
    "entries none, head 9": "lagging@5 behind",
    "entries 6-8": "lagging@5 behind",
    "entries 6-7 of 9": "lagging@5 behind",
    "entries 7-8": "lagging@5 behind",
    unreadable: "ended resync",
    unread: "lagging@5 behind",
    relieved: "live@5",
    stopped: "ended",
  },
  "lagging, behind": {
    ...ALL_SAME,
    unreadable: "ended resync",
    relieved: "catching@5 read",
    stopped: "ended",
  },
  "lagging, reading": {
    ...ALL_SAME,
    "entries none": "lagging@5 behind",
    "entries none, head 9": "lagging@5 behind",
    "entries 6-8": "lagging@5 behind",
    "entries 6-7 of 9": "lagging@5 behind",
    "entries 7-8": "lagging@5 behind",
    unreadable: "ended resync",
    unread: "lagging@5 behind",
    // The read in flight is used, and one more follows it.
    relieved: "catching@5<Infinity",
    stopped: "ended",
  },
  ended: ALL_SAME,
};

for (const [stateName, state] of Object.entries(STATES)) {
  test(`[L6, L7] every input in state ${stateName}`, () => {
    const actual: Record<string, string> = {};
    for (const [inputName, input] of Object.entries(INPUTS)) {
      const result = show(step(state, input));
      actual[inputName] = result === showState(state) ? SAME : result;
    }
    assert.deepEqual(actual, EXPECTED[stateName as StateName]);
  });
}

test("the tables above try every cell", () => {
  const kinds = new Set(Object.values(STATES).map(({ kind }) => kind));
  const types = new Set(Object.values(INPUTS).map(({ type }) => type));
  assert.deepEqual([...kinds].sort(), Object.keys(DELIVERY_TABLE).sort());
  for (const row of Object.values(DELIVERY_TABLE)) assert.deepEqual([...types].sort(), Object.keys(row).sort());
});
