import { batch, type Signal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { asParleyError } from "../../src/client/errors.ts";
import type { ParleyError } from "../../src/protocol/errors.ts";
import type { User } from "../../src/protocol/shapes.ts";
import { ConversationStore } from "./conversation.ts";

/** A conversation that is read by a link. */
export class SharedConversation {
  readonly token: string;
  readonly sharedBy = signal<User | undefined>(undefined);
  readonly error = signal<ParleyError | undefined>(undefined);
  readonly #client: Client;
  readonly #shown: Signal<ConversationStore | undefined>;
  #store: ConversationStore | undefined;
  #closed = false;

  /** `shown` gets what it opens. */
  constructor(client: Client, token: string, shown: Signal<ConversationStore | undefined>) {
    this.token = token;
    this.#client = client;
    this.#shown = shown;
    this.retry();
  }

  retry(): void {
    this.error.value = undefined;
    this.#client.call("share.open", { shareToken: this.token }).then(
      ({ sharedBy, conversation }) => {
        if (this.#closed) return;
        this.#store?.close();
        this.#store = new ConversationStore(this.#client, conversation.id, undefined, this.token);
        batch(() => {
          this.sharedBy.value = sharedBy;
          this.#shown.value = this.#store;
        });
      },
      (error: unknown) => {
        if (!this.#closed) this.error.value = asParleyError(error);
      },
    );
  }

  close(): void {
    this.#closed = true;
    this.#store?.close();
    if (this.#shown.peek() === this.#store) this.#shown.value = undefined;
  }
}
