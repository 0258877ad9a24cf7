import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Expr, Expression } from "@qkv/attention-contract";
import { number, powText, tanhText } from "./numbers.js";
import { whole } from "./offset-text.js";

const truth = (test: string) => (name: string) => `let ${name} = 0;\n  if (${test}) { ${name} = 1; }`;
const value = (text: string) => (name: string) => `const ${name} = ${text};`;
type Line = (name: string) => string;

const unary: Record<string, (x: string) => Line> = {
  neg: (x) => value(`-${x}`),
  tanh: (x) => value(tanhText(x)),
  not: (x) => truth(`${x} === 0`),
};

const binary: Record<string, (a: string, b: string) => Line> = {
  add: (a, b) => value(`${a} + ${b}`),
  sub: (a, b) => value(`${a} - ${b}`),
  mul: (a, b) => value(`${a} * ${b}`),
  div: (a, b) => value(`${a} / ${b}`),
  pow: (a, b) => (name) => powText(name, a, b),
  less: (a, b) => truth(`${a} < ${b}`),
  lessEqual: (a, b) => truth(`${a} <= ${b}`),
  greater: (a, b) => truth(`${a} > ${b}`),
  greaterEqual: (a, b) => truth(`${a} >= ${b}`),
  equal: (a, b) => truth(`${a} === ${b}`),
  and: (a, b) => truth(`${a} !== 0 && ${b} !== 0`),
  or: (a, b) => truth(`${a} !== 0 || ${b} !== 0`),
};

/**
 * JavaScript that returns what a recorded expression gives, from `score`, `batch`, `head`, `query` and `key`.
 *
 * Each of its tables is an input `table0`, `table1` and so on, and begins at `table0Start`. Numbers that are not finite
 * come from the input `special`: −∞, ∞, NaN.
 */
export function expressionText({ steps, lookedUp, tables }: Expression<View>): string {
  const names = new Map<Expr, string>(steps.map((expr, i) => [expr, `e${i}`]));
  const of = (expr: Expr) => names.get(expr)!;
  const lines = steps.map((expr): string => {
    const { step } = expr;
    const line = (): Line => {
      switch (step.kind) {
        case "symbol":
          return value(`${step.name} + 0`);
        case "number":
          return value(finite(step.value));
        case "unary":
          return unary[step.name]?.(of(step.x)) ?? value(`Math.${step.name}(${of(step.x)})`);
        case "binary":
          return (
            binary[step.name]?.(of(step.a), of(step.b)) ??
            value(`Math.${step.name}(${of(step.a)}, ${of(step.b)})`)
          );
        case "where":
          return (name) =>
            `let ${name} = ${of(step.b)};\n  if (${of(step.condition)} !== 0) { ${name} = ${of(step.a)}; }`;
        case "lookup": {
          const table = lookedUp.indexOf(step.table);
          const { shape, strides } = tables[table]!;
          if (sizeOf(shape) === 0) return value("0");
          const places = step.indices.map((index, axis) => {
            const last = Math.max(0, shape[axis]! - 1);
            return ` + Math.min(${last}, Math.max(0, Math.floor(${of(index)}))) * ${whole(strides[axis]!)}`;
          });
          return value(`table${table}[table${table}Start${places.join("")}]`);
        }
        default:
          return value("0");
      }
    };
    return line()(of(expr));
  });
  return `${lines.join("\n  ")}
  return e${steps.length - 1};`;
}

function finite(x: number): string {
  if (Number.isNaN(x)) return "special[2]";
  if (!Number.isFinite(x)) return x < 0 ? "special[0]" : "special[1]";
  return number(x);
}
