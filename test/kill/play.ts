/**
 * One case: a scenario, and where its server dies.
 *
 *   play ──▶ the scenario's end ──▶ every point met, or nothing left to do ──▶ nothing moves ──▶ look
 *            └─────────────── dies and is started again, in here ───────────┘
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { openConversation } from "../../src/client/conversation.ts";
import type { Transcript } from "../../src/client/transcript.ts";
import { tempDir } from "../support/temp-dir.ts";
import { until } from "../support/until.ts";
import type { Audit } from "./audit.ts";
import { findingsOf, isAtRest, seenIn } from "./findings.ts";
import type { Call, Point } from "./point.ts";
import type { Finding, Outcome, Scenario } from "./scenario.ts";
import type { Semaphore } from "./semaphore.ts";
import { Server } from "./server.ts";
import { stablePort } from "./stable-port.ts";
import { connectTo, LiveStage } from "./stage.ts";

export interface Played {
  /** Has every process died that was to? If not, the calls went another way this time. */
  readonly met: boolean;
  readonly findings: readonly Finding[];
  /** Of each process, up to its end. */
  readonly calls: readonly (readonly Call[])[];
}

export interface PlayOptions {
  /** The victim. */
  readonly program: string;
  /** A folder with an empty database, to be copied. */
  readonly template: string;
  /** One is taken for the time of a case. */
  readonly lanes: Semaphore;
}

/** For a scenario, its deaths included; what takes longer hangs. */
const PLAY_MS = 40_000;
/** For a server to have nothing to do any more; rows of the outbox that failed are swept after 2 s, every 2 s. */
const REST_MS = 15_000;
/** For two readers to have seen the same, when nothing moves. */
const AGREE_MS = 15_000;

export async function play(scenario: Scenario, points: readonly Point[], options: PlayOptions): Promise<Played> {
  const leave = await options.lanes.take();
  const dir = tempDir("parley-kill-");
  const port = await stablePort();
  const client = connectTo(port);
  const server = new Server({
    dir: dir.path,
    program: options.program,
    template: options.template,
    port,
    points,
    env: { PARLEY_DEMO_TOKENS_PER_SECOND: "2000", ...scenario.env },
    // Its back-off has grown while the server was away.
    serving: () => client.connectNow(),
  });
  const stage = new LiveStage(dir.path, client, () => server.terminate());
  const inTime = <T>(ms: number, work: Promise<T>, what: string): Promise<T> =>
    Promise.race([within(ms, work, what), server.broken]);

  const findings: Finding[] = [];
  let calls: readonly (readonly Call[])[] = [];
  try {
    await inTime(PLAY_MS, scenario.play(client, stage), "the end of the scenario");
    await inTime(REST_MS, metOrAtRest(server), "the point, or rest");
    const audit = await inTime(REST_MS, rest(server), "rest");
    // Of the scenario: a second reader's calls are its own.
    calls = server.calls;
    const transcripts = await inTime(PLAY_MS, readAgain(port, stage, findings), "a second reader");
    const outcome: Outcome = { dir: dir.path, asked: stage.asked, transcripts, audit };
    findings.push(...findingsOf(outcome, scenario.runs), ...(scenario.check?.(outcome) ?? []));
    if (server.errors.includes('"level":"error"')) findings.push({ kind: "wrong", what: server.errors });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    findings.push({ kind: "hung", what: `${what} ${server.errors}` });
  } finally {
    client.close();
    await server.close();
    leave();
  }
  const played = { met: server.spent, findings: [...stage.findings, ...findings], calls };
  await dir.remove();
  return played;
}

async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** undefined while it moves, or is not there. */
async function auditAtRest(server: Server): Promise<Audit | undefined> {
  // Each question costs the server a transaction.
  await sleep(50);
  const audit = await server.audit();
  return audit !== undefined && isAtRest(audit) ? audit : undefined;
}

/** A process may die when its scenario is over: what announces the end is cleared then. */
async function metOrAtRest(server: Server): Promise<void> {
  while (!server.spent && (await auditAtRest(server)) === undefined);
}

async function rest(server: Server): Promise<Audit> {
  for (;;) {
    const audit = await auditAtRest(server);
    if (audit !== undefined) return audit;
  }
}

/** Reads everything with a client that remembers nothing, and waits until it agrees with the one that stayed. */
async function readAgain(port: number, stage: LiveStage, findings: Finding[]): Promise<Outcome["transcripts"]> {
  const transcripts = new Map<string, { readonly stayed: Transcript; readonly fresh: Transcript }>();
  const client = connectTo(port);
  try {
    for (const open of stage.conversations) {
      const again = openConversation(client, open.id);
      const look = () => [open, again].map(({ state }) => seenIn(state.transcript));
      const agree = () => again.state.status === "open" && isDeepStrictEqual(...(look() as [object, object]));
      await until(agree, "two readers to agree", AGREE_MS).catch(() => {
        findings.push({
          kind: "wrong",
          what: `the client that stayed does not see what another one sees: ${differenceOf(look())}`,
        });
      });
      transcripts.set(open.id, { stayed: open.state.transcript, fresh: again.state.transcript });
    }
  } finally {
    client.close();
  }
  return transcripts;
}

function differenceOf([stayed, fresh]: readonly object[]): string {
  try {
    assert.deepStrictEqual(stayed, fresh);
    return "none by now";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
