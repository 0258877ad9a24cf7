import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { derived } from "./gguf/gguf-keys.js";
import { activation, always, bias, rope, slidingLayers, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** `no_rope_layers`: 1 for a layer with RoPE. */
const rotatingLayers: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const interval = fields.countOr(4, "no_rope_layer_interval");
    const list = fields.list("no_rope_layers");
    if (list && (list.length !== numLayers || list.some((flag) => flag !== 0 && flag !== 1)))
      return fields.refuse(
        "no_rope_layers",
        `a list of ${numLayers} numbers, 1 for a layer that rotates and 0 for others`,
      );
    const ropeLayers = Array.from({ length: numLayers }, (_, i) =>
      list ? list[i] === 1 : (i + 1) % interval !== 0,
    );
    return ropeLayers.includes(false) ? { ropeLayers } : {};
  },
  write: ({ ropeLayers, numLayers }) => ({
    no_rope_layers: Array.from({ length: numLayers }, (_, i) => ((ropeLayers?.[i] ?? true) ? 1 : 0)),
  }),
};

/** In llama.cpp, always every fourth layer has no RoPE. */
export const noRopeInEveryFourthLayer = /* @__PURE__ */ derived(({ numLayers = 0 }) => {
  const ropeLayers = Array.from({ length: numLayers }, (_, i) => (i + 1) % 4 !== 0);
  return ropeLayers.includes(false) ? { ropeLayers } : {};
});

/** SmolLM 3: Llama without positions (NoPE) in every fourth layer. */
export const smollm3: Architecture = {
  modelTypes: ["smollm3"],
  class: "SmolLM3ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    rope({ base: 2e6 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    rotatingLayers,
    always("use_sliding_window", false),
    slidingLayers(() => "full"),
  ],
  gguf: () => [
    gguf("smollm3", { freeHeads: true, ropeLayout: "interleaved", keys: [noRopeInEveryFourthLayer] }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
  tied: true,
  ignored: "max_window_layers",
};
