import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Expr, Expression, OperationName } from "@qkv/attention-contract";
import { number, powText, tanhText } from "./numbers.js";
import { factorText } from "./offset-text.js";

/** Statements that define a step's value: 1 or 0, or an expression. */
const booleanValue = (test: string) => (name: string) => `let ${name} = 0;\n  if (${test}) { ${name} = 1; }`;
const value = (text: string) => (name: string) => `const ${name} = ${text};`;
type Line = (name: string) => string;

const operationText: { readonly [Name in OperationName]: (a: string, b: string, c: string) => Line } = {
  neg: (x) => value(`-${x}`),
  abs: (x) => value(`Math.abs(${x})`),
  exp: (x) => value(`Math.exp(${x})`),
  log: (x) => value(`Math.log(${x})`),
  tanh: (x) => value(tanhText(x)),
  sqrt: (x) => value(`Math.sqrt(${x})`),
  floor: (x) => value(`Math.floor(${x})`),
  not: (x) => booleanValue(`${x} === 0`),
  add: (a, b) => value(`${a} + ${b}`),
  sub: (a, b) => value(`${a} - ${b}`),
  mul: (a, b) => value(`${a} * ${b}`),
  div: (a, b) => value(`${a} / ${b}`),
  min: (a, b) => value(`Math.min(${a}, ${b})`),
  max: (a, b) => value(`Math.max(${a}, ${b})`),
  pow: (a, b) => (name) => powText(name, a, b),
  less: (a, b) => booleanValue(`${a} < ${b}`),
  lessEqual: (a, b) => booleanValue(`${a} <= ${b}`),
  greater: (a, b) => booleanValue(`${a} > ${b}`),
  greaterEqual: (a, b) => booleanValue(`${a} >= ${b}`),
  equal: (a, b) => booleanValue(`${a} === ${b}`),
  and: (a, b) => booleanValue(`${a} !== 0 && ${b} !== 0`),
  or: (a, b) => booleanValue(`${a} !== 0 || ${b} !== 0`),
  where: (condition, a, b) => (name) => `let ${name} = ${b};\n  if (${condition} !== 0) { ${name} = ${a}; }`,
};

/**
 * JavaScript that evaluates a recorded expression of `score`, `batch`, `head`, `query` and `key`.
 *
 * Each of its tables is an input, `table0`, `table1` and so on, whose first element is at `table0Start`. Numbers that are not
 * finite are read from the input `special`: −∞, ∞, NaN.
 */
export function expressionText({ steps, lookedUp, tables }: Expression<View>): string {
  const names = new Map<Expr, string>(steps.map((expr, i) => [expr, `e${i}`]));
  const variable = (expr: Expr) => names.get(expr)!;
  const lines = steps.map((expr): string => {
    const { step } = expr;
    const line = (): Line => {
      switch (step.kind) {
        case "symbol":
          return value(`${step.name} + 0`);
        case "number":
          return value(numberText(step.value));
        case "operation":
          return operationText[step.name](...(step.operands.map(variable) as [string, string, string]));
        case "lookup": {
          const table = lookedUp.indexOf(step.table);
          const { shape, strides } = tables[table]!;
          if (sizeOf(shape) === 0) return value("0");
          const places = step.indices.map((index, axis) => {
            const last = Math.max(0, shape[axis]! - 1);
            return ` + Math.min(${last}, Math.max(0, Math.floor(${variable(index)}))) * ${factorText(strides[axis]!)}`;
          });
          return value(`table${table}[table${table}Start${places.join("")}]`);
        }
        default:
          return value("0");
      }
    };
    return line()(variable(expr));
  });
  return `${lines.join("\n  ")}
  return e${steps.length - 1};`;
}

function numberText(x: number): string {
  if (Number.isNaN(x)) return "special[2]";
  if (!Number.isFinite(x)) return x < 0 ? "special[0]" : "special[1]";
  return number(x);
}
