import type { Announcement, Idempotency, RunStore, Scope, SendInput, SendResult, Sent } from "../ports/store.ts";
import type { Conversation, FilePart, Message } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { insertClaimed } from "./store.accept.ts";
import { announce, branchSelected, messageCreated, onUser, renamed, runUpdated } from "./store.announce.ts";
import { findPlaced } from "./store.branches.ts";
import { filePartsOf, useFiles } from "./store.files.ts";
import { repeated } from "./store.idempotency.ts";
import { askToStop, endUnclaimed, moveQueueBehind } from "./store.queue.ts";
import { saidMessage, toConversation } from "./store.rows.ts";
import { steerWith } from "./store.steers.ts";
import {
  brokenConstraint,
  insertTurn,
  newRun,
  readState,
  refusePromised,
  refuseTaken,
  type State,
} from "./store.turns.ts";

export const createSendStore = (database: Database): Pick<RunStore, "send"> => ({
  async send(scope, input, idempotency) {
    const { conversationId, editOf } = input;
    if (!isId(conversationId) || (editOf !== undefined && !isId(editOf))) return { ok: false, reason: "NOT_FOUND" };
    const own = { ...input, userMessageId: input.userMessageId.toLowerCase() };
    try {
      const work = () =>
        database.transaction(scope, (tx) => send(tx, scope, own, idempotency), { lock: conversationId });
      // Another transaction committed the key meanwhile: the next one reads what was answered under it.
      const sent = (await work()) ?? (await work());
      if (sent === undefined) throw new Error("A key was refused and is not there");
      return sent;
    } catch (error) {
      // It was deleted at this very moment.
      if (brokenConstraint(error)?.startsWith("file_uses_file_id")) return { ok: false, reason: "NO_FILE" };
      throw refuseTaken(error);
    }
  },
});

/** undefined: the key came to be while this transaction ran, and nothing was written. */
async function send(
  tx: Transaction,
  scope: Scope,
  input: SendInput,
  idempotency: Idempotency,
): Promise<SendResult | undefined> {
  const { conversationId, userMessageId, editOf } = input;
  const state = await readState(tx, conversationId, idempotency, userMessageId);
  if (state === undefined) return { ok: false, reason: "NOT_FOUND" };
  const { method, paramsHash, result } = state;
  if (method !== null && paramsHash !== null) return repeated<Sent>({ method, paramsHash, result }, idempotency);
  refusePromised(state);

  const files = await filePartsOf(tx, input.fileIds);
  if (files === undefined) return { ok: false, reason: "NO_FILE" };
  if (editOf !== undefined) {
    const edited = await findPlaced(tx, conversationId, editOf);
    if (edited?.role !== "user") return { ok: false, reason: "NOT_FOUND" };
    return start(tx, scope, state, input, files, idempotency, edited.parentId);
  }
  const steered = await steerWith(tx, scope, state, input, files, idempotency);
  return steered ?? start(tx, scope, state, input, files, idempotency, undefined);
}

/** Who waits, who goes first, and who must stop, when a message meets the conversation in this state. */
function place(state: State, { whenBusy, maxQueued, editOf }: SendInput) {
  const { currentId, currentStatus, currentQuestion, headMessageId, waiting } = state;
  const idle = currentId === null;
  const how = editOf === undefined ? whenBusy : "queue";
  if (!idle && how === "reject") return { refused: "BUSY" } as const;
  const interrupt = !idle && how === "interrupt";
  const claimed = currentStatus === "running" || currentStatus === "waiting";
  const first = idle || (interrupt && !claimed);
  if (!first && waiting >= maxQueued) return { refused: "QUEUE_FULL" } as const;
  return {
    refused: undefined,
    /** It is the conversation's current run from now on; else it waits. */
    first,
    toTheFront: interrupt,
    /** A claimed run is asked to stop. */
    stopping: interrupt && claimed ? currentId : null,
    /** One that its sender was told is running, though nobody has claimed it yet, ends here and now. */
    ending: interrupt && !claimed && currentQuestion === headMessageId ? currentId : null,
  };
}

/** `branchFrom`: the message that both this one and the one that it replaces follow; undefined when it replaces none. */
async function start(
  tx: Transaction,
  scope: Scope,
  state: State,
  input: SendInput,
  files: readonly FilePart[],
  idempotency: Idempotency,
  branchFrom: string | null | undefined,
): Promise<SendResult | undefined> {
  const { conversationId, runId, userMessageId, assistantMessageId, deadlineMs } = input;
  const placed = place(state, input);
  if (placed.refused !== undefined) return { ok: false, reason: placed.refused };
  const { first } = placed;
  const branches = branchFrom !== undefined;

  const message: Message = saidMessage({
    id: userMessageId,
    conversationId,
    parentId: branches ? branchFrom : first ? state.headMessageId : null,
    author: scope.userId,
    parts: [{ type: "text", text: input.text }, ...files],
    createdAt: tx.now,
    runId,
  });
  const position = Number(state.lastPosition) + 1;
  const model = typeof input.model === "string" ? input.model : input.model(state.model);
  const run = newRun({ id: runId, conversationId, model, userMessageId, assistantMessageId, position }, tx.now);
  const conversation: Conversation = {
    ...toConversation(state),
    title: state.title || input.title,
    headMessageId: first ? userMessageId : state.headMessageId,
    updatedAt: tx.now,
  };
  const sent: Sent = { runId, userMessageId, state: first ? "running" : "queued", interrupted: placed.stopping };
  const rows: Announcement[] = [
    messageCreated(scope, message),
    ...(first ? [] : [runUpdated(scope, run)]),
    ...(first && branches ? [branchSelected(scope, conversationId, userMessageId)] : []),
    ...renamed(scope, state, conversation),
    onUser(scope, { type: "CUSTOM", name: "conversation.updated", value: { conversation } }),
  ];
  const turn = {
    run,
    deadlineMs,
    placed: first || branches,
    said: message,
    conversation,
    first,
    announce: rows,
  };
  const last = files.length === 0 && !placed.toTheFront;
  if (input.claim !== undefined && state.currentId === null) {
    const claimed = await insertClaimed(tx, scope, turn, idempotency, sent, input.claim, last);
    if (claimed === undefined) return undefined;
    await useFiles(tx, scope, conversationId, files);
    return { ok: true, value: sent, repeated: false, announce: rows, claimed };
  }
  if (!(await insertTurn(tx, scope, turn, idempotency, sent, last))) return undefined;
  await useFiles(tx, scope, conversationId, files);

  if (placed.toTheFront) {
    // [R2] The rest of an interruption: stops or ends the current run, and puts the queue behind the new one.
    const more = [
      ...(placed.stopping === null ? [] : await askToStop(tx, scope, placed.stopping)),
      ...(placed.ending === null ? [] : await endUnclaimed(tx, scope, placed.ending)),
      ...(await moveQueueBehind(tx, run)).map((moved) => runUpdated(scope, moved)),
    ];
    rows.push(...(await announce(tx, more)));
  }
  return { ok: true, value: sent, repeated: false, announce: rows };
}
