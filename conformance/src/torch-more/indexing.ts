import {
  broadcastTo,
  cast,
  concat,
  div,
  embedding,
  mul,
  neg,
  reshape,
  scatter,
  slice,
  stopGradient,
  where,
  zeros,
  ones,
  type Tensor,
} from "@qkv/tensor";
import { Skip } from "../case.js";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { gruModule } from "../torch/gru.js";

const output = (x: Tensor) => ({ output: x });

type Reduce = "sum" | "prod" | "mean" | "amax" | "amin";

/** Functions that read and write by index, and the package's only recurrent layer. */
export const indexing: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "scatter_reduce",
    inputs: ["input", "index", "src"],
    attributes: { dim: 0, reduce: "sum" as Reduce, include_self: true },
    run: ({ input, index, src }, { dim, reduce, include_self }) =>
      output(scatterReduce(input, dim, index, src, reduce, include_self)),
  }),
  defineReferenceOp({
    name: "index_add",
    inputs: ["input", "index", "source"],
    attributes: { dim: 0, alpha: 1 },
    run({ input, index, source }, { dim, alpha }) {
      const along = source.shape.map((length, axis) => (axis === dim ? length : 1));
      const indices = broadcastTo(reshape(index, along), source.shape);
      return output(scatter(input, dim, indices, mul(source, alpha), { reduce: "add" }));
    },
  }),
  defineReferenceOp({
    name: "renorm_embedding",
    inputs: ["weight", "input"],
    attributes: { padding_idx: 0 },
    run({ weight, input }, { padding_idx: row }) {
      const fixed = stopGradient(slice(weight, 0, row, row + 1));
      return output(
        embedding(concat([slice(weight, 0, 0, row), fixed, slice(weight, 0, row + 1)], 0), input),
      );
    },
  }),
  defineReferenceOp({
    name: "gru",
    inputs: ["input"],
    moreInputs: gruModule.moreInputs!,
    attributes: {
      input_size: 0,
      hidden_size: 0,
      num_layers: 1,
      bias: true,
      batch_first: false,
      dropout: 0,
      bidirectional: false,
    },
    run: ({ input, ...params }, attributes) => gruModule.run({ x: input, ...params }, attributes),
  }),
];

function scatterReduce(
  x: Tensor,
  axis: number,
  indices: Tensor,
  source: Tensor,
  reduce: Reduce,
  includeSelf: boolean,
): Tensor {
  const { shape, dtype, device } = x;
  if (reduce === "prod") throw new Skip("scatter has sums, the largest and means, and no products");
  const hit = scatter(
    zeros(shape, { dtype: "bool", device }),
    axis,
    indices,
    ones(indices.shape, { dtype: "bool", device }),
  );
  /** The initial value at an index: without the element itself, the identity of the reduction. */
  const start = (x: Tensor, nothing: number) => (includeSelf ? x : where(hit, nothing, x));
  if (reduce === "amax") return scatter(start(x, -Infinity), axis, indices, source, { reduce: "max" });
  if (reduce === "amin")
    return neg(scatter(start(neg(x), -Infinity), axis, indices, neg(source), { reduce: "max" }));
  if (reduce === "mean" && includeSelf) return scatter(x, axis, indices, source, { reduce: "mean" });
  const sums = scatter(start(x, 0), axis, indices, source, { reduce: "add" });
  if (reduce === "sum") return sums;
  const counts = scatter(zeros(shape, { dtype, device }), axis, indices, 1, { reduce: "add" });
  return div(sums, where(hit, counts, cast(ones(shape, { device }), dtype)));
}
