import { ropeFields } from "./config-fields.js";
import { slidingRope, type ConfigEntry } from "./config-entry.js";
import { ropeScalingField } from "./rope-fields.js";

/** Embeddings times √C, the softcap of logits, and unscaled attention scores, as queries and keys are normalized. */
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

/** Norms of a layer since Gemma 2: before and after each sublayer. */
export const gemmaNorms = {
  attentionNorm: "input_layernorm",
  attentionOutNorm: "post_attention_layernorm",
  feedForwardNorm: "pre_feedforward_layernorm",
  feedForwardOutNorm: "post_feedforward_layernorm",
} as const;

/**
 * Rotary bases of full layers and of sliding-window layers, which have no scaling.
 *
 * @param older - Name of the field in older files for the base of sliding-window layers, and its default.
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
