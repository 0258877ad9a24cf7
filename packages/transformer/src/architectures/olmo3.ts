import type { Architecture } from "./architecture.js";
import { slidingLayers, slidingRope } from "./config-entry.js";
import { olmo2 } from "./olmo2.js";

/** OLMo 3: OLMo 2 with three sliding-window layers before each full one. RoPE scaling applies to full layers only. */
export const olmo3: Architecture = {
  ...olmo2,
  modelTypes: ["olmo3"],
  class: "Olmo3ForCausalLM",
  config: () => [
    ...olmo2.config(),
    slidingLayers((i) => ((i + 1) % 4 === 0 ? "full" : "sliding")),
    slidingRope(),
  ],
};
