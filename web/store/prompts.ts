import { type Signal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Prompt } from "../../src/protocol/shapes.ts";

/** A person's prompts, by name. Read anew whenever somebody looks: another tab may have changed them. */
export class Prompts {
  /** Undefined until they are known. */
  readonly items: Signal<readonly Prompt[] | undefined> = signal(undefined);
  readonly failed = signal(false);
  readonly #client: Client;
  #loading = false;

  constructor(client: Client) {
    this.#client = client;
  }

  load(): void {
    if (this.#loading) return;
    this.#loading = true;
    this.#read().then(
      (prompts) => {
        this.#loading = false;
        this.failed.value = false;
        this.#show(prompts);
      },
      () => {
        this.#loading = false;
        this.failed.value = true;
      },
    );
  }

  async #read(): Promise<readonly Prompt[]> {
    const prompts: Prompt[] = [];
    let cursor: string | null = null;
    do {
      const page: { readonly prompts: readonly Prompt[]; readonly nextCursor: string | null } = await this.#client.call(
        "prompt.list",
        cursor === null ? {} : { cursor },
      );
      prompts.push(...page.prompts);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return prompts;
  }

  #show(prompts: readonly Prompt[]): void {
    this.items.value = prompts.toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** Another person's are none of this one's. */
  clear(): void {
    this.items.value = undefined;
  }

  /** Rejects with a ParleyError. */
  async save(fields: { readonly promptId?: string; readonly name: string; readonly text: string }): Promise<void> {
    const { prompt } = await this.#client.call("prompt.save", { ...fields, idempotencyKey: uuidv7() });
    this.#show([...(this.items.peek() ?? []).filter(({ id }) => id !== prompt.id), prompt]);
  }

  /** Rejects with a ParleyError. */
  async delete(promptId: string): Promise<void> {
    await this.#client.call("prompt.delete", { promptId });
    this.#show((this.items.peek() ?? []).filter(({ id }) => id !== promptId));
  }
}
