import type { AttentionParams, LinearParams } from "@qkv/attention";
import { stacked } from "../../conversions/row-map.js";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import type { MixtureOfExpertsParams } from "../../layers/mixture-of-experts.js";
import type { Weights } from "../../loading/weights.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderLayerParams } from "../../models/decoder.js";
import {
  activationField,
  layerTypesField,
  ropeFields,
  stopIdsField,
  type ConfigFields,
} from "./config-fields.js";
import { inOrder, prefixOf, type Family } from "./family.js";

/**
 * Llama and what was made in its likeness: Mistral and Qwen with windows, Qwen 2 with biases, Qwen 3 with norms of
 * queries and keys, Gemma with gains that count from 1 and norms on both sides, Phi-3 with fused projections, Mixtral
 * and Qwen 3's mixtures with experts.
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
  async read(type, outer, weights) {
    const kind = type === "gemma3" ? "gemma3_text" : type;
    const inner = outer.inner("text_config"); // as a model of text and pictures names that of texts
    const fields = (type === "gemma3" ? inner?.withDefaults(gemma3Defaults) : inner) ?? outer;
    const prefix = prefixOf(weights, "embed_tokens.weight", [
      "model.",
      "",
      "language_model.model.",
      "model.language_model.",
    ]);
    const read = { fields, weights, type: kind, config: configOf(kind, fields, weights, prefix) };
    const { vocabSize: V, embedDim: C, numLayers } = read.config;
    const plus = plusOf(kind, fields);
    const embedding = { weight: await weights.tensor(`${prefix}embed_tokens.weight`, [V, C]) };
    const layers = await inOrder(numLayers, (i) => layerParams(read, `${prefix}layers.${i}`));
    const norm = await weights.norm(`${prefix}norm`, C, { plus });
    const head = prefix.replace(/model\.$/, "") + "lm_head";
    const tied = fields.flag("tie_word_embeddings", outer.flag("tie_word_embeddings", isGemma(kind)));
    const output = tied ? undefined : { weight: await weights.matrix(`${head}.weight`, [V, C]) };
    weights.finish(/rotary_emb\.inv_freq$|^lm_head\.weight$|vision_tower|multi_modal_projector/);
    const { bias } = layers[0]?.attention.query ?? {};
    const config: DecoderConfig = {
      ...read.config,
      ...(bias && {
        bias: { queryKeyValue: true, attentionOutput: layers[0]!.attention.output.bias !== undefined },
      }),
    };
    return { kind: "decoder", config, params: { embedding, layers, norm, ...(output && { output }) } };
  },
};

/** What Gemma 3's configurations mean that leave it out: inside of a model of pictures they leave out most. */
const gemma3Defaults = {
  vocab_size: 262208,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  max_position_embeddings: 131072,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
  sliding_window_pattern: 6,
  rope_theta: 1e6,
};

/** Gemma's gains count from 1, but in GGUF files, which hold them whole. */
const plusOf = (type: string, fields: ConfigFields): number =>
  isGemma(type) && !fields.flag("gguf", false) ? 1 : 0;
const isGemma = (type: string) => type.startsWith("gemma");

const mostLayers = 10_000;

function configOf(type: string, fields: ConfigFields, weights: Weights, prefix: string): DecoderConfig {
  const embedDim = fields.count("hidden_size");
  const numHeads = fields.count("num_attention_heads");
  // Where the configuration does not tell, the weights do.
  const queries = weights.shape(`${prefix}layers.0.self_attn.q_proj.weight`)?.[0] ?? embedDim;
  const headDim = fields.countOr(queries / numHeads, "head_dim");
  const numLayers = fields.count("num_hidden_layers");
  // A number from a file must not decide how much memory is taken.
  if (numLayers > mostLayers) throw fields.bad("num_hidden_layers", `at most ${mostLayers} layers`);
  const partial = (fields.inner("rope_parameters") ?? fields).number(
    "partial_rotary_factor",
    fields.number("partial_rotary_factor", 1),
  );
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim,
    hiddenDim: fields.count(...(type === "qwen3_moe" ? ["moe_intermediate_size"] : []), "intermediate_size"),
    numLayers,
    numHeads,
    numKvHeads: fields.countOr(numHeads, "num_key_value_heads"),
    ...(headDim !== embedDim / numHeads && { headDim }),
    contextLength: fields.count("max_position_embeddings"),
    normEps: fields.number("rms_norm_eps", 1e-6),
    stopIds: stopIdsField(fields),
    ...ropeFields(fields),
    ...(partial !== 1 && { ropeDim: Math.floor(headDim * partial) }),
    ...windowOf(type, fields, numLayers),
    ...(isGemma(type)
      ? gemmaConfig(type, fields, embedDim)
      : { activation: activationField(fields, "hidden_act", "silu") }),
    ...((type === "qwen3" || type === "qwen3_moe") && { qkNorm: true }),
    ...expertsOf(type, fields),
  };
}

/** Which layers look back how far. */
function windowOf(type: string, fields: ConfigFields, numLayers: number): Partial<DecoderConfig> {
  const window = fields.countOr(undefined, "sliding_window");
  if (window === undefined || !fields.flag("use_sliding_window", !type.startsWith("qwen"))) return {};
  const slides = (i: number): boolean => {
    if (type === "gemma2") return i % 2 === 0;
    if (type === "gemma3_text") {
      return (i + 1) % fields.countOr(6, "sliding_window_pattern", "_sliding_window_pattern") !== 0;
    }
    // Qwen's first layers see everything.
    return type.startsWith("qwen") ? i >= fields.number("max_window_layers", 28) : true;
  };
  const layerTypes =
    layerTypesField(fields) ??
    Array.from({ length: numLayers }, (_, i) => (slides(i) ? ("sliding" as const) : ("full" as const)));
  return { window, layerTypes };
}

function gemmaConfig(type: string, fields: ConfigFields, C: number): Partial<DecoderConfig> {
  const queryScalar = fields.numberOr(undefined, "query_pre_attn_scalar");
  const softcap = fields.numberOr(undefined, "attn_logit_softcapping");
  const logitCap = fields.numberOr(undefined, "final_logit_softcapping");
  return {
    // Gemma's first configurations say "gelu" and mean its approximation, in which all were trained.
    activation: fields.has("hidden_activation")
      ? activationField(fields, "hidden_activation", "gelu_pytorch_tanh")
      : "geluTanh",
    placement: type === "gemma" ? "pre" : "both",
    embeddingScale: Math.sqrt(C),
    ...(queryScalar !== undefined && { attentionScale: queryScalar ** -0.5 }),
    ...(softcap !== undefined && { attentionSoftcap: softcap }),
    ...(logitCap !== undefined && { logitSoftcap: logitCap }),
    ...(type === "gemma3_text" && {
      qkNorm: true,
      slidingRopeBase: fields.has("rope_parameters")
        ? ropeFields(fields, "sliding_attention").ropeBase
        : fields.number("rope_local_base_freq", 10000),
    }),
  };
}

function expertsOf(type: string, fields: ConfigFields): Partial<DecoderConfig> {
  if (type !== "mixtral" && type !== "qwen3_moe") return {};
  const dense = fields.list("mlp_only_layers") ?? [];
  if (dense.length > 0) throw fields.bad("mlp_only_layers", "no layers: all have experts");
  if (fields.countOr(1, "decoder_sparse_step") !== 1)
    throw fields.bad("decoder_sparse_step", "1: all layers have experts");
  return {
    experts: {
      numExperts: fields.count("num_local_experts", "num_experts"),
      expertsPerToken: fields.count("num_experts_per_tok"),
      normalizeShares: type === "mixtral" || fields.flag("norm_topk_prob", false),
    },
  };
}

type Reading = { type: string; fields: ConfigFields; weights: Weights; config: DecoderConfig };

async function layerParams(reading: Reading, path: string): Promise<DecoderLayerParams> {
  const { type, fields, weights, config } = reading;
  const { embedDim: C } = config;
  const options = { plus: plusOf(type, fields) };
  const norm = (name: string) => weights.norm(`${path}.${name}`, C, options);
  const attentionNorm = await norm("input_layernorm");
  const attention = await attentionParams(reading, `${path}.self_attn`, options);
  if (config.placement !== "both") {
    const feedForwardNorm = await norm("post_attention_layernorm");
    return { attentionNorm, attention, feedForwardNorm, feedForward: await inner(reading, path) };
  }
  // Gemma's "post attention" norm is that of what attention adds.
  return {
    attentionNorm,
    attention,
    attentionOutNorm: await norm("post_attention_layernorm"),
    feedForwardNorm: await norm("pre_feedforward_layernorm"),
    feedForward: await inner(reading, path),
    feedForwardOutNorm: await norm("post_feedforward_layernorm"),
  };
}

async function attentionParams(
  { type, fields, weights, config }: Reading,
  path: string,
  options: { plus: number },
): Promise<AttentionParams> {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, headDim: D = C / H } = config;
  const sizes = [H * D, Hkv * D, Hkv * D];
  const bias = fields.flag("attention_bias", false);
  const biased = { bias: bias || type === "qwen2" };
  const apart = async () => [
    await weights.linear(`${path}.q_proj`, H * D, C, biased),
    await weights.linear(`${path}.k_proj`, Hkv * D, C, biased),
    await weights.linear(`${path}.v_proj`, Hkv * D, C, biased),
  ];
  const [query, key, value] = (
    type === "phi3" ? await weights.fused(`${path}.qkv_proj`, stacked(sizes), C) : await apart()
  ) as [LinearParams, LinearParams, LinearParams];
  const output = await weights.linear(`${path}.o_proj`, C, H * D, { bias: bias && type !== "qwen2" });
  if (!config.qkNorm) return { query, key, value, output };
  const queryNorm = await weights.norm(`${path}.q_norm`, D, options);
  return { query, key, value, output, queryNorm, keyNorm: await weights.norm(`${path}.k_norm`, D, options) };
}

async function inner(
  { type, fields, weights, config }: Reading,
  path: string,
): Promise<FeedForwardParams | MixtureOfExpertsParams> {
  const { embedDim: C, hiddenDim: F, experts } = config;
  const biased = { bias: fields.flag("mlp_bias", false) };
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
  const own = mixtral ? `${path}.block_sparse_moe` : `${path}.mlp`;
  return {
    router: await weights.linear(`${own}.gate`, experts.numExperts, C),
    experts: await inOrder(experts.numExperts, (e) =>
      feedForward(`${own}.experts.${e}`, mixtral ? ["w1", "w3", "w2"] : undefined),
    ),
  };
}
