/**
 * A model that calls tools as its question says: "use read unsafe, then read" calls two at once, and one when it has
 * their results; then it is done. Each call has the mark `<place>` of its name in the question, and an id of its own at
 * every request, as providers give them.
 */
import type { ModelMessage, ModelProvider, ModelRequest, ModelSink } from "../../src/ports/model.ts";
import { uuidv7 } from "../../src/protocol/id.ts";

export const CALLER = "caller";

/** Names of the tools to call, by round. */
export const roundsOf = (question: string): readonly (readonly string[])[] =>
  question
    .replace(/^use /, "")
    .split(", then ")
    .map((round) => round.split(" "));

export const markOf = (round: number, name: string): string => `${round}-${name}`;

/** All that it says to such a question. */
export const callerSays = (question: string): string =>
  `${roundsOf(question)
    .map((_, round) => `Round ${round + 1}. `)
    .join("")}Done.`;

function answer({ messages }: ModelRequest, sink: ModelSink): "tool-calls" | "end" {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const round = messages.slice(asked).filter(({ role }) => role === "tool").length;
  const names = roundsOf(textOf(messages[asked]))[round];
  if (names === undefined) {
    sink.text("Done.");
    return "end";
  }
  sink.text(`Round ${round + 1}. `);
  for (const name of names) {
    const id = uuidv7();
    sink.toolCall(id, name);
    sink.toolArgs(id, JSON.stringify({ mark: markOf(round, name) }));
  }
  return "tool-calls";
}

const textOf = (message: ModelMessage | undefined): string =>
  message?.role === "user" ? message.content.map((part) => (part.type === "text" ? part.text : "")).join("") : "";

export const callerModel: ModelProvider = {
  name: CALLER,
  // A demo is never the default.
  list: () => [{ id: CALLER, provider: CALLER, name: "Caller", demo: true, available: true }],
  passesThrough: false,
  stream: (request, sink) =>
    Promise.resolve({ stop: answer(request, sink), usage: { inputTokens: 1, outputTokens: 1 } }),
  close: () => {},
};
