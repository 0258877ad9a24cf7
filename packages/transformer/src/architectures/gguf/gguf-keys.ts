import type { DecoderConfig } from "../../models/decoder-config.js";
import { count, headDim, positive, rotaryDim, type ConfigEntry } from "../config-entry.js";
import { ropeFields } from "../config-fields.js";
import { ropeScalingField } from "../rope-fields.js";

/**
 * Entries for sizes, norms and positions, which all architectures of llama.cpp share.
 *
 * @param traits - Options of all models of the architecture.
 */
export const ggufSizes = (
  traits: Partial<DecoderConfig>,
  { heads = generalHeads, widths = generalWidths }: SizeEntries = {},
): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("contextLength", "context_length"),
  count("embedDim", "embedding_length"),
  count("numLayers", "block_count"),
  ...widths,
  count("numHeads", "attention.head_count"),
  ...heads,
  positive(
    "normEps",
    traits.norm === "layer" ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
    traits.normEps ?? 1e-5,
  ),
  ...((traits.positions ?? "rotary") === "rotary" ? [rotary] : []),
];

/** Entries of an architecture that replace the defaults. */
type SizeEntries = { heads?: readonly ConfigEntry[]; widths?: readonly ConfigEntry[] };

const generalWidths: readonly ConfigEntry[] = [/* @__PURE__ */ count("hiddenDim", "feed_forward_length")];

/** The head dimension, equal for keys and values. */
export const headLengths: ConfigEntry = {
  read(fields, { embedDim = 0, numHeads = 1 }) {
    const size = fields.countOr(embedDim / numHeads, "attention.key_length");
    fields.mustEqual("attention.value_length", size);
    return size === embedDim / numHeads ? {} : { headDim: size };
  },
  write: (config) => ({
    "attention.key_length": headDim(config),
    "attention.value_length": headDim(config),
  }),
};

/** Number of key-value heads, and head dimensions. */
const generalHeads: readonly ConfigEntry[] = [
  /* @__PURE__ */ count("numKvHeads", "attention.head_count_kv", ({ numHeads }) => numHeads),
  headLengths,
];

/**
 * RoPE base and scaling, which the reader provides with the names of `config.json`, and the number of rotated dimensions.
 * The exporter writes base and scaling itself.
 */
export const rotary: ConfigEntry = {
  read(fields, config) {
    const D = rotaryDim(config);
    const ropeDim = fields.countOr(D, "rope.dimension_count");
    return { ...ropeFields(fields), ...(ropeDim !== D && { ropeDim }) };
  },
  write: (config) => ({
    "rope.dimension_count": rotaryDim(config),
    rope_theta: config.ropeBase ?? 10000,
    // GGUF has no key for YaRN's `truncate: false`.
    ...(config.ropeScaling && {
      rope_scaling: { ...ropeScalingField(config.ropeScaling), truncate: undefined },
    }),
  }),
};

/** The sliding window, with a full layer at the end of each period. `hasKey`: the period is in the metadata. */
export const slidingPeriods = (period: number, hasKey = false): ConfigEntry => ({
  read(fields, { numLayers = 0 }) {
    const layersPerPeriod = hasKey ? fields.countOr(period, "attention.sliding_window_pattern") : period;
    const window = fields.countOr(undefined, "attention.sliding_window");
    if (window === undefined) return {};
    const layerTypes = Array.from({ length: numLayers }, (_, i) =>
      i % layersPerPeriod < layersPerPeriod - 1 ? ("sliding" as const) : ("full" as const),
    );
    return layerTypes.includes("sliding") ? { window, layerTypes } : {};
  },
  write: ({ window, layerTypes = [] }) =>
    window === undefined || !layerTypes.includes("sliding")
      ? {}
      : {
          "attention.sliding_window": window,
          ...(hasKey && { "attention.sliding_window_pattern": layerTypes.indexOf("full") + 1 || period }),
        },
});

/**
 * A multiplier with an optional key. `inverse`: the key is a divisor. `always`: llama.cpp requires the key, so that 1 is
 * written too.
 */
export const scaleKey = (
  key: "embeddingScale" | "residualScale" | "logitScale" | "attentionScale",
  name: string,
  { inverse = false, always = false } = {},
): ConfigEntry => {
  const convert = (x: number) => (inverse ? 1 / x : x);
  return {
    read(fields) {
      const value = fields.positiveOr(undefined, name);
      return value === undefined || value === 1 ? {} : { [key]: convert(value) };
    },
    write: (config) => {
      const value = config[key] ?? (always ? 1 : undefined);
      return value === undefined ? {} : { [name]: convert(value) };
    },
  };
};

/** Fields that follow from other fields, without a key. */
export const derived = (from: (config: Partial<DecoderConfig>) => Partial<DecoderConfig>): ConfigEntry => ({
  read: (_, config) => from(config),
  write: () => ({}),
});

/** The rotary base of sliding-window layers, without scaling. Default: `fallback`, or the base of full layers. */
export const slidingBaseOr = (fallback?: number): ConfigEntry => ({
  read(fields, { ropeBase = 10000, ropeScaling, layerTypes }) {
    const base = fields.positiveOr(fallback ?? ropeBase, "rope.freq_base_swa");
    if (!layerTypes?.includes("sliding")) return {};
    return base === ropeBase && !ropeScaling ? {} : { slidingRopeBase: base };
  },
  write({ slidingRopeBase, ropeBase = 10000 }): Record<string, number> {
    const base = slidingRopeBase ?? (fallback === undefined ? undefined : ropeBase);
    return base === undefined ? {} : { "rope.freq_base_swa": base };
  },
});

/** The rotary base of sliding-window layers. Default: the base of full layers. */
export const slidingBase: ConfigEntry = /* @__PURE__ */ slidingBaseOr();
