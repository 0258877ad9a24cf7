import type { DecoderConfig } from "../../models/decoder-config.js";
import { headDim, type ConfigEntry } from "../config-entry.js";
import { withOverrides } from "../layer-overrides.js";

/** The sliding window, and a list that is true for sliding-window layers. */
export const slidingList: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const name = "attention.sliding_window_pattern";
    const slides = fields.list(name);
    if (slides?.length !== numLayers || !slides.every((value) => typeof value === "boolean"))
      return fields.refuse(name, `a list of ${numLayers}: true for a layer that slides`);
    const layerTypes = slides.map((isSliding) => (isSliding ? ("sliding" as const) : ("full" as const)));
    const window = fields.count("attention.sliding_window");
    return layerTypes.includes("sliding") ? { window, layerTypes } : {};
  },
  write: ({ window, layerTypes = [], numLayers, contextLength }) => ({
    "attention.sliding_window": window ?? contextLength,
    "attention.sliding_window_pattern": Array.from(
      { length: numLayers },
      (_, i) => layerTypes[i] === "sliding",
    ),
  }),
};

/** Head dimensions of sliding-window and of full layers. Files always have both; those of sliding-window layers are the model's default. */
export const slidingHeads: ConfigEntry = {
  read(fields, config) {
    const full = headDim(config);
    const sliding = fields.count("attention.key_length_swa");
    fields.mustEqual("attention.value_length_swa", sliding);
    fields.mustEqual("rope.dimension_count_swa", sliding);
    return {
      headDim: sliding,
      ...withOverrides(config, (i) => ({
        headDim: sliding === full || config.layerTypes?.[i] === "sliding" ? undefined : full,
      })),
    };
  },
  write(config) {
    const { layerTypes, layerOverrides } = config;
    const full = layerOverrides?.find((_, i) => layerTypes?.[i] !== "sliding")?.headDim ?? headDim(config);
    return {
      "attention.key_length": full,
      "attention.value_length": full,
      "rope.dimension_count": full,
      "attention.key_length_swa": headDim(config),
      "attention.value_length_swa": headDim(config),
      "rope.dimension_count_swa": headDim(config),
    };
  },
};

/**
 * The last layers reuse keys and values: full layers those of the last layer before them, sliding-window layers those of the
 * layer before that one.
 */
export const sharedLayers: ConfigEntry = {
  read(fields, { numLayers = 0, layerTypes = [] }) {
    const name = "attention.shared_kv_layers";
    const count = fields.number(name, 0);
    if (count === 0) return {};
    const first = numLayers - count;
    if (!Number.isInteger(count) || count < 0 || first < 2)
      return fields.refuse(name, `an integer below ${numLayers - 1}: two layers make keys and values`);
    return {
      sharedKeyValues: Array.from({ length: numLayers }, (_, i) =>
        i < first ? i : first - (layerTypes[i] === "sliding" ? 2 : 1),
      ),
    };
  },
  write: ({ sharedKeyValues = [] }) => ({
    "attention.shared_kv_layers": sharedKeyValues.filter((from, i) => from !== i).length,
  }),
};

/** Embedding scale, attention scale and logit softcap. In llama.cpp the softcap is 30 unless a key states another; 0 is off. */
export const cappedLogits: ConfigEntry = {
  read(fields, { embedDim = 1 }) {
    const name = "final_logit_softcapping";
    const isCapped = fields.number(name, 30) !== 0;
    return {
      embeddingScale: Math.sqrt(embedDim),
      attentionScale: 1,
      ...(isCapped && { logitSoftcap: fields.positive(name, 30) }),
    };
  },
  write: ({ logitSoftcap = 0 }) => ({ final_logit_softcapping: logitSoftcap }),
};

/** Options of Gemma 3n and 4 that are not in the metadata. */
export const gemmaTraits: Partial<DecoderConfig> = {
  ...{ activation: "geluTanh", placement: "both", qkNorm: true, valueNorm: true, normEps: 1e-6 },
};
