import type { MixerLayer, MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig, LayerType } from "../../models/decoder-config.js";
import { isHybrid } from "../../models/is-recurrent.js";
import type { ConfigEntry } from "../config-entry.js";
import type { ConfigFields } from "../config-fields.js";
import { mixerConfig } from "../mixed-layers.js";

/** Reads and writes the metadata of a mixer, which all its layers share. */
export type MixerKeys = {
  read(fields: ConfigFields, config: Partial<DecoderConfig>): MixerLayer;
  write(mixer: MixerLayerConfig): Readonly<Record<string, unknown>>;
};

/** A key with one number per layer, or one number for all layers. 0 means that a layer has none. */
export function countPerLayer(fields: ConfigFields, name: string, numLayers: number): readonly number[] {
  if (!fields.isList(name)) return new Array<number>(numLayers).fill(fields.count(name));
  const counts = fields.list(name) ?? [];
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  if (counts.length === numLayers && counts.every(isCount)) return counts as readonly number[];
  return fields.refuse(name, `a list of ${numLayers} integers, as block_count says`);
}

/** The common number of the layers whose number is not 0; undefined if there are none. */
export function oneCount(fields: ConfigFields, name: string, counts: readonly number[]): number | undefined {
  const [first, ...others] = new Set(counts.filter((count) => count > 0));
  return others.length === 0
    ? first
    : fields.unsupported(name, "one count in all layers that have any, as layers are alike here");
}

/** The value of a key with one number per layer: a list if some layers have 0, else one number. */
export function countsToWrite(count: number, has: readonly boolean[]): number | readonly number[] {
  return has.every(Boolean) ? count : has.map((hasCount) => (hasCount ? count : 0));
}

/** True for a layer with attention. */
export const hasAttention = (type: LayerType = "full"): boolean =>
  type !== "none" && (typeof type !== "object" || isHybrid(type));

/** The key for the number of key-value heads. */
export const heads = "attention.head_count_kv";

/** Layers without key-value heads have the mixer; the others have attention. */
export const mixersWithoutHeads = (mixer: MixerKeys): ConfigEntry => ({
  read(fields, config) {
    const { numLayers = 0, numHeads = 1 } = config;
    const counts = countPerLayer(fields, heads, numLayers);
    const layer = mixer.read(fields, config);
    return {
      numKvHeads: oneCount(fields, heads, counts) ?? numHeads,
      layerTypes: counts.map((count): LayerType => (count > 0 ? "full" : (layer as never))),
    };
  },
  write(config) {
    const has = Array.from({ length: config.numLayers }, (_, i) => hasAttention(config.layerTypes?.[i]));
    const sizes = mixerConfig(config);
    return { [heads]: countsToWrite(config.numKvHeads, has), ...(sizes && mixer.write(sizes)) };
  },
});
