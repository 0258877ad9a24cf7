import {
  add,
  cast,
  clamp,
  div,
  equal,
  exp,
  gather,
  log,
  logSoftmax,
  maximum,
  mean,
  mul,
  neg,
  relu,
  reshape,
  softmax,
  softplus,
  square,
  sub,
  sum,
  where,
  type Tensor,
} from "@qkv/tensor";
import {
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  cosineSimilarity,
  huberLoss,
  klDivergence,
  l1Loss,
  mseLoss,
  tripletMarginLoss,
} from "@qkv/tensor/losses";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { crossEntropyFunction } from "../torch/cross-entropy.js";

type Reduction = "mean" | "sum" | "none";
const reduction = "mean" as Reduction;
const output = (x: Tensor) => ({ output: x });
const reduced = (losses: Tensor, reduction: Reduction) =>
  output(reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses));
/** Integers as floats. */
const like = (x: Tensor, { dtype }: Tensor) => cast(x, dtype);

/** Losses: those of the package, and compositions of its operations. */
export const losses: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "mse_loss",
    inputs: ["input", "target"],
    attributes: { reduction },
    run: ({ input, target }, attributes) => output(mseLoss(input, target, attributes)),
  }),
  defineReferenceOp({
    name: "l1_loss",
    inputs: ["input", "target"],
    attributes: { reduction },
    run: ({ input, target }, attributes) => output(l1Loss(input, target, attributes)),
  }),
  defineReferenceOp({
    name: "huber_loss",
    inputs: ["input", "target"],
    attributes: { reduction, delta: 1 },
    run: ({ input, target }, attributes) => output(huberLoss(input, target, attributes)),
  }),
  defineReferenceOp({
    name: "smooth_l1_loss",
    inputs: ["input", "target"],
    attributes: { reduction, beta: 1 },
    run: ({ input, target }, { reduction, beta }) =>
      output(div(huberLoss(input, target, { reduction, delta: beta }), beta)),
  }),
  defineReferenceOp({
    name: "binary_cross_entropy_with_logits",
    inputs: ["input", "target"],
    optionalInputs: ["weight", "pos_weight"],
    attributes: { reduction },
    run: ({ input, target, weight, pos_weight }, { reduction }) =>
      output(
        binaryCrossEntropyWithLogits(input, target, {
          reduction,
          ...(weight && { weight }),
          ...(pos_weight && { positiveWeight: pos_weight }),
        }),
      ),
  }),
  defineReferenceOp({
    name: "binary_cross_entropy",
    inputs: ["input", "target"],
    attributes: { reduction },
    run({ input, target }, { reduction }) {
      // PyTorch clamps logarithms at -100.
      const bounded = (x: Tensor) => maximum(log(x), -100);
      const likelihood = add(mul(target, bounded(input)), mul(sub(1, target), bounded(sub(1, input))));
      return reduced(neg(likelihood), reduction);
    },
  }),
  defineReferenceOp({
    name: "kl_div",
    inputs: ["input", "target"],
    attributes: { reduction: "mean" as Reduction | "batchmean", log_target: false, note: "" },
    run: ({ input, target }, { reduction, log_target: logTarget }) =>
      output(
        klDivergence(logSoftmax(input), logTarget ? logSoftmax(target) : softmax(target), {
          logTarget,
          reduction: reduction === "batchmean" ? "batchMean" : reduction,
        }),
      ),
  }),
  defineReferenceOp({
    name: "cosine_embedding_loss",
    inputs: ["input1", "input2", "target"],
    attributes: { margin: 0, reduction },
    run: ({ input1, input2, target }, attributes) =>
      output(cosineEmbeddingLoss(input1, input2, target, attributes)),
  }),
  defineReferenceOp({
    name: "cosine_similarity",
    inputs: ["x1", "x2"],
    attributes: { dim: 1, eps: 1e-8 },
    run: ({ x1, x2 }, { dim, eps }) => output(cosineSimilarity(x1, x2, { axis: dim, eps })),
  }),
  defineReferenceOp({
    name: "triplet_margin_loss",
    inputs: ["anchor", "positive", "negative"],
    attributes: { margin: 1, p: 2, eps: 1e-6, swap: false, reduction },
    run({ anchor, positive, negative }, { margin, p, eps, swap, reduction }) {
      if (p !== 2 || eps !== 1e-6) throw new Error(`p is ${p} and eps ${eps}, expected 2 and 1e-6`);
      return output(tripletMarginLoss(anchor, positive, negative, { margin, swap, reduction }));
    },
  }),
  defineReferenceOp({
    name: "nll_loss",
    inputs: ["input", "target"],
    optionalInputs: ["weight"],
    attributes: { reduction, ignore_index: -100, note: "" },
    // The input is the logits, and the case applies softmax: this is `crossEntropy`.
    run: ({ input, target, weight }, { reduction, ignore_index }) =>
      crossEntropyFunction.run(
        { logits: input, target, ...(weight && { weight }) },
        { ...crossEntropyFunction.attributes, reduction, ignore_index },
      ),
  }),
  defineReferenceOp({
    name: "cross_entropy",
    inputs: ["input", "target"],
    optionalInputs: ["weight"],
    attributes: { reduction, label_smoothing: 0, note: "" },
    run({ input, target, weight }, { reduction, label_smoothing }) {
      const shares = target.dtype === "int32" ? target : softmax(target, { axis: 1 });
      const given = { logits: input, target: shares, ...(weight && { weight }) };
      return crossEntropyFunction.run(given, {
        ...crossEntropyFunction.attributes,
        reduction,
        label_smoothing,
      });
    },
  }),
  defineReferenceOp({
    name: "gaussian_nll_loss",
    inputs: ["input", "target", "var"],
    attributes: { full: false, eps: 1e-6, reduction },
    run({ input, target, var: variance }, { full, eps, reduction }) {
      const bounded = clamp(variance, { min: eps });
      const losses = mul(add(log(bounded), div(square(sub(input, target)), bounded)), 0.5);
      return reduced(full ? add(losses, Math.log(2 * Math.PI) / 2) : losses, reduction);
    },
  }),
  defineReferenceOp({
    name: "margin_ranking_loss",
    inputs: ["input1", "input2", "target"],
    attributes: { margin: 0, reduction },
    run: ({ input1, input2, target }, { margin, reduction }) =>
      reduced(relu(add(mul(neg(like(target, input1)), sub(input1, input2)), margin)), reduction),
  }),
  defineReferenceOp({
    name: "hinge_embedding_loss",
    inputs: ["input", "target"],
    attributes: { margin: 1, reduction },
    run: ({ input, target }, { margin, reduction }) =>
      reduced(where(equal(target, 1), input, relu(sub(margin, input))), reduction),
  }),
  defineReferenceOp({
    name: "soft_margin_loss",
    inputs: ["input", "target"],
    attributes: { reduction },
    run: ({ input, target }, { reduction }) =>
      reduced(softplus(neg(mul(like(target, input), input))), reduction),
  }),
  defineReferenceOp({
    name: "poisson_nll_loss",
    inputs: ["input", "target"],
    attributes: { log_input: true, full: false, reduction },
    run({ input, target }, { log_input, full, reduction }) {
      if (!log_input || full) throw new Error("only logarithms of rates, and no Stirling term, are known");
      return reduced(sub(exp(input), mul(target, input)), reduction);
    },
  }),
  defineReferenceOp({
    name: "multilabel_soft_margin_loss",
    inputs: ["input", "target"],
    attributes: { reduction },
    run: ({ input, target }, { reduction }) =>
      reduced(
        mean(binaryCrossEntropyWithLogits(input, target, { reduction: "none" }), { axis: -1 }),
        reduction,
      ),
  }),
  defineReferenceOp({
    name: "multi_margin_loss",
    inputs: ["input", "target"],
    attributes: { p: 1, margin: 1, reduction },
    run({ input, target }, { p, margin, reduction }) {
      if (p !== 1) throw new Error(`p is ${p}, expected 1`);
      const own = gather(input, 1, reshape(target, [-1, 1]));
      // The class adds the margin itself, which is subtracted here.
      const total = sub(sum(relu(add(sub(input, own), margin)), { axis: 1 }), margin);
      return reduced(div(total, input.shape[1]!), reduction);
    },
  }),
];
