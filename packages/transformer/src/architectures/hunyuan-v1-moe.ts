import type { Architecture } from "./architecture.js";
import type { ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { feedForwardOrExperts } from "./expert-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import {
  ggufEqualWidth,
  ggufSharedWidth,
  ggufTopKNormalization,
  ggufWideExperts,
} from "./gguf/gguf-experts.js";
import { hunyuanAttention, hunyuanV1Dense } from "./hunyuan-v1-dense.js";
import { llamaTensors } from "./llama-parts.js";

/** A number for all layers, or a list of equal numbers. */
function oneForAll(fields: ConfigFields, name: string): number {
  if (!fields.isList(name)) return fields.count(name);
  const [first, ...others] = new Set(fields.list(name));
  if (others.length === 0 && Number.isSafeInteger(first) && (first as number) > 0) return first as number;
  return fields.unsupported(name, "one integer for all layers, as layers are alike here");
}

/** Experts and a shared expert, all of the width of a feed-forward layer. */
const experts: ConfigEntry = {
  read: (fields, { hiddenDim = 0 }) => ({
    experts: {
      numExperts: oneForAll(fields, "num_experts"),
      expertsPerToken: oneForAll(fields, "moe_topk"),
      shared: { hiddenDim },
    },
  }),
  write: ({ experts }) => ({ num_experts: experts?.numExperts, moe_topk: experts?.expertsPerToken }),
};

/** Hunyuan MoE: the dense models with experts in all layers. */
export const hunyuanV1Moe: Architecture = {
  modelTypes: ["hunyuan_v1_moe"],
  class: "HunYuanMoEV1ForCausalLM",
  config: () => [...hunyuanV1Dense.config(), experts],
  gguf: () => [
    gguf("hunyuan-moe", {
      freeHeads: true,
      traits: { qkNorm: true, qkNormPlace: "afterRope" },
      keys: [ggufWideExperts, ggufEqualWidth, ggufTopKNormalization(true), ggufSharedWidth()],
      refuses: ({ experts }) =>
        experts?.shared
          ? undefined
          : { argument: "config.experts.shared", received: undefined, expected: "a shared expert" },
    }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      attention: hunyuanAttention,
      feed: feedForwardOrExperts({ router: "gate.wg", shared: "shared_mlp" }),
    }),
  // The code of transformers drops no tokens, and uses one expert width.
  ignored:
    "attention_head_dim cla_share_factor org_vocab_size norm_type use_mixed_mlp_moe moe_drop_tokens moe_random_routing_dropped_token num_shared_expert moe_intermediate_size moe_layer_num_skipped capacity_factor norm_topk_prob routed_scaling_factor group_limited_greedy n_group topk_group sliding_window",
};
