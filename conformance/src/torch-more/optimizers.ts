import { adafactor, lion, muon, orthogonalize } from "@qkv/tensor/optimizers";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { steps, torchOptimizers } from "../torch/optimizers.js";

const descent = { maximize: false };

/** Optimizers, also those of `torch/` with other options. */
export const optimizers: readonly ReferenceOp[] = [
  ...torchOptimizers,
  steps(
    "adafactor",
    { lr: 0.01, beta2_decay: -0.8, eps: [null, 1e-3] as [null, number], d: 1, weight_decay: 0, ...descent },
    ({ lr, beta2_decay, eps: [, minScale], d, weight_decay }) =>
      adafactor({
        learningRate: lr,
        beta2Decay: beta2_decay,
        minScale,
        clipThreshold: d,
        weightDecay: weight_decay,
      }),
  ),
  steps(
    "lion",
    { lr: 1e-4, betas: [0.9, 0.99] as [number, number], weight_decay: 0, ...descent },
    ({ lr, betas, weight_decay }) => lion({ learningRate: lr, betas, weightDecay: weight_decay }),
  ),
  {
    ...steps(
      "muon",
      {
        lr: 0.02,
        weight_decay: 0,
        momentum: 0.95,
        newton_schulz_steps: 5,
        nesterov: true,
        computed_in: "",
        ...descent,
      },
      ({ lr, weight_decay, momentum, newton_schulz_steps, nesterov }) =>
        muon({ learningRate: lr, weightDecay: weight_decay, momentum, nesterov, steps: newton_schulz_steps }),
    ),
    // The published algorithm, whose 16-bit values are off by percents.
    beside: ["_published_bfloat16"],
  },
  defineReferenceOp({
    name: "zeropower_via_newtonschulz5",
    inputs: ["G"],
    attributes: { steps: 5, coefficients: [] as number[], eps: 1e-7 },
    run: ({ G }, { steps, eps }) => ({ output: orthogonalize(G, { steps, eps }) }),
  }),
];
