import {
  broadcastTo,
  cummax,
  cumprod,
  expandDims,
  logSumExp,
  neg,
  ones,
  tril,
  where,
  greater,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

/** Cumulative functions along an axis. */
export const cumulative: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "cumprod",
    inputs: ["input"],
    attributes: { dim: 0 },
    run: ({ input }, { dim }) => ({ output: cumprod(input, dim) }),
  }),
  defineReferenceOp({
    name: "cummax",
    inputs: ["input"],
    attributes: { dim: 0 },
    run: ({ input }, { dim }) => cummax(input, dim),
  }),
  defineReferenceOp({
    name: "cummin",
    inputs: ["input"],
    attributes: { dim: 0 },
    run({ input }, { dim }) {
      const { values, indices } = cummax(neg(input), dim);
      return { values: neg(values), indices };
    },
  }),
  defineReferenceOp({
    name: "logcumsumexp",
    inputs: ["input"],
    attributes: { dim: 0 },
    run: ({ input }, { dim }) => ({
      output: transpose(soFar(transpose(input, dim, -1)), dim, -1),
    }),
  }),
];

/** Cumulative log-sum-exp along the last axis: log-sum-exp over the rows of a triangle. */
function soFar(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  const rows = broadcastTo(expandDims(x, -2), [...x.shape, n]);
  const seen = greater(tril(ones([n, n], { device: x.device })), 0);
  return logSumExp(where(seen, rows, -Infinity), { axis: -1 });
}
