import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import type { Tool } from "../ports/tool.ts";
import { defineTool, defineTransactionalTool } from "./define.ts";
import { createToolCatalog } from "./registry.ts";

const weather = defineTool({
  name: "weather",
  description: "The weather of a city.",
  effect: "read",
  approval: "never",
  schema: z.strictObject({
    city: z.string().min(1).max(10).describe("Its English name."),
    days: z.int().default(1),
  }),
  summary: ({ city, days }) => `Look up the weather of ${city} for ${days.toFixed()} days.`,
  run: async ({ city }) => city,
});

const note = defineTransactionalTool({
  name: "note",
  description: "Writes a note.",
  effect: "transactional",
  approval: "ask",
  schema: z.strictObject({ text: z.string() }),
  summary: ({ text }) => `Note ${text}.`,
  run: (args, tx) => tx.saveMemory(args.text),
});

test("the list says what a person should know, the specs what a model should", () => {
  const catalog = createToolCatalog([weather, note]);
  assert.deepEqual(catalog.list()[0], {
    name: "weather",
    description: "The weather of a city.",
    effect: "read",
    approval: "never",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string", minLength: 1, maxLength: 10, description: "Its English name." },
        days: { type: "integer", default: 1 },
      },
      required: ["city"],
      additionalProperties: false,
    },
  });
  assert.deepEqual(
    catalog.specs().map((spec) => Object.keys(spec)),
    Array(2).fill(["name", "description", "parameters"]),
  );
  assert.equal(catalog.specs(), catalog.specs());
  assert.equal(catalog.find("note"), note);
  assert.equal(catalog.find("nothing"), undefined);
  assert.equal(catalog.find("toString"), undefined);
});

test("arguments are taken as the schema makes them", () => {
  const catalog = createToolCatalog([weather]);
  assert.deepEqual(catalog.parse(weather, { city: "Ulm" }), { ok: true, args: { city: "Ulm", days: 1 } });
  assert.equal(catalog.refusal("weather", { city: "Ulm" }), undefined);
});

test("what does not fit is told with its place, for the model to mend", () => {
  const catalog = createToolCatalog([weather]);
  const refused = catalog.parse(weather, { city: 5, days: "two", country: "de" });
  assert.ok(!refused.ok);
  assert.deepEqual(refused.message.split("\n"), [
    "The arguments do not fit the tool weather:",
    "- city: Invalid input: expected string, received number",
    "- days: Invalid input: expected number, received string",
    '- Unrecognized key: "country"',
  ]);
  assert.equal(catalog.refusal("weather", { city: 5, days: "two", country: "de" }), refused.message);
  for (const odd of [null, undefined, "Ulm", ["Ulm"], 5]) assert.equal(catalog.parse(weather, odd).ok, false);
});

test("a refusal stays short, whatever was sent", () => {
  const schema = z.strictObject(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, z.string()])));
  const wide: Tool = { ...weather, schema };
  const catalog = createToolCatalog([wide]);
  const refused = catalog.parse(wide, { ["k".repeat(100_000)]: 1 });
  assert.ok(!refused.ok && refused.message.length < 3_000);
  assert.match(refused.message, /- and 41 more$/);
  assert.ok((catalog.refusal("n".repeat(100_000), {}) ?? "").length < 200);
});

test("a tool of its own effect gets defaults that do no harm", () => {
  const unsafe = defineTool({
    name: "launch",
    description: "Launches.",
    effect: "unsafe",
    schema: z.strictObject({}),
    summary: () => "Launch.",
    run: async () => "gone",
  });
  assert.deepEqual([unsafe.approval, unsafe.retries, unsafe.concurrency], ["ask", 0, 8]);
  assert.deepEqual([unsafe.timeoutMs, unsafe.maxResultBytes], [30_000, 32_768]);
  assert.equal(defineTool({ ...unsafe, effect: "unsafe", approval: "never" }).approval, "never");
  assert.equal(weather.retries, 2);
});

test("a tool that is declared wrongly refuses the start, and is named", () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ name: "weather.get" }, /"weather\.get".*letters/],
    [{ name: "" }, /letters/],
    [{ name: "5th" }, /letters/],
    [{ name: "w".repeat(65) }, /letters/],
    [{ description: " " }, /description/],
    [{ description: undefined }, /description/],
    [{ effect: undefined }, /effect/],
    [{ effect: "harmless" }, /effect/],
    [{ approval: undefined }, /approval/],
    [{ timeoutMs: Infinity }, /timeoutMs/],
    [{ maxResultBytes: 1_000_000 }, /maxResultBytes/],
    [{ concurrency: 0 }, /concurrency/],
    [{ retries: -1 }, /retries/],
    [{ effect: "unsafe" }, /never tried again/],
    [{ reconcile: () => Promise.resolve({ state: "unknown" }) }, /reconciled/],
    [{ schema: undefined }, /no JSON Schema/],
    [{ schema: z.strictObject({ a: z.bigint() }) }, /no JSON Schema \(BigInt/],
    [{ schema: z.record(z.string(), z.string()).or(z.strictObject({ a: z.string() })) }, /object's/],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => createToolCatalog([{ ...weather, ...wrong } as Tool]), message);
  }
  assert.throws(() => createToolCatalog([weather, note, weather]), /"weather".*another tool/);
});

test("effect and approval can't be left out", () => {
  const base = { name: "x", description: "X.", schema: z.strictObject({}), summary: () => "", run: async () => 1 };
  // @ts-expect-error no effect
  defineTool({ ...base, approval: "never" });
  // @ts-expect-error a repeatable tool says whether a person is asked
  defineTool({ ...base, effect: "read" });
  // @ts-expect-error an unsafe tool has no retries
  defineTool({ ...base, effect: "unsafe", retries: 1 });
  assert.throws(() => createToolCatalog([{ ...weather, retries: 9 }]), /retries/);
});
