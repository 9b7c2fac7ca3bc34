/** Those that are a few lines each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import type { ModelInfo } from "../../src/protocol/shapes.ts";
import { createClock } from "./clock.ts";
import { isPicture, mediaTypeOf, sizeText } from "./file-kind.ts";
import { memoryStorage } from "./memory-storage.fake.ts";
import { modelChoice, modelGroups } from "./model-choice.ts";
import { createSendMode } from "./send-mode.ts";
import { createThoughtTimes, MAX_THOUGHTS } from "./thought-times.ts";

test("the way to send is kept on the device, and what is no way is queue", () => {
  const storage = memoryStorage();
  assert.equal(createSendMode(storage).value, "queue");
  createSendMode(storage).value = "steer";
  assert.equal(createSendMode(storage).value, "steer");
  storage.set("send-mode", "shout");
  assert.equal(createSendMode(storage).value, "queue");
});

test("how long a model thought is remembered, for the latest of its thoughts", () => {
  const storage = memoryStorage();
  const [one, other] = [createThoughtTimes(storage), createThoughtTimes(storage)];
  one.write("m", 0, 4_000);
  other.write("n", 2, 5_000);
  const later = createThoughtTimes(storage);
  assert.deepEqual([later.read("m", 0), later.read("n", 2), later.read("m", 1)], [4_000, 5_000, undefined]);
  for (let i = 0; i < MAX_THOUGHTS; i++) later.write("x", i, i);
  assert.deepEqual([later.read("m", 0), later.read("x", MAX_THOUGHTS - 1)], [undefined, MAX_THOUGHTS - 1]);
  for (const text of ["{", "{}", "[1, null, [2, 3]]"]) {
    storage.set("thoughts", text);
    assert.equal(createThoughtTimes(storage).read("m", 0), undefined);
  }
});

test("the clock is the server's, and ticks only while somebody looks", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let own = 1_000_000;
  const clock = createClock(() => own);
  clock.set(new Date(own + 60_000).toISOString());
  clock.set("no time");
  assert.equal(clock.read(), own + 60_000);
  clock.set(new Date(own - 900).toISOString());
  assert.equal(clock.read(), own, "a message that took its time");
  clock.set(new Date(own + 60_000).toISOString());
  const seen: number[] = [];
  const stop = effect(() => void seen.push(clock.now.value));
  own += 1_000;
  t.mock.timers.tick(1_000);
  stop();
  own += 1_000;
  t.mock.timers.tick(1_000);
  assert.deepEqual(seen, [1_060_000, 1_061_000]);
  assert.equal(clock.read(), 1_062_000);
});

const model = (id: string, changes: Partial<ModelInfo> = {}): ModelInfo => ({
  id,
  provider: id.split("/")[0] ?? "",
  name: id.toUpperCase(),
  available: true,
  ...changes,
});

test("the first wish that can be fulfilled is asked for; without one, the server chooses", () => {
  const models = [model("a/off", { available: false }), model("demo", { demo: true }), model("b/on")];
  assert.equal(modelChoice(undefined, ["b/on"]), undefined);
  assert.deepEqual(modelChoice(models, [undefined, null]), { id: undefined, name: "B/ON" });
  assert.deepEqual(modelChoice(models, ["a/off", "demo"]), { id: "demo", name: "DEMO" });
  assert.deepEqual(modelChoice(models, ["b/not-listed"]), { id: "b/not-listed", name: "b/not-listed" });
  assert.deepEqual(modelChoice([model("demo", { demo: true })], []), { id: undefined, name: "DEMO" });
  assert.equal(modelChoice([model("a/off", { available: false })], []), undefined);
});

test("models stand by provider, in the order of the list", () => {
  const groups = modelGroups([model("a/1"), model("b/1"), model("a/2")]);
  assert.deepEqual(
    groups.map(({ provider, models }) => [provider, ...models.map(({ id }) => id)]),
    [
      ["a", "a/1", "a/2"],
      ["b", "b/1"],
    ],
  );
});

test("files are sent as what the server takes them for", () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ["a.png", "image/png", "image/png"],
    ["a.txt", "text/plain; charset=utf-8", "text/plain"],
    ["main.ts", "video/mp2t", "text/plain"],
    ["notes.md", "", "text/plain"],
    ["drawing.svg", "image/svg+xml", "text/plain"],
    ["a.pdf", "application/pdf", "application/pdf"],
    ["a.zip", "application/zip", undefined],
    ["photo.heic", "image/heic", undefined],
    ["noname", "", undefined],
  ];
  for (const [name, type, sent] of cases) assert.equal(mediaTypeOf(name, type), sent, name);
  assert.deepEqual([isPicture("image/png"), isPicture("image/svg+xml")], [true, false]);
});

test("sizes are said as file managers say them", () => {
  const cases = { 0: "0 B", 999: "999 B", 1000: "1.0 KB", 12_345: "12 KB", 1_468_006: "1.4 MB", 10_485_760: "10 MB" };
  for (const [bytes, text] of Object.entries(cases)) assert.equal(sizeText(Number(bytes)), text);
});
