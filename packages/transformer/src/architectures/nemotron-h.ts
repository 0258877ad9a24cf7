import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import {
  activation,
  bias,
  count,
  headSize,
  positive,
  trait,
  requireValue,
  type ConfigEntry,
} from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import {
  expertCounts,
  expertGroups,
  expertLayerTensors,
  hasExperts,
  topKNormalization,
  expertsEntry,
  routedScaling,
} from "./expert-parts.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufSharedWidth } from "./gguf/gguf-experts.js";
import { hasAttention, countPerLayer, countsToWrite, heads, oneCount } from "./gguf/gguf-layers.js";
import { headLengths } from "./gguf/gguf-keys.js";
import { ggufMamba2Tensors, mamba2Keys } from "./gguf/gguf-mamba2.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { attentionProjections, feedForwardProjections, head } from "./llama-parts.js";
import { mamba2Fields, mamba2Layer, mamba2Tensors, type Mamba2Names } from "./mamba2-parts.js";
import { isMixer, mixerConfig } from "./mixed-layers.js";
import { each, eitherTensor, norm, stored, type StoredTensor } from "./stored-tensor.js";

const names: Mamba2Names = {
  heads: "mamba_num_heads",
  headDim: "mamba_head_dim",
  state: "ssm_state_size",
  groups: "n_groups",
  taps: "conv_kernel",
  convolutionBias: "use_conv_bias",
  bias: "mamba_proj_bias",
};

type LayerKind = "mamba" | "attention" | "mlp" | "moe";

/** Layer kinds by their letters in a pattern, and by their names in a list. */
const kindsByLetter: Readonly<Record<string, LayerKind>> = {
  M: "mamba",
  "*": "attention",
  "-": "mlp",
  E: "moe",
};
const kindsByName: Readonly<Record<string, LayerKind>> = {
  mamba: "mamba",
  linear_attention: "mamba",
  attention: "attention",
  full_attention: "attention",
  mlp: "mlp",
  moe: "moe",
};

/** The kind of each layer. */
function layerKinds(fields: ConfigFields): readonly LayerKind[] {
  const name = "layers_block_type";
  const list = fields.list(name);
  const pattern = fields.has("hybrid_override_pattern") ? fields.text("hybrid_override_pattern") : undefined;
  const parseKinds = (
    layerNames: readonly unknown[],
    known: Readonly<Record<string, LayerKind>>,
    field: string,
  ) =>
    layerNames.map((layerName) =>
      typeof layerName === "string" && Object.hasOwn(known, layerName)
        ? known[layerName]!
        : fields[typeof layerName === "string" ? "unsupported" : "refuse"](
            field,
            `a list of ${Object.keys(known).join(", ")}`,
          ),
    );
  if (list) return parseKinds(list, kindsByName, name);
  return parseKinds(
    [...(pattern ?? fields.refuse(name, "the part of each layer"))],
    kindsByLetter,
    "hybrid_override_pattern",
  );
}

/** Each layer is one of Mamba-2, attention, a feed-forward layer or experts. */
const layers: ConfigEntry = {
  read(fields, { embedDim = 1, normEps = 1e-5, experts }) {
    const parts = layerKinds(fields);
    fields.mustEqual("num_hidden_layers", parts.length);
    const mixer =
      parts.includes("mamba") && mamba2Layer(fields, names, { embedDim, normEps, outputNorm: "group" });
    const layerTypes = parts.map((part): LayerType =>
      part === "mamba" && mixer ? (mixer as never) : part === "attention" ? "full" : "none",
    );
    return {
      numLayers: parts.length,
      layerTypes,
      feedForwardLayers: parts.map((part) => part === "mlp" || part === "moe"),
      ...(experts && { experts: { ...experts, layers: parts.map((part) => part === "moe") } }),
    };
  },
  write: (config) => ({
    ...mamba2Fields(mixerConfig(config), names),
    num_hidden_layers: config.numLayers,
    layers_block_type: Array.from({ length: config.numLayers }, (_, i) => {
      const type = config.layerTypes?.[i];
      if (type !== "none") return isMixer(type) ? "linear_attention" : "full_attention";
      return hasExperts(config, i) ? "moe" : "mlp";
    }),
  }),
};

/** Experts of the layers with experts: chosen with a correction bias, with shared experts. */
const experts = (): readonly ConfigEntry[] =>
  [
    expertCounts("n_routed_experts", "moe_intermediate_size"),
    topKNormalization(true),
    expertsEntry(
      () => ({ router: { scores: "sigmoid", choiceBias: true } }),
      () => ({}),
    ),
    routedScaling(1),
    expertGroups(2, { count: 1, chosen: 1 }),
    expertsEntry(
      (fields) => {
        const count = fields.number("n_shared_experts", 1);
        const width = fields.countOr(7688, "moe_shared_expert_intermediate_size");
        return count === 0 ? {} : { shared: { hiddenDim: width } };
      },
      ({ shared }) => ({
        n_shared_experts: shared ? 1 : 0,
        moe_shared_expert_intermediate_size: shared?.hiddenDim,
      }),
    ),
  ].map((entry) => ({
    read: (fields, config) => (layerKinds(fields).includes("moe") ? entry.read(fields, config) : {}),
    write: entry.write,
  }));

const maps = { up: "up_proj", down: "down_proj" };

const layerTensors = (config: DecoderConfig, layer: number): StoredTensor[] => {
  const type = config.layerTypes?.[layer];
  const { embedDim: C } = config;
  if (isMixer(type))
    return [norm("attentionNorm", "norm", C), mamba2Tensors(mixerConfig(config)!, ["attention", "mixer"])];
  if (type !== "none")
    return [norm("attentionNorm", "norm", C), ...attentionProjections(config, { path: "mixer" })];
  return [
    norm("feedForwardNorm", "norm", C),
    ...(hasExperts(config, layer)
      ? expertLayerTensors(config, { path: "mixer", maps })
      : feedForwardProjections(config, { feedForward: "mixer", maps })),
  ];
};

/** The output norm is over each group of heads that share a key. */
const ggufMixers = /* @__PURE__ */ mamba2Keys(() => ({ outputNorm: "group" }));

/**
 * Layers in llama.cpp: attention if they have key-value heads, feed-forward layer or experts if they have a hidden width, else mixers.
 *
 * @param writtenWidth - The hidden width that is written.
 */
const ggufLayers = (writtenWidth: (config: DecoderConfig) => number): ConfigEntry => ({
  read(fields, config) {
    const { numLayers = 0, numHeads = 1, embedDim = 1, experts } = config;
    const kv = countPerLayer(fields, heads, numLayers);
    const widths = countPerLayer(fields, width, numLayers);
    const mixer = ggufMixers.read(fields, config);
    const feedForwardLayers = widths.map((width) => width > 0);
    return {
      numKvHeads: oneCount(fields, heads, kv) ?? numHeads,
      hiddenDim: oneCount(fields, width, widths) ?? embedDim,
      layerTypes: kv.map((count, i): LayerType =>
        feedForwardLayers[i] ? "none" : count > 0 ? "full" : (mixer as never),
      ),
      feedForwardLayers,
      ...(experts && { experts: { ...experts, layers: feedForwardLayers } }),
    };
  },
  write(config) {
    const { numLayers, numKvHeads, layerTypes, feedForwardLayers } = config;
    const layers = Array.from({ length: numLayers }, (_, i) => i);
    const mixer = mixerConfig(config);
    const wide = layers.map((i) => feedForwardLayers?.[i] !== false);
    return {
      ...(mixer && ggufMixers.write(mixer)),
      [heads]: countsToWrite(
        numKvHeads,
        layers.map((i) => hasAttention(layerTypes?.[i])),
      ),
      [width]: countsToWrite(writtenWidth(config), wide),
    };
  },
});

const width = "feed_forward_length";

/** Tensors of a layer in llama.cpp, where the norm has the same name in all kinds of layers. */
const ggufLayerTensors = (config: DecoderConfig, layer: number): StoredTensor[] => {
  const type = config.layerTypes?.[layer];
  const param = type === "none" ? "feedForwardNorm" : "attentionNorm";
  return [
    norm(param, "attn_norm", config.embedDim),
    ...(type === "none"
      ? []
      : isMixer(type)
        ? [ggufMamba2Tensors(mixerConfig(config)!)]
        : attentionTensors(config, { ropeLayout: "half" })),
  ];
};

/** The epsilon of layer norms, which llama.cpp requires but does not use: the model has RMS norms. */
const layerEps: ConfigEntry = {
  read(fields) {
    fields.positiveOr(undefined, layerEpsKey);
    return {};
  },
  write: ({ normEps }) => ({ [layerEpsKey]: normEps }),
};

const layerEpsKey = "attention.layer_norm_epsilon";

const ggufNemotronH = (name: string, keys: readonly ConfigEntry[]): GgufArchitecture =>
  gguf(name, {
    freeHeads: true,
    traits: { activation: "reluSquared", gated: false, positions: "none" },
    heads: [headLengths],
    widths: [],
    keys: [...keys, layerEps],
    biases: { queryKeyValue: "either", attentionOutput: "either", feedForward: "either" },
    names: { norms: {}, attention: ggufLayerTensors },
    refuses: ({ experts }) =>
      experts && !experts.shared
        ? { argument: "config.experts.shared", received: undefined, expected: "an expert of all tokens" }
        : undefined,
  });

/** Experts in llama.cpp: in all feed-forward layers of a model or in none, each with one shared expert. */
const ggufExpertKeys = (): readonly ConfigEntry[] => [
  ggufExperts,
  expertsEntry(
    () => ({ router: { scores: "sigmoid", choiceBias: true } }),
    () => ({}),
  ),
  topKNormalization(false, "expert_weights_norm"),
  routedScaling(1, "expert_weights_scale"),
  ggufSharedWidth(),
  expertsEntry(
    (fields) => {
      for (const name of ["expert_shared_count", "expert_group_count", "expert_group_used_count"])
        fields.mustBe(name, 1);
      return {};
    },
    ({ shared }) => (shared ? { expert_shared_count: 1 } : {}),
  ),
];

/** Nemotron-H: each layer is Mamba-2, attention, a feed-forward layer or experts. */
export const nemotronH: Architecture = {
  modelTypes: ["nemotron_h"],
  class: "NemotronHForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "intermediate_size"),
    count("numHeads", "num_attention_heads"),
    count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
    headSize(),
    count("contextLength", "max_position_embeddings", 4096),
    positive("normEps", "layer_norm_epsilon", 1e-5),
    activation("mlp_hidden_act", "relu2"),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    trait({ gated: false, positions: "none" }),
    ...experts(),
    layers,
    ...["moe_latent_size", "sliding_window"].map((name) => requireValue(name, null)),
    requireValue("use_bias", false),
    requireValue("mamba_proj_bias", false),
    requireValue("mamba_hidden_act", "silu"),
  ],
  gguf: () => [
    ggufNemotronH("nemotron_h", [ggufLayers(({ hiddenDim }) => hiddenDim)]),
    ggufNemotronH("nemotron_h_moe", [
      ...ggufExpertKeys(),
      ggufLayers(({ experts, hiddenDim }) => experts?.hiddenDim ?? hiddenDim),
    ]),
  ],
  tensors: (config, tied) => [
    eitherTensor(
      stored("embedding.weight", "backbone.embeddings.weight", [config.vocabSize, config.embedDim], "table"),
      stored("embedding.weight", "backbone.embedding.weight", [config.vocabSize, config.embedDim], "table"),
      "backbone.embedding.weight",
    ),
    each(config.numLayers, "layers", "backbone.layers", (i) => layerTensors(config, i)),
    norm("norm", "backbone.norm_f", config.embedDim),
    ...(tied ? [] : [head(config)]),
  ],
  ignored:
    "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_rank chunk_size expand hidden_dropout mamba_ssm_cache_dtype moe_shared_expert_overlap mtp_layers_block_type mtp_hybrid_override_pattern num_nextn_predict_layers num_logits_to_keep use_mamba_kernels rope_parameters rope_theta partial_rotary_factor n_group topk_group routed_scaling_factor norm_topk_prob n_routed_experts moe_intermediate_size num_experts_per_tok n_shared_experts moe_shared_expert_intermediate_size",
  ignoredTensors: /^mtp\./,
};
