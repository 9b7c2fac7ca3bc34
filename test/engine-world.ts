/** One embedded database and log, in which processes start, die and follow each other. */
import assert from "node:assert/strict";
import { MemoryEventLog } from "../src/adapters/event-log.memory.ts";
import type { EventLog } from "../src/ports/event-log.ts";
import type { Scope } from "../src/ports/store.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import type { RunStatus } from "../src/protocol/shapes.ts";
import { Process, runOf, type ProcessOptions } from "./engine-process.ts";
import { Reading, withOpenings } from "./engine-reading.ts";
import { openTestPglite } from "./support/pglite.ts";
import {
  newConversation,
  newUser,
  runAsAdmin,
  send,
  worldOf,
  type SendOptions,
  type World,
} from "./support/store-world.ts";
import { until } from "./support/until.ts";

const FINAL: readonly RunStatus[] = ["completed", "failed", "stopped"];

export class EngineWorld {
  readonly world: World;
  readonly scope: Scope;
  log = withOpenings(new MemoryEventLog());
  /** Those that still live. */
  readonly #processes = new Set<Process>();

  constructor(world: World, scope: Scope) {
    this.world = world;
    this.scope = scope;
  }

  static async embedded(): Promise<EngineWorld> {
    const world = worldOf(await openTestPglite());
    return new EngineWorld(world, await newUser(world));
  }

  /** For processes that start from now on. */
  useLog(log: EventLog): void {
    this.log = withOpenings(log);
  }

  get store() {
    return this.world.store;
  }

  /** A process that runs already. */
  async start(options: Partial<ProcessOptions> = {}): Promise<Process> {
    const process = new Process({ store: this.store, log: this.log, exclusive: true, ...options });
    this.#processes.add(process);
    await process.engine.start();
    return process;
  }

  async kill(process: Process): Promise<void> {
    this.#processes.delete(process);
    await process.kill();
  }

  async converse(): Promise<string> {
    return (await newConversation(this.world, this.scope)).id;
  }

  /** As the handler does it: writes, announces, wakes, and tells the owner of a run that has to stop. */
  async send(process: Process, conversationId: string, text: string, options: SendOptions = {}) {
    const runId = uuidv7();
    const offer = process.engine.offer(runId);
    const sent = await send(this.world, this.scope, conversationId, { text, runId, claim: offer?.terms, ...options });
    const announced = process.engine.announce(sent.announce);
    if (sent.claimed !== undefined) offer?.take(sent.claimed);
    else if (sent.state === "running") process.engine.wake();
    if (sent.interrupted !== null) process.engine.stopRequested(sent.interrupted);
    await announced;
    return sent;
  }

  /** As the handler does it; false when there is nothing to stop. */
  async stop(process: Process, target: { conversationId: string } | { runId: string }): Promise<boolean> {
    const stopped = await this.store.runs.stop(this.scope, target);
    if (stopped === null) return false;
    const announced = process.engine.announce(stopped.announce);
    if (stopped.active) process.engine.stopRequested(stopped.runId);
    else process.engine.wake();
    await announced;
    return true;
  }

  run(runId: string) {
    return runOf(this.store, this.scope, runId);
  }

  /** The run when it has ended. */
  async ended(runId: string, ms?: number) {
    await until(async () => FINAL.includes((await this.run(runId)).status), `the end of run ${runId}`, ms);
    return this.run(runId);
  }

  /** The log of a conversation once it has told the end of so many runs, with so many parts that are not whole. */
  async read(conversationId: string, ends: number, gaps = 0): Promise<Reading> {
    const topic = `conversation:${conversationId}`;
    const told = async () => (await Reading.of(this.log, topic)).ended.length >= ends;
    await until(told, `${ends} ends in ${topic}`, 20_000);
    const reading = await Reading.of(this.log, topic);
    assert.equal(reading.gaps, gaps, "parts that are not whole");
    return reading;
  }

  /** What 15 seconds of silence do to the leases of an owner, or of all. */
  async expireLeases(owner?: string): Promise<void> {
    const whose = owner === undefined ? "" : ` and owner = '${owner}'`;
    await runAsAdmin(
      this.world,
      `update runs set lease_until = now() - interval '1 s' where status = 'running'${whose}`,
    );
  }

  /** Ends a scenario: nothing is left open, and nobody met a bug. */
  async close(): Promise<void> {
    for (const process of this.#processes) {
      await process.stop();
      assert.deepEqual(process.errors, []);
    }
    this.#processes.clear();
    assert.deepEqual(await this.store.runs.countByStatus(), { queued: 0, running: 0, waiting: 0 });
    await this.log.close();
    this.useLog(new MemoryEventLog());
  }
}
