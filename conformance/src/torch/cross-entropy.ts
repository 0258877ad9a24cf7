import {
  add,
  arange,
  cast,
  crossEntropy,
  div,
  equal,
  expandDims,
  logSoftmax,
  mul,
  neg,
  notEqual,
  permute,
  sizeOf,
  sum,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp } from "../reference-op.js";

/** `torch.nn.functional.cross_entropy`: classes on axis 1; targets are class indices or class probabilities. */
export const crossEntropyFunction = defineReferenceOp({
  name: "cross_entropy",
  inputs: ["logits", "target"],
  optionalInputs: ["weight"],
  attributes: { reduction: "mean" as "mean" | "sum" | "none", ignore_index: -100, label_smoothing: 0 },
  run({ logits, target, weight }, { reduction, ignore_index, label_smoothing }) {
    const rows = classesLast(logits);
    const shares = target.dtype !== "int32";
    if (!weight && !shares) {
      const options = { reduction, ignoreIndex: ignore_index, labelSmoothing: label_smoothing };
      return { output: crossEntropy(rows, target, options) };
    }
    const V = rows.shape.at(-1)!;
    const { dtype, device } = rows;
    /** The target as class probabilities, and 1 where it counts. */
    const column = shares ? undefined : expandDims(target, -1);
    const counts = column && cast(notEqual(column, ignore_index), dtype);
    const plain = column
      ? mul(counts!, cast(equal(column, arange(V, { dtype: "int32", device })), dtype))
      : classesLast(target);
    const even = counts ? mul(counts, label_smoothing / V) : label_smoothing / V;
    const weighted = (x: Tensor) => (weight ? mul(x, weight) : x);
    const wanted = weighted(add(mul(plain, 1 - label_smoothing), even));
    const losses = neg(sum(mul(wanted, logSoftmax(rows)), { axis: -1 }));
    if (reduction === "none") return { output: losses };
    // The mean is over the weights of the classes; targets with class probabilities count one each.
    const total = shares ? sizeOf(losses.shape) : sum(weighted(plain));
    return { output: reduction === "sum" ? sum(losses) : div(sum(losses), total) };
  },
});

/** PyTorch has the classes on axis 1 of a batch. */
function classesLast(x: Tensor): Tensor {
  const [batch, classes, ...rest] = x.shape.map((_, axis) => axis);
  return classes === undefined || batch === undefined ? x : permute(x, [batch, ...rest, classes]);
}
