import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Expr, Expression, OperationName } from "@qkv/attention-contract";
import { float } from "./glsl.js";

/** Returns true if a shader can run an expression: it has no JavaScript functions and no random numbers. */
export function isShaderText({ steps }: Expression): boolean {
  return steps.every(({ step }) => step.kind !== "call" && step.kind !== "dropoutMask");
}

/** GLSL of each operation. */
const operationText: { readonly [Name in OperationName]: (a: string, b: string, c: string) => string } = {
  neg: (x) => `-${x}`,
  abs: (x) => `abs(${x})`,
  exp: (x) => `exp(${x})`,
  log: (x) => `log(${x})`,
  tanh: (x) => `tanh_(${x})`,
  sqrt: (x) => `sqrt(${x})`,
  floor: (x) => `floor(${x})`,
  not: (x) => `float(${x} == 0.0)`,
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  min: (a, b) => `min(${a}, ${b})`,
  max: (a, b) => `max(${a}, ${b})`,
  pow: (a, b) => `pow_(${a}, ${b})`,
  less: (a, b) => `float(${a} < ${b})`,
  lessEqual: (a, b) => `float(${a} <= ${b})`,
  greater: (a, b) => `float(${a} > ${b})`,
  greaterEqual: (a, b) => `float(${a} >= ${b})`,
  equal: (a, b) => `float(${a} == ${b})`,
  and: (a, b) => `float(${a} != 0.0 && ${b} != 0.0)`,
  or: (a, b) => `float(${a} != 0.0 || ${b} != 0.0)`,
  where: (condition, a, b) => `${condition} != 0.0 ? ${a} : ${b}`,
};

/**
 * A GLSL function of a recorded expression: `float NAME(float score, float batch, float head, float query, float key)`.
 *
 * @param views - Layout of each table of the expression, and the name of its input. Its offset is the variable `INPUTAt`.
 */
export function expressionText(
  name: string,
  { steps, lookedUp }: Expression,
  views: readonly { readonly view: View; readonly input: string }[],
): string {
  const names = new Map<Expr, string>(steps.map((expr, i) => [expr, `e${i}`]));
  const variable = (expr: Expr) => names.get(expr)!;
  const lines = steps.map((expr) => {
    const { step } = expr;
    const value = (): string => {
      switch (step.kind) {
        case "symbol":
          return step.name;
        case "number":
          return float(step.value);
        case "operation":
          return operationText[step.name](...(step.operands.map(variable) as [string, string, string]));
        case "lookup": {
          const { view, input } = views[lookedUp.indexOf(step.table)]!;
          const places = step.indices.map((index, axis) => {
            const last = Math.max(0, view.shape[axis]! - 1);
            return ` + int(clamp(trunc(${variable(index)}), 0.0, ${float(last)})) * ${view.strides[axis]}`;
          });
          return sizeOf(view.shape) === 0 ? "0.0" : `${input}1(${input}At${places.join("")})`;
        }
        default:
          return "0.0";
      }
    };
    return `float ${variable(expr)} = ${value()};`;
  });
  return `float ${name}(float score, float batch, float head, float query, float key) {
  ${lines.join("\n  ")}
  return e${steps.length - 1};
}`;
}
