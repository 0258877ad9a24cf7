import type { NormParams } from "../layers/norm.js";
import type { DecoderParams } from "../models/decoder.js";
import type { Architecture } from "./architecture.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import { attentionTensors, feedForwardTensors } from "./gguf/gguf-tensors.js";
import { activation, bias, rope, trait, type ConfigEntry } from "./config-entry.js";
import { attentionMaps, embedding, feedForwardMaps, head, llamaSizes } from "./llama-parts.js";
import { each, normWithoutGain } from "./stored-tensor.js";

/** Queries, keys and values are not held between limits. */
const withoutClipping: ConfigEntry = {
  read: (fields) => (fields.has("clip_qkv") ? fields.refuse("clip_qkv", "null") : {}),
  write: () => ({ clip_qkv: null }),
};

/** True for a norm without a gain; false where a layer, of a mixer alone, has none. */
const isPlain = (norm: NormParams | undefined): boolean =>
  norm !== undefined && !norm.bias && norm.weight.data.every((gain) => gain === 1);

/** True for a model whose norms learned nothing. */
export const hasPlainNorms = ({ norm, embeddingNorm, layers }: DecoderParams): boolean =>
  [
    norm,
    ...(embeddingNorm ? [embeddingNorm] : []),
    ...layers.flatMap((layer) => [layer.attentionNorm, layer.feedForwardNorm]),
  ].every(isPlain);

/** Tensors in a GGUF file. */
const withoutNorms: GgufArchitecture["tensors"] = (config, tied) => [
  embedding(config, "token_embd.weight"),
  each(config.numLayers, "layers", "blk", () => [
    normWithoutGain("attentionNorm", config.embedDim),
    ...attentionTensors(config, { ropeLayout: "interleaved" }),
    normWithoutGain("feedForwardNorm", config.embedDim),
    ...feedForwardTensors(config),
  ]),
  normWithoutGain("norm", config.embedDim),
  ...(tied ? [] : [head(config, "output.weight")]),
];

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
  gguf: () => [
    gguf("olmo", {
      ropeLayout: "interleaved",
      traits: { norm: "layer", normEps: 1e-5 },
      tensors: withoutNorms,
      refuses: (_, params) =>
        hasPlainNorms(params)
          ? undefined
          : { argument: "params.norm", received: "norms that learned", expected: "gains of 1 and no shifts" },
    }),
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
  fits: hasPlainNorms,
};
