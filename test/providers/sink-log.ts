/** A sink that writes down what it gets, and refuses what its contract forbids. */
import assert from "node:assert/strict";
import type { ModelSink } from "../../src/ports/model.ts";

export type SinkCall =
  | readonly ["text", string]
  | readonly ["reasoning", string]
  | readonly ["toolCall", string, string]
  | readonly ["toolArgs", string, string];

export interface SinkLog {
  readonly sink: ModelSink;
  readonly calls: readonly SinkCall[];
  /** No call may come from now on: one that does fails the test, as an error out of the sink. */
  close(): void;
}

export function sinkLog(): SinkLog {
  const calls: SinkCall[] = [];
  const ids = new Set<string>();
  let open = true;
  const add = (call: SinkCall) => {
    calls.push(call);
    assert.ok(open, `called after the abort: ${JSON.stringify(call)}`);
    assert.notEqual(call.at(-1), "", "a delta is not empty");
  };
  return {
    calls,
    close() {
      open = false;
    },
    sink: {
      text: (delta) => add(["text", delta]),
      reasoning: (delta) => add(["reasoning", delta]),
      toolCall(toolCallId, name) {
        assert.ok(!ids.has(toolCallId), `the id ${toolCallId} is given twice`);
        ids.add(toolCallId);
        add(["toolCall", toolCallId, name]);
      },
      toolArgs(toolCallId, delta) {
        assert.ok(ids.has(toolCallId), `arguments of ${toolCallId}, which has not begun`);
        add(["toolArgs", toolCallId, delta]);
      },
    },
  };
}
