import { concat, neg, reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import { adam, adamW, clipGradients, sgd, type Optimizer } from "@qkv/tensor/optimizers";
import { defineReferenceOp, type Named, type ReferenceOp } from "../reference-op.js";

const sgdDefaults = {
  lr: 0.001,
  momentum: 0,
  dampening: 0,
  nesterov: false,
  weight_decay: 0,
  maximize: false,
};
const adamDefaults = {
  lr: 0.001,
  betas: [0.9, 0.999] as [number, number],
  eps: 1e-8,
  amsgrad: false,
  maximize: false,
};

/**
 * The optimizers of `torch/optimizers.json`. Their cases have the gradients `grads` of several steps, and the expected params
 * after each.
 */
export const torchOptimizers: readonly ReferenceOp[] = [
  ...["sgd", "sgd_momentum"].map((name) =>
    steps(name, sgdDefaults, ({ lr, momentum, dampening, nesterov, weight_decay }) =>
      sgd({ learningRate: lr, momentum, dampening, nesterov, weightDecay: weight_decay }),
    ),
  ),
  steps("adam", { ...adamDefaults, weight_decay: 0 }, ({ lr, betas, eps, weight_decay, amsgrad }) =>
    adam({ learningRate: lr, betas, eps, weightDecay: weight_decay, amsgrad }),
  ),
  steps("adamw", { ...adamDefaults, weight_decay: 0.01 }, ({ lr, betas, eps, weight_decay, amsgrad }) =>
    adamW({ learningRate: lr, betas, eps, weightDecay: weight_decay, amsgrad }),
  ),
  defineReferenceOp({
    name: "clip_grad_norm_",
    attributes: { max_norm: 1, eps: 1e-6, norm_type: 2 },
    run(given: Named, { max_norm, eps, norm_type }) {
      if (norm_type !== 2)
        throw new Error(`norm_type is ${norm_type}, expected 2, the only one that is supported`);
      const { gradients, norm } = clipGradients(given, max_norm, { eps });
      return { ...gradients, norm: reshape(norm, [1]) };
    },
  }),
];

/** An optimizer whose cases have the gradients of several steps, and the params after each. */
export function steps<A extends { maximize: boolean }>(
  name: string,
  attributes: A,
  make: (attributes: A) => Optimizer,
): ReferenceOp {
  return defineReferenceOp({
    name,
    inputs: ["param", "grads"],
    attributes,
    async run({ param, grads }, attributes) {
      const optimizer = make(attributes);
      const state = optimizer.init(param);
      const after: Tensor[] = [];
      // Maximizing is descent along the negated gradients.
      const descentGrads = attributes.maximize ? neg(grads) : grads;
      for (let step = 0; step < grads.shape[0]!; step++) {
        optimizer.update(param, reshape(slice(descentGrads, 0, step, step + 1), param.shape), state);
        // A copy, since the next step updates the param in place.
        after.push(tensor(await param.read(), { shape: [1, ...param.shape], device: param.device }));
      }
      return { params_after_each_step: concat(after, 0) };
    },
  });
}
