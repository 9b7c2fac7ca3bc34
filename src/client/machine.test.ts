import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLOSE, ParleyError } from "../protocol/errors.ts";
import { fullJitter, RECONNECT } from "./backoff.ts";
import {
  AUTHENTICATING_MS,
  CONNECT_MS,
  GREETING_MS,
  type MachineInput,
  type MachineState,
  type Phase,
  STABLE_MS,
  transition,
} from "./machine.ts";

const NOW = 1_000_000;
const half = () => 0.5;
const error = new ParleyError("AUTH_FAILED");
const trying = { since: NOW - 10, attempt: 2, brief: 0, loggedInAgain: false };

const states: Readonly<Record<Phase, MachineState>> = {
  idle: { phase: "idle", since: 0 },
  connecting: { phase: "connecting", until: NOW + 10, ...trying },
  greeting: { phase: "greeting", until: NOW + 10, ...trying },
  authenticating: { phase: "authenticating", until: NOW + 10, ...trying },
  ready: { phase: "ready", until: undefined, ...trying },
  waiting: { phase: "waiting", until: NOW + 10, ...trying },
  closed: { phase: "closed", since: 0, reason: "signed-out", code: undefined, error: undefined },
};

const inputs = {
  connect: { type: "connect" },
  opened: { type: "opened" },
  hello: { type: "hello" },
  authenticated: { type: "authenticated" },
  refused: { type: "refused", reason: "signed-out", error, canLogin: false },
  lost: { type: "lost", code: 1006, canLogin: false },
  draining: { type: "draining", reconnectAfterMs: 2_000 },
  due: { type: "due" },
  close: { type: "close" },
} as const satisfies Readonly<Record<MachineInput["type"], MachineInput>>;

/** Where each input leads from each state; "·": nowhere, the same object. A missing cell does not compile. */
const table: Readonly<Record<Phase, Readonly<Record<MachineInput["type"], Phase | "·">>>> = {
  idle: {
    connect: "connecting",
    opened: "·",
    hello: "·",
    authenticated: "·",
    refused: "·",
    lost: "·",
    draining: "·",
    due: "·",
    close: "closed",
  },
  connecting: {
    connect: "·",
    opened: "greeting",
    hello: "·",
    authenticated: "·",
    refused: "closed",
    lost: "waiting",
    draining: "·",
    due: "·",
    close: "closed",
  },
  greeting: {
    connect: "·",
    opened: "·",
    hello: "authenticating",
    authenticated: "·",
    refused: "closed",
    lost: "waiting",
    draining: "·",
    due: "·",
    close: "closed",
  },
  authenticating: {
    connect: "·",
    opened: "·",
    hello: "·",
    authenticated: "ready",
    refused: "closed",
    lost: "waiting",
    draining: "·",
    due: "·",
    close: "closed",
  },
  ready: {
    connect: "·",
    opened: "·",
    hello: "·",
    authenticated: "·",
    refused: "closed",
    lost: "waiting",
    draining: "ready",
    due: "·",
    close: "closed",
  },
  waiting: {
    connect: "connecting",
    opened: "·",
    hello: "·",
    authenticated: "·",
    refused: "·",
    lost: "·",
    draining: "·",
    due: "·",
    close: "closed",
  },
  closed: {
    connect: "connecting",
    opened: "·",
    hello: "·",
    authenticated: "·",
    refused: "·",
    lost: "·",
    draining: "·",
    due: "·",
    close: "closed",
  },
};

const run = (state: MachineState, input: MachineInput, now = NOW, random = half) =>
  transition(state, input, now, random);

describe("connection machine, every input in every state", () => {
  for (const [phase, row] of Object.entries(table)) {
    for (const [type, expected] of Object.entries(row)) {
      it(`${phase} + ${type} → ${expected}`, () => {
        const before = states[phase as Phase];
        const after = run(before, inputs[type as MachineInput["type"]]);
        if (expected === "·") assert.equal(after, before);
        else assert.equal(after.phase, expected);
      });
    }
  }
});

describe("connection machine, close codes", () => {
  const cases: readonly [number, Phase, string?][] = [
    [1000, "waiting"],
    [1006, "waiting"],
    [1012, "waiting"],
    [CLOSE.DRAINING, "waiting"],
    [CLOSE.TOO_SLOW, "waiting"],
    [CLOSE.HEARTBEAT_LOST, "waiting"],
    [CLOSE.RESYNC, "waiting"],
    [CLOSE.RATE, "waiting"],
    [CLOSE.AUTHENTICATION, "closed", "signed-out"],
    [CLOSE.PROTOCOL, "closed", "refused"],
    [CLOSE.TOO_MANY_CONNECTIONS, "closed", "too-many-connections"],
    [CLOSE.REVOKED, "closed", "signed-out"],
    [4999, "closed", "refused"],
  ];
  for (const [code, phase, reason] of cases) {
    it(`[W8] ${code} → ${phase}${reason === undefined ? "" : ` (${reason})`}`, () => {
      const after = run(states.ready, { type: "lost", code, canLogin: false });
      assert.equal(after.phase, phase);
      if (after.phase === "closed") assert.deepEqual([after.reason, after.code], [reason, code]);
    });
  }
});

describe("connection machine, time", () => {
  const due = { type: "due" } as const;

  it("each phase has its limit", () => {
    const from = run(states.idle, inputs.connect);
    assert.deepEqual(from, {
      phase: "connecting",
      since: NOW,
      until: NOW + CONNECT_MS,
      attempt: 0,
      brief: 0,
      loggedInAgain: false,
    });
    const greeting = run(from, inputs.opened);
    assert.ok(greeting.phase === "greeting" && greeting.until === NOW + GREETING_MS);
    const authenticating = run(greeting, inputs.hello);
    assert.ok(authenticating.phase === "authenticating" && authenticating.until === NOW + AUTHENTICATING_MS);
    for (const state of [from, greeting, authenticating]) assert.equal(run(state, due, state.until).phase, "waiting");
  });

  it("waits with full jitter, ever longer up to the cap", () => {
    let state = run(states.idle, inputs.connect);
    for (let attempt = 1; attempt <= 12; attempt++) {
      const waiting = run(state, inputs.lost);
      assert.ok(waiting.phase === "waiting");
      assert.equal(waiting.attempt, attempt);
      assert.equal(waiting.until, NOW + fullJitter(attempt, half));
      assert.ok(waiting.until <= NOW + RECONNECT.cap);
      state = run(waiting, due, waiting.until);
      assert.equal(state.phase, "connecting");
    }
  });

  it("starts anew after a connection that lasted; of those that did not, each counts", () => {
    let state: MachineState = { ...states.ready, attempt: 7, since: NOW - STABLE_MS } as MachineState;
    const ages = [STABLE_MS, 0, 1_000, STABLE_MS - 1, STABLE_MS];
    const attempts = ages.map((age) => {
      const waiting = run(
        { ...state, phase: "ready", since: NOW - age, until: undefined } as MachineState,
        inputs.lost,
      );
      assert.ok(waiting.phase === "waiting");
      // The server was away for a while in between; that is not held against one that is back.
      state = run(run(waiting, inputs.connect), inputs.lost);
      assert.ok(state.phase === "waiting" && state.attempt === waiting.attempt + 1);
      return waiting.attempt;
    });
    assert.deepEqual(attempts, [1, 1, 2, 3, 1]);
  });

  it("waits at least as long as the server asks", () => {
    const after = run(states.authenticating, { type: "lost", code: 1006, canLogin: false, retryAfterMs: 5_000 });
    assert.ok(after.phase === "waiting" && after.until >= NOW + 5_000);
  });

  it("moves when a draining server said, or no earlier than that when it closes before", () => {
    const draining = run(states.ready, inputs.draining);
    assert.ok(draining.phase === "ready" && draining.until === NOW + 2_125);
    assert.equal(run(draining, inputs.draining, NOW + 500), draining);
    assert.equal(run(draining, due, draining.until).phase, "connecting");
    const closed = run(draining, { type: "lost", code: CLOSE.DRAINING, canLogin: false });
    assert.ok(closed.phase === "waiting" && closed.until === draining.until);
  });

  it("asking to connect skips the wait and keeps the count", () => {
    const after = run(states.waiting, inputs.connect);
    assert.ok(after.phase === "connecting" && after.attempt === 2);
  });
});

describe("connection machine, credentials", () => {
  it("a refused session is replaced by a login once", () => {
    const first = run(states.authenticating, { ...inputs.refused, canLogin: true });
    assert.ok(first.phase === "waiting" && first.loggedInAgain);
    const again = { ...states.authenticating, loggedInAgain: true } as MachineState;
    const second = run(again, { ...inputs.refused, canLogin: true });
    assert.ok(second.phase === "closed" && second.reason === "signed-out" && second.error === error);
  });

  it("a session that ends while connected is replaced too, and again after a connection that lasted", () => {
    const ended = { type: "lost", code: CLOSE.AUTHENTICATION, canLogin: true } as const;
    const loggedInAgain = { ...states.ready, loggedInAgain: true } as MachineState;
    assert.equal(run(states.ready, ended).phase, "waiting");
    assert.equal(run(loggedInAgain, ended).phase, "closed");
    assert.equal(run({ ...loggedInAgain, since: NOW - STABLE_MS }, ended).phase, "waiting");
  });

  it("credentials in a way that the server does not know are final", () => {
    const after = run(states.authenticating, { type: "refused", reason: "refused", error, canLogin: true });
    assert.ok(after.phase === "closed" && after.reason === "refused");
  });

  it("stopped is for good, everything else can be tried again", () => {
    const stopped = run(states.ready, inputs.close);
    assert.equal(run(stopped, inputs.connect), stopped);
    assert.equal(run(states.closed, inputs.connect).phase, "connecting");
  });
});
