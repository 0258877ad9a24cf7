import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import { count, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { withOverrides } from "./layer-overrides.js";

/** A list with one valid number per layer. */
export function perLayer(
  fields: ConfigFields,
  name: string,
  numLayers: number,
  rule: { holds(one: number): boolean; words: string },
): readonly number[] | undefined {
  const list = fields.list(name);
  if (list === undefined) return undefined;
  if (list.length === numLayers && list.every((one) => typeof one === "number" && rule.holds(one)))
    return list as readonly number[];
  return fields.refuse(name, `a list of ${numLayers} numbers, ${rule.words}`);
}

/** An integer of at least 1 for all layers, or a list with one per layer. It is written as a list if layers differ. */
export const layerCounts = (
  key: "hiddenDim" | "numKvHeads",
  name: string,
  fallback?: (config: Partial<DecoderConfig>) => number | undefined,
): ConfigEntry => ({
  read(fields, config) {
    const { numLayers = 0 } = config;
    if (!fields.isList(name)) return count(key, name, fallback).read(fields, config);
    const rule = { holds: (one: number) => Number.isSafeInteger(one) && one > 0, words: "whole and above 0" };
    const all = perLayer(fields, name, numLayers, rule)!;
    const first = all[0] ?? 1;
    return {
      [key]: first,
      ...withOverrides(config, (i) => (all[i] === first ? {} : { [key]: all[i]! })),
    };
  },
  write(config) {
    const all = Array.from({ length: config.numLayers }, (_, i) => layerConfig(config, i)[key]);
    return { [name]: new Set(all).size === 1 ? all[0] : all };
  },
});
