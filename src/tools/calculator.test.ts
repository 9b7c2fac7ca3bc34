import assert from "node:assert/strict";
import test from "node:test";
import { toolContext } from "../../test/support/tool-context.ts";
import { ToolError } from "../ports/tool.ts";
import { calculator } from "./calculator.ts";
import { createToolCatalog } from "./registry.ts";

const run = (expression: string) => calculator.run({ expression }, toolContext());
const resultOf = async (expression: string) => ((await run(expression)) as { result: string }).result;

for (const [expression, result] of [
  ["2+3*4", "14"],
  ["0.1+0.2", "0.3"],
  ["(1 + 2)^3 / 4", "6.75"],
  ["2 × 3 ÷ 4 − 1", "0.5"],
  ["50% * 3", "1.5"],
  ["10 mod 3", "1"],
  ["5!", "120"],
  ["170!", "7.257415615308e+306"],
  ["sqrt(2)", "1.4142135623731"],
  ["log(8, 2)", "3"],
  ["max(1, 2, 3) + mean(1, 3)", "5"],
  ["2 pi", "6.2831853071796"],
  ["sqrt(-4)", "2i"],
  ["5 km^2 to m^2", "5000000 m^2"],
  ["10 km to mile", "6.2137119223733 mile"],
  ["20 degC to degF", "68 degF"],
  ["2^53 - 1", "9007199254740991"],
  ["-0", "0"],
  ["1 / 3 * 1e-12", "3.3333333333333e-13"],
] as const) {
  test(`${expression} = ${result}`, async () => {
    assert.deepEqual(await run(expression), { expression, result });
  });
}

const TOO_LARGE = /too large, or infinite/;
const UNKNOWN = /does not have the function/;
const NO_NAME = /no constant and no unit/;
const ONE_EXPRESSION = /takes one expression of numbers/;

for (const [expression, why] of [
  ["10^10^10!", TOO_LARGE],
  ["1e300!", TOO_LARGE],
  ["2^2^2^2^2^2", TOO_LARGE],
  ["9".repeat(490), TOO_LARGE],
  ["1/0", TOO_LARGE],
  ["0/0", /not a number/],
  ["zeros(1e6,1e6)", UNKNOWN],
  ["ones(1e9)", UNKNOWN],
  ["repeat(1, 1e9)", UNKNOWN],
  ["combinations(1e15, 5e14)", UNKNOWN],
  ["random()", UNKNOWN],
  ["import({})", UNKNOWN],
  ['createUnit("x")', UNKNOWN],
  ['evaluate("1+1")', UNKNOWN],
  ['parse("1+1")', UNKNOWN],
  ['simplify("x+x")', UNKNOWN],
  ['derivative("x^2", "x")', UNKNOWN],
  ["config({})", UNKNOWN],
  ["toString()", UNKNOWN],
  ["cos.constructor", ONE_EXPRESSION],
  ['cos.constructor("return process")', /takes one expression|does not have/],
  ["constructor", NO_NAME],
  ["__proto__", NO_NAME],
  ["cos", NO_NAME],
  ["5 apples", NO_NAME],
  ["a = 1", ONE_EXPRESSION],
  ["f(x) = x", ONE_EXPRESSION],
  ["1:1e9", ONE_EXPRESSION],
  ["[1, 2; 3, 4]", ONE_EXPRESSION],
  ["{a: 1}", ONE_EXPRESSION],
  ["1; 2", ONE_EXPRESSION],
  ["1 ? 2 : 3", ONE_EXPRESSION],
  ['"text"', /takes numbers/],
  ["", /takes numbers/],
  ["2 and 3", /operator and/],
  ["2 +", /can't be calculated: Unexpected end/],
  ["5 m + 3 kg", /can't be calculated/],
] as const) {
  test(`${expression.slice(0, 40)} is told why it has no value`, async () => {
    await assert.rejects(run(expression), (error) => error instanceof ToolError && why.test(error.message));
  });
}

test("whatever fits the length of an expression is done in an instant", async () => {
  await resultOf("1");
  const nasty = [
    `${"(".repeat(240)}1${")".repeat(240)}`,
    `1${"!".repeat(498)}`,
    `1${"^9".repeat(249)}`,
    `9${"!^9".repeat(166)}`,
    `${"-".repeat(499)}1`,
    `i${"^i".repeat(249)}`,
    `(1+i)^1e12`,
    `m${"*m".repeat(249)}`,
    `max(${"1,".repeat(240)}1)`,
    `round(1.5, 1e9)`,
    `nthRoot(1e300, 1e300)`,
    `mod(1e308, 1e-308)`,
  ];
  for (const expression of nasty) {
    assert.ok(expression.length <= 500);
    const start = performance.now();
    await run(expression).catch((error: unknown) => assert.ok(error instanceof ToolError, String(error)));
    assert.ok(performance.now() - start < 500, `${expression.slice(0, 40)} took ${performance.now() - start} ms`);
  }
});

test("a longer expression is not even parsed", () => {
  const catalog = createToolCatalog([calculator]);
  assert.match(catalog.refusal("calculator", { expression: "1+".repeat(250) + "1" }) ?? "", /<=500/);
  assert.match(catalog.refusal("calculator", { expression: "1\0" }) ?? "", /U\+0000/);
});
