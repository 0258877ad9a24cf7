import { ropeScalingField } from "./rope-fields.js";
import {
  activationField,
  activationNames,
  layerTypesField,
  ropeFields,
  type ConfigFields,
} from "./config-fields.js";
import type { DecoderConfig } from "../models/decoder-config.js";

/**
 * An entry of an architecture's table: maps fields of `config.json` to `DecoderConfig` (`read`) and back (`write`).
 * Loading and exporting use the same entries.
 */
export type ConfigEntry = {
  /** @param config - The configuration that earlier entries have read. */
  read(fields: ConfigFields, config: Partial<DecoderConfig>): Partial<DecoderConfig>;
  write(config: DecoderConfig): Readonly<Record<string, unknown>>;
};

type NumberKey = {
  [K in keyof DecoderConfig]-?: Exclude<DecoderConfig[K], undefined> extends number ? K : never;
}[keyof DecoderConfig];

type Fallback = number | ((config: Partial<DecoderConfig>) => number | undefined) | undefined;

const resolveFallback = (fallback: Fallback, config: Partial<DecoderConfig>) =>
  typeof fallback === "function" ? fallback(config) : fallback;

const maxLayers = 10_000;

/** An integer of at least 1. Without a fallback, the field is required. */
export function count(key: NumberKey, name: string | readonly string[], fallback?: Fallback): ConfigEntry {
  const names = [name].flat();
  return {
    read(fields, config) {
      const value =
        fallback === undefined
          ? fields.count(...names)
          : fields.countOr(resolveFallback(fallback, config), ...names);
      if (value === undefined) return {};
      // Limited, because layers are allocated before their tensors are found in the file.
      if (key === "numLayers" && value > maxLayers)
        return fields.refuse(names[0]!, `at most ${maxLayers} layers`);
      return { [key]: value };
    },
    write: (config) => ({ [names[0]!]: config[key] }),
  };
}

/** Multi-head attention: as many key-value heads as query heads. */
export const multiHead: ConfigEntry = {
  read: (_, { numHeads = 1 }) => ({ numKvHeads: numHeads }),
  write: () => ({}),
};

/** A finite number above 0. */
export function positive(key: NumberKey, name: string, fallback?: Fallback): ConfigEntry {
  return {
    read: (fields, config) => ({ [key]: fields.positive(name, resolveFallback(fallback, config)) }),
    write: (config) => ({ [name]: config[key] }),
  };
}

/** A multiplier. `from` converts the value in the file, `to` converts it back. A multiplier of 1 is omitted from the configuration. */
export function factor(
  key: NumberKey,
  name: string,
  from: (x: number, config: Partial<DecoderConfig>) => number = (x) => x,
  to: (x: number, config: DecoderConfig) => number = (x) => x,
  fallback = 1,
): ConfigEntry {
  return {
    read(fields, config) {
      const value = from(fields.positive(name, fallback), config);
      return value === 1 ? {} : { [key]: value };
    },
    write: (config) => ({ [name]: to(config[key] ?? 1, config) }),
  };
}

/** Options of all models of an architecture, which are not in `config.json`. */
export const trait = (traits: Partial<DecoderConfig>): ConfigEntry => ({
  read: () => traits,
  write: () => ({}),
});

/** A field with a single supported value, or absent. It is written. */
export const always = (name: string, value: unknown): ConfigEntry => ({
  read(fields) {
    fields.mustBe(name, value);
    return {};
  },
  write: () => ({ [name]: value }),
});

/** A field with a single supported value, or absent. It is not written. */
export const requireValue = (name: string, value: unknown): ConfigEntry => ({
  ...always(name, value),
  write: () => ({}),
});

/** The activation of feed-forward layers. */
export const activation = (name = "hidden_act", fallback = "silu"): ConfigEntry => ({
  read: (fields) => ({ activation: activationField(fields, name, fallback) }),
  write: (config) => ({ [name]: activationNames[config.activation ?? "silu"] }),
});

/** Base and scaling of the rotary embedding. */
export const rope = ({ base = 10000 }: { base?: number } = {}): ConfigEntry => ({
  read: (fields) => ropeFields(fields, { base }),
  write: ({ ropeBase = 10000, ropeScaling }) => ({
    rope_theta: ropeBase,
    ...(ropeScaling && { rope_scaling: ropeScalingField(ropeScaling) }),
  }),
});

/**
 * The rotary base of sliding-window layers, without scaling. Default: the base of full layers.
 *
 * @param older - Name of the field in older files, and its default.
 */
export const slidingRope = (older?: { name: string; base: number }): ConfigEntry => ({
  read(fields, { ropeBase = 10000, ropeScaling, layerTypes }) {
    const olderBase = older && fields.positive(older.name, older.base);
    if (!layerTypes?.includes("sliding")) return {};
    const parameters = fields.nested("rope_parameters")?.nested("sliding_attention");
    const base = parameters?.positiveOr(undefined, "rope_theta") ?? olderBase ?? ropeBase;
    parameters?.mustBe("rope_type", "default");
    return base === ropeBase && !ropeScaling ? {} : { slidingRopeBase: base };
  },
  write: ({ ropeBase = 10000, ropeScaling, slidingRopeBase }) =>
    slidingRopeBase === undefined
      ? {}
      : {
          rope_parameters: {
            full_attention: {
              rope_theta: ropeBase,
              ...(ropeScaling ? ropeScalingField(ropeScaling) : { rope_type: "default" }),
            },
            sliding_attention: { rope_theta: slidingRopeBase, rope_type: "default" },
          },
        },
});

/** The fraction of each head that RoPE rotates. */
export const partialRope = (name = "partial_rotary_factor", fallback = 1): ConfigEntry => ({
  read(fields, config) {
    const outerShare = fields.positive(name, fallback);
    const share = (fields.nested("rope_parameters") ?? fields).positive(name, outerShare);
    if (share > 1) return fields.refuse(name, "a fraction of the head dimension, at most 1");
    return share === 1 ? {} : { ropeDim: Math.floor(headDim(config) * share) };
  },
  write: (config) => ({ [name]: (config.ropeDim ?? headDim(config)) / headDim(config) }),
});

/** D, the head dimension. */
export const headDim = ({ headDim, embedDim = 0, numHeads = 1 }: Partial<DecoderConfig>): number =>
  headDim ?? embedDim / numHeads;

/** Number of dimensions of each head that RoPE rotates. */
export const rotaryDim = (config: Partial<DecoderConfig>): number =>
  config.latent?.ropeDim ?? config.ropeDim ?? headDim(config);

/** The head dimension. Default: width over number of heads. */
export const headSize = (name = "head_dim"): ConfigEntry => ({
  read(fields, { embedDim = 0, numHeads = 1 }) {
    const size = fields.countOr(embedDim / numHeads, name);
    return size === embedDim / numHeads ? {} : { headDim: size };
  },
  write: (config) => ({ [name]: headDim(config) }),
});

/** A flag for biases of these projections. */
export function bias(
  name: string,
  maps: readonly (keyof NonNullable<DecoderConfig["bias"]>)[],
  fallback = false,
): ConfigEntry {
  return {
    read(fields, config) {
      const has = fields.flag(name, fallback);
      return { bias: { ...config.bias, ...Object.fromEntries(maps.map((map) => [map, has])) } };
    },
    write: (config) => ({ [name]: config.bias?.[maps[0]!] ?? false }),
  };
}

/**
 * Sliding window and layer types: `layer_types` if the file lists them, else `pattern` by layer index. Without a window,
 * all layers are full.
 */
export const slidingLayers = (
  pattern: (layer: number, fields: ConfigFields) => "full" | "sliding",
): ConfigEntry => ({
  read(fields, { numLayers = 0 }) {
    const listedTypes = layerTypesField(fields, numLayers);
    const window = fields.countOr(undefined, "sliding_window");
    if (window === undefined) {
      if (!listedTypes?.includes("sliding")) return {};
      return fields.refuse("layer_types", "full_attention alone, as there is no sliding_window");
    }
    const layerTypes = listedTypes ?? Array.from({ length: numLayers }, (_, i) => pattern(i, fields));
    return layerTypes.includes("sliding") ? { window, layerTypes } : {};
  },
  write: ({ window, layerTypes, numLayers }) => ({
    sliding_window: window ?? null,
    layer_types: Array.from({ length: numLayers }, (_, i) =>
      layerTypes?.[i] === "sliding" ? "sliding_attention" : "full_attention",
    ),
  }),
});

/** Reads a configuration from fields, entry by entry. */
export function readFields(entries: readonly ConfigEntry[], fields: ConfigFields): Partial<DecoderConfig> {
  return entries.reduce<Partial<DecoderConfig>>(
    (config, entry) => ({ ...config, ...entry.read(fields, config) }),
    {},
  );
}

/** Writes the fields of a configuration. */
export function writeFields(entries: readonly ConfigEntry[], config: DecoderConfig): Record<string, unknown> {
  return Object.assign({}, ...entries.map((entry) => entry.write(config))) as Record<string, unknown>;
}
