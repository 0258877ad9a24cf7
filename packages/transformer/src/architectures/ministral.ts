import type { Architecture } from "./architecture.js";
import { activation, rope, slidingLayers } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Ministral: Mistral with an optional list of sliding-window layers. */
export const ministral: Architecture = {
  modelTypes: ["ministral"],
  class: "MinistralForCausalLM",
  config: () => [...llamaSizes(), rmsEps(1e-5), activation(), rope(), slidingLayers(() => "sliding")],
  tensors: (config, tied) => llamaTensors(config, tied),
};
