/** One server process, as far as its engine goes: ports that may fail, a model, an engine, and a person who writes. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createModelCatalog } from "../src/agent/catalog.ts";
import { createEngine, type Engine, type EngineTimes } from "../src/agent/engine.ts";
import { createDemoModel } from "../src/models/demo.ts";
import type { EventLog } from "../src/ports/event-log.ts";
import { noMetrics, type Metrics } from "../src/ports/metrics.ts";
import type { ModelProvider } from "../src/ports/model.ts";
import type { Scope, Store } from "../src/ports/store.ts";
import { FaultyPorts, type Fault } from "./engine-ports.ts";
import { recordingLogger, type LogLine } from "./support/logger.fake.ts";

export interface ProcessOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly fault?: Fault | undefined;
  readonly exclusive?: boolean;
  readonly times?: Partial<EngineTimes>;
  readonly tokensPerSecond?: number;
  readonly model?: ModelProvider;
  readonly maxRuns?: number;
  readonly metrics?: Metrics;
  readonly now?: () => number;
}

export class Process {
  readonly ports: FaultyPorts;
  readonly engine: Engine;
  readonly lines: LogLine[] = [];
  readonly #model: ModelProvider;

  constructor(options: ProcessOptions) {
    const { store, log, fault, exclusive = false, times = {}, maxRuns, metrics = noMetrics, now } = options;
    this.#model = options.model ?? createDemoModel({ tokensPerSecond: options.tokensPerSecond ?? 2_000 });
    this.ports = new FaultyPorts(store, log, fault);
    this.engine = createEngine({
      store: this.ports.store,
      log: this.ports.log,
      models: createModelCatalog([this.#model]),
      metrics,
      logger: recordingLogger(this.lines),
      exclusive,
      times,
      ...(maxRuns === undefined ? {} : { maxRuns }),
      ...(now === undefined ? {} : { now }),
    });
  }

  /** What only a bug logs. */
  get errors(): readonly LogLine[] {
    return this.lines.filter(({ level }) => level === "error");
  }

  /** kill -9: nothing that was begun is answered, and nothing new begins. */
  async kill(): Promise<void> {
    this.ports.die();
    await this.engine.stop(0);
    this.#model.close();
    await this.ports.settled();
  }

  async stop(deadlineMs = 5_000): Promise<void> {
    await this.engine.stop(deadlineMs);
    this.#model.close();
  }
}

export const upTo = (n: number): string => Array.from({ length: n }, (_, i) => i + 1).join(" ");

/** What the store has of a run, with the text of its answer. */
export async function runOf(store: Store, scope: Scope, runId: string) {
  const found = await store.runs.get(scope, runId);
  assert.ok(found, "the run is there");
  const part = await store.conversations.part(scope, found.run.assistantMessageId, 0);
  return { ...found.run, steps: found.steps, text: part?.part?.text ?? "", message: part?.status };
}

/** `until` for what is asked with a promise; what it throws ends the wait. */
export async function eventually(condition: () => Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(2);
  }
}
