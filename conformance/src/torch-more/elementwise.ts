import {
  abs,
  add,
  atan2,
  cos,
  div,
  equal,
  erf,
  exp,
  expm1,
  floorDivide,
  log,
  log1p,
  logSumExp,
  mul,
  neg,
  oneHot,
  pow,
  remainder,
  sign,
  sin,
  sqrt,
  square,
  stack,
  sub,
  where,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });
const one = (name: string, f: (x: Tensor) => Tensor): ReferenceOp =>
  defineReferenceOp({ name, inputs: ["input"], run: ({ input }) => output(f(input)) });
const two = (name: string, f: (a: Tensor, b: Tensor) => Tensor): ReferenceOp =>
  defineReferenceOp({ name, inputs: ["input", "other"], run: ({ input, other }) => output(f(input, other)) });

/** Elementwise functions of one, two and three tensors: those of the package, and compositions of its operations. */
export const elementwise: readonly ReferenceOp[] = [
  one("erf", erf),
  one("expm1", expm1),
  one("log1p", log1p),
  one("sin", sin),
  one("cos", cos),
  one("sinh", (x) => mul(sub(exp(x), exp(neg(x))), 0.5)),
  one("cosh", (x) => mul(add(exp(x), exp(neg(x))), 0.5)),
  one("atan", (x) => atan2(x, 1)),
  one("asinh", (x) => {
    const size = abs(x);
    const further = div(square(x), add(sqrt(add(square(x), 1)), 1));
    return mul(sign(x), log1p(add(size, further)));
  }),
  two("remainder", remainder),
  two("fmod", (a, b) => mul(sign(a), remainder(abs(a), abs(b)))),
  defineReferenceOp({
    name: "floor_divide",
    inputs: ["input", "other"],
    run({ input, other }) {
      const quotient = floorDivide(input, other);
      // The case with float inputs names its outputs like those without a gradient.
      return { output: quotient, _output: quotient };
    },
  }),
  two("atan2", atan2),
  two("hypot", (a, b) => sqrt(add(square(a), square(b)))),
  two("logaddexp", (a, b) => logSumExp(stack([a, b]), { axis: 0 })),
  two("xlogy", (a, b) => where(equal(a, 0), 0, mul(a, log(b)))),
  defineReferenceOp({
    name: "lerp",
    inputs: ["input", "end", "weight"],
    run: ({ input, end, weight }) => output(add(input, mul(weight, sub(end, input)))),
  }),
  defineReferenceOp({
    name: "pow",
    inputs: ["input"],
    optionalInputs: ["exponent"],
    attributes: { exponent: 1 },
    run: ({ input, exponent }, attributes) => output(pow(input, exponent ?? attributes.exponent)),
  }),
  defineReferenceOp({
    name: "one_hot",
    inputs: ["input"],
    attributes: { num_classes: 1 },
    run: ({ input }, { num_classes }) => output(oneHot(input, num_classes, { dtype: "int32" })),
  }),
];
