import { ropeFields } from "./config-fields.js";
import { slidingRope, type ConfigEntry } from "./config-entry.js";
import { ropeScalingField } from "./rope-fields.js";

/** Gemma's scale of embeddings, and the cap of logits; scores are not scaled, as queries and keys are normalized. */
export const gemmaScales: ConfigEntry = {
  read(fields, { embedDim = 1 }) {
    const logitSoftcap = fields.positiveOr(undefined, "final_logit_softcapping");
    return {
      embeddingScale: Math.sqrt(embedDim),
      attentionScale: 1,
      ...(logitSoftcap !== undefined && { logitSoftcap }),
    };
  },
  write: ({ logitSoftcap }) => ({ final_logit_softcapping: logitSoftcap ?? null }),
};

/** Norms of Gemma's layers since the second. */
export const gemmaNorms = {
  attentionNorm: "input_layernorm",
  attentionOutNorm: "post_attention_layernorm",
  feedForwardNorm: "pre_feedforward_layernorm",
  feedForwardOutNorm: "post_feedforward_layernorm",
} as const;

/**
 * Rotary embeddings of full and of sliding layers, which are not scaled.
 *
 * @param older - The field of older files for the base of sliding layers, and that base where a file has neither.
 */
export const ropesByType = (older?: { name: string; base: number }): ConfigEntry => ({
  read(fields, config) {
    const full = ropeFields(fields, { base: 1e6 });
    return { ...full, ...slidingRope(older).read(fields, { ...config, ...full }) };
  },
  write: ({ ropeBase = 10000, ropeScaling, slidingRopeBase = ropeBase }) => ({
    rope_parameters: {
      full_attention: {
        rope_theta: ropeBase,
        ...(ropeScaling ? ropeScalingField(ropeScaling) : { rope_type: "default" }),
      },
      sliding_attention: { rope_theta: slidingRopeBase, rope_type: "default" },
    },
  }),
});
