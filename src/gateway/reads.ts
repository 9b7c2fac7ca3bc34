/** Reads that combine log and store, the log first [L11]. */
import type { EventLog, TopicState } from "../ports/event-log.ts";
import type { ReadService } from "../ports/services.ts";
import type { Reader, Scope, Store } from "../ports/store.ts";
import { MAX_FRAME_OUT } from "../protocol/constants.ts";
import { readableText } from "../protocol/cut-part.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Params, Result } from "../protocol/methods.ts";
import { readerOf } from "../sessions/share-reader.ts";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import { jsonBytes, jsonFit } from "./json-text.ts";
import { fitMessages, NOTHING_FOLLOWS, overlay, streamedPart } from "./snapshot.ts";

/** JSON bytes of a result: a frame, less the response around it. */
const RESULT_BYTES = MAX_FRAME_OUT - 4 * 1024;
/** UTF-16 units of one `message.read`. */
const CHUNK_UNITS = 60_000;
const DEFAULT_LIMIT = 50;
const LOG_MS = 5_000;

export interface ReadsOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly clock: Clock;
}

export class Reads implements ReadService {
  readonly #log: EventLog;
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ log, store, clock }: ReadsOptions) {
    this.#log = log;
    this.#store = store;
    this.#clock = clock;
  }

  async conversation(scope: Scope, params: Params<"conversation.get">): Promise<Result<"conversation.get">> {
    const { conversationId, before, limit = DEFAULT_LIMIT, shareToken } = params;
    const state = await this.#state(conversationId);
    const page = await this.#store.conversations.messages(readerOf(scope, shareToken), conversationId, {
      before,
      limit,
      maxBytes: RESULT_BYTES,
    });
    if (page === null) throw new ParleyError("NOT_FOUND");
    const room = RESULT_BYTES - jsonBytes(page.conversation);
    const { messages, leftOut } = fitMessages(overlay(page.messages, state?.accumulators ?? []), room, NOTHING_FOLLOWS);
    return {
      conversation: page.conversation,
      messages: [...messages],
      hasMore: page.hasMore || leftOut,
      position: state === null ? null : { epoch: state.epoch, seq: state.seq },
    };
  }

  async part(scope: Scope, params: Params<"message.read">): Promise<Result<"message.read">> {
    const { messageId, partIndex, offset, shareToken } = params;
    const text = await this.#partText(readerOf(scope, shareToken), messageId, partIndex);
    const end = jsonFit(text, offset, RESULT_BYTES, CHUNK_UNITS);
    return { text: text.slice(offset, end), length: text.length };
  }

  /** What the row has is a finished step's, and whole; what it does not have yet may grow in the log. */
  async #partText(reader: Reader, messageId: string, partIndex: number): Promise<string> {
    const stored = await this.#store.conversations.part(reader, messageId, partIndex);
    if (stored === null) throw new ParleyError("NOT_FOUND");
    if (stored.part !== null) return readableText(stored.part);
    if (stored.status !== "streaming") throw new ParleyError("NOT_FOUND");
    const state = await this.#state(stored.conversationId);
    const accumulator = state?.accumulators.find(
      (part) => part.messageId === messageId && part.partIndex === partIndex,
    );
    if (accumulator !== undefined) return readableText(streamedPart(accumulator));
    // It may have finished since the first look: then its row has it now.
    const again = await this.#store.conversations.part(reader, messageId, partIndex);
    if (again === null || again.part === null) throw new ParleyError("NOT_FOUND");
    return readableText(again.part);
  }

  #state(conversationId: string): Promise<TopicState | null> {
    return withDeadline(this.#clock, LOG_MS, this.#log.state(`conversation:${conversationId}`));
  }
}
