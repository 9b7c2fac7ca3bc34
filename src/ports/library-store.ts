/** What a person keeps for all conversations: parts of the store. */
import type { Memory, Prompt } from "../protocol/shapes.ts";
import type { Idempotency, Idempotent, Scope } from "./store.ts";

export interface MemoryStore {
  /** Newest first. */
  list(
    scope: Scope,
    input: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ readonly memories: readonly Memory[]; readonly nextCursor: string | null }>;
  create(
    scope: Scope,
    input: { readonly id: string; readonly text: string },
    idempotency: Idempotency,
  ): Promise<Idempotent<Memory>>;
  update(scope: Scope, memoryId: string, text: string): Promise<Memory | null>;
  delete(scope: Scope, memoryId: string): Promise<boolean>;
  /** Those that hold the words, best first (full-text search); the newest without words. */
  search(scope: Scope, words: string, limit: number): Promise<readonly Memory[]>;
}

export interface PromptStore {
  /** Newest first. */
  list(
    scope: Scope,
    options: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<{ readonly prompts: readonly Prompt[]; readonly nextCursor: string | null }>;
  /** Another name or text for `promptId`, else a new prompt with `id`. */
  save(
    scope: Scope,
    input: Omit<Prompt, "createdAt"> & { readonly promptId?: string | undefined },
    idempotency: Idempotency,
  ): Promise<Idempotent<Prompt> | { readonly ok: false; readonly reason: "NOT_FOUND" | "TOO_MANY" }>;
  delete(scope: Scope, promptId: string): Promise<boolean>;
}
