import { erf, tensor } from "@qkv/tensor";

type Attributes = Record<string, unknown>;

/** An attribute of ONNX is a float32. */
const float = Math.fround;

/** ONNX's scalar functions that expressions lack, with the defaults of their attributes. */
export const scalarFunctions: Record<string, ((x: number, attributes: Attributes) => number) | undefined> = {
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Celu: (x, { alpha = 1 }) => Math.max(0, x) + Math.min(0, Number(alpha) * Math.expm1(x / Number(alpha))),
  Cos: Math.cos,
  Cosh: Math.cosh,
  Elu: (x, { alpha = 1 }) => (x < 0 ? Number(alpha) * Math.expm1(x) : x),
  Erf: erfOf,
  Gelu: (x, { approximate = "none" }) =>
    approximate === "tanh"
      ? (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x / 2) * (1 + erfOf(x / Math.SQRT2)),
  HardSigmoid: (x, { alpha = float(0.2), beta = 0.5 }) =>
    Math.max(0, Math.min(1, Number(alpha) * x + Number(beta))),
  HardSwish: (x) => x * Math.max(0, Math.min(1, float(1 / 6) * x + 0.5)),
  IsInf: (x, { detect_negative = 1, detect_positive = 1 }) =>
    Number((x === Infinity && detect_positive !== 0) || (x === -Infinity && detect_negative !== 0)),
  IsNaN: (x) => Number(Number.isNaN(x)),
  LeakyRelu: (x, { alpha = float(0.01) }) => (x < 0 ? Number(alpha) * x : x),
  Mish: (x) => x * Math.tanh(softplus(x)),
  Round: (x) => {
    const nearest = Math.round(x);
    return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
  },
  Selu: (x, { alpha = 1.6732631921768188, gamma = 1.0507010221481323 }) =>
    Number(gamma) * (x > 0 ? x : Number(alpha) * Math.expm1(x)),
  Sin: Math.sin,
  Sinh: Math.sinh,
  Softplus: softplus,
  Softsign: (x) => x / (1 + Math.abs(x)),
  Swish: (x, { alpha = 1 }) => x / (1 + Math.exp(-Number(alpha) * x)),
  Tan: Math.tan,
  ThresholdedRelu: (x, { alpha = 1 }) => (x > Number(alpha) ? x : 0),
};

function softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
}

function erfOf(x: number): number {
  return erf(tensor([x], { dtype: "float64" })).data[0]!;
}
