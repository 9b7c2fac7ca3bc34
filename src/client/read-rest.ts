/** Fetches what is missing of parts that came cut. */
import { ParleyError } from "../protocol/errors.ts";
import type { Message, ToolPart } from "../protocol/shapes.ts";
import type { Client } from "./client.ts";
import { asParleyError } from "./errors.ts";
import type { SubscribeOptions } from "./subscriptions.ts";
import { reduce, type TranscriptInput } from "./transcript-reduce.ts";
import { EMPTY, isCut, messageOf, type Transcript } from "./transcript.ts";

/** A server that answers without getting on is not asked for ever. */
const MAX_READS = 10_000;

/** `apply` is given what came; `current` answers the message as it is then. Rejects as calls do. */
export async function readRest(
  client: Client,
  current: () => Message | undefined,
  apply: (input: TranscriptInput) => void,
  byLink: SubscribeOptions = {},
): Promise<void> {
  for (let reads = 0; reads < MAX_READS; reads++) {
    const message = current();
    const partIndex = message?.parts.findIndex(isCut) ?? -1;
    const part = message?.parts[partIndex];
    if (message === undefined || part === undefined || part.type === "file") return;
    if (part.type === "tool") {
      const whole = await readTool(client, { messageId: message.id, partIndex, ...byLink });
      apply({ type: "whole", messageId: message.id, partIndex, part: whole });
      // It has gone on meanwhile, and its news are on their way.
      if (current()?.parts[partIndex] === part) return;
      continue;
    }
    const offset = part.text.length;
    const read = await client.call("message.read", { messageId: message.id, partIndex, offset, ...byLink });
    apply({ type: "rest", messageId: message.id, partIndex, offset, ...read });
    if (read.text === "") return;
  }
}

/** A tool call comes as its JSON, in pieces. It may change while it is read: then it is read anew. */
async function readTool(
  client: Client,
  part: SubscribeOptions & { readonly messageId: string; readonly partIndex: number },
): Promise<ToolPart> {
  let [json, length] = ["", Infinity];
  for (let reads = 0; reads < MAX_READS; reads++) {
    const read = await client.call("message.read", { ...part, offset: json.length });
    if (length !== Infinity && read.length !== length) {
      [json, length] = ["", Infinity];
      continue;
    }
    json += read.text;
    length = read.length;
    if (json.length >= length) return JSON.parse(json) as ToolPart;
    if (read.text === "") break;
  }
  throw new ParleyError("UNAVAILABLE", { message: "The tool call could not be read." });
}

/** `message` with all of its parts, for whoever keeps no transcript. Rejects with a `ParleyError`. */
export async function readWhole(client: Client, message: Message): Promise<Message> {
  let whole: Transcript = { ...EMPTY, settled: new Map([[message.id, message]]) };
  try {
    await readRest(
      client,
      () => messageOf(whole, message.id),
      (input) => (whole = reduce(whole, input).state),
    );
  } catch (error) {
    throw asParleyError(error);
  }
  return messageOf(whole, message.id) ?? message;
}
