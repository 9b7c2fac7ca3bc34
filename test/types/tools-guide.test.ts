/** The examples of docs/tools.md, compiled and declared: each stands there word for word. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { z } from "zod";
import { ToolError } from "../../src/ports/tool.ts";
import { defineTool, defineTransactionalTool } from "../../src/tools/define.ts";
import { createToolExecutor } from "../../src/tools/execute.ts";
import { createToolCatalog } from "../../src/tools/registry.ts";
import { toolContext, toolTransaction } from "../support/tool-context.ts";

const booked = new Map<string, object>();
const bank = {
  transfer: async (
    order: { iban: string; cents: number; reference: string },
    _signal: AbortSignal,
  ): Promise<object> => {
    booked.set(order.reference, order);
    return order;
  },
  find: async (reference: string, _signal: AbortSignal) => booked.get(reference),
};

const examples = [
  function read() {
    const exchangeRate = defineTool({
      name: "exchange_rate",
      description: "Today's rate between two currencies. Use it before any sum in a foreign currency.",
      effect: "read",
      approval: "never",
      schema: z.strictObject({
        from: z.string().length(3).describe("ISO 4217, for example EUR"),
        to: z.string().length(3),
      }),
      summary: ({ from, to }) => `Look up the rate from ${from} to ${to}.`,
      timeoutMs: 5_000,
      async run({ from, to }, { signal, progress }) {
        progress("asking the bank");
        const answer = await fetch(`https://rates.example/${from}/${to}`, { signal });
        if (answer.status === 404) throw new ToolError(`There is no rate from ${from} to ${to}.`);
        if (!answer.ok) throw new Error(`The bank answered ${answer.status}`);
        return { from, to, rate: await answer.json() };
      },
    });
    return exchangeRate;
  },
  function transactional() {
    const noteBirthday = defineTransactionalTool({
      name: "note_birthday",
      description: "Remembers a birthday that the person has told.",
      effect: "transactional",
      approval: "never",
      schema: z.strictObject({ name: z.string().min(1).max(100), date: z.iso.date() }),
      summary: ({ name, date }) => `Remember that ${name} was born on ${date}.`,
      run: async ({ name, date }, tx) => {
        const { text } = await tx.saveMemory(`${name} was born on ${date}.`);
        return { saved: text };
      },
    });
    return noteBirthday;
  },
  function unsafe() {
    const transfer = defineTool({
      name: "bank_transfer",
      description: "Transfers money from the account of the company.",
      effect: "unsafe",
      schema: z.strictObject({ iban: z.string().max(34), cents: z.int().positive() }),
      summary: ({ iban, cents }) => `Transfer ${(cents / 100).toFixed(2)} € to ${iban}.`,
      run: ({ iban, cents }, { toolCallId, signal }) => bank.transfer({ iban, cents, reference: toolCallId }, signal),
      reconcile: async (_args, { toolCallId, signal }) => {
        const booked = await bank.find(toolCallId, signal);
        return booked === undefined ? { state: "not-done" } : { state: "done", result: booked };
      },
    });
    return transfer;
  },
] as const;

const [read, transactional, unsafe] = examples;

test("the guide's examples compile", () => {
  const guide = readFileSync(new URL("../../docs/tools.md", import.meta.url), "utf8");
  const here = readFileSync(new URL(import.meta.url), "utf8").replace(/^ +/gm, "");
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code.replace(/^ +/gm, ""));
  assert.equal(blocks.length, examples.length);
  for (const block of blocks) {
    const code = block.replace(/^import .*\n+/gm, "");
    assert.ok(here.includes(code), `not in ${import.meta.filename}:\n${code}`);
    for (const [, name = "", file = ""] of block.matchAll(/^import \{ (.*) \} from "\.\/(.*)";$/gm)) {
      const statement = here.split("\n").find((line) => line.startsWith("import") && line.includes(`../../${file}"`));
      assert.ok(statement?.includes(name), `${file} has no ${name}`);
    }
  }
});

test("the guide's examples are declared as a server takes them, and do what it says of them", async (t) => {
  const catalog = createToolCatalog([read(), transactional(), unsafe()]);
  assert.deepEqual(
    catalog.list().map(({ effect, approval }) => `${effect} ${approval}`),
    ["read never", "transactional never", "unsafe ask"],
  );

  t.mock.method(globalThis, "fetch", async () => new Response("", { status: 404 }));
  const context = toolContext();
  const call = { tool: read(), args: { from: "EUR", to: "XXX" }, context, signal: context.signal, progress: () => {} };
  const executor = createToolExecutor();
  assert.deepEqual(await executor.run(call), { status: "failed", error: "There is no rate from EUR to XXX." });

  const { tx, saved } = toolTransaction();
  await transactional().run({ name: "Ada", date: "1815-12-10" }, tx);
  assert.deepEqual(saved, ["Ada was born on 1815-12-10."]);

  const order = { ...call, tool: unsafe(), args: { iban: "DE00", cents: 5_00 } };
  assert.deepEqual(await executor.reconcile(order), { state: "not-done" });
  const done = { ...order.args, reference: "call-1" };
  assert.deepEqual(await executor.run(order), { status: "completed", result: done });
  assert.deepEqual(await executor.reconcile(order), { state: "done", result: done });
});
