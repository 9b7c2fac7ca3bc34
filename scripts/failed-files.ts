/** A reporter of node:test: each failed test's file, name and error, for `scripts/test.ts`. */
import { relative } from "node:path";
import { inspect } from "node:util";

/** What this reads of https://nodejs.org/docs/latest-v22.x/api/test.html#event-testfail. */
interface TestEvent {
  readonly type: string;
  readonly data: { readonly name?: string; readonly file?: string; readonly details?: { readonly error?: unknown } };
}

export default async function* failedFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== "test:fail" || data.file === undefined) continue;
    yield `file ${relative(".", data.file)}\n  ${data.name}\n`;
    yield `${inspect(data.details?.error, { depth: 4 }).replaceAll(/^/gmu, "    ")}\n`;
  }
}
