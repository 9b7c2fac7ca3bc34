/** Events of the Messages API's stream, in the order and form that its documentation gives. */
import { type Reply, sse, streamed, type StreamOptions } from "./sse-server.ts";

export type AnthropicEvent = { readonly type: string; readonly [field: string]: unknown };

export type WireBlock =
  | { readonly text: readonly string[] }
  | { readonly thinking: readonly string[]; readonly signature: string }
  | { readonly redacted: string }
  | { readonly call: string; readonly name: string; readonly args: readonly string[] };

interface WireAnswer {
  readonly stop?: string;
  readonly usage?: Readonly<Record<string, unknown>>;
  readonly finalUsage?: Readonly<Record<string, unknown>>;
}

export function anthropicEvents(blocks: readonly WireBlock[], answer: WireAnswer = {}): AnthropicEvent[] {
  const {
    stop = "end_turn",
    usage = { input_tokens: 10, output_tokens: 1 },
    finalUsage = { output_tokens: 20 },
  } = answer;
  return [
    {
      type: "message_start",
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "claude-opus-5-5",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage,
      },
    },
    ...blocks.flatMap(blockEvents),
    { type: "message_delta", delta: { stop_reason: stop, stop_sequence: null }, usage: finalUsage },
    { type: "message_stop" },
  ];
}

function blockEvents(block: WireBlock, index: number): AnthropicEvent[] {
  const around = (content_block: object, deltas: readonly object[]): AnthropicEvent[] => [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
  if ("text" in block) {
    return around(
      { type: "text", text: "" },
      block.text.map((text) => ({ type: "text_delta", text })),
    );
  }
  if ("thinking" in block) {
    return around({ type: "thinking", thinking: "", signature: "" }, [
      ...block.thinking.map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature: block.signature },
    ]);
  }
  if ("redacted" in block) return around({ type: "redacted_thinking", data: block.redacted }, []);
  return around(
    { type: "tool_use", id: block.call, name: block.name, input: {} },
    block.args.map((partial_json) => ({ type: "input_json_delta", partial_json })),
  );
}

/** With the pings that come between events. */
export function anthropicText(events: readonly AnthropicEvent[], lineEnd?: "\n" | "\r\n"): string {
  const ping = { event: "ping", data: '{"type":"ping"}' };
  const [first, ...rest] = events.map((event) => ({ event: event.type, data: JSON.stringify(event) }));
  return sse(first === undefined ? [ping] : [first, ping, ...rest], lineEnd);
}

export const anthropicReply = (blocks: readonly WireBlock[], answer?: WireAnswer, options?: StreamOptions): Reply =>
  streamed(anthropicText(anthropicEvents(blocks, answer)), options);
