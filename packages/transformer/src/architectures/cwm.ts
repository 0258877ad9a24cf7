import type { Architecture } from "./architecture.js";
import { activation, bias, rope, slidingLayers } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Code World Model: Llama with one full layer before every three sliding-window layers. */
export const cwm: Architecture = {
  modelTypes: ["cwm"],
  class: "CwmForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope({ base: 1e6 }),
    bias("mlp_bias", ["feedForward"]),
    slidingLayers((i) => (i % 4 === 0 ? "full" : "sliding")),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
};
