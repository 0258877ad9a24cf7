import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import type { ConfigEntry } from "./config-entry.js";
import { attentionProjections } from "./llama-parts.js";
import type { StoredTensor } from "./stored-tensor.js";

/** The last `num_kv_shared_layers` layers reuse keys and values of the last layer of their type before them. */
export const sharedLastLayers: ConfigEntry = {
  read(fields, { numLayers = 0, layerTypes = [] }) {
    const count = fields.number("num_kv_shared_layers", 0);
    if (count === 0) return {};
    const first = numLayers - count;
    if (!Number.isInteger(count) || count < 0 || first < 1)
      return fields.refuse("num_kv_shared_layers", `an integer below ${numLayers}, the number of layers`);
    const layerType = (i: number) => layerTypes[i] ?? "full";
    const sharedKeyValues = Array.from({ length: numLayers }, (_, i) => {
      if (i < first) return i;
      for (let from = first - 1; from >= 0; from--) if (layerType(from) === layerType(i)) return from;
      return fields.refuse("num_kv_shared_layers", "fewer layers: one of each type makes keys and values");
    });
    return { sharedKeyValues };
  },
  write: ({ sharedKeyValues = [] }) => ({
    num_kv_shared_layers: sharedKeyValues.filter((from, i) => from !== i).length,
  }),
};

/** True for a layer that computes its own keys and values. */
export const hasOwnKeyValues = ({ sharedKeyValues }: DecoderConfig, layer: number): boolean =>
  (sharedKeyValues?.[layer] ?? layer) === layer;

/** Attention projections of a layer, with the sizes of that layer. */
export const layerAttentionProjections = (config: DecoderConfig, layer: number): StoredTensor[] =>
  attentionProjections(layerConfig(config, layer), {}, hasOwnKeyValues(config, layer));

/** Unused key and value tensors that files may contain for layers that reuse those of others. */
export const unusedKeyValueNames = (config: DecoderConfig): RegExp =>
  new RegExp(`layers\\.(${layersThatShare(config)})\\.self_attn\\.([kv]_proj|[kv]_norm)\\.`);

/** Unused key and value tensors of layers that reuse those of others, by llama.cpp's names. */
export const unusedGgufKeyValueNames = (config: DecoderConfig): RegExp =>
  new RegExp(`^blk\\.(${layersThatShare(config)})\\.attn_(k|v|k_norm)\\.weight$`);

/** Indices of the layers that reuse keys and values, as alternatives of a regular expression. */
const layersThatShare = (config: DecoderConfig): string =>
  Array.from({ length: config.numLayers }, (_, i) => i)
    .filter((i) => !hasOwnKeyValues(config, i))
    .join("|") || "none";
