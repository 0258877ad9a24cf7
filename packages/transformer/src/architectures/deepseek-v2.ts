import type { Architecture } from "./architecture.js";
import { gguf, type GgufArchitecture, type GgufOptions } from "./gguf/gguf-architecture.js";
import { ggufExpertGroups, ggufGroups } from "./gguf/gguf-experts.js";
import { ggufLatentHeads, ggufLatentMaps } from "./gguf/gguf-latents.js";
import { activation, bias, rope, trait, without, type ConfigEntry } from "./config-entry.js";
import {
  expertCounts,
  expertGroups,
  expertsOrMaps,
  firstDenseLayers,
  normalizedShares,
  sharedExperts,
  sharesScale,
} from "./expert-parts.js";
import { latentMaps, latentSizes, scaledScores } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

/** Experts of the best groups, or of all. */
const method: ConfigEntry = {
  read(fields, config) {
    const groups = expertGroups(1, { count: 1, chosen: 1 }).read(fields, config);
    const name = fields.text("topk_method", "greedy");
    if (name === "group_limited_greedy") return groups;
    return name === "greedy" ? {} : fields.refuse("topk_method", "greedy or group_limited_greedy");
  },
  write: (config) => ({
    ...expertGroups(1, { count: 1, chosen: 1 }).write(config),
    topk_method: config.experts?.router?.groups ? "group_limited_greedy" : "greedy",
  }),
};

/** YaRN as scores feel it: a multiplier of the logarithm of its factor. Rotated numbers are not scaled by it. */
const logMultiplier: ConfigEntry = {
  read(fields, { ropeScaling }) {
    const name = "rope.scaling.yarn_log_multiplier";
    if (ropeScaling?.type !== "yarn") return {};
    if (ropeScaling.attentionFactor !== undefined)
      return fields.refuse("rope_scaling", "no factor of attention beside the multiplier of scores");
    const mscale = exact(10 * fields.positive(name));
    return { ropeScaling: { ...ropeScaling, mscale, mscaleAllDim: mscale } };
  },
  write: ({ ropeScaling }) =>
    ropeScaling?.type === "yarn"
      ? {
          "rope.scaling.yarn_log_multiplier":
            ropeScaling.mscaleAllDim && exact(ropeScaling.mscaleAllDim / 10),
          "rope.scaling.attn_factor": undefined,
        }
      : {},
};

const exact = (x: number) => Number(x.toPrecision(12));

/** DeepSeek's architectures of llama.cpp: latent attention, and experts of the best groups beside a shared one. */
export const ggufDeepseek = (): GgufOptions => ({
  ropeLayout: "interleaved",
  heads: [ggufLatentHeads({ split: true })],
  keys: [...ggufGroups, ggufExpertGroups, logMultiplier, scaledScores],
  names: { attention: ggufLatentMaps({ split: true }) },
  scalings: ["yarn"],
  refuses: ({ experts }) =>
    experts?.shared
      ? undefined
      : { argument: "config.experts.shared", received: undefined, expected: "a shared expert" },
});

/** llama.cpp's architecture of DeepSeek V2, V3 and their relatives. */
export const deepseek2 = (): readonly GgufArchitecture[] => [gguf("deepseek2", ggufDeepseek())];

/** DeepSeek V2: latent attention, and experts that the softmax chooses beside shared ones. */
export const deepseekV2: Architecture = {
  modelTypes: ["deepseek_v2"],
  class: "DeepseekV2ForCausalLM",
  config: () => [
    ...latentSizes(),
    rmsEps(),
    activation(),
    rope(),
    trait({ ropeLayout: "interleaved" }),
    scaledScores,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    without("mlp_bias"),
    expertCounts("n_routed_experts", "moe_intermediate_size"),
    without("norm_topk_prob"),
    normalizedShares(false),
    method,
    sharesScale(1),
    sharedExperts("n_shared_experts", 2),
    firstDenseLayers(0),
    without("moe_layer_freq", 1),
    without("scoring_func", "softmax"),
  ],
  gguf: deepseek2,
  tensors: (config, tied) => llamaTensors(config, tied, { attention: latentMaps, feed: expertsOrMaps() }),
  ignored: "head_dim ep_size aux_loss_alpha seq_aux auto_map",
};
