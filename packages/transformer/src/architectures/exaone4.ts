import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { slidingPeriods } from "./gguf/gguf-keys.js";
import { activation, rope, slidingLayers, trait, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, outNorms, rmsEps } from "./llama-parts.js";

const period = 4;

/** Full layers have no RoPE in models with sliding-window layers. */
export const ropeInSlidingLayers: ConfigEntry = {
  read: (_, { layerTypes }) =>
    layerTypes?.includes("full") ? { ropeLayers: layerTypes.map((type) => type === "sliding") } : {},
  write: () => ({}),
};

/** llama.cpp distinguishes the two published models by depth: the one with 64 layers has sliding-window layers. */
const slidingWith64Layers: ConfigEntry = {
  read(fields, config) {
    const slidingFields = fields.withDefaults({ "attention.sliding_window": 4096 });
    if (config.numLayers === 64) return slidingPeriods(period, true).read(slidingFields, config);
    fields.has("attention.sliding_window");
    fields.has("attention.sliding_window_pattern");
    return {};
  },
  write: (config) => slidingPeriods(period, true).write(config),
};

/** EXAONE 4: norms after each sublayer only, norms of queries and keys per head, no positions (NoPE) in full layers. */
export const exaone4: Architecture = {
  modelTypes: ["exaone4"],
  class: "Exaone4ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    slidingLayers((i, fields) =>
      (i + 1) % fields.countOr(period, "sliding_window_pattern") === 0 ? "full" : "sliding",
    ),
    ropeInSlidingLayers,
    trait({ placement: "after", qkNorm: true }),
  ],
  gguf: () => [
    gguf("exaone4", {
      traits: { placement: "after", qkNorm: true },
      keys: [slidingWith64Layers, ropeInSlidingLayers],
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { norms: outNorms }),
  ignored: "sliding_window_pattern",
};
