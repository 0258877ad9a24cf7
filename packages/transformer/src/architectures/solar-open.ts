import type { Architecture } from "./architecture.js";
import { activation, bias, partialRope, rope, requireValue } from "./config-entry.js";
import {
  expertCounts,
  expertGroups,
  feedForwardOrExperts,
  topKNormalization,
  sharedExperts,
  routedScaling,
  sigmoidScores,
} from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";

/** Solar Open: GLM 4.5's experts in all layers. */
export const solarOpen: Architecture = {
  modelTypes: ["solar_open"],
  class: "SolarOpenForCausalLM",
  config: () => [
    ...llamaSizes("moe_intermediate_size"),
    rmsEps(1e-5),
    activation(),
    rope({ base: 1e6 }),
    partialRope(),
    bias("attention_bias", ["queryKeyValue"]),
    expertCounts("n_routed_experts"),
    topKNormalization(true),
    sigmoidScores,
    expertGroups(2, { count: 1, chosen: 1 }),
    routedScaling(1),
    sharedExperts("n_shared_experts", 1),
    requireValue("first_k_dense_replace", 0),
    requireValue("use_qk_norm", false),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts() }),
  ignored: "intermediate_size num_nextn_predict_layers",
};
