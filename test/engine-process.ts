/** One server process, as far as its engine goes: ports that may fail, a model, an engine, and a person who writes. */
import assert from "node:assert/strict";
import { MemoryBreakerStore } from "../src/adapters/breaker-store.memory.ts";
import { createModelCatalog } from "../src/agent/catalog.ts";
import { createEngine, type Engine, type EngineTimes } from "../src/agent/engine.ts";
import { createModelCallContext } from "../src/agent/model-call.ts";
import type { RunBounds } from "../src/agent/run-task.ts";
import type { StallLimits } from "../src/agent/stall-watch.ts";
import { createDemoModel } from "../src/models/demo.ts";
import type { EventLog } from "../src/ports/event-log.ts";
import type { FileStore } from "../src/ports/files.ts";
import { noMetrics, type Metrics } from "../src/ports/metrics.ts";
import type { ModelProvider } from "../src/ports/model.ts";
import type { Scope, Store } from "../src/ports/store.ts";
import type { Tool } from "../src/ports/tool.ts";
import { createToolExecutor } from "../src/tools/execute.ts";
import { createToolCatalog } from "../src/tools/registry.ts";
import { FaultyPorts, type Fault } from "./engine-ports.ts";
import { MemoryFileStore } from "./support/file-store.fake.ts";
import { recordingLogger, type LogLine } from "./support/logger.fake.ts";
import { partText } from "./support/part-text.ts";

export interface ProcessOptions {
  readonly store: Store;
  readonly log: EventLog;
  readonly fault?: Fault | undefined;
  readonly exclusive?: boolean;
  /** As an embedded store does, unless said otherwise. */
  readonly answersInOrder?: boolean;
  readonly times?: Partial<EngineTimes>;
  readonly tokensPerSecond?: number;
  readonly model?: ModelProvider;
  readonly maxRuns?: number;
  readonly tools?: readonly Tool[];
  readonly files?: FileStore;
  readonly bounds?: Partial<RunBounds>;
  readonly stall?: StallLimits;
  readonly metrics?: Metrics;
  readonly now?: () => number;
}

export class Process {
  readonly ports: FaultyPorts;
  readonly engine: Engine;
  readonly lines: LogLine[] = [];
  readonly #model: ModelProvider;

  constructor(options: ProcessOptions) {
    const { store, log, fault, exclusive = false, answersInOrder = true } = options;
    const { times = {}, maxRuns, metrics = noMetrics, now } = options;
    this.#model = options.model ?? createDemoModel({ tokensPerSecond: options.tokensPerSecond ?? 2_000 });
    this.ports = new FaultyPorts(store, log, fault);
    const logger = recordingLogger(this.lines);
    this.engine = createEngine({
      store: this.ports.store,
      log: this.ports.log,
      models: createModelCatalog([this.#model]),
      tools: createToolCatalog(options.tools ?? []),
      executor: createToolExecutor(),
      files: options.files ?? new MemoryFileStore(),
      ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
      metrics,
      logger,
      modelCalls: createModelCallContext({
        breakerStore: new MemoryBreakerStore(),
        stall: options.stall ?? { firstTokenMs: 60_000, silenceMs: 60_000 },
        cost: () => undefined,
        metrics,
        logger,
      }),
      exclusive,
      answersInOrder,
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
  return { ...found.run, steps: found.steps, text: partText(part?.part), message: part?.status };
}
