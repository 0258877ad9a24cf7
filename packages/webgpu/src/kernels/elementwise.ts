import type { DType, Kernel, View } from "@qkv/tensor";
import type { Context } from "../context.js";
import type { Params } from "../params.js";
import { valueType } from "../wgsl/element.js";
import { fuseIntoProduct } from "./fuse-into-product.js";
import { map, type Formula } from "./map.js";
import type { RowProducts } from "./row-products.js";

type Attributes = { readonly alpha?: number; readonly min?: number; readonly max?: number } | undefined;

/** WGSL statements that return the result, for floats, and for integers if the op supports them. */
type Bodies = { readonly f32: string; readonly i32?: string };

const float = (f32: string): Bodies => ({ f32: `return ${f32};` });
const both = (f32: string, i32: string): Bodies => ({ f32: `return ${f32};`, i32: `return ${i32};` });

const rootHalf = "0.70710677";
/** √(2/π) · a · (1 + 0.044715 a²), from Hendrycks and Gimpel (arXiv:1606.08415). */
const geluArgument = "0.79788456 * a * (1.0 + 0.044715 * a * a)";

/** Functions of `a`. A function, so that importing this module builds no text. */
const unary = (): Record<string, Bodies> => ({
  neg: both("-a", "-a"),
  abs: both("abs(a)", "abs(a)"),
  exp: float("exp_(a)"),
  expm1: float("expm1_(a)"),
  log: float("log_(a)"),
  log1p: float("log1p_(a)"),
  tanh: float("tanh_(a)"),
  erf: float("erf_(a)"),
  sqrt: float("sqrt_(a)"),
  rsqrt: float("1.0 / sqrt_(a)"),
  reciprocal: float("1.0 / a"),
  floor: both("floor(a)", "a"),
  ceil: both("ceil(a)", "a"),
  round: both("round(a)", "a"),
  sin: float("sine(a, 0)"),
  cos: float("sine(a, 1)"),
  sign: {
    f32: "if (a > 0.0) { return 1.0; }\n  if (a < 0.0) { return -1.0; }\n  return a;",
    i32: "return sign(a);",
  },
  relu: both("select(a, 0.0, a < 0.0)", "max(a, 0)"),
  sigmoid: float("sigmoid(a)"),
  silu: { f32: "if (isInf(a) && a < 0.0) { return notANumber(); }\n  return a * sigmoid(a);" },
  siluSlope: {
    f32: `let s = sigmoid(a);
  if (abs(a) > 88.0) { return s; }
  let derivative = s * (1.0 - s);
  return s + select(a * derivative, 0.0, derivative == 0.0);`,
  },
  softplus: float("select(max(a, 0.0) + log1p_(exp(-min(abs(a), 88.0))), a, isNan(a))"),
  gelu: {
    f32: `if (a < -14.0) { return 0.0; }
  return 0.5 * a * erfc_(-a * ${rootHalf});`,
  },
  geluSlope: {
    f32: `let density = 0.3989423 * exp_(-0.5 * a * a);
  return 0.5 * erfc_(-a * ${rootHalf}) + select(a * density, 0.0, density == 0.0);`,
  },
  geluTanh: {
    f32: `if (a < -20.0) { return 0.0; }
  return 0.5 * a * (1.0 + tanh_(${geluArgument}));`,
  },
  geluTanhSlope: {
    f32: `let t = tanh_(${geluArgument});
  let derivative = 1.0 - t * t;
  let slope = 0.79788456 * (1.0 + 0.134145 * a * a);
  return 0.5 * (1.0 + t) + select(0.5 * a * derivative * slope, 0.0, derivative == 0.0);`,
  },
});

/** Functions of `a` and `b`. */
const binary = (): Record<string, Bodies> => ({
  add: both("a + b", "a + b"),
  sub: both("a - b", "a - b"),
  mul: both("a * b", "a * b"),
  div: { f32: "return a / b;", i32: "if (b == 0) { return 0; }\n  return a / b;" },
  maximum: both("larger(a, b)", "max(a, b)"),
  minimum: both("smaller(a, b)", "min(a, b)"),
  pow: float("pow_(a, b)"),
  atan2: float("atan2_(a, b)"),
  remainder: {
    f32: "return floorRemainder(a, b);",
    i32: `if (b == 0) { return 0; }
  let rest = a % b;
  return select(rest, rest + b, rest != 0 && (rest < 0) != (b < 0));`,
  },
  // The softmax weight exp(a − b) of a number a whose row has logSumExp b; 0 in a row of −∞.
  shares: { f32: "if (isInf(b) && b < 0.0) { return 0.0; }\n  return exp_(a - b);" },
});

/** WGSL operators of comparisons. */
const comparisons: Record<string, string> = {
  less: "<",
  lessEqual: "<=",
  greater: ">",
  greaterEqual: ">=",
  equal: "==",
  notEqual: "!=",
};

/** Functions of one, two or three numbers, of any strides, with broadcasting. */
export function elementwiseKernels(
  context: Context,
  rowProducts: RowProducts,
): Record<string, Kernel<Attributes>> {
  const kernels: Record<string, Kernel<Attributes>> = {};
  const supported = (views: readonly View[]) => views.every(({ dtype }) => dtype !== "float64");
  for (const [name, formulas] of Object.entries({ ...unary(), ...binary() })) {
    kernels[name] = (inputs, [output]) => {
      const body = formulas[valueType(output!.dtype)];
      if (!supported([...inputs, output!]) || body === undefined) return false;
      if (fuseIntoProduct(context, rowProducts, name, inputs, output!, body)) return true;
      return map(context, name, inputs, output!, { body });
    };
  }
  for (const [name, operator] of Object.entries(comparisons)) {
    const test = {
      f32: `if (isNan(a) || isNan(b)) { return ${name === "notEqual" ? 1 : 0}; }
  return select(0, 1, ordered(a) ${operator} ordered(b));`,
      i32: `return select(0, 1, a ${operator} b);`,
    };
    kernels[name] = (inputs, [output]) =>
      supported(inputs) && map(context, name, inputs, output!, { body: test[valueType(inputs[0]!.dtype)] });
  }
  const isTrue = (name: string, { dtype }: View) =>
    valueType(dtype) === "f32" ? `${name} != 0.0` : `${name} != 0`;
  kernels["logicalNot"] = (inputs, [output]) =>
    supported(inputs) &&
    map(context, "logicalNot", inputs, output!, { body: `return select(1, 0, ${isTrue("a", inputs[0]!)});` });
  for (const [name, operator] of [
    ["logicalAnd", "&&"],
    ["logicalOr", "||"],
  ] as const) {
    kernels[name] = (inputs, [output]) =>
      supported(inputs) &&
      map(context, name, inputs, output!, {
        body: `return select(0, 1, ${isTrue("a", inputs[0]!)} ${operator} ${isTrue("b", inputs[1]!)});`,
      });
  }
  kernels["where"] = (inputs, [output]) =>
    supported(inputs) &&
    map(context, "where", inputs, output!, {
      body: "if (a != 0) { return b; }\n  return c;",
      bits: new Set([1, 2]),
    });
  kernels["swish"] = (inputs, [output], attributes) =>
    supported(inputs) &&
    map(context, "swish", inputs, output!, {
      body: "if (isInf(a) && p.alpha * a < 0.0) { return notANumber(); }\n  return a * sigmoid(p.alpha * a);",
      params: (params) => params.f32("alpha", attributes?.alpha ?? 1),
    });
  kernels["clamp"] = (inputs, [output], attributes) =>
    supported(inputs) && map(context, "clamp", inputs, output!, clampFormula(output!.dtype, attributes));
  kernels["copy"] = (inputs, [output]) =>
    supported(inputs) && map(context, "copy", inputs, output!, { body: "return a;", bits: true });
  kernels["cast"] = (inputs, [output]) =>
    supported([...inputs, output!]) &&
    map(context, "cast", inputs, output!, castFormula(inputs[0]!.dtype, output!.dtype));
  return kernels;
}

function clampFormula(
  dtype: DType,
  { min = -Infinity, max = Infinity }: NonNullable<Attributes> = {},
): Formula {
  const isInteger = valueType(dtype) === "i32";
  const limits = (["min", "max"] as const).filter((name) => Number.isFinite(name === "min" ? min : max));
  const [larger, smaller] = isInteger ? ["max", "min"] : ["larger", "smaller"];
  let text = "a";
  if (limits.includes("min")) text = `${larger}(${text}, p.least)`;
  if (limits.includes("max")) text = `${smaller}(${text}, p.most)`;
  const add = (params: Params, name: string, value: number) =>
    // Limits beyond the range of int32 have no effect.
    isInteger
      ? params.i32(name, Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)))
      : params.f32(name, value);
  return {
    variant: limits.join(),
    body: `return ${text};`,
    params(params) {
      if (limits.includes("min")) add(params, "least", min);
      if (limits.includes("max")) add(params, "most", max);
    },
  };
}

function castFormula(source: DType, target: DType): Formula {
  const floats = valueType(source) === "f32";
  // The result is the 16-bit pattern of the number, which `map` stores as it is.
  if (target === "float16" || target === "bfloat16")
    return {
      body: `return ${target === "float16" ? "halfBits" : "brainBits"}(f32(a));`,
      bits: new Set<number>(),
    };
  if (target === "bool") return { body: `return select(0, 1, a != ${floats ? "0.0" : "0"});` };
  if (target === "float32") return { body: floats ? "return a;" : "return f32(a);" };
  return { body: floats ? "return wholeNumber(a);" : "return a;" };
}
