import type { Architecture } from "./architecture.js";
import { gguf, type GgufArchitecture, type GgufOptions } from "./gguf/gguf-architecture.js";
import { ggufExpertGroups, ggufGroups } from "./gguf/gguf-experts.js";
import { ggufLatentHeads, ggufLatentProjections } from "./gguf/gguf-latents.js";
import { activation, bias, rope, trait, requireValue, type ConfigEntry } from "./config-entry.js";
import {
  expertCounts,
  expertGroups,
  feedForwardOrExperts,
  firstDenseLayers,
  topKNormalization,
  sharedExperts,
  routedScaling,
} from "./expert-parts.js";
import { latentProjections, latentSizes, scaledScores } from "./latent-parts.js";
import { llamaTensors, rmsEps } from "./llama-parts.js";

/** `topk_method`: experts are chosen from the best groups (group-limited routing), or from all. */
const method: ConfigEntry = {
  read(fields, config) {
    const groups = expertGroups(1, { count: 1, chosen: 1 }).read(fields, config);
    const name = fields.text("topk_method", "greedy");
    if (name === "group_limited_greedy") return groups;
    return name === "greedy" ? {} : fields.unsupported("topk_method", "greedy or group_limited_greedy");
  },
  write: (config) => ({
    ...expertGroups(1, { count: 1, chosen: 1 }).write(config),
    topk_method: config.experts?.router?.groups ? "group_limited_greedy" : "greedy",
  }),
};

/** YaRN's attention scaling: a multiplier (mscale) times the logarithm of the factor. It scales the scores, not the rotated dimensions. */
const logMultiplier: ConfigEntry = {
  read(fields, { ropeScaling }) {
    const name = "rope.scaling.yarn_log_multiplier";
    if (ropeScaling?.type !== "yarn") return {};
    if (ropeScaling.attentionFactor !== undefined)
      return fields.unsupported("rope_scaling", "no factor of attention beside the multiplier of scores");
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

/** llama.cpp's DeepSeek architectures: multi-head latent attention (MLA), group-limited routing, and a shared expert. */
export const ggufDeepseek = (): GgufOptions => ({
  ropeLayout: "interleaved",
  heads: [ggufLatentHeads({ split: true })],
  keys: [...ggufGroups, ggufExpertGroups, logMultiplier, scaledScores],
  names: { attention: ggufLatentProjections({ split: true }) },
  scalings: ["yarn"],
  refuses: ({ experts }) =>
    experts?.shared
      ? undefined
      : { argument: "config.experts.shared", received: undefined, expected: "a shared expert" },
});

/** llama.cpp's architecture `deepseek2`: DeepSeek V2, V3 and related models. */
export const deepseek2 = (): readonly GgufArchitecture[] => [gguf("deepseek2", ggufDeepseek())];

/** DeepSeek V2: multi-head latent attention (MLA), a softmax router, and shared experts. */
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
    requireValue("mlp_bias", false),
    expertCounts("n_routed_experts", "moe_intermediate_size"),
    requireValue("norm_topk_prob", false),
    topKNormalization(false),
    method,
    routedScaling(1),
    sharedExperts("n_shared_experts", 2),
    firstDenseLayers(0),
    requireValue("moe_layer_freq", 1),
    requireValue("scoring_func", "softmax"),
  ],
  gguf: deepseek2,
  tensors: (config, tied) =>
    llamaTensors(config, tied, { attention: latentProjections, feed: feedForwardOrExperts() }),
  ignored: "head_dim ep_size aux_loss_alpha seq_aux auto_map",
};
