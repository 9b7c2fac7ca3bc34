/**
 * kill -9 at every boundary of a step, by a real process: a server dies right before or right after one call to its
 * store or its log, another process takes its place, and the client that was there goes on. Nothing that was accepted is
 * lost, and nothing happens twice.
 *
 * Which calls there are, a run without a death there tells. PARLEY_KILL says what is tried:
 *
 *   some (default)                of each name the first, the middle and the last call, on both sides
 *   all                           every call of every scenario, on both sides
 *   chat/runs.commit:2:after      that one
 */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { openPglite } from "../../src/adapters/database.pglite.ts";
import { createStore } from "../../src/adapters/store.drizzle.ts";
import { migrationsDir, preparePglite } from "../support/pglite.ts";
import { type TempDir, tempDir } from "../support/temp-dir.ts";
import { play, type PlayOptions } from "./play.ts";
import { countNames, formatPoint, parsePoint, type Point, pointsOf, type Selection, type Side } from "./point.ts";
import type { Finding, Scenario } from "./scenario.ts";
import { Semaphore } from "./semaphore.ts";
import { bundleVictim } from "./victim-bundle.ts";

/** Victims at a time. */
const LANES = 2;
/** Bytes of shared memory that it takes to work there. */
const SHARED_MEMORY = 1024 ** 3;
/** How many calls of a name there are may depend on the machine's pace: so often a point is moved to the last that came. */
const TRIES = 3;

interface Case {
  readonly point: Point;
  readonly met: boolean;
  /** No try made such a call. */
  readonly absent: boolean;
  readonly findings: readonly Finding[];
}

/**
 * One test for each scenario that PARLEY_KILL asks for, called `what`, at the points of these sides.
 */
export function testScenarios(
  what: string,
  scenarios: readonly Scenario[],
  sides: readonly Side[] = ["before", "after"],
): void {
  const asked = process.env["PARLEY_KILL"] ?? "some";
  const [, one, point] = /^(\w+)\/(.+)$/.exec(asked) ?? [];
  assert.ok(one !== undefined || ["some", "all"].includes(asked), `PARLEY_KILL=${asked}`);
  const chosen = scenarios.filter(({ name, slow }) => (one === undefined ? !slow || asked === "all" : name === one));

  let options: PlayOptions;
  let dir: TempDir;
  before(async () => {
    useSharedMemory();
    dir = tempDir("parley-kill-");
    options = await prepare(dir.path);
  });
  after(() => dir.remove());

  for (const scenario of chosen) {
    test(`${what}: ${scenario.name}`, async (t) => {
      const points =
        point === undefined ? await pointsIn(scenario, selection(asked, scenario), options) : [parsePoint(point)];
      const here = points.filter(({ side }) => sides.includes(side));
      await killAt(t, scenario, here, options);
    });
  }
}

const selection = (asked: string, { few }: Scenario): Selection => (asked === "all" ? "all" : few ? "first" : "some");

/** A case copies a database: in memory that takes a quarter of the time, and kill -9 leaves either alone. */
function useSharedMemory(): void {
  const shared = statfsSync("/dev/shm");
  if (shared.bavail * shared.bsize >= SHARED_MEMORY) process.env["TMPDIR"] = "/dev/shm";
}

async function prepare(dir: string): Promise<PlayOptions> {
  const template = join(dir, "postgres");
  await preparePglite(template);
  const database = await openPglite({ dataDir: template, migrationsDir });
  await createStore(database).sessions.owner();
  await database.close();
  return { template, program: await bundleVictim(join(dir, "program")), lanes: new Semaphore(LANES) };
}

/** What a scenario calls when nobody dies at a point: the points there are. */
async function pointsIn(scenario: Scenario, which: Selection, options: PlayOptions): Promise<Point[]> {
  const { deathsBefore = [], about } = scenario;
  const { findings, calls, met } = await play(scenario, deathsBefore, options);
  assert.deepEqual(findings, [], "all is well without a death at a point");
  assert.ok(met, "it comes to where points are looked for");
  const points = pointsOf(calls[deathsBefore.length] ?? [], which);
  const narrow = about !== undefined && (which !== "all" || scenario.slow === true);
  return narrow ? points.filter(({ call }) => about.test(call)) : points;
}

async function tryPoint(scenario: Scenario, point: Point, options: PlayOptions): Promise<Case> {
  const { deathsBefore = [] } = scenario;
  let now = point;
  let came = false;
  for (let tries = 1; ; tries++) {
    const { met, findings, calls } = await play(scenario, [...deathsBefore, now], options);
    const count = countNames(calls[deathsBefore.length] ?? []).get(point.call) ?? 0;
    came ||= count > 0;
    if (met || findings.length > 0 || tries === TRIES) return { point: now, met, absent: !came, findings };
    now = { ...now, nth: Math.min(Math.max(1, count), now.nth) };
  }
}

async function killAt(
  t: TestContext,
  scenario: Scenario,
  points: readonly Point[],
  options: PlayOptions,
): Promise<void> {
  const cases = await Promise.all(points.map((point) => tryPoint(scenario, point, options)));
  const met = cases.filter((each) => each.met);
  const names = new Set(met.map(({ point }) => point.call));
  const findings = cases.flatMap((each) => each.findings);
  const count = (kind: Finding["kind"]) => findings.filter((finding) => finding.kind === kind).length;
  t.diagnostic(
    `${met.length} boundaries of ${names.size} calls: ${count("lost")} lost, ${count("doubled")} doubled, ` +
      `${count("hung")} hung, ${count("wrong")} wrong; ${cases.length - met.length} not met`,
  );
  const failed = cases.filter((each) => each.findings.length > 0).map((each) => describe(scenario, each));
  assert.equal(failed.length, 0, failed.join("\n"));
  // What the processes before left to this one depends on how far they came.
  const excused = scenario.deathsBefore === undefined ? [] : cases.filter(({ absent }) => absent);
  const expected = new Set(points.map(({ call }) => call));
  for (const { point } of excused) expected.delete(point.call);
  assert.deepEqual(
    [...expected].filter((call) => !names.has(call)),
    [],
    "each call was met",
  );
}

const describe = ({ name }: Scenario, { point, findings }: Case): string =>
  [`PARLEY_KILL=${name}/${formatPoint(point)}`, ...findings.map(({ kind, what }) => `  ${kind}: ${what}`)].join("\n");
