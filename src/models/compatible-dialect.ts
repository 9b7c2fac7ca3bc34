/**
 * Where servers of OpenAI's chat completions differ in what they accept. What they send is read without asking who
 * sent it (compatible-answer.ts); what they are sent depends on it in a few places.
 */
import { createHash } from "node:crypto";

export interface Dialect {
  /** Ask for the usage, with `stream_options`. Mistral refuses the field, and always tells it. */
  readonly asksUsage: boolean;
  /**
   * Ids of tool calls: `any`; `nine` letters or digits (Mistral, also as served by vLLM); `counted`, as
   * `functions.<name>:<n>` over the whole conversation (Kimi).
   */
  readonly callIds: "any" | "nine" | "counted";
  /** May a question follow the results of tools? Mistral's templates want words of the assistant between them. */
  readonly userAfterTools: boolean;
  /**
   * A message that called tools needs `reasoning_content`, in every request from then on, even if it is empty
   * (https://api-docs.deepseek.com/guides/thinking_mode).
   */
  readonly reasoningWithCalls: boolean;
  /** Send back the reasoning of this run's earlier answers, in the form in which it came. */
  readonly continuation: boolean;
}

export function dialectOf(baseUrl: string, model: string): Dialect {
  const host = hostOf(baseUrl);
  const mistralHost = /(^|\.)mistral\.ai$/.test(host);
  const mistral = mistralHost || /(?:mi[sx]tral|ministral|magistral|codestral|devstral|pixtral|voxtral)/i.test(model);
  return {
    asksUsage: !mistralHost,
    callIds: mistral ? "nine" : /kimi-k\d/i.test(model) ? "counted" : "any",
    userAfterTools: !mistral,
    reasoningWithCalls: /(^|\.)deepseek\.com$/.test(host),
    continuation: true,
  };
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : "");

/** The id as the server takes it; the same for the same id. Called in the order of the calls. */
export function callIdWriter(kind: Dialect["callIds"]): (toolCallId: string, name: string) => string {
  const known = new Map<string, string>();
  return (toolCallId, name) => {
    const before = known.get(toolCallId);
    if (before !== undefined) return before;
    const id = write(kind, toolCallId, name, known.size);
    known.set(toolCallId, id);
    return id;
  };
}

function write(kind: Dialect["callIds"], toolCallId: string, name: string, index: number): string {
  switch (kind) {
    case "any":
      return toolCallId;
    case "nine":
      return /^[A-Za-z0-9]{9}$/.test(toolCallId)
        ? toolCallId
        : createHash("sha256").update(toolCallId).digest("hex").slice(0, 9);
    case "counted":
      return `functions.${name}:${index}`;
  }
}
