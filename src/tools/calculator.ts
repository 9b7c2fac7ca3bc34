/** Arithmetic, with units. The library is loaded with the first call. */
import { z } from "zod";
import { ToolError } from "../ports/tool.ts";
import { text } from "../protocol/shapes.ts";
import { defineTool } from "./define.ts";

/** UTF-16 units; the time that an expression takes grows with it. */
const MAX_EXPRESSION = 500;

async function load() {
  const { calculate, CalculatorError, warmUp } = await import("./calculator-math.ts");
  await warmUp();
  return { calculate, CalculatorError };
}
let loading: ReturnType<typeof load> | undefined;

/** What people type for `*`, `/` and `-`. */
const SIGNS: Readonly<Record<string, string>> = { "×": "*", "·": "*", "÷": "/", "−": "-", "–": "-" };

export const calculator = defineTool({
  name: "calculator",
  description:
    "Calculates one expression and answers its value. Knows + - * / ^ % ! mod, parentheses, the constants pi, e, tau, " +
    "phi and i, functions such as sqrt, log (natural, or with a base), log10, exp, sin, round, min, max, mean, and " +
    "units: `5 km + 300 m`, `20 degC to degF`. Write a decimal point, and no thousands separators.",
  effect: "read",
  approval: "never",
  schema: z.strictObject({
    expression: text(MAX_EXPRESSION).describe("For example: (3 + 4) * 2^10"),
  }),
  summary: ({ expression }) => `Calculate ${expression}.`,
  retries: 0,
  async run({ expression }) {
    loading ??= load();
    const { calculate, CalculatorError } = await loading;
    try {
      return { expression, result: calculate(expression.replace(/[×·÷−–]/g, (sign) => SIGNS[sign] ?? sign)) };
    } catch (error) {
      throw error instanceof CalculatorError ? new ToolError(error.message) : error;
    }
  },
});
