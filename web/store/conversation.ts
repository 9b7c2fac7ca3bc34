import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { type OpenConversation, openConversation } from "../../src/client/conversation.ts";
import type { SendOptions } from "../../src/client/outbox.ts";
import { isCut, messageOf } from "../../src/client/transcript.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Conversation, FilePart, Message, Run, ToolArgs } from "../../src/protocol/shapes.ts";
import { coalesce, restfully } from "./frame.ts";
import { TranscriptView } from "./transcript-view.ts";

/** Asked again for what could not be fetched, after this long. */
const AGAIN_MS = 5_000;
/** A stop that the server has not confirmed by then may be asked for again. */
const STOP_MS = 5_000;

/** Where the focus goes when another version of a message is there. */
export interface VersionFocus {
  readonly messageId: string;
  readonly direction: "previous" | "next";
}

export type DecisionState =
  | { readonly kind: "deciding"; readonly decision: "approve" | "deny" }
  | { readonly kind: "failed"; readonly error: ParleyError };

/** The conversation that is open: what is shown of it, and what one can do in it. */
export class ConversationStore {
  readonly id: string;
  readonly readOnly: boolean;
  readonly view = new TranscriptView();
  readonly status = signal<"loading" | "open" | "failed">("loading");
  readonly error = signal<ParleyError | undefined>(undefined);
  /** The person asked for a stop, and the run has not ended yet. */
  readonly stopping = signal(false);
  readonly loadingOlder = signal(false);
  /** Messages that this page sent. */
  readonly sentHere = new Set<string>();
  /** Approvals that this page decides or decided. */
  readonly decidedHere = signal<ReadonlySet<string>>(new Set());
  /** By approval: what this page has asked for, or why that did not work. */
  readonly deciding = signal<ReadonlyMap<string, DecisionState>>(new Map());
  /** The model that was chosen here; undefined: none was. */
  readonly chosenModel = signal<string | undefined>(undefined);
  /** The person's message that is being edited. */
  readonly editing = signal<string | undefined>(undefined);
  readonly versionFocus = signal<VersionFocus | undefined>(undefined);
  /** Something is being written, or about to be: no other branch can be shown or begun. */
  readonly busy: ReadonlySignal<boolean> = computed(
    () => this.view.activeRun.value !== undefined || this.view.queued.value.length > 0,
  );
  readonly #client: Client;
  readonly #open: OpenConversation;
  readonly #fetched = signal<ReadonlyMap<string, Run>>(new Map());
  readonly #fetching = new Set<string>();
  #closed = false;

  readonly #failed: (error: unknown) => void;

  /**
   * `failed` is told what a person asked for here and did not get. With the token of a link it is read by that, and only
   * read.
   */
  constructor(client: Client, id: string, failed: (error: unknown) => void = () => undefined, shareToken?: string) {
    this.id = id;
    this.readOnly = shareToken !== undefined;
    this.#client = client;
    this.#failed = failed;
    this.#open = openConversation(client, id, { shareToken });
    const show = coalesce(() => this.#show(), restfully());
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
    for (const message of transcript.settled.values()) if (message.parts.some(isCutText)) this.#readRest(message.id);
    for (const { id, delivery } of transcript.pendingAnswers)
      if (delivery.state === "refused") this.#refused(id, delivery.error);
  }

  /** Another answer was asked for, and will not come: the one that is there is shown again. */
  #refused(id: string, error: ParleyError): void {
    if (this.#client.outbox.discard(id)) this.#failed(error);
  }

  get conversation(): Conversation | undefined {
    return this.#open.state.transcript.conversation;
  }

  /** Is the message here, on any branch? */
  has(messageId: string): boolean {
    return messageOf(this.#open.state.transcript, messageId) !== undefined;
  }

  #interrupts(id: string): boolean {
    return this.#client.outbox.items.some((item) => item.clientMessageId === id && item.whenBusy === "interrupt");
  }

  /** What was left out of a message: calls are read when somebody looks at them. */
  readRest(messageId: string): void {
    this.#readRest(messageId);
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
    if (run.peek() === undefined && this.view.activeRun.peek()?.id !== runId && !this.readOnly) {
      this.#once(`run ${runId}`, async () => {
        const found = await this.#client.call("run.get", { runId });
        this.#fetched.value = new Map(this.#fetched.value).set(runId, found.run);
      });
    }
    return run;
  }

  /** Throws QUEUE_FULL. */
  send(text: string, options: SendOptions = {}): void {
    this.#sent(this.#open.send(text, options).clientMessageId);
  }

  #sent(clientMessageId: string): void {
    this.sentHere.add(clientMessageId);
    this.#show();
  }

  /** Says something else in place of a message, with the same files. Throws QUEUE_FULL. */
  edit(
    messageId: string,
    text: string,
    options: { readonly files: readonly FilePart[]; readonly model?: string },
  ): void {
    this.#sent(this.#open.edit(messageId, text, options).clientMessageId);
  }

  /** Throws QUEUE_FULL. */
  regenerate(messageId: string, options: { readonly model?: string }): void {
    this.#open.regenerate(messageId, options);
    this.#show();
  }

  /** Throws QUEUE_FULL. */
  retryRun(runId: string): void {
    this.#open.retryRun(runId);
    this.#show();
  }

  /** `direction`: the button that was used. */
  selectVersion(messageId: string, direction: VersionFocus["direction"]): void {
    this.versionFocus.value = { messageId, direction };
    this.#open.selectBranch(messageId).catch((error: unknown) => {
      this.versionFocus.value = undefined;
      this.#failed(error);
    });
  }

  /** Of `deciding`, what becomes of it. */
  decide(
    approvalId: string,
    decision: "approve" | "deny",
    options: { readonly args?: ToolArgs; readonly remember?: boolean } = {},
  ): void {
    if (this.deciding.value.get(approvalId)?.kind === "deciding") return;
    this.#setDeciding(approvalId, { kind: "deciding", decision });
    this.decidedHere.value = new Set(this.decidedHere.value).add(approvalId);
    this.#open.decide(approvalId, decision, options).then(
      () => this.#setDeciding(approvalId, undefined),
      (cause: unknown) => {
        const error = cause instanceof ParleyError ? cause : new ParleyError("INTERNAL", { cause });
        this.decidedHere.value = new Set([...this.decidedHere.value].filter((id) => id !== approvalId));
        this.#setDeciding(approvalId, { kind: "failed", error });
      },
    );
  }

  #setDeciding(approvalId: string, state: DecisionState | undefined): void {
    const deciding = new Map(this.deciding.value);
    if (state === undefined) deciding.delete(approvalId);
    else deciding.set(approvalId, state);
    this.deciding.value = deciding;
  }

  stop(): void {
    if (this.view.activeRun.value === undefined || this.stopping.value || this.readOnly) return;
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

const isCutText = (part: Message["parts"][number]): boolean => part.type !== "tool" && isCut(part);
