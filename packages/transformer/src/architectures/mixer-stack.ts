import type { MixerLayer } from "@qkv/attention";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { ConfigFields } from "./config-fields.js";
import { count, positive, type ConfigEntry } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { mixerConfig } from "./mixed-layers.js";
import { each, norm, type StoredTensor } from "./stored-tensor.js";

/** Entries of a model whose layers have only a mixer, such as Mamba. */
export const mixerStack = (
  layer: (fields: ConfigFields, config: Partial<DecoderConfig>) => MixerLayer,
  write: (config: DecoderConfig) => Readonly<Record<string, unknown>>,
): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("embedDim", "hidden_size"),
  count("numLayers", "num_hidden_layers"),
  positive("normEps", "layer_norm_epsilon", 1e-5),
  {
    read(fields, config) {
      return { ...mixerLayers(layer(fields, config), config.numLayers), contextLength: unbounded };
    },
    write,
  },
];

/** Layers with only a mixer. */
export function mixerLayers(mixer: MixerLayer, numLayers = 0) {
  const { numHeads, numKeyHeads = numHeads, embedDim } = mixer.config;
  return {
    // Required by `DecoderConfig`, but unused: there are no attention or feed-forward layers.
    numHeads,
    numKvHeads: numKeyHeads,
    hiddenDim: embedDim,
    layerTypes: new Array<MixerLayer>(numLayers).fill(mixer),
    feedForwardLayers: new Array<boolean>(numLayers).fill(false),
  };
}

/** A context length for models without a maximum length. */
export const unbounded = 1_048_576;

/** Tensors of a model whose layers have only a mixer. */
export const mixerStackTensors = (
  config: DecoderConfig,
  tied: boolean,
  mixer: (config: NonNullable<ReturnType<typeof mixerConfig>>) => StoredTensor,
): readonly StoredTensor[] => [
  embedding(config, "backbone.embeddings.weight"),
  each(config.numLayers, "layers", "backbone.layers", () => [
    norm("attentionNorm", "norm", config.embedDim),
    mixer(mixerConfig(config)!),
  ]),
  norm("norm", "backbone.norm_f", config.embedDim),
  ...(tied ? [] : [head(config)]),
];

/** Ignored fields: initialization and kernels. */
export const mambaIgnored =
  "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_rank chunk_size expand";
