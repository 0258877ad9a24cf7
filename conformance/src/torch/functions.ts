import {
  concat,
  einsum,
  embedding,
  gelu,
  greater,
  layerNorm,
  logSoftmax,
  matmul,
  mean,
  mul,
  ones,
  rmsNorm,
  silu,
  slice,
  softmax,
  stopGradient,
  swiglu,
  variance,
  where,
  type Tensor,
} from "@qkv/tensor";
import { crossEntropyFunction } from "./cross-entropy.js";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });

/** The functions of `torch/functions.json`, under their names in the cases. */
export const torchFunctions: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "layer_norm",
    inputs: ["x"],
    optionalInputs: ["weight", "bias"],
    attributes: { normalized_shape: [] as number[], eps: 1e-5 },
    run: ({ x, weight, bias }, { normalized_shape, eps }) =>
      output(layerNorm(x, weight, bias, { axis: -normalized_shape.length, eps })),
  }),
  defineReferenceOp({
    name: "rms_norm",
    inputs: ["x"],
    optionalInputs: ["weight"],
    // PyTorch's default is the machine epsilon of float32.
    attributes: { normalized_shape: [] as number[], eps: 2 ** -23 },
    run: ({ x, weight }, { normalized_shape, eps }) =>
      output(rmsNorm(x, weight ?? ones(normalized_shape, x), { axis: -normalized_shape.length, eps })),
  }),
  defineReferenceOp({
    name: "softmax",
    inputs: ["x"],
    attributes: { dim: -1 },
    run: ({ x }, { dim }) => output(softmax(x, { axis: dim })),
  }),
  defineReferenceOp({
    name: "log_softmax",
    inputs: ["x"],
    attributes: { dim: -1 },
    run: ({ x }, { dim }) => output(logSoftmax(x, { axis: dim })),
  }),
  defineReferenceOp({
    name: "gelu",
    inputs: ["x"],
    attributes: { approximate: "none" as "none" | "tanh" },
    run: ({ x }, attributes) => output(gelu(x, attributes)),
  }),
  defineReferenceOp({ name: "silu", inputs: ["x"], run: ({ x }) => output(silu(x)) }),
  defineReferenceOp({
    name: "silu(x1) * x2, x = [x1, x2] on the last axis",
    inputs: ["x"],
    run({ x }) {
      const half = x.shape.at(-1)! / 2;
      return output(swiglu(slice(x, -1, 0, half), slice(x, -1, half)));
    },
  }),
  defineReferenceOp({
    name: "embedding",
    inputs: ["ids", "weight"],
    attributes: { padding_idx: undefined as number | undefined },
    run: ({ ids, weight }, { padding_idx }) =>
      output(embedding(padding_idx === undefined ? weight : withoutGradient(weight, padding_idx), ids)),
  }),
  crossEntropyFunction,
  defineReferenceOp({ name: "matmul", inputs: ["a", "b"], run: ({ a, b }) => output(matmul(a, b)) }),
  defineReferenceOp({
    name: "einsum",
    attributes: { equation: "" },
    run: (operands, { equation }) => output(einsum(equation, ...Object.values(operands))),
  }),
  defineReferenceOp({
    name: "mean and unbiased=False var over axis 1",
    inputs: ["x"],
    run: ({ x }) => ({ mean: mean(x, { axis: 1 }), var: variance(x, { axis: 1, correction: 0 }) }),
  }),
  defineReferenceOp({
    name: "where(cat([a, b], -1) > 0, cat, 0.1*cat)",
    inputs: ["a", "b"],
    run({ a, b }) {
      const both = concat([a, b], -1);
      return output(where(greater(both, 0), both, mul(both, 0.1)));
    },
  }),
];

/** An embedding table in which one row gets no gradient (`padding_idx`). */
function withoutGradient(table: Tensor, row: number): Tensor {
  const at = row < 0 ? row + table.shape[0]! : row;
  const fixed = stopGradient(slice(table, 0, at, at + 1));
  return concat([slice(table, 0, 0, at), fixed, slice(table, 0, at + 1)], 0);
}
