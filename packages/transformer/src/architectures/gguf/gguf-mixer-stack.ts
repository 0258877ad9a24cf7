import type { MixerLayerConfig } from "@qkv/attention";
import { count, positive } from "../config-entry.js";
import { mixerConfig } from "../mixed-layers.js";
import { mixerLayers } from "../mixer-stack.js";
import type { StoredTensor } from "../stored-tensor.js";
import { gguf, type GgufArchitecture, type GgufOptions } from "./gguf-architecture.js";
import type { MixerKeys } from "./gguf-layers.js";

/**
 * An architecture of llama.cpp whose layers have only a mixer, so that the numbers of heads and of hidden dimensions are 0.
 *
 * @param name - As in `general.architecture`.
 */
export const ggufMixerStack = (
  name: string,
  mixer: MixerKeys,
  tensors: (mixer: MixerLayerConfig) => StoredTensor,
  options: Pick<GgufOptions, "refuses"> = {},
): GgufArchitecture => ({
  ...gguf(name, {
    ...options,
    names: {
      norms: { attentionNorm: "attn_norm" },
      attention: (config) => [tensors(mixerConfig(config)!)],
    },
  }),
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "embedding_length"),
    count("numLayers", "block_count"),
    positive("normEps", "attention.layer_norm_rms_epsilon", 1e-5),
    {
      read(fields) {
        for (const key of unused) fields.mustBe(key, 0);
        return {};
      },
      write: () => Object.fromEntries(unused.map((key) => [key, 0])),
    },
    {
      read: (fields, config) => ({
        ...mixerLayers(mixer.read(fields, config), config.numLayers),
        contextLength: fields.count("context_length"),
      }),
      write: (config) => {
        const sizes = mixerConfig(config);
        return { context_length: config.contextLength, ...(sizes && mixer.write(sizes)) };
      },
    },
  ],
});

/** Keys that llama.cpp requires, although the architecture does not use them. */
const unused = ["feed_forward_length", "attention.head_count"];
