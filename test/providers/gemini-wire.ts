/** Events of `streamGenerateContent`, in the form that its documentation gives. */
import { type Reply, sse, streamed, type StreamOptions } from "./sse-server.ts";

export type WirePart =
  | { readonly text: string; readonly thoughtSignature?: string }
  | { readonly text: string; readonly thought: true }
  | {
      readonly functionCall: { readonly name: string; readonly args?: object; readonly id?: string };
      readonly thoughtSignature?: string;
    };

/** Each list is the parts of one event; the last event says why it ended. */
export function geminiEvents(events: readonly (readonly WirePart[])[], finishReason = "STOP"): object[] {
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 20, totalTokenCount: 30 };
  const told = events.map((parts) => ({
    candidates: [{ content: { parts, role: "model" }, index: 0 }],
    usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 },
  }));
  return [...told, { candidates: [{ finishReason, index: 0 }], usageMetadata }];
}

export const geminiText = (events: readonly object[], lineEnd?: "\n" | "\r\n"): string =>
  sse(
    events.map((event) => ({ data: JSON.stringify(event) })),
    lineEnd,
  );

export const geminiReply = (events: readonly (readonly WirePart[])[], options?: StreamOptions): Reply =>
  streamed(geminiText(geminiEvents(events)), options);
