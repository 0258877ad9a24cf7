import {
  abs,
  add,
  clamp,
  div,
  elu,
  glu,
  greater,
  leakyRelu,
  logSigmoid,
  maximum,
  mish,
  mul,
  neg,
  relu,
  reshape,
  sign,
  softmax,
  softplus,
  sub,
  tanh,
  where,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });
/** `torch.nn.functional.hardsigmoid`. */
const hardSigmoid = (x: Tensor) => div(clamp(add(x, 3), { min: 0, max: 6 }), 6);

/** Activation functions: those of the package, and compositions of its operations. */
export const activations: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "glu",
    inputs: ["input"],
    attributes: { dim: -1 },
    run: ({ input }, { dim }) => output(glu(input, { axis: dim })),
  }),
  defineReferenceOp({
    name: "elu",
    inputs: ["input"],
    attributes: { alpha: 1 },
    run: ({ input }, attributes) => output(elu(input, attributes)),
  }),
  defineReferenceOp({ name: "mish", inputs: ["input"], run: ({ input }) => output(mish(input)) }),
  defineReferenceOp({
    name: "leaky_relu",
    inputs: ["input"],
    attributes: { negative_slope: 0.01 },
    run: ({ input }, { negative_slope }) => output(leakyRelu(input, { negativeSlope: negative_slope })),
  }),
  defineReferenceOp({ name: "logsigmoid", inputs: ["input"], run: ({ input }) => output(logSigmoid(input)) }),
  defineReferenceOp({
    name: "selu",
    inputs: ["input"],
    // The constants of "Self-Normalizing Neural Networks" (2017), arXiv:1706.02515.
    run: ({ input }) => output(mul(elu(input, { alpha: 1.6732632423543772 }), 1.0507009873554805)),
  }),
  defineReferenceOp({
    name: "celu",
    inputs: ["input"],
    attributes: { alpha: 1 },
    run: ({ input }, { alpha }) => output(mul(elu(div(input, alpha)), alpha)),
  }),
  defineReferenceOp({
    name: "softplus",
    inputs: ["input"],
    attributes: { beta: 1, threshold: 20 },
    run({ input }, { beta, threshold }) {
      const scaled = mul(input, beta);
      return output(where(greater(scaled, threshold), input, div(softplus(scaled), beta)));
    },
  }),
  defineReferenceOp({
    name: "hardswish",
    inputs: ["input"],
    run: ({ input }) => output(mul(input, hardSigmoid(input))),
  }),
  defineReferenceOp({
    name: "hardsigmoid",
    inputs: ["input"],
    run: ({ input }) => output(hardSigmoid(input)),
  }),
  defineReferenceOp({
    name: "hardtanh",
    inputs: ["input"],
    attributes: { min_val: -1, max_val: 1 },
    run: ({ input }, { min_val, max_val }) => output(clamp(input, { min: min_val, max: max_val })),
  }),
  defineReferenceOp({
    name: "relu6",
    inputs: ["input"],
    run: ({ input }) => output(clamp(input, { min: 0, max: 6 })),
  }),
  defineReferenceOp({
    name: "softsign",
    inputs: ["input"],
    run: ({ input }) => output(div(input, add(abs(input), 1))),
  }),
  defineReferenceOp({
    name: "tanhshrink",
    inputs: ["input"],
    run: ({ input }) => output(sub(input, tanh(input))),
  }),
  defineReferenceOp({
    name: "softshrink",
    inputs: ["input"],
    attributes: { lambd: 0.5 },
    run: ({ input }, { lambd }) => output(mul(sign(input), relu(sub(abs(input), lambd)))),
  }),
  defineReferenceOp({
    name: "hardshrink",
    inputs: ["input"],
    attributes: { lambd: 0.5 },
    run: ({ input }, { lambd }) => output(where(greater(abs(input), lambd), input, 0)),
  }),
  defineReferenceOp({
    name: "softmin",
    inputs: ["input"],
    attributes: { dim: -1 },
    run: ({ input }, { dim }) => output(softmax(neg(input), { axis: dim })),
  }),
  defineReferenceOp({
    name: "prelu",
    inputs: ["input", "weight"],
    // A slope per channel, on axis 1.
    run: ({ input, weight }) =>
      output(
        sub(
          maximum(input, 0),
          mul(relu(neg(input)), reshape(weight, [-1, ...input.shape.slice(2).map(() => 1)])),
        ),
      ),
  }),
];
