import type { AttentionParams, LinearParams } from "@qkv/attention";
import { stacked } from "../../conversions/row-map.js";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import type { MixtureOfExpertsParams } from "../../layers/mixture-of-experts.js";
import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderLayerParams } from "../../models/decoder.js";
import type { TaskHeadConfig, TaskHeadParams } from "../../models/task-head.js";
import {
  activationField,
  layerTypesField,
  ropeFields,
  stopIdsField,
  type ConfigFields,
} from "../../architectures/config-fields.js";
import { mapSequentially, findPrefix, type Family } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";
import { readLabels, headScores } from "./read-encoder.js";

const ignored = /* @__PURE__ */ ignoredFields(
  // Dropout, and router options for training.
  "embd_pdrop resid_pdrop router_aux_loss_coef router_jitter_noise output_router_logits",
  // Used by RoPE scaling, if there is one; and the information that a model was finetuned with it.
  "original_max_position_embeddings finetuned",
  // Information about the file, and fields that none of these architectures uses.
  "is_decoder is_llama_config transformers.js_config max_sequence_length interpolate_factor",
);
/** Fields with a single supported value. */
const supportedValues: Readonly<Record<string, unknown>> = {
  rope_interleaved: false,
  use_mrope: false,
  lm_head_bias: false,
  qkv_bias: false,
  full_attn_mod: 1,
  shared_expert_intermediate_size: 0,
};
/** Further ignored fields of Phi-3 (custom code that equals the architecture) and of Gemma 3 (images). */
const ignoredBy: Readonly<Record<string, ReadonlySet<string>>> = {
  phi3: /* @__PURE__ */ new Set(["auto_map"]),
  gemma3: /* @__PURE__ */ new Set([
    "vision_config",
    "boi_token_index",
    "eoi_token_index",
    "image_token_index",
    "mm_tokens_per_image",
  ]),
};

/**
 * Llama and related models: Mistral and Qwen with sliding windows, Qwen 2 with biases, Qwen 3 with norms of
 * queries and keys, Gemma with norm gains stored minus 1 and norms before and after each sublayer, Phi-3 with fused
 * projections, Mixtral and Qwen 3 MoE with experts.
 */
export const llama: Family = {
  modelTypes: [
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "mixtral",
    "qwen3_moe",
    "gemma",
    "gemma2",
    "gemma3_text",
    "gemma3",
    "phi3",
  ],
  async read(type, outer, weights, storedAs) {
    const kind = type === "gemma3" ? "gemma3_text" : type;
    // The prefix of the text model inside a multimodal model.
    const textConfig = type === "gemma3" ? outer.nested("text_config") : undefined;
    textConfig?.mustBe("model_type", kind);
    const isGguf = storedAs === "gguf";
    const fields = (textConfig ?? outer).withDefaults(isGguf ? {} : (defaults[kind] ?? {}));
    const prefix = findPrefix(weights, "embed_tokens.weight", [
      "model.",
      "",
      "language_model.model.",
      "model.language_model.",
    ]);
    const stopIds = stopIdsField(fields.has("eos_token_id") ? fields : outer);
    const source: LayerSource = {
      weights,
      type: kind,
      config: { ...llamaConfig(kind, fields, { weights, prefix, isGguf }), stopIds },
      // Gemma stores gains minus 1, except in GGUF files.
      plus: isGemma(kind) && !isGguf ? 1 : 0,
      bias: { attention: fields.flag("attention_bias", false), feedForward: fields.flag("mlp_bias", false) },
    };
    const tied = fields.flag("tie_word_embeddings", outer.flag("tie_word_embeddings", isGemma(kind)));
    for (const [name, value] of Object.entries(supportedValues)) fields.mustBe(name, value);
    if (kind.startsWith("qwen")) fields.mustBe("use_qk_norm", kind !== "qwen2");
    outer.finish(new Set([...ignored, ...(ignoredBy[type] ?? [])]));
    const { vocabSize: V, embedDim: C, numLayers } = source.config;
    const embedding = { weight: await weights.table(`${prefix}embed_tokens.weight`, [V, C]) };
    const layers = await mapSequentially(numLayers, (i) => layerParams(source, `${prefix}layers.${i}`, i));
    const norm = await weights.norm(`${prefix}norm`, C, { plus: source.plus });
    const path = prefix.replace(/model\.$/, "") + "lm_head";
    const head = await sequenceHead(outer, weights, C);
    const output = tied || head ? undefined : { weight: await weights.matrix(`${path}.weight`, [V, C]) };
    weights.finish(/rotary_emb\.inv_freq$|^lm_head\.weight$|vision_tower|multi_modal_projector/);
    const { bias } = layers[0]?.attention.query ?? {};
    const config: DecoderConfig = {
      ...source.config,
      ...(bias && {
        bias: { queryKeyValue: true, attentionOutput: layers[0]!.attention.output.bias !== undefined },
      }),
      ...(head && { head: head.config }),
    };
    const optional = { ...(output && { output }), ...(head && { head: head.params }) };
    return { kind: "decoder", config, params: { embedding, layers, norm, ...optional } };
  },
};

/**
 * Defaults of absent fields, where they differ from the meaning of null: the text configuration of a multimodal
 * Gemma 3 omits most fields.
 */
const defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  mistral: { sliding_window: 4096 },
  mixtral: { rms_norm_eps: 1e-5 },
  phi3: { rms_norm_eps: 1e-5 },
  gemma2: {
    query_pre_attn_scalar: 256,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    sliding_window: 4096,
  },
  gemma3_text: {
    vocab_size: 262208,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131072,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
  },
};

/** Default rotary bases, where they differ from Llama's. */
const ropeBases: Readonly<Record<string, number>> = { mixtral: 1e6, gemma3_text: 1e6 };

const isGemma = (type: string) => type.startsWith("gemma");

/** The head of a class for sequence classification, which replaces the output projection. */
async function sequenceHead(
  fields: ConfigFields,
  weights: Weights,
  C: number,
): Promise<{ config: TaskHeadConfig; params: TaskHeadParams } | undefined> {
  if (!String(fields.list("architectures")?.[0] ?? "").endsWith("ForSequenceClassification"))
    return undefined;
  const labels = readLabels("score.weight", fields, weights);
  const config: TaskHeadConfig = {
    task: "sequence",
    labels,
    pooling: "last",
    ...headScores("sequence", fields, labels.length),
  };
  return { config, params: { output: { weight: await weights.tensor("score.weight", [labels.length, C]) } } };
}

const maxLayers = 10_000;

function llamaConfig(
  type: string,
  fields: ConfigFields,
  { weights, prefix, isGguf }: { weights: Weights; prefix: string; isGguf: boolean },
): DecoderConfig {
  const embedDim = fields.count("hidden_size");
  const numHeads = fields.count("num_attention_heads");
  // Without the field `head_dim`, it follows from the shape of the query projection.
  const queries = weights.shape(`${prefix}layers.0.self_attn.q_proj.weight`)?.[0] ?? embedDim;
  const headDim = fields.countOr(queries / numHeads, "head_dim");
  const numLayers = fields.count("num_hidden_layers");
  // Limited, because layers are allocated before their tensors are found in the file.
  if (numLayers > maxLayers) return fields.refuse("num_hidden_layers", `at most ${maxLayers} layers`);
  const outerFactor = fields.positive("partial_rotary_factor", 1);
  const partial = (fields.nested("rope_parameters") ?? fields).positive("partial_rotary_factor", outerFactor);
  if (partial > 1)
    return fields.refuse("partial_rotary_factor", "a fraction of the head dimension, at most 1");
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim,
    hiddenDim: fields.count(...(type === "qwen3_moe" ? ["moe_intermediate_size"] : []), "intermediate_size"),
    numLayers,
    numHeads,
    numKvHeads: fields.countOr(numHeads, "num_key_value_heads"),
    ...(headDim !== embedDim / numHeads && { headDim }),
    contextLength: fields.count("max_position_embeddings"),
    normEps: fields.positive("rms_norm_eps", 1e-6),
    stopIds: [],
    ...ropeFields(fields, { base: isGguf ? 10000 : (ropeBases[type] ?? 10000) }),
    ...(partial !== 1 && { ropeDim: Math.floor(headDim * partial) }),
    ...windowFields(type, fields, numLayers),
    ...(bidirectionalField(type, fields) && { bidirectional: true }),
    ...(isGemma(type)
      ? gemmaConfig(type, fields, embedDim)
      : { activation: activationField(fields, "hidden_act", "silu") }),
    ...((type === "qwen3" || type === "qwen3_moe") && { qkNorm: true }),
    ...expertFields(type, fields, numLayers),
  };
}

/** Architectures with sliding-window attention. */
const windowed: readonly string[] =
  /* @__PURE__ */ "mistral mixtral phi3 qwen2 qwen3 qwen3_moe gemma2 gemma3_text".split(" ");

/** Window and layer types. */
function windowFields(type: string, fields: ConfigFields, numLayers: number): Partial<DecoderConfig> {
  const listedTypes = layerTypesField(fields, numLayers);
  if (!windowed.includes(type)) {
    if (listedTypes?.includes("sliding"))
      return fields.unsupported("layer_types", "full_attention alone in this architecture");
    return {};
  }
  const qwen = type.startsWith("qwen");
  const size = fields.countOr(undefined, "sliding_window");
  // A duplicate field in Gemma 2's configurations.
  if (type === "gemma2" && size !== undefined) fields.mustEqual("sliding_window_size", size);
  const firstSliding = qwen ? fields.number("max_window_layers", 28) : 0;
  const period =
    type === "gemma3_text" ? fields.countOr(6, "sliding_window_pattern", "_sliding_window_pattern") : 2;
  // Other architectures have the window in all layers.
  if (!qwen && size !== undefined) fields.mustBe("use_sliding_window", true);
  const usesWindow = fields.flag("use_sliding_window", !qwen);
  if (!usesWindow || size === undefined) {
    if (listedTypes?.includes("sliding")) {
      const fix = "full_attention alone, as there is no sliding_window that is used";
      return fields.refuse("layer_types", fix);
    }
    return {};
  }
  const kindAt = (i: number) =>
    // Full layers: the first ones in Qwen, every n-th one in Gemma.
    (type.startsWith("gemma") ? (i + 1) % period === 0 : i < firstSliding)
      ? ("full" as const)
      : ("sliding" as const);
  const layerTypes = listedTypes ?? Array.from({ length: numLayers }, (_, i) => kindAt(i));
  // In a bidirectional model, half of the window is before the token and half after it.
  const bidirectional = bidirectionalField(type, fields);
  return { window: bidirectional ? 2 * Math.floor(size / 2) + 1 : size, layerTypes };
}

/** True for bidirectional attention: EmbeddingGemma is a bidirectional Gemma 3. */
function bidirectionalField(type: string, fields: ConfigFields): boolean {
  if (type === "gemma3_text") return fields.flag("use_bidirectional_attention", false);
  fields.mustBe("use_bidirectional_attention", false);
  return false;
}

function gemmaConfig(type: string, fields: ConfigFields, C: number): Partial<DecoderConfig> {
  // The first configurations of Gemma state "gelu", but the models were trained with its tanh approximation.
  const hiddenAct = activationField(fields, "hidden_act", "gelu_pytorch_tanh");
  if (hiddenAct !== "gelu" && hiddenAct !== "geluTanh")
    return fields.unsupported("hidden_act", "gelu_pytorch_tanh");
  const common: Partial<DecoderConfig> = {
    activation: fields.has("hidden_activation")
      ? activationField(fields, "hidden_activation", "gelu_pytorch_tanh")
      : "geluTanh",
    embeddingScale: Math.sqrt(C),
  };
  if (type === "gemma") return { ...common, placement: "pre" };
  const queryScalar = fields.positiveOr(undefined, "query_pre_attn_scalar");
  const softcap = fields.positiveOr(undefined, "attn_logit_softcapping");
  const logitCap = fields.positiveOr(undefined, "final_logit_softcapping");
  return {
    ...common,
    placement: "both",
    ...(queryScalar !== undefined && { attentionScale: queryScalar ** -0.5 }),
    ...(softcap !== undefined && { attentionSoftcap: softcap }),
    ...(logitCap !== undefined && { logitSoftcap: logitCap }),
    ...(type === "gemma3_text" && { qkNorm: true, slidingRopeBase: slidingRopeBase(fields) }),
  };
}

/** The rotary base of Gemma 3's sliding-window layers, which have no RoPE scaling. */
function slidingRopeBase(fields: ConfigFields): number {
  const local = fields.positive("rope_local_base_freq", 10000);
  const parameters = fields.nested("rope_parameters");
  if (!parameters) return local;
  const { ropeBase, ropeScaling } = ropeFields(fields, { kind: "sliding_attention" });
  if (ropeScaling) {
    const slidingParameters = parameters.nested("sliding_attention") ?? parameters;
    return slidingParameters.unsupported("rope_type", "default: layers with a window are not scaled");
  }
  return ropeBase;
}

function expertFields(type: string, fields: ConfigFields, numLayers: number): Partial<DecoderConfig> {
  if (type !== "mixtral" && type !== "qwen3_moe") return {};
  const dense = fields.list("mlp_only_layers") ?? [];
  const step = fields.countOr(1, "decoder_sparse_step");
  if (type === "mixtral") {
    fields.mustBe("norm_topk_prob", true);
    if (dense.length > 0) return fields.unsupported("mlp_only_layers", "no layers: all have experts");
    if (step !== 1) return fields.unsupported("decoder_sparse_step", "1: all layers have experts");
  }
  const layers = Array.from({ length: numLayers }, (_, i) => !dense.includes(i) && (i + 1) % step === 0);
  const mixed = layers.includes(false);
  return {
    ...(mixed && { hiddenDim: fields.count("intermediate_size") }),
    experts: {
      ...(mixed && { layers, hiddenDim: fields.count("moe_intermediate_size") }),
      numExperts: fields.count("num_local_experts", "num_experts"),
      expertsPerToken: fields.count("num_experts_per_tok"),
      normTopKProb: type === "mixtral" || fields.flag("norm_topk_prob", false),
    },
  };
}

/** The checkpoint from which the params of layers are read. */
type LayerSource = {
  readonly type: string;
  readonly weights: Weights;
  readonly config: DecoderConfig;
  /** Added to stored norm gains. */
  readonly plus: 0 | 1;
  readonly bias: { attention: boolean; feedForward: boolean };
};

async function layerParams(source: LayerSource, path: string, i: number): Promise<DecoderLayerParams> {
  const { weights, config, plus } = source;
  const { embedDim: C } = config;
  const options = { plus };
  const norm = (name: string) => weights.norm(`${path}.${name}`, C, options);
  const attentionNorm = await norm("input_layernorm");
  const attention = await attentionParams(source, `${path}.self_attn`, options);
  if (config.placement !== "both") {
    const feedForwardNorm = await norm("post_attention_layernorm");
    return {
      attentionNorm,
      attention,
      feedForwardNorm,
      feedForward: await feedForwardParams(source, path, i),
    };
  }
  // Gemma's `post_attention_layernorm` is a norm of the attention output.
  return {
    attentionNorm,
    attention,
    attentionOutNorm: await norm("post_attention_layernorm"),
    feedForwardNorm: await norm("pre_feedforward_layernorm"),
    feedForward: await feedForwardParams(source, path, i),
    feedForwardOutNorm: await norm("post_feedforward_layernorm"),
  };
}

async function attentionParams(
  { type, weights, config, bias: { attention: bias } }: LayerSource,
  path: string,
  options: { plus: number },
): Promise<AttentionParams> {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, headDim: D = C / H } = config;
  const sizes = [H * D, Hkv * D, Hkv * D];
  const biased = { bias: bias || type === "qwen2" };
  const separate = async () => [
    await weights.linear(`${path}.q_proj`, H * D, C, biased),
    await weights.linear(`${path}.k_proj`, Hkv * D, C, biased),
    await weights.linear(`${path}.v_proj`, Hkv * D, C, biased),
  ];
  const [query, key, value] = (
    type === "phi3" ? await weights.fused(`${path}.qkv_proj`, stacked(sizes), C) : await separate()
  ) as [LinearParams, LinearParams, LinearParams];
  const output = await weights.linear(`${path}.o_proj`, C, H * D, { bias: bias && type !== "qwen2" });
  if (!config.qkNorm) return { query, key, value, output };
  const queryNorm = await weights.norm(`${path}.q_norm`, D, options);
  return { query, key, value, output, queryNorm, keyNorm: await weights.norm(`${path}.k_norm`, D, options) };
}

async function feedForwardParams(
  { type, weights, config, bias }: LayerSource,
  path: string,
  i: number,
): Promise<FeedForwardParams | MixtureOfExpertsParams> {
  const { embedDim: C, experts: expertConfig } = config;
  const experts = expertConfig?.layers?.[i] === false ? undefined : expertConfig;
  const F = experts?.hiddenDim ?? config.hiddenDim;
  const biased = { bias: bias.feedForward };
  const feedForward = async (path: string, [gate, up, down] = ["gate_proj", "up_proj", "down_proj"]) => ({
    gate: await weights.linear(`${path}.${gate}`, F, C, biased),
    up: await weights.linear(`${path}.${up}`, F, C, biased),
    down: await weights.linear(`${path}.${down}`, C, F, biased),
  });
  if (type === "phi3") {
    const [gate, up] = await weights.fused(`${path}.mlp.gate_up_proj`, stacked([F, F]), C);
    return { gate: gate!, up: up!, down: await weights.linear(`${path}.mlp.down_proj`, C, F) };
  }
  if (!experts) return feedForward(`${path}.mlp`);
  const mixtral = type === "mixtral";
  const expertsPath = mixtral ? `${path}.block_sparse_moe` : `${path}.mlp`;
  return {
    router: await weights.linear(`${expertsPath}.gate`, experts.numExperts, C),
    experts: await mapSequentially(experts.numExperts, (e) =>
      feedForward(`${expertsPath}.experts.${e}`, mixtral ? ["w1", "w3", "w2"] : undefined),
    ),
  };
}
