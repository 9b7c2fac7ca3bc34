/**
 * Evaluates one expression of plain numbers, units and named functions. Nothing else of the expression language is
 * reachable: what is not on the lists below is refused before anything is computed. Every step of what is left takes
 * constant time on plain numbers, so that the length of an expression bounds its time.
 */
import {
  absDependencies,
  acosDependencies,
  addDependencies,
  asinDependencies,
  atan2Dependencies,
  atanDependencies,
  cbrtDependencies,
  ceilDependencies,
  cosDependencies,
  coshDependencies,
  create,
  divideDependencies,
  eDependencies,
  expDependencies,
  factorialDependencies,
  fixDependencies,
  floorDependencies,
  formatDependencies,
  hypotDependencies,
  iDependencies,
  log10Dependencies,
  log2Dependencies,
  logDependencies,
  maxDependencies,
  meanDependencies,
  medianDependencies,
  minDependencies,
  modDependencies,
  multiplyDependencies,
  nthRootDependencies,
  parseDependencies,
  phiDependencies,
  piDependencies,
  powDependencies,
  roundDependencies,
  signDependencies,
  sinDependencies,
  sinhDependencies,
  sqrtDependencies,
  subtractDependencies,
  sumDependencies,
  tanDependencies,
  tanhDependencies,
  tauDependencies,
  toDependencies,
  unaryMinusDependencies,
  unaryPlusDependencies,
  UnitDependencies,
  type FactoryFunctionMap,
  type MathNode,
} from "mathjs";

/** Why an expression has no value; written for whoever wrote it. */
export class CalculatorError extends Error {
  override readonly name = "CalculatorError";
}

const functions = {
  absDependencies,
  acosDependencies,
  asinDependencies,
  atan2Dependencies,
  atanDependencies,
  cbrtDependencies,
  ceilDependencies,
  cosDependencies,
  coshDependencies,
  expDependencies,
  factorialDependencies,
  fixDependencies,
  floorDependencies,
  hypotDependencies,
  log10Dependencies,
  log2Dependencies,
  logDependencies,
  maxDependencies,
  meanDependencies,
  medianDependencies,
  minDependencies,
  modDependencies,
  nthRootDependencies,
  powDependencies,
  roundDependencies,
  signDependencies,
  sinDependencies,
  sinhDependencies,
  sqrtDependencies,
  sumDependencies,
  tanDependencies,
  tanhDependencies,
};
const constants = { eDependencies, iDependencies, phiDependencies, piDependencies, tauDependencies };
const operators = {
  addDependencies,
  divideDependencies,
  factorialDependencies,
  modDependencies,
  multiplyDependencies,
  powDependencies,
  subtractDependencies,
  toDependencies,
  unaryMinusDependencies,
  unaryPlusDependencies,
};

const namesOf = (dependencies: object): ReadonlySet<string> =>
  new Set(Object.keys(dependencies).map((key) => key.slice(0, -"Dependencies".length)));
const FUNCTIONS = namesOf(functions);
const CONSTANTS = namesOf(constants);
const OPERATORS = namesOf(operators);

// The package's types say of each of these imports that it may be absent.
const parts = { ...functions, ...constants, ...operators, formatDependencies, parseDependencies, UnitDependencies };
const math = create(parts as FactoryFunctionMap, { number: "number", matrix: "Array" });

/**
 * What the rest is made of. mathjs makes a function when it is first asked for, with all that it needs: a tenth of a
 * second in one piece for the first expression.
 */
const FOUNDATIONS =
  "number format addScalar multiplyScalar divideScalar abs ceil floor multiply pow equal add divide subtract mod larger Unit parse";

/** Makes it in bites, each in a turn of the event loop of its own. */
export async function warmUp(): Promise<void> {
  for (const name of FOUNDATIONS.split(" ")) {
    Reflect.get(math, name);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Digits that a result shows: as many as a double has for sure. */
const FORMAT = { precision: 14, upperExp: 15, lowerExp: -9 };

/** The value, as text. Throws a `CalculatorError`. */
export function calculate(expression: string): string {
  const value = valueOf(expression);
  if (Number.isSafeInteger(value)) return String(Number(value) + 0);
  const text = math.format(value, FORMAT);
  if (text.includes("NaN")) throw new CalculatorError("The result is not a number.");
  if (text.includes("Infinity")) throw new CalculatorError("The result is too large, or infinite.");
  return text;
}

function valueOf(expression: string): unknown {
  try {
    const node = math.parse(expression);
    check(node);
    return node.evaluate();
  } catch (error) {
    if (error instanceof CalculatorError) throw error;
    throw new CalculatorError(`It can't be calculated: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function check(root: MathNode): void {
  root.traverse((node, path, parent) => {
    const problem = problemOf(node, path === "fn" ? parent : undefined);
    if (problem !== undefined) throw new CalculatorError(problem);
  });
}

/** `call`: the call whose function this is the name of. */
function problemOf(node: MathNode, call: MathNode | undefined): string | undefined {
  if (math.isParenthesisNode(node)) return undefined;
  if (math.isConstantNode(node)) {
    return typeof node.value === "number" ? undefined : "The calculator takes numbers, and there is something else.";
  }
  if (math.isOperatorNode(node)) {
    return OPERATORS.has(node.fn) ? undefined : `The calculator does not know the operator ${node.op}.`;
  }
  if (math.isFunctionNode(node)) {
    // A function that is not called by its name has none.
    const { name } = node.fn as unknown as { readonly name?: string };
    if (name !== undefined && FUNCTIONS.has(name)) return undefined;
    return `The calculator does not have the function ${name ?? ""}(). It has ${[...FUNCTIONS].join(", ")}.`;
  }
  if (math.isSymbolNode(node)) {
    const { name } = node;
    if (call !== undefined || CONSTANTS.has(name) || math.Unit.isValuelessUnit(name)) return undefined;
    return `The calculator knows no constant and no unit ${name}.`;
  }
  return "The calculator takes one expression of numbers, units and functions: no lists, names, texts or conditions.";
}
