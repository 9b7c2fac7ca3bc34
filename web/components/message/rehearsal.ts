/**
 * A question and answers that nobody sees are shown once when the page is idle: what the browser has to read and to
 * compile for the first message, table and code is not waited for by whoever opens a conversation or reads an answer.
 * The first number that is written in a language is the dearest part of it: its data is read, 40 to 110 ms slowed four
 * times.
 */
import { html, render } from "lit";
import { EMPTY } from "../../../src/client/transcript.ts";
import type { Message } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { TranscriptView } from "../../store/transcript-view.ts";

const ANSWERS = [
  "A *word*, `code` and [a link](https://example.com).\n\n## Part\n\n- one\n  - **two**\n\n1. two\n",
  "| a | b |\n|---|---|\n| c | d |\n",
  "```ts\na\n```\n",
];

const messageOf = (role: Message["role"], text: string, i = 0): Message => ({
  id: `rehearsal-${i}`,
  conversationId: "",
  parentId: role === "user" ? null : "rehearsal-0",
  role,
  author: "",
  parts: [{ type: "text", text }],
  status: "complete",
  createdAt: "",
  runId: null,
  ...(role === "assistant" && { usage: { inputTokens: 1, outputTokens: 1, costMicros: 1 } }),
});

export async function rehearse(app: AppStore): Promise<void> {
  // Somebody was faster.
  if (app.current.peek() !== undefined) return;
  const messages = [messageOf("user", "…"), ...ANSWERS.map((answer, i) => messageOf("assistant", answer, i + 1))];
  const settled = new Map(messages.map((message) => [message.id, message]));
  const view = new TranscriptView();
  view.commit({ ...EMPTY, settled, order: [...settled.keys()], loaded: [...settled.keys()] });
  const house = document.createElement("div");
  house.hidden = true;
  const stage = house.attachShadow({ mode: "closed" });
  document.body.append(house);
  const shown = view.turns.peek().flatMap((turn) => turn.messages);
  for (const message of shown) {
    render(html`<parley-message .app=${app} .message=${message} .answered=${true}></parley-message>`, stage);
    await new Promise((resolve) => setTimeout(resolve));
  }
  house.remove();
}
