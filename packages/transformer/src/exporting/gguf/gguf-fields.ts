import type { GgufField } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { ropeScalingFromConfig } from "../../models/rope-from-config.js";
import { decoderHeadDim } from "../hugging-face-decoder.js";
import { layerConfig } from "../../models/layer-config.js";
import { rotaryDim } from "../../architectures/config-entry.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import type { GgufTensor } from "./gguf-tensor.js";
import { slidingPeriod } from "./sliding-period.js";

export type GgufFields = Readonly<Record<string, GgufField>>;

export const uint32 = (value: number): GgufField => ({ type: "uint32", value });
export const float32 = (value: number): GgufField => ({ type: "float32", value });

/** Adds a prefix to the names of metadata, and removes undefined values. */
export function prefixedFields(
  prefix: string,
  fields: Readonly<Record<string, GgufField | undefined>>,
): GgufFields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => (field ? [[`${prefix}.${name}`, field]] : [])),
  );
}

/** Metadata of a decoder with a normalized configuration. */
export function decoderFields(architecture: string, config: DecoderConfig): GgufFields {
  const { experts, window, layerTypes, numLayers, attentionSoftcap, logitSoftcap, hiddenDim } = config;
  const D = decoderHeadDim(config);
  const eps = config.norm === "layer" ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
  const slides = architecture === "gemma2" || (architecture === "gemma3" && layerTypes !== undefined);
  return prefixedFields(architecture, {
    vocab_size: uint32(config.vocabSize),
    context_length: uint32(config.contextLength),
    embedding_length: uint32(config.embedDim),
    block_count: uint32(numLayers),
    feed_forward_length: uint32(hiddenDim),
    "attention.head_count": uint32(config.numHeads),
    "attention.head_count_kv": uint32(config.numKvHeads),
    "attention.key_length": uint32(D),
    "attention.value_length": uint32(D),
    [`attention.${eps}`]: float32(config.normEps),
    ...(config.positions === "rotary" && ropeFields(config)),
    ...(slides && {
      "attention.sliding_window": uint32(window ?? config.contextLength),
      "attention.sliding_window_pattern": uint32(slidingPeriod(layerTypes, numLayers)!),
    }),
    attn_logit_softcapping: attentionSoftcap === undefined ? undefined : float32(attentionSoftcap),
    final_logit_softcapping: logitSoftcap === undefined ? undefined : float32(logitSoftcap),
    ...(experts && {
      expert_count: uint32(experts.numExperts),
      expert_used_count: uint32(experts.expertsPerToken),
      expert_feed_forward_length: uint32(hiddenDim),
    }),
  });
}

/** Metadata of rotary positions. */
export function ropeFields(config: DecoderConfig): Record<string, GgufField | undefined> {
  const { ropeScaling: scaling, ropeBase = 10000, slidingRopeBase } = config;
  return {
    "rope.dimension_count": uint32(rotaryDim(config)),
    "rope.freq_base": float32(ropeBase),
    "rope.freq_base_swa": slidingRopeBase === undefined ? undefined : float32(slidingRopeBase),
    ...(scaling && scalingFields(config, scaling)),
  };
}

function scalingFields(
  config: DecoderConfig,
  scaling: NonNullable<DecoderConfig["ropeScaling"]>,
): Record<string, GgufField | undefined> {
  const { type } = scaling;
  if (type === "linear" || type === "dynamic") {
    return {
      "rope.scaling.type": { type: "string", value: type },
      "rope.scaling.factor": float32(scaling.factor),
    };
  }
  if (type === "llama3" || type === "proportional") return {}; // llama3 is stored as frequency factors; no supported GGUF architecture has proportional
  const { attentionFactor } = rotaryFrequencies(config, 1);
  return {
    "rope.scaling.type": { type: "string", value: type },
    "rope.scaling.original_context_length": uint32(scaling.originalLength),
    ...(type === "yarn"
      ? {
          "rope.scaling.factor": float32(scaling.factor),
          // A multiplier of YaRN's default attention factor.
          "rope.scaling.attn_factor": float32(attentionFactor / (0.1 * Math.log(scaling.factor) + 1)),
        }
      : { "rope.scaling.attn_factor": float32(attentionFactor) }),
  };
}

/** RoPE frequency factors per pair, for scalings that files store as tensors. */
export function ropeFactors(config: DecoderConfig): GgufTensor[] {
  const { ropeScaling: scaling, ropeBase = 10000 } = config;
  const vector = (name: string, factors: ArrayLike<number>): GgufTensor => {
    const x = tensor(Float32Array.from(factors));
    return { name: `${name}.weight`, shape: x.shape, parts: [unchanged(name, x)] };
  };
  if (scaling?.type === "llama3") {
    const { frequencies } = rotaryFrequencies(config, 1);
    const unscaled = (i: number) => ropeBase ** (-i / frequencies.length);
    return [
      vector(
        "rope_freqs",
        frequencies.map((frequency, i) => unscaled(i) / frequency),
      ),
    ];
  }
  if (scaling?.type === "proportional") return [vector("rope_freqs", proportionalFactors(config, scaling))];
  if (scaling?.type !== "longrope") return [];
  return [
    vector("rope_factors_long", scaling.longFactors),
    vector("rope_factors_short", scaling.shortFactors),
  ];
}

/** Frequency factors of full layers: 1 for rotated pairs, and for the others 1e30, so that they do not rotate. */
function proportionalFactors(config: DecoderConfig, { share = 1 }: { share?: number }): number[] {
  const full = config.layerTypes?.findIndex((type) => type !== "sliding") ?? 0;
  const pairs = rotaryDim(layerConfig(config, Math.max(full, 0))) / 2;
  return Array.from({ length: pairs }, (_, i) => (i < Math.floor(share * pairs) ? 1 : 1e30));
}

function rotaryFrequencies(config: DecoderConfig, length: number) {
  const { ropeBase = 10000 } = config;
  return ropeScalingFromConfig(config.ropeScaling!).rotaryFrequencies({
    base: ropeBase,
    rotaryDim: rotaryDim(config),
    length,
  });
}
