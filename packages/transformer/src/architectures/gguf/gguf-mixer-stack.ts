import type { MixerLayerConfig } from "@qkv/attention";
import { count, positive } from "../config-entry.js";
import { mixerOf } from "../mixed-layers.js";
import { mixerLayers } from "../mixer-stack.js";
import type { StoredTensor } from "../stored-tensor.js";
import { gguf, type GgufArchitecture, type GgufOptions } from "./gguf-architecture.js";
import type { MixerKeys } from "./gguf-layers.js";

/**
 * An architecture of llama.cpp whose layers are a mixer alone: keys count no heads and no numbers of feed-forward layers.
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
      attention: (config) => [tensors(mixerOf(config)!)],
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
        const own = mixerOf(config);
        return { context_length: config.contextLength, ...(own && mixer.write(own)) };
      },
    },
  ],
});

/** Keys that llama.cpp asks for, and such a stack has no use for. */
const unused = ["feed_forward_length", "attention.head_count"];
