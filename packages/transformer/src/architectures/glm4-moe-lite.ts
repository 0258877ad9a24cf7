import type { Architecture } from "./architecture.js";
import { deepseekEntries, deepseekV3 } from "./deepseek-v3.js";
import { listedExperts } from "./expert-parts.js";
import { interleavedPairs } from "./latent-parts.js";

/** GLM 4.7 Flash: DeepSeek V3 in other sizes, whose layers with experts may be listed. */
export const glm4MoeLite: Architecture = {
  ...deepseekV3,
  modelTypes: ["glm4_moe_lite"],
  class: "Glm4MoeLiteForCausalLM",
  config: () => [
    ...deepseekEntries(interleavedPairs(true), {
      eps: 1e-5,
      experts: { normalized: true, scale: 1.8, groups: { count: 1, chosen: 1 }, dense: 1 },
    }),
    listedExperts,
  ],
};
