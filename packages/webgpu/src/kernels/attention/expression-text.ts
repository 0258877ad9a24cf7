import type { Expr, Expression, OperationName } from "@qkv/attention-contract";
import { seedKey } from "@qkv/tensor/random";
import { sizeOf } from "@qkv/tensor";
import { deviceError } from "../../failures.js";
import type { Params } from "../../params.js";

/** The score of a masked key in shaders: WGSL compilers may assume that there are no infinities. */
export const masked = "-3.0e38";
/** Scores of this or less are masked. */
export const maskedFrom = "-1.0e38";

/** A number as WGSL source, infinities and NaN included. */
export function floatText(value: number): string {
  if (!Number.isFinite(Math.fround(value))) return value > 0 ? "3.0e38" : masked;
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const test = (condition: string) => `select(0.0, 1.0, ${condition})`;

const operationText: { readonly [Name in OperationName]: (a: string, b: string, c: string) => string } = {
  neg: (a) => `-${a}`,
  abs: (a) => `abs(${a})`,
  exp: (a) => `exp_(${a})`,
  log: (a) => `log_(${a})`,
  tanh: (a) => `tanh_(${a})`,
  sqrt: (a) => `sqrt_(${a})`,
  floor: (a) => `floor(${a})`,
  not: (a) => test(`${a} == 0.0`),
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  min: (a, b) => `smaller(${a}, ${b})`,
  max: (a, b) => `larger(${a}, ${b})`,
  pow: (a, b) => `pow_(${a}, ${b})`,
  less: (a, b) => test(`${a} < ${b}`),
  lessEqual: (a, b) => test(`${a} <= ${b}`),
  greater: (a, b) => test(`${a} > ${b}`),
  greaterEqual: (a, b) => test(`${a} >= ${b}`),
  equal: (a, b) => test(`${a} == ${b}`),
  and: (a, b) => test(`${a} != 0.0 && ${b} != 0.0`),
  or: (a, b) => test(`${a} != 0.0 || ${b} != 0.0`),
  where: (condition, a, b) => `select(${b}, ${a}, ${condition} != 0.0)`,
};

/** True if a shader can run an expression: it has no JavaScript functions. */
export const isShaderText = ({ steps }: Expression<unknown>): boolean =>
  steps.every(({ step }) => step.kind !== "call");

/** Key of an expression's text: its steps with their operands. */
export function expressionKey({ steps, lookedUp }: Expression<unknown>): string {
  const places = new Map(steps.map((expr, i) => [expr, i]));
  const at = (expr: Expr) => places.get(expr);
  return steps
    .map(({ step }) => {
      switch (step.kind) {
        case "symbol":
          return step.name;
        case "number":
          return `${step.value}`;
        case "operation":
          return `${step.name}(${step.operands.map(at).join()})`;
        case "lookup":
          return `table${lookedUp.indexOf(step.table)}(${step.indices.map(at).join()})`;
        case "dropoutMask": {
          const { batch, head, query, key } = step.at;
          return `keep${step.rate},${step.seed}(${[batch, head, query, key].map(at).join()})`;
        }
        default:
          return step.kind;
      }
    })
    .join(";");
}

/** Adds the layout of an expression's tables, packed one after the other from `start` on, to the parameters. Returns the end offset. */
export function addTables(
  params: Params,
  prefix: string,
  { lookedUp }: Expression<unknown>,
  start: number,
): number {
  let at = start;
  lookedUp.forEach(({ shape }, i) => {
    if (!params.fits(1 + shape.length))
      throw deviceError("attention", "size", `${lookedUp.length} tables, of which ${i} fit`);
    params.u32(`${prefix}${i}At`, at);
    shape.forEach((length, axis) => params.f32(`${prefix}${i}Last${axis}`, length - 1));
    at += sizeOf(shape);
  });
  return at;
}

/** The steps of an expression as lines of WGSL, and the name of each step's value. */
export type ExpressionLines = {
  readonly lines: readonly string[];
  nameOf(expr: Expr): string;
  /** WGSL of the index that a lookup reads, relative to the table's first number. */
  lookupIndex(lookup: Lookup): string;
};

type Lookup = Extract<Expr["step"], { kind: "lookup" }>;

/** WGSL that computes an expression from `score`, `batch`, `head`, `query` and `key`. Tables are read by `tableAt(index)`. */
export function expressionLines({ steps, lookedUp }: Expression<unknown>, prefix: string): ExpressionLines {
  const names = new Map<Expr, string>(steps.map((expr, i) => [expr, `e${i}`]));
  const variable = (expr: Expr) => names.get(expr)!;
  const lookupIndex = ({ table, indices }: Lookup): string => {
    const i = lookedUp.indexOf(table);
    return indices.reduce((tableIndex, index, axis) => {
      const last = `p.${prefix}${i}Last${axis}`;
      const axisIndex = `u32(clamp(trunc(${variable(index)}), 0.0, ${last}))`;
      return axis === 0 ? axisIndex : `(${tableIndex}) * (u32(${last}) + 1u) + ${axisIndex}`;
    }, "0u");
  };
  const lines = steps.map((expr) => {
    const { step } = expr;
    const value = (): string => {
      switch (step.kind) {
        case "symbol":
          return step.name;
        case "number":
          return floatText(step.value);
        case "operation":
          return operationText[step.name](...(step.operands.map(variable) as [string, string, string]));
        case "lookup":
          return `tableAt(p.${prefix}${lookedUp.indexOf(step.table)}At + ${lookupIndex(step)})`;
        case "dropoutMask": {
          const [low, high] = seedKey("keep", step.seed);
          const { key, query, head, batch } = step.at;
          const counter = [key, query, head, batch].map((index) => `u32(i32(${variable(index)}))`).join(", ");
          const drawn = `philox(vec4<u32>(${counter}), vec2<u32>(${low}u, ${high}u)).x`;
          return `select(${floatText(1 / (1 - step.rate))}, 0.0, ${drawn} < ${Math.ceil(step.rate * 2 ** 32)}u)`;
        }
        default:
          return "0.0";
      }
    };
    return `let ${variable(expr)} = ${value()};`;
  });
  return { lines, nameOf: variable, lookupIndex };
}

/** Parameters of the WGSL functions of expressions. */
export const expressionInputs = "score: f32, batch: f32, head: f32, query: f32, key: f32";

/** A WGSL function of a recorded expression, `fn NAME(score, batch, head, query, key) -> f32`. */
export function expressionText(name: string, expression: Expression<unknown>, prefix: string): string {
  const { lines, nameOf } = expressionLines(expression, prefix);
  return `fn ${name}(${expressionInputs}) -> f32 {
  ${lines.join("\n  ")}
  return ${nameOf(expression.steps.at(-1)!)};
}`;
}
