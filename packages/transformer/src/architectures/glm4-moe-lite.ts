import type { Architecture } from "./architecture.js";
import { deepseek2 } from "./deepseek-v2.js";
import { deepseekEntries, predictsFurther } from "./deepseek-v3.js";
import { expertsOrMaps, listedExperts } from "./expert-parts.js";
import { interleavedPairs, latentMaps } from "./latent-parts.js";
import { llamaTensors } from "./llama-parts.js";

/** GLM 4.7 Flash: DeepSeek V3 in other sizes, whose layers with experts may be listed. */
export const glm4MoeLite: Architecture = {
  modelTypes: ["glm4_moe_lite"],
  class: "Glm4MoeLiteForCausalLM",
  config: () => [
    ...deepseekEntries(interleavedPairs(true), {
      eps: 1e-5,
      experts: { normalized: true, scale: 1.8, groups: { count: 1, chosen: 1 }, dense: 1 },
    }),
    listedExperts,
  ],
  gguf: deepseek2,
  tensors: (config, tied) => llamaTensors(config, tied, { attention: latentMaps, feed: expertsOrMaps() }),
  ignored: "head_dim num_nextn_predict_layers ep_size aux_loss_alpha seq_aux auto_map",
  ignoredTensors: predictsFurther,
};
