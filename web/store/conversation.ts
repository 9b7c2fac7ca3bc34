import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import { isCut } from "../../src/client/transcript.ts";
import type { ParleyError } from "../../src/protocol/errors.ts";
import type { WhenBusy } from "../../src/protocol/methods/chat.ts";
import type { Run } from "../../src/protocol/shapes.ts";
import { coalesce } from "./frame.ts";
import { TranscriptView } from "./transcript-view.ts";

/** Asked again for what could not be fetched, after this long. */
const AGAIN_MS = 5_000;
/** A stop that the server has not confirmed by then may be asked for again. */
const STOP_MS = 5_000;

/** The conversation that is open: what is shown of it, and what one can do in it. */
export class ConversationStore {
  readonly id: string;
  readonly view = new TranscriptView();
  readonly status = signal<"loading" | "open" | "failed">("loading");
  readonly error = signal<ParleyError | undefined>(undefined);
  /** The person asked for a stop, and the run has not ended yet. */
  readonly stopping = signal(false);
  readonly loadingOlder = signal(false);
  /** Messages that this page sent. */
  readonly sentHere = new Set<string>();
  readonly #client: Client;
  readonly #open: OpenConversation;
  readonly #fetched = signal<ReadonlyMap<string, Run>>(new Map());
  readonly #fetching = new Set<string>();
  #closed = false;

  constructor(client: Client, id: string) {
    this.id = id;
    this.#client = client;
    this.#open = openConversation(client, id);
    const show = coalesce(() => this.#show());
    this.#open.subscribe(show);
    this.#show();
  }

  #show(): void {
    const { status, error, transcript } = this.#open.state;
    if (status === "closed" || this.#closed) return;
    this.status.value = status;
    this.error.value = error;
    if (transcript.activeRun?.id !== this.view.activeRun.value?.id) this.stopping.value = false;
    this.view.commit(transcript, (id) => this.#interrupts(id));
    for (const message of transcript.settled.values()) if (message.parts.some(isCut)) this.#readRest(message.id);
  }

  #interrupts(id: string): boolean {
    return this.#client.outbox.items.some((item) => item.clientMessageId === id && item.whenBusy === "interrupt");
  }

  #readRest(messageId: string): void {
    this.#once(messageId, () => this.#open.readRest(messageId));
  }

  /** One at a time for each `key`; after a failure not before a while. */
  #once(key: string, work: () => Promise<unknown>): void {
    if (this.#fetching.has(key)) return;
    this.#fetching.add(key);
    work().then(
      () => this.#fetching.delete(key),
      () =>
        setTimeout(() => {
          this.#fetching.delete(key);
          if (!this.#closed) this.#show();
        }, AGAIN_MS),
    );
  }

  /** How a run ended. Asks the server for one that ended before this page looked on; undefined until it answers. */
  endedRun(runId: string): ReadonlySignal<Run | undefined> {
    const run = computed(() => this.view.endedRuns.value.get(runId) ?? this.#fetched.value.get(runId));
    if (run.peek() === undefined && this.view.activeRun.peek()?.id !== runId) {
      this.#once(`run ${runId}`, async () => {
        const found = await this.#client.call("run.get", { runId });
        this.#fetched.value = new Map(this.#fetched.value).set(runId, found.run);
      });
    }
    return run;
  }

  /** Throws QUEUE_FULL. */
  send(text: string, whenBusy?: WhenBusy): void {
    const { clientMessageId } = this.#open.send(text, whenBusy === undefined ? {} : { whenBusy });
    this.sentHere.add(clientMessageId);
    this.#show();
  }

  stop(): void {
    if (this.view.activeRun.value === undefined || this.stopping.value) return;
    this.stopping.value = true;
    const again = (): void => {
      this.stopping.value = false;
    };
    this.#open.stop().then(() => setTimeout(again, STOP_MS), again);
  }

  /** Takes a queued message back: from the outbox, or by stopping the run that would answer it. */
  cancel(messageId: string, runId: string | undefined): void {
    if (runId === undefined) this.#client.outbox.discard(messageId);
    else this.#client.call("chat.stop", { runId }).catch(() => this.#show());
  }

  retrySend(messageId: string): void {
    this.#client.outbox.retry(messageId);
  }

  discard(messageId: string): void {
    this.#client.outbox.discard(messageId);
  }

  /** `before` is called when the page has come and is about to be shown. */
  loadOlder(before: () => void): void {
    if (this.loadingOlder.value || !this.view.hasMore.value) return;
    this.loadingOlder.value = true;
    const done = (): void => {
      before();
      this.#show();
      this.loadingOlder.value = false;
    };
    this.#open.loadOlder().then(done, () => setTimeout(done, AGAIN_MS));
  }

  retry(): void {
    this.#open.retry();
  }

  close(): void {
    this.#closed = true;
    this.#open.close();
  }
}
