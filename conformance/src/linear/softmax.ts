import { attentionResiduals } from "@qkv/attention";
import { rmsNorm } from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { gatedSoftmaxOps } from "./gated-softmax.js";
import { multiHeadLatentAttention } from "./multi-head-latent-attention.js";
import { sparseSoftmaxOps } from "./sparse-softmax.js";

/**
 * Variants of softmax attention: latent keys, gated scores, sparse selection, under their names in the cases of
 * `linear/`.
 */
export const softmaxOps: readonly ReferenceOp[] = [
  multiHeadLatentAttention,
  ...gatedSoftmaxOps,
  ...sparseSoftmaxOps,
  defineReferenceOp({
    name: "attention_residuals",
    inputs: ["query", "residuals", "rms_weight"],
    optionalInputs: ["output_rms_weight"],
    attributes: { rms_eps: 1e-6, scale: 1 },
    run({ query, residuals, rms_weight, output_rms_weight }, { rms_eps: eps, scale }) {
      const { output, weights } = attentionResiduals(query, residuals, { keyNorm: rms_weight, scale, eps });
      return {
        o: output_rms_weight ? rmsNorm(output, output_rms_weight, { eps }) : output,
        p: weights,
      };
    },
  }),
];
