/** The parts of an answer, each by the element of its kind. Read here is only which parts there are, not what they say. */
import type { ReadonlySignal } from "@preact/signals-core";
import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Part } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { type Block, blocksOf } from "./blocks.ts";
import { messageFiles } from "./files.ts";

export function answerParts(app: AppStore, message: MessageView): unknown {
  const parts = message.parts.value;
  const streaming = message.status.value === "streaming";
  return repeat(
    blocksOf(parts.map((part) => part.peek().type)),
    ({ kind, from }) => `${kind}${from}`,
    (block) => answerBlock(app, message, parts, block, streaming),
  );
}

function answerBlock(
  app: AppStore,
  message: MessageView,
  parts: readonly ReadonlySignal<Part>[],
  { kind, from, to }: Block,
  streaming: boolean,
): unknown {
  const source = parts[from];
  const growing = streaming && to === parts.length;
  switch (kind) {
    case "text":
      return html`<parley-markdown
        .source=${source}
        ?streaming=${streaming}
        .files=${app.fileAccess.kind === "own"}
      ></parley-markdown>`;
    case "reasoning":
      return html`<parley-reasoning
        .app=${app}
        .messageId=${message.id}
        .index=${from}
        .source=${source}
        .growing=${growing}
        .since=${beganAt(message, parts[from - 1]?.peek(), from)}
      ></parley-reasoning>`;
    case "tool":
      return html`<parley-tools .app=${app} .messageId=${message.id} .parts=${parts.slice(from, to)}></parley-tools>`;
    case "file": {
      const file = source?.peek();
      return file?.type === "file" ? messageFiles([file], app.fileAccess) : "";
    }
  }
}

/** A thought begins with its answer, or when the call before it has ended. Milliseconds since 1970. */
function beganAt({ createdAt }: MessageView, before: Part | undefined, index: number): number | undefined {
  const time = index === 0 ? createdAt : before?.type === "tool" ? before.finishedAt : undefined;
  return time === undefined || time === "" ? undefined : Date.parse(time);
}
