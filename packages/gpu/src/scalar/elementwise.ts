import { sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { mergeAxes, stridesForBroadcast } from "../axes.js";
import type { Buffer } from "../engine.js";
import { erfText, number, powText, roundText, sineText, tanhText } from "./numbers.js";
import { offsetText } from "./offset-text.js";
import { runInto, type Scalar } from "./run.js";

type Attributes = { readonly alpha?: number; readonly min?: number; readonly max?: number } | undefined;

/** JavaScript of the result from `a`, `b` and `c`: an expression (`is`), or statements that return it (`steps`). */
type Formula = { readonly is: string } | { readonly steps: string };
/** A function where the text depends on attributes or on other texts: importing this module builds no text. */
type FormulaOf = Formula | ((attributes: Attributes) => Formula);

const is = (text: string): Formula => ({ is: text });
const steps = (text: string): Formula => ({ steps: text });

/**
 * Functions of `a`. `expm1` and `log1p` use their Taylor series near 0, where the difference cancels. In gelu, 0.70710678 is √½,
 * 0.79788456 √(2/π) and 0.044715 is Hendrycks and Gimpel's (arXiv:1606.08415).
 */
const unary: Record<string, FormulaOf> = {
  copy: is("a"),
  neg: is("-a"),
  abs: is("Math.abs(a)"),
  exp: is("Math.exp(a)"),
  expm1: steps(`if (Math.abs(a) < 0.01) { return a * (1 + a * (0.5 + a * (0.16666667 + a * 0.041666668))); }
  return Math.exp(a) - 1;`),
  log: is("Math.log(a)"),
  log1p: steps(`if (Math.abs(a) < 0.01) { return a * (1 - a * (0.5 - a * (0.33333333 - a * 0.25))); }
  return Math.log(1 + a);`),
  tanh: () => is(tanhText("a")),
  erf: () =>
    steps(`${erfText("y", "a")}
  return y;`),
  sqrt: is("Math.sqrt(a)"),
  rsqrt: is("1 / Math.sqrt(a)"),
  reciprocal: is("1 / a"),
  floor: is("Math.floor(a)"),
  ceil: is("Math.ceil(a)"),
  round: steps(roundText),
  sin: () => steps(sineText(0)),
  cos: () => steps(sineText(1)),
  sign: steps(`if (a > 0) { return 1; }
  if (a < 0) { return -1; }
  return a;`),
  relu: is("Math.max(a, 0)"),
  sigmoid: is("1 / (1 + Math.exp(-a))"),
  silu: is("a / (1 + Math.exp(-a))"),
  swish: (attributes) => is(`a / (1 + Math.exp(${number(-(attributes?.alpha ?? 1))} * a))`),
  softplus: is("Math.max(a, 0) + Math.log(1 + Math.exp(-Math.abs(a)))"),
  gelu: () =>
    steps(`${erfText("y", "a * 0.70710678")}
  return 0.5 * a * (1 + y);`),
  geluTanh: () => is(`0.5 * a * (1 + ${tanhText("0.79788456 * a * (1 + 0.044715 * a * a)")})`),
  clamp: (attributes) => {
    const { min = -Infinity, max = Infinity } = attributes ?? {};
    const least = Number.isFinite(min) ? `Math.max(a, ${number(min)})` : "a";
    return is(Number.isFinite(max) ? `Math.min(${least}, ${number(max)})` : least);
  },
};

const binary: Record<string, FormulaOf> = {
  add: is("a + b"),
  sub: is("a - b"),
  mul: is("a * b"),
  div: is("a / b"),
  maximum: is("Math.max(a, b)"),
  minimum: is("Math.min(a, b)"),
  pow: () =>
    steps(`${powText("y", "a", "b")}
  return y;`),
};

/** Comparisons of `a` and `b`: 1 if true, else 0. */
const comparisons: Record<string, string> = {
  less: "a < b",
  lessEqual: "a <= b",
  greater: "a > b",
  greaterEqual: "a >= b",
  equal: "a === b",
  notEqual: "a !== b",
};

/** Functions of one, two or three numbers, on float32 of any strides, with broadcasting. */
export function elementwiseKernels<B extends Buffer>(scalar: Scalar<B>): Record<string, Kernel<Attributes>> {
  const kernels: Record<string, Kernel<Attributes>> = {};
  const over = (name: string, formula: FormulaOf, result: "float32" | "bool") => {
    kernels[name] = (inputs, [output], attributes) =>
      output!.dtype === result &&
      inputs.every(({ dtype }) => dtype === "float32") &&
      runElementwise(
        scalar,
        name,
        typeof formula === "function" ? formula(attributes) : formula,
        inputs,
        output!,
      );
  };
  for (const [name, formula] of Object.entries({ ...unary, ...binary })) over(name, formula, "float32");
  for (const [name, test] of Object.entries(comparisons))
    over(name, steps(`if (${test}) { return 1; }\n  return 0;`), "bool");
  const chosen = steps("if (a !== 0) { return b; }\n  return c;");
  kernels["where"] = (inputs, [output]) =>
    output!.dtype === "float32" && runElementwise(scalar, "where", chosen, inputs, output!);
  return kernels;
}

const names = ["a", "b", "c"];

function runElementwise<B extends Buffer>(
  scalar: Scalar<B>,
  name: string,
  formula: Formula,
  inputs: readonly View[],
  output: View,
): boolean {
  if (sizeOf(output.shape) === 0) return false;
  const used = names.slice(0, inputs.length);
  const axes = mergeAxes(output.shape, stridesForBroadcast(output.shape, inputs));
  const places = offsetText(
    axes,
    used.map((name) => `${name}Place`),
    used.map((name) => `${name}Start`),
  );
  return runInto(scalar, output, {
    name: `${name}Of`,
    body: `${places}
  ${used.map((name) => `const ${name} = ${name}In[${name}Place];`).join("\n  ")}
  ${"is" in formula ? `return ${formula.is};` : formula.steps}`,
    inputs: Object.fromEntries(inputs.map((view, t) => [`${names[t]}In`, scalar.store.bufferOf(view)])),
    ints: Object.fromEntries(inputs.map(({ offset }, t) => [`${names[t]}Start`, offset])),
  });
}
