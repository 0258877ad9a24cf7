import type { MixerLayer, MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig, LayerType } from "../../models/decoder-config.js";
import { isHybrid } from "../../models/is-recurrent.js";
import type { ConfigEntry } from "../config-entry.js";
import type { ConfigFields } from "../config-fields.js";
import { mixerOf } from "../mixed-layers.js";

/** Keys of a mixer, which its layers in a file share. */
export type MixerKeys = {
  read(fields: ConfigFields, config: Partial<DecoderConfig>): MixerLayer;
  write(mixer: MixerLayerConfig): Readonly<Record<string, unknown>>;
};

/** Counts of a key: one for each layer, or one for all; 0 where a layer has none. */
export function countsOfLayers(fields: ConfigFields, name: string, numLayers: number): readonly number[] {
  if (!fields.isList(name)) return new Array<number>(numLayers).fill(fields.count(name));
  const counts = fields.list(name) ?? [];
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;
  if (counts.length === numLayers && counts.every(isCount)) return counts as readonly number[];
  return fields.refuse(name, `a list of ${numLayers} whole numbers, as block_count says`);
}

/** The one count of layers that have any; undefined where none has. */
export function oneCount(fields: ConfigFields, name: string, counts: readonly number[]): number | undefined {
  const [first, ...others] = new Set(counts.filter((count) => count > 0));
  return others.length === 0
    ? first
    : fields.refuse(name, "one count in all layers that have any, as layers are alike here");
}

/** A count as a key holds it: for each layer where some have none, else one for all. */
export function countsToWrite(count: number, has: readonly boolean[]): number | readonly number[] {
  return has.every(Boolean) ? count : has.map((one) => (one ? count : 0));
}

/** True where a layer attends. */
export const attends = (type: LayerType = "full"): boolean =>
  type !== "none" && (typeof type !== "object" || isHybrid(type));

/** The key of key-value heads. */
export const heads = "attention.head_count_kv";

/** Layers of a mixer, which are those of no key-value heads; the others attend. */
export const mixersWithoutHeads = (mixer: MixerKeys): ConfigEntry => ({
  read(fields, config) {
    const { numLayers = 0, numHeads = 1 } = config;
    const counts = countsOfLayers(fields, heads, numLayers);
    const layer = mixer.read(fields, config);
    return {
      numKvHeads: oneCount(fields, heads, counts) ?? numHeads,
      layerTypes: counts.map((count): LayerType => (count > 0 ? "full" : (layer as never))),
    };
  },
  write(config) {
    const has = Array.from({ length: config.numLayers }, (_, i) => attends(config.layerTypes?.[i]));
    const own = mixerOf(config);
    return { [heads]: countsToWrite(config.numKvHeads, has), ...(own && mixer.write(own)) };
  },
});
