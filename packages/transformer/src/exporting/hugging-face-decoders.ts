import type { DecoderConfig } from "../models/decoder-config.js";
import { decoderHeadDim, type HuggingFaceDecoder } from "./hugging-face-decoder.js";
import { gpt2Family } from "./gpt2-family.js";
import { llamaFamily } from "./llama-family.js";
import { constraint, hasPlainExperts, type ArchitectureConstraints } from "./architecture-constraints.js";
import { concatenated, transposed } from "../architectures/tensor-to-write.js";

const { is, absent, present, unconstrained } = constraint;

const noBias = {
  holds: (bias: DecoderConfig["bias"]) =>
    !bias?.queryKeyValue && !bias?.attentionOutput && !bias?.feedForward,
  expected: "no biases",
};
const queryKeyValueBias = {
  holds: (bias: DecoderConfig["bias"]) =>
    bias?.queryKeyValue === true && !bias.attentionOutput && !bias.feedForward,
  expected: "biases of queries, keys and values alone",
};
const allBiases = {
  holds: (bias: DecoderConfig["bias"]) =>
    bias?.queryKeyValue === true && bias.attentionOutput === true && bias.feedForward === true,
  expected: "biases everywhere",
};
/** Allows only full and sliding-window layers. */
const attentionLayers = {
  holds: (types: DecoderConfig["layerTypes"]) =>
    (types ?? []).every((type) => type === "full" || type === "sliding"),
  expected: "layers of attention",
};
/** Allows a sliding window in all layers or in none. */
const allOrNone = {
  holds: (types: DecoderConfig["layerTypes"]) => new Set(types).size < 2 && attentionLayers.holds(types),
  expected: "layers of one kind",
};
const allSliding = {
  holds: (types: DecoderConfig["layerTypes"]) => types?.every((type) => type === "sliding") === true,
  expected: "sliding layers alone",
};
const gemmaScale = {
  holds: (scale: number | undefined, { embedDim }: DecoderConfig) => scale === Math.sqrt(embedDim),
  expected: "√embedDim",
};

const plainExperts = {
  holds: hasPlainExperts,
  expected: "experts that the softmax chooses, and no shared one",
};

const llama: ArchitectureConstraints = {
  norm: is("rms"),
  placement: is("pre"),
  gated: is(true),
  gateLimit: absent,
  chunkSize: absent,
  qkNormPlace: absent,
  queryTemperature: absent,
  differential: absent,
  latent: absent,
  indexer: absent,
  bytePatches: absent,
  positions: is("rotary"),
  ropeDim: absent,
  bidirectional: { holds: (bidirectional) => bidirectional !== true, expected: "a causal model" },
  slidingRopeBase: absent,
  layerTypes: absent,
  attentionScale: absent,
  attentionSoftcap: absent,
  qkNorm: is(false),
  bias: noBias,
  experts: absent,
  embeddingScale: absent,
  logitSoftcap: absent,
  residualScale: absent,
  alibiScale: absent,
  ropeLayers: absent,
  sinks: absent,
  attentionGate: absent,
  feedForwardLayers: absent,
  embeddingNorm: absent,
  logitScale: absent,
  valueNorm: absent,
  sharedKeyValues: absent,
  layerOverrides: absent,
  activationSparsity: absent,
  laurelRank: absent,
  altUp: absent,
  perLayerEmbedding: absent,
  layerScale: absent,
};
const gemma: ArchitectureConstraints = { ...llama, embeddingScale: gemmaScale };
const gemma2: ArchitectureConstraints = {
  ...gemma,
  placement: is("both"),
  layerTypes: attentionLayers,
  attentionScale: unconstrained,
  attentionSoftcap: unconstrained,
  logitSoftcap: unconstrained,
};
const gpt2: ArchitectureConstraints = {
  ...llama,
  norm: is("layer"),
  gated: is(false),
  positions: is("learned"),
  bias: allBiases,
  ropeScaling: absent,
  headDim: {
    holds: (headDim, { embedDim, numHeads }) => headDim === embedDim / numHeads,
    expected: "embedDim / numHeads",
  },
};

const withQkNorm: ArchitectureConstraints = { qkNorm: is(true), ropeLayout: is("half") };

/** Layer types of architectures with sliding and full layers. */
const slidingFields = ({ layerTypes }: DecoderConfig) => ({
  use_sliding_window: layerTypes !== undefined,
  ...(layerTypes && { layer_types: layerTypes.map((type) => `${type}_attention`) }),
});
const gemma2Fields = (config: DecoderConfig) => ({
  query_pre_attn_scalar:
    config.attentionScale === undefined ? decoderHeadDim(config) : config.attentionScale ** -2,
  attn_logit_softcapping: config.attentionSoftcap ?? null,
  final_logit_softcapping: config.logitSoftcap ?? null,
  layer_types: Array.from(
    { length: config.numLayers },
    (_, i) => `${config.layerTypes?.[i] ?? "full"}_attention`,
  ),
});

/** The architectures that can be written. The first that fits a model is used. */
export const huggingFaceDecoders: readonly HuggingFaceDecoder[] = [
  llamaFamily("llama", {
    class: "LlamaForCausalLM",
    constraints: {
      ...llama,
      bias: {
        holds: (bias) => bias?.queryKeyValue === bias?.attentionOutput,
        expected: "biases at all four maps of attention, or at none",
      },
    },
    fields: ({ bias }) => ({
      attention_bias: bias?.queryKeyValue === true,
      mlp_bias: bias?.feedForward === true,
    }),
  }),
  llamaFamily("mistral", { class: "MistralForCausalLM", constraints: { ...llama, layerTypes: allSliding } }),
  llamaFamily("qwen2", {
    class: "Qwen2ForCausalLM",
    constraints: { ...llama, bias: queryKeyValueBias, layerTypes: attentionLayers },
    fields: slidingFields,
  }),
  llamaFamily("qwen3", {
    class: "Qwen3ForCausalLM",
    constraints: { ...llama, ...withQkNorm, layerTypes: attentionLayers },
    fields: slidingFields,
  }),
  llamaFamily("mixtral", {
    class: "MixtralForCausalLM",
    constraints: {
      ...llama,
      layerTypes: allOrNone,
      experts: {
        holds: (experts) =>
          hasPlainExperts(experts) && experts!.normTopKProb! && !experts!.layers && !experts!.hiddenDim,
        expected: "experts in all layers, as wide as hiddenDim, whose shares sum to 1",
      },
    },
    fields: ({ experts }) => ({
      num_local_experts: experts!.numExperts,
      num_experts_per_tok: experts!.expertsPerToken,
    }),
    mixture: { path: "block_sparse_moe", names: ["w1", "w3", "w2"] },
  }),
  llamaFamily("qwen3_moe", {
    class: "Qwen3MoeForCausalLM",
    constraints: { ...llama, ...withQkNorm, layerTypes: attentionLayers, experts: plainExperts },
    fields: (config) => ({
      ...slidingFields(config),
      num_experts: config.experts!.numExperts,
      num_experts_per_tok: config.experts!.expertsPerToken,
      moe_intermediate_size: config.experts!.hiddenDim ?? config.hiddenDim,
      norm_topk_prob: config.experts!.normTopKProb,
      decoder_sparse_step: 1,
      mlp_only_layers: (config.experts!.layers ?? []).flatMap((hasExperts, i) => (hasExperts ? [] : [i])),
    }),
  }),
  llamaFamily("gemma", { class: "GemmaForCausalLM", constraints: gemma, normOffset: 1 }),
  llamaFamily("gemma2", {
    class: "Gemma2ForCausalLM",
    constraints: gemma2,
    fields: gemma2Fields,
    normOffset: 1,
  }),
  llamaFamily("gemma3_text", {
    class: "Gemma3ForCausalLM",
    constraints: { ...gemma2, ...withQkNorm, slidingRopeBase: present, bidirectional: unconstrained },
    fields: (config) => ({
      ...gemma2Fields(config),
      rope_local_base_freq: config.slidingRopeBase,
      use_bidirectional_attention: config.bidirectional ?? false,
      // In these files the window excludes the token itself.
      ...(config.bidirectional && { sliding_window: config.window === undefined ? null : config.window - 1 }),
    }),
    normOffset: 1,
  }),
  llamaFamily("phi3", {
    class: "Phi3ForCausalLM",
    constraints: { ...llama, ropeLayout: is("half"), ropeDim: unconstrained, layerTypes: allOrNone },
    fields: (config) => ({
      partial_rotary_factor: (config.ropeDim ?? decoderHeadDim(config)) / decoderHeadDim(config),
      original_max_position_embeddings:
        config.ropeScaling && "originalLength" in config.ropeScaling
          ? config.ropeScaling.originalLength
          : config.contextLength,
    }),
    fused: true,
  }),
  gpt2Family("gpt2", {
    class: "GPT2LMHeadModel",
    constraints: {
      ...gpt2,
      numKvHeads: {
        holds: (numKvHeads, { numHeads }) => numKvHeads === numHeads,
        expected: "as many key-value heads as heads",
      },
    },
    write: transposed,
  }),
  gpt2Family("gpt_bigcode", {
    class: "GPTBigCodeForCausalLM",
    constraints: { ...gpt2, numKvHeads: is(1) },
    fields: { multi_query: true },
    write: concatenated,
  }),
];
