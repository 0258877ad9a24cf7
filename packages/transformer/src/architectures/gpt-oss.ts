import { stacked, alternating, type RowMap } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderParams } from "../models/decoder.js";
import type { Architecture } from "./architecture.js";
import { gguf, type GgufRefusal } from "./gguf/gguf-architecture.js";
import { ggufExperts } from "./gguf/gguf-experts.js";
import { slidingPeriods } from "./gguf/gguf-keys.js";
import { bias, rope, slidingLayers, trait, type ConfigEntry } from "./config-entry.js";
import { expertCounts, feedForwardOrExperts, type ExpertNames } from "./expert-parts.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { perExpert, stored } from "./stored-tensor.js";

/** The activation `(up + 1) · gate · σ(1.702 gate)`, with gate and up clamped. */
const clampedGate: ConfigEntry = {
  read(fields) {
    fields.mustBe("hidden_act", "silu");
    fields.mustBe("swiglu_alpha", 1.702);
    return { activation: "quickGelu", gateLimit: { limit: fields.positive("swiglu_limit", 7), offset: 1 } };
  },
  write: ({ gateLimit }) => ({ hidden_act: "silu", swiglu_limit: gateLimit?.limit }),
};

/** Published files store experts in MXFP4, which is recognized by tensor names. */
const mxfp4Blocks: ConfigEntry = {
  read(fields, { experts }) {
    fields.mustEqual("experts_per_token", experts?.expertsPerToken);
    const method = fields.nested("quantization_config");
    if (method && method.text("quant_method") !== "mxfp4")
      return method.unsupported("quant_method", '"mxfp4"');
    return {};
  },
  write: () => ({}),
};

const names: ExpertNames = {
  router: "router",
  all({ numExperts, hiddenDim: F }, { embedDim: C }) {
    const fused = (maps: readonly string[], name: string, map: RowMap, inner: number) =>
      perExpert(
        numExperts,
        (expert) => maps.map((map) => `feedForward.experts.${expert}.${map}`),
        `mlp.experts.${name}`,
        map,
        inner,
        { transposed: true, bias: `mlp.experts.${name}_bias` },
      );
    return [
      fused(["gate", "up"], "gate_up_proj", alternating(2, F), C),
      fused(["down"], "down_proj", stacked([C]), F),
    ];
  },
};

/** YaRN with `truncate: false`, for which GGUF has no key. */
const untruncatedYarn: ConfigEntry = {
  read: (_, { ropeScaling }) =>
    ropeScaling?.type === "yarn" ? { ropeScaling: { ...ropeScaling, truncate: false } } : {},
  write: () => ({}),
};

/** Refuses a router without a bias, which llama.cpp requires. */
const withoutRouterBias = (_: DecoderConfig, { layers }: DecoderParams): GgufRefusal | undefined => {
  const at = layers.findIndex(({ feedForward }) => "router" in feedForward && !feedForward.router.bias);
  if (at < 0) return undefined;
  const argument = `params.layers.${at}.feedForward.router.bias`;
  return { argument, received: undefined, expected: "a bias of each expert" };
};

/** gpt-oss: attention sinks, a sliding window in every other layer, and experts with biases and clamped gates. */
export const gptOss: Architecture = {
  modelTypes: ["gpt_oss"],
  class: "GptOssForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    rope({ base: 150_000 }),
    slidingLayers((i) => (i % 2 === 0 ? "sliding" : "full")),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"], true),
    { read: (_, { bias }) => ({ bias: { ...bias, feedForward: true } }), write: () => ({}) },
    expertCounts("num_local_experts"),
    clampedGate,
    mxfp4Blocks,
    trait({ sinks: true }),
  ],
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      feed: feedForwardOrExperts(names),
      more: ({ numHeads }) => [stored("attention.sinks", "self_attn.sinks", [numHeads])],
    }),
  gguf: () => [
    gguf("gpt-oss", {
      freeHeads: true,
      traits: { activation: "quickGelu", gateLimit: { limit: 7, offset: 1 }, sinks: true },
      keys: [ggufExperts, slidingPeriods(2), untruncatedYarn],
      names: { norms: { attentionNorm: "attn_norm", feedForwardNorm: "post_attention_norm" } },
      biases: { queryKeyValue: true, attentionOutput: true, feedForward: true },
      output: "separate",
      refuses: withoutRouterBias,
    }),
  ],
  defaults: {
    sliding_window: 128,
    rope_scaling: {
      rope_type: "yarn",
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    },
  },
  ignored: "initial_context_length modules_to_not_convert",
};
