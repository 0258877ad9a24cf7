import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import type { ConfigEntry } from "./config-entry.js";
import { attentionMaps } from "./llama-parts.js";
import type { StoredTensor } from "./stored-tensor.js";

/** The last `num_kv_shared_layers` layers read the keys and values of the last earlier layer of their type. */
export const lastLayersShare: ConfigEntry = {
  read(fields, { numLayers = 0, layerTypes = [] }) {
    const count = fields.number("num_kv_shared_layers", 0);
    if (count === 0) return {};
    const first = numLayers - count;
    if (!Number.isInteger(count) || count < 0 || first < 1)
      return fields.refuse("num_kv_shared_layers", `a whole number below ${numLayers}, the number of layers`);
    const typeOf = (i: number) => layerTypes[i] ?? "full";
    const sharedKeyValues = Array.from({ length: numLayers }, (_, i) => {
      if (i < first) return i;
      for (let from = first - 1; from >= 0; from--) if (typeOf(from) === typeOf(i)) return from;
      return fields.refuse("num_kv_shared_layers", "fewer layers: one of each type makes keys and values");
    });
    return { sharedKeyValues };
  },
  write: ({ sharedKeyValues = [] }) => ({
    num_kv_shared_layers: sharedKeyValues.filter((from, i) => from !== i).length,
  }),
};

/** True for a layer that makes keys and values of its own. */
export const makesKeyValues = ({ sharedKeyValues }: DecoderConfig, layer: number): boolean =>
  (sharedKeyValues?.[layer] ?? layer) === layer;

/** Maps of a layer's attention, in its own sizes. */
export const ownAttentionMaps = (config: DecoderConfig, layer: number): StoredTensor[] =>
  attentionMaps(layerConfig(config, layer), {}, makesKeyValues(config, layer));

/** Names of tensors that files may hold for layers that read keys and values of others: no model reads them. */
export const unreadKeyValues = (config: DecoderConfig): RegExp =>
  new RegExp(`layers\\.(${layersThatShare(config)})\\.self_attn\\.([kv]_proj|[kv]_norm)\\.`);

/** The same under llama.cpp's names. */
export const unreadInGguf = (config: DecoderConfig): RegExp =>
  new RegExp(`^blk\\.(${layersThatShare(config)})\\.attn_(k|v|k_norm)\\.weight$`);

/** Numbers of the layers that read the keys and values of others, for a regular expression. */
const layersThatShare = (config: DecoderConfig): string =>
  Array.from({ length: config.numLayers }, (_, i) => i)
    .filter((i) => !makesKeyValues(config, i))
    .join("|") || "none";
