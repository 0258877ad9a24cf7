import type { Architecture } from "./architecture.js";
import { cohere } from "./cohere.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { scaleKey, slidingPeriods } from "./gguf/gguf-keys.js";
import { slidingLayers, type ConfigEntry } from "./config-entry.js";

const ropeInSlidingLayers: ConfigEntry = {
  read: (_, { layerTypes, numLayers = 0 }) => ({
    ropeLayers: Array.from({ length: numLayers }, (_, i) => layerTypes?.[i] === "sliding"),
  }),
  write: () => ({}),
};

/** Cohere 2 (Command R7B, Command A): Cohere with three sliding-window layers with RoPE before each full layer, which has none. */
export const cohere2: Architecture = {
  ...cohere,
  modelTypes: ["cohere2"],
  class: "Cohere2ForCausalLM",
  config: () => [
    ...cohere.config(),
    slidingLayers((i, fields) =>
      (i + 1) % fields.countOr(4, "sliding_window_pattern") === 0 ? "full" : "sliding",
    ),
    ropeInSlidingLayers,
  ],
  gguf: () => [
    gguf("cohere2", {
      ropeLayout: "interleaved",
      traits: { norm: "layer", placement: "parallelShared" },
      keys: [
        scaleKey("logitScale", "logit_scale", { always: true }),
        slidingPeriods(4, true),
        ropeInSlidingLayers,
      ],
      output: "tied",
      refuses: ({ window }) =>
        window === undefined
          ? { argument: "config.window", received: window, expected: "a window in some layers" }
          : undefined,
    }),
  ],
  ignored:
    "sliding_window_pattern _sliding_window_pattern use_embedding_sharing use_gated_activation use_parallel_block use_parallel_embedding order_of_interleaved_layers layer_switch position_embedding_type rotary_pct",
};
