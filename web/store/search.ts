import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { Result } from "../../src/protocol/methods.ts";

export type SearchResult = Result<"conversation.search">["results"][number];

export interface SearchState {
  /** What `results` are of. */
  readonly query: string;
  readonly kind: "searching" | "done" | "failed";
  readonly results: readonly SearchResult[];
  /** Older conversations have not been looked at. */
  readonly cursor: string | null;
}

/** Typing on within this long asks once. */
const PAUSE_MS = 200;

/** Looks for conversations while somebody types. */
export class ConversationSearch {
  readonly query = signal("");
  readonly #state = signal<SearchState | undefined>(undefined);
  readonly #client: Client;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked: AbortController | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Undefined while nothing is looked for. */
  get state(): ReadonlySignal<SearchState | undefined> {
    return this.#state;
  }

  type(query: string): void {
    this.query.value = query;
    this.#cancel();
    if (query.trim() === "") {
      this.#state.value = undefined;
      return;
    }
    const { results = [] } = this.#state.value ?? {};
    this.#state.value = { query, kind: "searching", results, cursor: null };
    this.#timer = setTimeout(() => this.#ask(query, undefined, []), PAUSE_MS);
  }

  /** Goes on further back. */
  more(): void {
    const { value } = this.#state;
    if (value?.kind === "searching" || value?.cursor == null) return;
    this.#state.value = { ...value, kind: "searching" };
    this.#ask(value.query, value.cursor, value.results);
  }

  retry(): void {
    this.type(this.query.value);
  }

  clear(): void {
    this.type("");
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#asked = undefined;
  }

  #ask(query: string, cursor: string | undefined, before: readonly SearchResult[]): void {
    const asked = new AbortController();
    this.#asked = asked;
    const params = { query, ...(cursor === undefined ? {} : { cursor }) };
    this.#client.call("conversation.search", params, { signal: asked.signal }).then(
      ({ results, nextCursor }) => {
        if (this.#asked !== asked) return;
        const known = new Set(before.map(({ conversation }) => conversation.id));
        const added = results.filter(({ conversation }) => !known.has(conversation.id));
        this.#state.value = { query, kind: "done", results: [...before, ...added], cursor: nextCursor };
      },
      () => {
        if (this.#asked === asked) this.#state.value = { query, kind: "failed", results: before, cursor: null };
      },
    );
  }
}
