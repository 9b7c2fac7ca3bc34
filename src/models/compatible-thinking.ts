/**
 * Takes `<think>…</think>` out of a text: how models think aloud whose server does not tell thinking apart (LM Studio,
 * older Ollama, llama.cpp). Only at the start of an answer: later on, the tag is text. A model whose opening tag
 * stands in the prompt can't be told from one that writes `</think>` for the fun of it, so that is text too.
 */
export interface ThinkingSplitter {
  push(delta: string): void;
  /** The thinking is told elsewhere: all of the text is text. */
  off(): void;
  /** Gives what was held back, as it may have become a tag; but no white space alone. */
  end(): void;
}

const OPEN = "<think>";
const CLOSE = "</think>";

export function createThinkingSplitter(
  text: (delta: string) => void,
  reasoning: (delta: string) => void,
): ThinkingSplitter {
  let state: "start" | "thinking" | "thought" | "text" = "start";
  /** Could still become a tag, or is white space beside one. */
  let held = "";
  /** White space at the start of the thinking is left out. */
  let begun = false;

  const emit = (to: (delta: string) => void, delta: string) => {
    if (delta !== "") to(delta);
  };

  function push(delta: string): void {
    if (state === "text") return emit(text, delta);
    held += delta;
    if (state === "start") start();
    if (state === "thinking") think();
    if (state === "thought") afterThought();
  }

  function start(): void {
    const opening = held.trimStart();
    if (opening.startsWith(OPEN)) {
      state = "thinking";
      held = opening.slice(OPEN.length);
    } else if (!OPEN.startsWith(opening)) {
      release();
    }
  }

  function think(): void {
    if (!begun) held = held.trimStart();
    begun ||= held !== "";
    const close = held.indexOf(CLOSE);
    if (close >= 0) {
      emit(reasoning, held.slice(0, close).trimEnd());
      held = held.slice(close + CLOSE.length);
      state = "thought";
      return;
    }
    // White space in front of the closing tag, and what may be its beginning.
    const keep = /\s*(?:<(?:\/(?:t(?:h(?:i(?:n(?:k)?)?)?)?)?)?)?$/.exec(held)?.[0].length ?? 0;
    emit(reasoning, held.slice(0, held.length - keep));
    held = held.slice(held.length - keep);
  }

  function afterThought(): void {
    held = held.trimStart();
    if (held !== "") release();
  }

  function release(): void {
    const rest = held;
    held = "";
    state = "text";
    emit(text, rest);
  }

  return {
    push,
    off() {
      if (state === "start") release();
    },
    end() {
      if (held.trim() === "") held = "";
      if (state === "thinking") emit(reasoning, held);
      else emit(text, held);
      held = "";
      state = "text";
    },
  };
}
