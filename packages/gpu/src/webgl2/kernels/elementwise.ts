import { sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { isInOrder, mergeAxes, stridesForBroadcast } from "../../axes.js";
import { runInto, type Gl } from "../gl.js";
import { erfText, float, powText, roundText, sineText, tanhText } from "../glsl.js";
import { hasResultLayout } from "../layout.js";
import { computeByNumber } from "../numbers.js";
import { offsetText } from "../offset-text.js";

type Attributes = { readonly alpha?: number; readonly min?: number; readonly max?: number } | undefined;
type Formula = string | ((attributes: Attributes) => string);

/**
 * Functions of `a`. `expm1` and `log1p` use their Taylor series near 0, where the difference cancels. In gelu, 0.70710678 is √½,
 * 0.79788456 √(2/π) and 0.39894228 half of that; 0.044715 is Hendrycks and Gimpel's (arXiv:1606.08415), 0.134145 three times it.
 */
const unary: Record<string, Formula> = {
  copy: "a",
  neg: "-a",
  abs: "abs(a)",
  exp: "exp(a)",
  expm1: "(abs(a) < 0.01 ? a * (1.0 + a * (0.5 + a * (0.16666667 + a * 0.041666668))) : exp(a) - 1.0)",
  log: "log(a)",
  log1p: "(abs(a) < 0.01 ? a * (1.0 - a * (0.5 - a * (0.33333333 - a * 0.25))) : log(1.0 + a))",
  tanh: "tanh_(a)",
  erf: "erf_(a)",
  sqrt: "sqrt(a)",
  rsqrt: "1.0 / sqrt(a)",
  reciprocal: "1.0 / a",
  floor: "floor(a)",
  ceil: "ceil(a)",
  round: "round_(a)",
  sin: "sine_(a, 0)",
  cos: "sine_(a, 1)",
  sign: "sign(a)",
  relu: "max(a, 0.0)",
  sigmoid: "1.0 / (1.0 + exp(-a))",
  silu: "a / (1.0 + exp(-a))",
  swish: (attributes) => `a / (1.0 + exp(${float(-(attributes?.alpha ?? 1))} * a))`,
  softplus: "max(a, 0.0) + log(1.0 + exp(-abs(a)))",
  gelu: "0.5 * a * (1.0 + erf_(a * 0.70710678))",
  geluTanh: "0.5 * a * (1.0 + tanh_(0.79788456 * a * (1.0 + 0.044715 * a * a)))",
  geluSlope: "0.5 * (1.0 + erf_(a * 0.70710678)) + a * 0.3989422804 * exp(-0.5 * a * a)",
  geluTanhSlope() {
    const near = "clamp(a, -20.0, 20.0)"; // beyond, the function is linear
    const bent = `tanh_(0.79788456 * ${near} * (1.0 + 0.044715 * ${near} * ${near}))`;
    return `0.5 * (1.0 + ${bent}) + 0.39894228 * ${near} * (1.0 - ${bent} * ${bent}) * (1.0 + 0.134145 * ${near} * ${near})`;
  },
  siluSlope: "(1.0 + clamp(a, -80.0, 80.0) * (1.0 - 1.0 / (1.0 + exp(-a)))) / (1.0 + exp(-a))",
  clamp: (attributes) =>
    `min(max(a, ${float(attributes?.min ?? -Infinity)}), ${float(attributes?.max ?? Infinity)})`,
};

/** Functions of `a` and `b`. */
const binary: Record<string, Formula> = {
  add: "a + b",
  sub: "a - b",
  mul: "a * b",
  div: "a / b",
  maximum: "max(a, b)",
  minimum: "min(a, b)",
  pow: "pow_(a, b)",
};

/** Comparisons of `a` and `b`: 1 if true, else 0. */
const comparisons: Record<string, Formula> = {
  less: "float(a < b)",
  lessEqual: "float(a <= b)",
  greater: "float(a > b)",
  greaterEqual: "float(a >= b)",
  equal: "float(a == b)",
  notEqual: "float(a != b)",
};

/** Functions of one, two or three numbers, on float32 of any strides, with broadcasting. */
export function elementwiseKernels(gl: Gl): Record<string, Kernel<Attributes>> {
  const kernels: Record<string, Kernel<Attributes>> = {};
  const over = (name: string, formula: Formula, result: "float32" | "bool") => {
    kernels[name] = (inputs, [output], attributes) =>
      output!.dtype === result &&
      inputs.every(({ dtype }) => dtype === "float32") &&
      runElementwise(gl, name, typeof formula === "string" ? formula : formula(attributes), inputs, output!);
  };
  for (const [name, formula] of Object.entries({ ...unary, ...binary })) over(name, formula, "float32");
  for (const [name, formula] of Object.entries(comparisons)) over(name, formula, "bool");
  kernels["where"] = (inputs, [output]) =>
    output!.dtype === "float32" && runElementwise(gl, "where", "a != 0.0 ? b : c", inputs, output!);
  return kernels;
}

const names = ["a", "b", "c"];
const helpers: Record<string, string> = {
  tanh_: tanhText,
  erf_: erfText,
  pow_: powText,
  round_: roundText,
  sine_: sineText,
};

function runElementwise(
  gl: Gl,
  name: string,
  formula: string,
  inputs: readonly View[],
  output: View,
): boolean {
  if (sizeOf(output.shape) === 0) return false;
  const scalars = inputs.map((view) => gl.store.hostScalar(view));
  const stored = inputs
    .map((view, t) => ({ view, name: names[t]! }))
    .filter((_, t) => scalars[t] === undefined);
  const axes = mergeAxes(
    output.shape,
    stridesForBroadcast(
      output.shape,
      stored.map(({ view }) => view),
    ),
  );
  const inOrder = stored.every(({ view }, t) => isInOrder(axes, t) && view.offset % 4 === 0);
  const starts = stored.map(({ view, name }) => (view.offset === 0 ? "0" : `${name}At`));
  const ints: Record<string, number> = {};
  stored.forEach(({ view, name }) => {
    if (view.offset !== 0) ints[`${name}At`] = inOrder ? view.offset / 4 : view.offset;
  });
  const floats: Record<string, number> = {};
  scalars.forEach((value, t) => {
    if (value !== undefined) floats[`${names[t]}Value`] = value;
  });
  const constants = names.flatMap((name, t) =>
    scalars[t] === undefined ? [] : [`float ${name} = ${name}Value; `],
  );
  const used = stored.map(({ name }) => name);
  const usedHelpers = Object.keys(helpers)
    .filter((helper) => formula.includes(helper))
    .map((helper) => helpers[helper]!);
  const f = `float f(${used.map((name) => `float ${name}`).join(", ")}) { ${constants.join("")}return ${formula}; }`;
  const lanes = (value: (lane: string) => string) =>
    `vec4(${["x", "y", "z", "w"].map((lane) => `f(${value(lane)})`).join(", ")})`;
  const textures = Object.fromEntries(stored.map(({ view, name }) => [name, gl.store.bufferOf(view)]));
  const texel = ({ view, name }: { view: View; name: string }, t: number) => {
    const readsInPlace = view.offset === 0 && hasResultLayout(textures[name]!, sizeOf(output.shape));
    return `vec4 v${name} = ${readsInPlace ? `${name}Here()` : `${name}4(i + ${starts[t]})`};`;
  };
  const text = inOrder
    ? `vec4 compute(int i) {
  ${stored.map(texel).join("\n  ")}
  return ${lanes((lane) => used.map((name) => `v${name}.${lane}`).join(", "))};
}`
    : `float number(int n) {
  ${offsetText(
    axes,
    used.map((name) => `${name}n`),
    starts,
  )}
  return f(${used.map((name) => `${name}1(${name}n)`).join(", ")});
}
${computeByNumber}`;
  return runInto(gl, output, {
    name,
    text: [...usedHelpers, f, text].join("\n"),
    inputs: textures,
    ints,
    floats,
  });
}
