/** What a tool is told, where a test cares for a part of it; anything else fails by name. */
import type { FileStore } from "../../src/ports/files.ts";
import type { Lease, Store } from "../../src/ports/store.ts";
import type { ToolContext, ToolTransaction } from "../../src/ports/tool.ts";
import type { PlanTask } from "../../src/protocol/shapes.ts";
import { recordingLogger } from "./logger.fake.ts";
import { TIME } from "./shapes.fake.ts";

export const aLease: Lease = {
  runId: "r",
  tenantId: "tenant",
  userId: "user",
  conversationId: "c",
  fence: 1,
  owner: "owner",
};

const absent = <T extends object>(name: string): T =>
  new Proxy({} as T, {
    get(_target, member) {
      throw new Error(`this test has no ${name}.${String(member)}`);
    },
  });

export interface FakeParts {
  readonly signal?: AbortSignal;
  readonly memories?: Partial<Store["memories"]>;
  readonly fileRows?: Partial<Store["files"]>;
  readonly files?: Partial<FileStore>;
  readonly progress?: ToolContext["progress"];
}

export const toolContext = (parts: FakeParts = {}) => {
  const logger = recordingLogger();
  const context: ToolContext = {
    lease: aLease,
    toolCallId: "call-1",
    signal: parts.signal ?? new AbortController().signal,
    logger,
    store: {
      memories: (parts.memories ?? absent("memories")) as Store["memories"],
      files: (parts.fileRows ?? absent("files")) as Store["files"],
    },
    files: (parts.files ?? absent("files")) as FileStore,
    progress: parts.progress ?? (() => {}),
  };
  return { ...context, logger };
};

/** A transaction that keeps what was done in it. */
export function toolTransaction() {
  const saved: string[] = [];
  const forgotten: string[] = [];
  const plans: (readonly PlanTask[])[] = [];
  const tx: ToolTransaction = {
    toolCallId: "call-1",
    saveMemory: async (text) => {
      saved.push(text);
      return { id: `m${saved.length}`, text, createdAt: TIME };
    },
    forgetMemories: async (words) => {
      forgotten.push(words);
      return 2;
    },
    setPlan: async (tasks) => {
      plans.push(tasks);
    },
  };
  return { tx, saved, forgotten, plans };
}
