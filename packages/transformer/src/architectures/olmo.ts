import type { NormParams } from "../layers/norm.js";
import type { DecoderParams } from "../models/decoder.js";
import type { Architecture } from "./architecture.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import { attentionTensors, feedForwardTensors } from "./gguf/gguf-tensors.js";
import { activation, bias, rope, trait, type ConfigEntry } from "./config-entry.js";
import { attentionProjections, embedding, feedForwardProjections, head, llamaSizes } from "./llama-parts.js";
import { each, normWithoutGain } from "./stored-tensor.js";

/** `clip_qkv`: clamping of queries, keys and values is not supported. */
const withoutClipping: ConfigEntry = {
  read: (fields) => (fields.has("clip_qkv") ? fields.unsupported("clip_qkv", "null") : {}),
  write: () => ({ clip_qkv: null }),
};

/** True for a norm with gains of 1. False if the layer has no such norm. */
const isPlain = (norm: NormParams | undefined): boolean =>
  norm !== undefined && !norm.bias && norm.weight.data.every((gain) => gain === 1);

/** True if all norms have gains of 1 and no biases. */
export const hasPlainNorms = ({ norm, embeddingNorm, layers }: DecoderParams): boolean =>
  [
    norm,
    ...(embeddingNorm ? [embeddingNorm] : []),
    ...layers.flatMap((layer) => [layer.attentionNorm, layer.feedForwardNorm]),
  ].every(isPlain);

/** Tensors of OLMo in a GGUF file. */
const olmoGgufTensors: GgufArchitecture["tensors"] = (config, tied) => [
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

/** OLMo: Llama with layer norms without gain and bias. */
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
      tensors: olmoGgufTensors,
      refuses: (_, params) =>
        hasPlainNorms(params)
          ? undefined
          : { argument: "params.norm", received: "trained norms", expected: "gains of 1 and no biases" },
    }),
  ],
  tensors: (config, tied) => [
    embedding(config),
    each(config.numLayers, "layers", "model.layers", () => [
      normWithoutGain("attentionNorm", config.embedDim),
      ...attentionProjections(config),
      normWithoutGain("feedForwardNorm", config.embedDim),
      ...feedForwardProjections(config),
    ]),
    normWithoutGain("norm", config.embedDim),
    ...(tied ? [] : [head(config)]),
  ],
  fits: hasPlainNorms,
};
