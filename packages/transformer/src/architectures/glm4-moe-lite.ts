import type { Architecture } from "./architecture.js";
import { deepseek2 } from "./deepseek-v2.js";
import { deepseekEntries, mtpTensors } from "./deepseek-v3.js";
import { feedForwardOrExperts, listedExperts } from "./expert-parts.js";
import { interleavedPairs, latentProjections } from "./latent-parts.js";
import { llamaTensors } from "./llama-parts.js";

/** GLM 4.7 Flash: DeepSeek V3 with other sizes, and optionally a list of the layers with experts. */
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
  tensors: (config, tied) =>
    llamaTensors(config, tied, { attention: latentProjections, feed: feedForwardOrExperts() }),
  ignored: "head_dim num_nextn_predict_layers ep_size aux_loss_alpha seq_aux auto_map",
  ignoredTensors: mtpTensors,
};
