import assert from "node:assert/strict";
import test from "node:test";
import { toolContext } from "../../test/support/tool-context.ts";
import { createResearch } from "./research.ts";

test("research answers the same outline each time, and says how far it is", async () => {
  const said: unknown[] = [];
  const context = toolContext({ progress: (...progress) => void said.push(progress) });
  const research = createResearch({ stepMs: 1 });
  const first = (await research.run({ topic: "otters" }, context)) as { outline: string[]; note: string };
  assert.deepEqual(await research.run({ topic: "otters" }, toolContext()), first);
  assert.equal(first.outline.length, 5);
  assert.equal(first.outline[0], "What exactly is meant by otters, and what is not?");
  assert.match(first.note, /no source was read/);
  assert.deepEqual(said, [
    ["otters: meaning", 0],
    ["otters: people", 0.2],
    ["otters: evidence", 0.4],
    ["otters: objections", 0.6],
    ["otters: open ends", 0.8],
    ["otters: done", 1],
  ]);
});

test("research ends when it is stopped", async () => {
  const stop = new AbortController();
  const running = createResearch({ stepMs: 60_000 }).run({ topic: "otters" }, toolContext({ signal: stop.signal }));
  stop.abort();
  await assert.rejects(running, { name: "AbortError" });
});
