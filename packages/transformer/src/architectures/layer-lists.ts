import type { DecoderConfig } from "../models/decoder-config.js";
import { layerConfig } from "../models/layer-config.js";
import { count, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { withOverrides } from "./layer-overrides.js";

/** A list with one valid number per layer. `rule`: the condition for a number, and its description in errors. */
export function perLayer(
  fields: ConfigFields,
  name: string,
  numLayers: number,
  rule: { isValid(value: number): boolean; description: string },
): readonly number[] | undefined {
  const list = fields.list(name);
  if (list === undefined) return undefined;
  if (list.length === numLayers && list.every((value) => typeof value === "number" && rule.isValid(value)))
    return list as readonly number[];
  return fields.refuse(name, `a list of ${numLayers} numbers, ${rule.description}`);
}

/** A list with one of these values per layer. */
export function layerValues<T extends string | number>(
  fields: ConfigFields,
  name: string,
  numLayers: number,
  values: readonly T[],
): readonly T[] | undefined {
  const list = fields.list(name);
  if (list === undefined) return undefined;
  const expected = `a list of ${numLayers}, each ${values.join(" or ")}`;
  return list.length === numLayers && list.every((value) => values.includes(value as T))
    ? (list as readonly T[])
    : refuseLayerList(fields, name, { numLayers, type: typeof values[0], expected });
}

/** Refuses a list: as damaged if a layer lacks a value or has one of another type, else as not implemented. */
export function refuseLayerList(
  fields: ConfigFields,
  name: string,
  { numLayers, type, expected }: { numLayers: number; type: string; expected: string },
): never {
  const list = fields.list(name) ?? [];
  const isComplete = list.length === numLayers && list.every((value) => typeof value === type);
  return isComplete ? fields.unsupported(name, expected) : fields.refuse(name, expected);
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
    const rule = {
      isValid: (value: number) => Number.isSafeInteger(value) && value > 0,
      description: "whole and above 0",
    };
    const values = perLayer(fields, name, numLayers, rule)!;
    const first = values[0] ?? 1;
    return {
      [key]: first,
      ...withOverrides(config, (i) => (values[i] === first ? {} : { [key]: values[i]! })),
    };
  },
  write(config) {
    const values = Array.from({ length: config.numLayers }, (_, i) => layerConfig(config, i)[key]);
    return { [name]: new Set(values).size === 1 ? values[0] : values };
  },
});
