import {
  add,
  argSort,
  expandDims,
  logSumExp,
  norm,
  outer,
  prod,
  roll,
  slice,
  sort,
  squeeze,
  std,
  stopGradient,
  sub,
  tril,
  variance,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });
const spread = (name: string, of: typeof variance): ReferenceOp =>
  defineReferenceOp({
    name,
    inputs: ["input"],
    attributes: { dim: 0, correction: 1, keepdim: false },
    run: ({ input }, { dim, correction, keepdim }) =>
      output(of(input, { axis: dim, correction, keepDims: keepdim })),
  });

/** Functions that reduce an axis, and others that compare or move elements along one. */
export const reductions: readonly ReferenceOp[] = [
  spread("var", variance),
  spread("std", std),
  defineReferenceOp({
    name: "prod",
    inputs: ["input"],
    attributes: { dim: 0 },
    run: ({ input }, { dim }) => output(prod(input, { axis: dim })),
  }),
  defineReferenceOp({
    name: "logsumexp",
    inputs: ["input"],
    attributes: { dim: 0 },
    run: ({ input }, { dim }) => output(logSumExp(input, { axis: dim })),
  }),
  defineReferenceOp({
    name: "median",
    inputs: ["input"],
    attributes: { dim: 0 },
    run({ input }, { dim }) {
      // The lower median of an even number of elements.
      const middle = Math.floor((input.shape[dim]! - 1) / 2);
      const at = (x: Tensor) => squeeze(slice(x, dim, middle, middle + 1), dim);
      return {
        values: at(sort(input, { axis: dim })),
        indices: at(argSort(stopGradient(input), { axis: dim })),
      };
    },
  }),
  defineReferenceOp({
    name: "cdist",
    inputs: ["x1", "x2"],
    attributes: { p: 2 },
    run: ({ x1, x2 }, { p }) =>
      output(norm(sub(expandDims(x1, -2), expandDims(x2, -3)), { axis: -1, order: p })),
  }),
  defineReferenceOp({
    name: "tril_outer",
    inputs: ["a", "b"],
    attributes: { diagonal: 0 },
    run: ({ a, b }, { diagonal }) => output(tril(outer(a, b), diagonal)),
  }),
  defineReferenceOp({
    name: "roll",
    inputs: ["input"],
    attributes: { shifts: [] as number[], dims: [] as number[] },
    run: ({ input }, { shifts, dims }) =>
      output(dims.reduce((x, dim, i) => roll(x, shifts[i]!, dim), add(input, 0))),
  }),
];
