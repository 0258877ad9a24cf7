import { operandsOf, type Expr, type Expression, type OperationName } from "@qkv/attention-contract";
import { expressionInputs, expressionLines } from "./expression-text.js";

/**
 * WGSL of the terms that an operation adds to the gradients of its operands, from the gradient `dy` and the value `y` of its
 * result. None for operations whose derivative is 0 almost everywhere.
 */
type Slopes = (
  dy: string,
  y: string,
  operands: readonly [a: string, b: string, c: string],
) => readonly (string | undefined)[];

const flat: Slopes = () => [];
/** A term that may be infinite, and is 0 where `dy` is 0 (∞ · 0 would be NaN). */
const unlessZero = (dy: string, slope: string) => `select(${slope}, 0.0, ${dy} == 0.0)`;
const where = (condition: string, dy: string) => `select(0.0, ${dy}, ${condition})`;

const slopes: { readonly [Name in OperationName]: Slopes } = {
  neg: (dy) => [`-${dy}`],
  abs: (dy, _y, [a]) => [`sign(${a}) * ${dy}`],
  exp: (dy, y) => [`${y} * ${dy}`],
  log: (dy, _y, [a]) => [unlessZero(dy, `${dy} / ${a}`)],
  tanh: (dy, y) => [`(1.0 - ${y} * ${y}) * ${dy}`],
  sqrt: (dy, y) => [unlessZero(dy, `${dy} / (2.0 * ${y})`)],
  floor: flat,
  not: flat,
  add: (dy) => [dy, dy],
  sub: (dy) => [dy, `-${dy}`],
  mul: (dy, _y, [a, b]) => [`${b} * ${dy}`, `${a} * ${dy}`],
  div: (dy, _y, [a, b]) => [
    unlessZero(dy, `${dy} / ${b}`),
    unlessZero(dy, `-(${dy} * ${a}) / (${b} * ${b})`),
  ],
  min: (dy, _y, [a, b]) => [where(`${a} <= ${b}`, dy), where(`!(${a} <= ${b})`, dy)],
  max: (dy, _y, [a, b]) => [where(`${a} >= ${b}`, dy), where(`!(${a} >= ${b})`, dy)],
  pow: (dy, y, [a, b]) => [
    unlessZero(dy, `${dy} * ${b} * pow_(${a}, ${b} - 1.0)`),
    where(`!(${dy} == 0.0) && ${a} > 0.0`, `${dy} * ${y} * log_(${a})`),
  ],
  less: flat,
  lessEqual: flat,
  greater: flat,
  greaterEqual: flat,
  equal: flat,
  and: flat,
  or: flat,
  where: (dy, _y, [condition]) => [
    undefined,
    where(`${condition} != 0.0`, dy),
    where(`${condition} == 0.0`, dy),
  ],
};

/** The steps of an expression that look up one of its tables. */
export const tableLookups = ({ steps, lookedUp }: Expression<unknown>, table: number): readonly Expr[] =>
  steps.filter(({ step }) => step.kind === "lookup" && step.table === lookedUp[table]);

/** The steps that receive a gradient from the result and depend on the score or on the given lookups. */
function reached({ steps }: Expression<unknown>, lookups: readonly Expr[]): ReadonlySet<Expr> {
  const depends = new Set<Expr>();
  for (const expr of steps) {
    const { step } = expr;
    const isVariable = (step.kind === "symbol" && step.name === "score") || lookups.includes(expr);
    if (isVariable || (step.kind === "operation" && operandsOf(step).some((x) => depends.has(x))))
      depends.add(expr);
  }
  const found = new Set(depends.has(steps.at(-1)!) ? [steps.at(-1)!] : []);
  for (const expr of [...steps].reverse()) {
    const { step } = expr;
    if (!found.has(expr) || step.kind !== "operation") continue;
    const parts = slopes[step.name]("", "", ["", "", ""]);
    step.operands.forEach((x, i) => parts[i] !== undefined && depends.has(x) && found.add(x));
  }
  return found;
}

/** The lookups of a table that receive a gradient. Lookups that only compute an index or a condition do not. */
export function reachedLookups(expression: Expression<unknown>, table: number): readonly Expr[] {
  const lookups = tableLookups(expression, table);
  const found = reached(expression, lookups);
  return lookups.filter((expr) => found.has(expr));
}

/**
 * A WGSL function of the derivative of an expression, `fn NAME(score, batch, head, query, key, slope) -> f32`: the gradient of
 * its input score from that of its result (`slope`).
 *
 * @param lookups - Lookups whose index and gradient the function stores in the variables `foundPlace0`, `foundSlope0`, …
 */
export function expressionGradientText(
  name: string,
  expression: Expression<unknown>,
  prefix: string,
  lookups: readonly Expr[] = [],
): string {
  const { steps } = expression;
  const { lines, nameOf, lookupIndex } = expressionLines(expression, prefix);
  const found = reached(expression, lookups);
  const slopeOf = (expr: Expr) => `d${nameOf(expr)}`;
  const back: string[] = [];
  let scoreSlope = "0.0";
  for (const expr of [...steps].reverse()) {
    if (!found.has(expr)) continue;
    const { step } = expr;
    const dy = slopeOf(expr);
    const lookup = lookups.indexOf(expr);
    if (step.kind === "symbol") scoreSlope = dy;
    if (step.kind === "lookup" && lookup >= 0)
      back.push(`foundPlace${lookup} = ${lookupIndex(step)};`, `foundSlope${lookup} = ${dy};`);
    if (step.kind !== "operation") continue;
    const operands = step.operands.map(nameOf) as [string, string, string];
    slopes[step.name](dy, nameOf(expr), operands).forEach((text, i) => {
      const operand = step.operands[i]!;
      if (text !== undefined && found.has(operand)) back.push(`${slopeOf(operand)} += ${text};`);
    });
  }
  const variables = steps
    .filter((expr) => found.has(expr))
    .map((expr) => `var ${slopeOf(expr)} = ${expr === steps.at(-1) ? "slope" : "0.0"};`);
  return `fn ${name}(${expressionInputs}, slope: f32) -> f32 {
  ${[...lines, ...variables, ...back].join("\n  ")}
  return ${scoreSlope};
}`;
}
