import {
  add,
  div,
  groupNorm,
  mean,
  mul,
  normalize,
  reshape,
  sqrt,
  sub,
  variance,
  type Tensor,
} from "@qkv/tensor";
import { checkKnown, defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const output = (x: Tensor) => ({ output: x });

/** Group norm, batch norm, and vectors of unit norm. */
export const norms: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "group_norm",
    inputs: ["input"],
    optionalInputs: ["weight", "bias"],
    attributes: { num_groups: 1, eps: 1e-5 },
    run: ({ input, weight, bias }, { num_groups, eps }) =>
      output(groupNorm(input, num_groups, weight, bias, { eps })),
  }),
  defineReferenceOp({
    name: "instance_norm",
    inputs: ["input"],
    optionalInputs: ["weight", "bias"],
    attributes: { eps: 1e-5 },
    run: ({ input, weight, bias }, { eps }) =>
      output(groupNorm(input, input.shape[1]!, weight, bias, { eps })),
  }),
  defineReferenceOp({
    name: "batch_norm",
    inputs: ["input", "weight", "bias"],
    optionalInputs: ["running_mean", "running_var"],
    attributes: { training: false, eps: 1e-5 },
    run({ input, weight, bias, running_mean, running_var }, { training, eps }) {
      const axis = input.shape.flatMap((_, a) => (a === 1 ? [] : [a]));
      const perChannel = (x: Tensor) => reshape(x, [-1, ...input.shape.slice(2).map(() => 1)]);
      const center = training ? mean(input, { axis }) : checkKnown(running_mean, "running_mean");
      const spread = training
        ? variance(input, { axis, correction: 0 })
        : checkKnown(running_var, "running_var");
      const normal = div(sub(input, perChannel(center)), perChannel(sqrt(add(spread, eps))));
      return output(add(mul(normal, perChannel(weight)), perChannel(bias)));
    },
  }),
  defineReferenceOp({
    name: "normalize",
    inputs: ["input"],
    attributes: { p: 2, dim: 1, eps: 1e-12 },
    run: ({ input }, { p, dim, eps }) => output(normalize(input, { order: p, axis: dim, eps })),
  }),
  defineReferenceOp({
    name: "normalize_l1",
    inputs: ["input"],
    attributes: { p: 1, dim: 1, eps: 1e-12 },
    run: ({ input }, { p, dim, eps }) => output(normalize(input, { order: p, axis: dim, eps })),
  }),
];
