/** What the outbox sends: a message of a person, or the wish for another answer. */
import type { ParamsInput, Result } from "../protocol/methods.ts";
import type { WhenBusy } from "../protocol/methods/chat.ts";
import type { FilePart } from "../protocol/shapes.ts";

/** What it is about, where it is no new message. */
export type Target =
  /** It takes the place of this message, on a branch of its own. */
  | { readonly kind: "edit"; readonly messageId: string }
  /** Another answer beside this one. */
  | { readonly kind: "regenerate"; readonly messageId: string }
  /** Another answer to what this run failed to answer. */
  | { readonly kind: "retry"; readonly runId: string };

/** What a storage keeps. */
export interface StoredMessage {
  readonly clientMessageId: string;
  readonly idempotencyKey: string;
  readonly conversationId: string;
  /** "" where only another answer is asked for. */
  readonly text: string;
  readonly target?: Target;
  /** Uploaded before. */
  readonly files?: readonly FilePart[];
  readonly model?: string;
  readonly whenBusy?: WhenBusy;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Who wrote it, if that was known: it is sent for nobody else. */
  readonly userId?: string;
}

/** A call of the client; rejects with a ParleyError. */
export type SendCall = <M extends "chat.send" | "chat.edit" | "chat.regenerate" | "run.retry">(
  method: M,
  params: ParamsInput<M>,
) => Promise<Result<M>>;

/** The same call each time, with the same key: it has one effect [W10]. */
export function deliver(call: SendCall, message: StoredMessage): Promise<Result<"chat.send">> {
  const { target, conversationId, idempotencyKey, model, whenBusy } = message;
  const chosen = model === undefined ? {} : { model };
  switch (target?.kind) {
    case undefined:
      return call("chat.send", {
        ...said(message),
        ...chosen,
        ...(whenBusy === undefined ? {} : { whenBusy }),
      });
    case "edit":
      return call("chat.edit", { ...said(message), ...chosen, messageId: target.messageId });
    case "regenerate":
      return call("chat.regenerate", { conversationId, idempotencyKey, ...chosen, messageId: target.messageId });
    case "retry":
      return call("run.retry", { runId: target.runId, idempotencyKey });
  }
}

const said = ({ conversationId, text, files = [], idempotencyKey, clientMessageId }: StoredMessage) => ({
  conversationId,
  text,
  ...(files.length === 0 ? {} : { parts: files.map(({ type, fileId }) => ({ type, fileId })) }),
  idempotencyKey,
  clientMessageId,
});
