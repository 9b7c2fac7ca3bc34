/**
 * Two processes on one database and one log, by a seed: one is suspended at any call to a port, its leases expire, the
 * other takes over, and the first one wakes, knowing of the time that has passed or not. Every run is completed once,
 * with its whole text, and a process that woke too late changes nothing.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPostgres } from "../src/adapters/database.postgres.ts";
import type { Store } from "../src/ports/store.ts";
import { type Process, upTo } from "./engine-process.ts";
import { Reading } from "./engine-reading.ts";
import { EngineWorld } from "./engine-world.ts";
import { seeded } from "./support/event-log.faulty.ts";
import { startPostgres, type Postgres } from "./support/postgres.ts";
import { newUser, worldOf } from "./support/store-world.ts";
import { until } from "./support/until.ts";

/** No lease ends by itself: a scenario ends them, in the database and on the process's clock. */
const LEASE_MS = 600_000;
const TIMES = { leaseMs: LEASE_MS, renewMs: 20, pollMs: 20, outboxMs: 30 };

interface Tally {
  runs: number;
  /** A process was suspended with the runs it had. */
  pauses: number;
  /** It woke when the other one had ended everything. */
  tooLate: number;
  takeovers: number;
}

interface Member {
  readonly process: Process;
  /** Its clock is ahead of the test's by so much. */
  readonly clock: { ahead: number };
}

class Scenario {
  readonly #world: EngineWorld;
  readonly #random: () => number;
  readonly #tally: Tally;
  readonly #members: readonly Member[];
  readonly #runs: { readonly runId: string; readonly conversationId: string; readonly text: string }[] = [];

  private constructor(world: EngineWorld, seed: number, tally: Tally, members: readonly Member[]) {
    this.#world = world;
    this.#random = seeded(seed);
    this.#tally = tally;
    this.#members = members;
  }

  static async play(world: EngineWorld, stores: readonly Store[], seed: number, tally: Tally): Promise<void> {
    const members: Member[] = [];
    for (const store of stores) {
      const clock = { ahead: 0 };
      const now = () => performance.now() + clock.ahead;
      const options = { store, exclusive: false, times: TIMES, tokensPerSecond: 1_000, now };
      members.push({ clock, process: await world.start(options) });
    }
    const scenario = new Scenario(world, seed, tally, members);
    await scenario.#talk();
    for (let pauses = 1 + scenario.#pick(3); pauses > 0; pauses--) await scenario.#pause();
    await scenario.#end();
    await world.close();
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #over = async (): Promise<boolean> => {
    const { store } = this.#world;
    const { queued, running } = await store.runs.countByStatus();
    return queued === 0 && running === 0 && (await store.outbox.stale(0, 1)).length === 0;
  };

  /** One to three conversations, with one to three messages each. */
  async #talk(): Promise<void> {
    for (let conversations = 1 + this.#pick(3); conversations > 0; conversations--) {
      const conversationId = await this.#world.converse();
      for (let messages = 1 + this.#pick(3); messages > 0; messages--) {
        const n = 3 + this.#pick(20);
        const { process } = this.#member(this.#pick(2));
        const options = { deadlineMs: 10 * LEASE_MS };
        const { runId } = await this.#world.send(process, conversationId, `count to ${n}`, options);
        this.#runs.push({ runId, conversationId, text: upTo(n) });
      }
    }
  }

  #member(index: number): Member {
    const member = this.#members[index];
    assert.ok(member);
    return member;
  }

  async #pause(): Promise<void> {
    const index = this.#pick(2);
    const { process, clock } = this.#member(index);
    const other = this.#member(1 - index).process;
    process.ports.arm({ kind: this.#pick(2) === 0 ? "pause before" : "pause after", nth: 1 + this.#pick(12) });
    await until(async () => process.ports.hit || (await this.#over()), "a pause, or the end");
    if (!process.ports.hit) return process.ports.disarm();
    this.#tally.pauses++;

    // What it had sent arrives, however long it is suspended.
    await process.ports.settled();
    await this.#world.expireLeases(process.engine.owner);
    other.engine.wake();
    const length = this.#pick(3);
    if (length === 0) await until(this.#over, "the other one to end everything");
    if (length === 1) {
      const calls = other.ports.calls.length + 1 + this.#pick(10);
      await until(async () => other.ports.calls.length >= calls || (await this.#over()), "some calls of the other");
    }
    // It wakes: either its clock went on, or all that happened fits into what it takes for a moment.
    if (this.#pick(2) === 0) clock.ahead += 2 * LEASE_MS;
    const left = length === 0 ? await this.#everything() : undefined;
    process.ports.resume();
    if (left === undefined) return;
    this.#tally.tooLate++;
    await until(async () => process.engine.held === 0, "the late one to let go");
    assert.deepEqual(await this.#everything(), left, "[R4] who wakes too late changes nothing");
  }

  /** What the store has of the runs, and the log of their topics. */
  async #everything() {
    const runs = await Promise.all(this.#runs.map(({ runId }) => this.#world.run(runId)));
    const topics = [...new Set(this.#runs.map(({ conversationId }) => `conversation:${conversationId}`))];
    return { runs, heads: await this.#world.log.heads(topics) };
  }

  async #end(): Promise<void> {
    await until(this.#over, "the end of all runs", 20_000);
    for (const { runId, conversationId, text } of this.#runs) {
      const run = await this.#world.run(runId);
      assert.deepEqual([run.status, run.message, run.text, run.steps.length], ["completed", "complete", text, 1]);
      const reading = await Reading.of(this.#world.log, `conversation:${conversationId}`);
      assert.equal(reading.ended.filter((ended) => ended === runId).length, 1, "its end is told once");
      assert.deepEqual([reading.text(run.assistantMessageId), reading.gaps], [text, 0]);
      this.#tally.runs++;
      this.#tally.takeovers += run.attempt - 1;
    }
  }
}

async function playAll(world: EngineWorld, stores: readonly Store[], seeds: number): Promise<string> {
  const tally: Tally = { runs: 0, pauses: 0, tooLate: 0, takeovers: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await Scenario.play(world, stores, seed, tally);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(tally.pauses > seeds / 2 && tally.tooLate > seeds / 10 && tally.takeovers > seeds / 4);
  return `${seeds} seeds: ${Object.entries(tally)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")}`;
}

test("[R3][R4][R5] two processes contest an embedded database", async (t) => {
  const world = await EngineWorld.embedded();
  t.after(() => world.store.close());
  t.diagnostic(await playAll(world, [world.store, world.store], 200));
});

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

test("[R3][R4][R5] two processes contest a Postgres, with connections of their own", async (t) => {
  const url = await postgres.createDatabase("contest");
  const open = () => openPostgres({ url, migrationsDir: join(import.meta.dirname, "../migrations") });
  const [one, two] = [worldOf(await open()), worldOf(await open())];
  t.after(() => Promise.all([one.store.close(), two.store.close()]));
  const world = new EngineWorld(one, await newUser(one));
  t.diagnostic(await playAll(world, [one.store, two.store], 60));
});
