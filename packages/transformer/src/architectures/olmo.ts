import type { NormParams } from "../layers/norm.js";
import type { DecoderParams } from "../models/decoder.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, rope, trait, type ConfigEntry } from "./config-entry.js";
import { attentionMaps, embedding, feedForwardMaps, head, llamaSizes } from "./llama-parts.js";
import { each, normWithoutGain } from "./stored-tensor.js";

/** Queries, keys and values are not held between limits. */
const withoutClipping: ConfigEntry = {
  read: (fields) => (fields.has("clip_qkv") ? fields.refuse("clip_qkv", "null") : {}),
  write: () => ({ clip_qkv: null }),
};

const isPlain = ({ weight, bias }: NormParams): boolean => !bias && weight.data.every((gain) => gain === 1);

/** OLMo: Llama with layer norms that learn nothing. */
export const olmo: Architecture = {
  modelTypes: ["olmo"],
  class: "OlmoForCausalLM",
  config: () => [
    ...llamaSizes(),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    withoutClipping,
    trait({ norm: "layer", normEps: 1e-5 }),
  ],
  tensors: (config, tied) => [
    embedding(config),
    each(config.numLayers, "layers", "model.layers", () => [
      normWithoutGain("attentionNorm", config.embedDim),
      ...attentionMaps(config),
      normWithoutGain("feedForwardNorm", config.embedDim),
      ...feedForwardMaps(config),
    ]),
    normWithoutGain("norm", config.embedDim),
    ...(tied ? [] : [head(config)]),
  ],
  fits: ({ norm, layers }: DecoderParams) =>
    [norm, ...layers.flatMap((layer) => [layer.attentionNorm, layer.feedForwardNorm])].every(isPlain),
};
