import type { RopeScalingConfig } from "../models/rope-from-config.js";

/** Writes `rope_scaling` of a `config.json`. Fields that are omitted have the same defaults there. */
export function ropeScalingField(scaling: RopeScalingConfig): Record<string, unknown> {
  const { type } = scaling;
  switch (type) {
    case "linear":
      return { rope_type: type, factor: scaling.factor };
    case "dynamic":
      return {
        rope_type: type,
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalLength,
      };
    case "yarn":
      return {
        rope_type: type,
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalLength,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        mscale: scaling.mscale,
        mscale_all_dim: scaling.mscaleAllDim,
        truncate: scaling.truncate,
      };
    case "llama3":
      return {
        rope_type: type,
        factor: scaling.factor ?? 8,
        low_freq_factor: scaling.lowFactor ?? 1,
        high_freq_factor: scaling.highFactor ?? 4,
        original_max_position_embeddings: scaling.originalLength ?? 8192,
      };
    case "longrope":
      return {
        rope_type: type,
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalLength,
        short_factor: Array.from(scaling.shortFactors),
        long_factor: Array.from(scaling.longFactors),
        attention_factor: scaling.attentionFactor,
      };
    case "proportional":
      return {
        rope_type: type,
        partial_rotary_factor: scaling.share,
        ...(scaling.factor !== undefined && { factor: scaling.factor }),
      };
  }
}
