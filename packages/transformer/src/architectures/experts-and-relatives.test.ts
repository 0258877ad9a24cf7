import { tensorsOf } from "@qkv/tensor";
import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { architectures } from "./architectures.js";
import { readFields, writeFields } from "./config-entry.js";
import { configFields } from "./config-fields.js";
import { writeStored } from "./stored-tensor.js";

const sizes = {
  ...{ vocab_size: 20, hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 64, rms_norm_eps: 1e-5 },
};
/** The configuration of `sizes`. */
const baseConfig = {
  ...{ vocabSize: 20, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 64, normEps: 1e-5, activation: "silu", ropeBase: 10000 },
};
const noBias = { queryKeyValue: false, attentionOutput: false };
const expertFields = {
  n_routed_experts: 8,
  num_experts_per_tok: 2,
  moe_intermediate_size: 6,
  n_shared_experts: 2,
};
const expertConfig = { numExperts: 8, expertsPerToken: 2, hiddenDim: 6, shared: { hiddenDim: 12 } };
const latentFields = {
  kv_lora_rank: 8,
  q_lora_rank: null,
  qk_nope_head_dim: 4,
  qk_rope_head_dim: 2,
  v_head_dim: 6,
};
const latent = { kvRank: 8, nopeDim: 4, ropeDim: 2, valueDim: 6 };
const yarn = {
  type: "yarn",
  factor: 4,
  original_max_position_embeddings: 16,
  mscale: 0.7,
  mscale_all_dim: 0.7,
};

/** Fields of published configurations, the DecoderConfig that they are read as, and names of some tensors. */
const cases: Record<string, readonly [fields: object, config: object, names: readonly string[]]> = {
  qwen2_moe: [
    {
      ...{ num_experts: 5, num_experts_per_tok: 2, moe_intermediate_size: 6, norm_topk_prob: false },
      ...{ shared_expert_intermediate_size: 10, decoder_sparse_step: 1, mlp_only_layers: [0] },
      ...{ use_sliding_window: false, sliding_window: 32, max_window_layers: 1 },
    },
    {
      bias: { queryKeyValue: true },
      experts: {
        ...{ numExperts: 5, expertsPerToken: 2, hiddenDim: 6, normTopKProb: false },
        ...{ shared: { hiddenDim: 10, gated: true }, layers: [false, true] },
      },
    },
    [
      ...["0.self_attn.q_proj.bias", "0.mlp.gate_proj.weight", "1.mlp.gate.weight"],
      ...["1.mlp.experts.4.up_proj.weight", "1.mlp.shared_expert.down_proj.weight"],
      "1.mlp.shared_expert_gate.weight",
    ],
  ],
  olmoe: [
    { num_experts: 4, num_experts_per_tok: 2, norm_topk_prob: false, clip_qkv: null },
    { bias: noBias, qkNorm: "heads", experts: { numExperts: 4, expertsPerToken: 2, normTopKProb: false } },
    ["0.self_attn.q_norm.weight", "1.mlp.gate.weight", "1.mlp.experts.3.gate_proj.weight"],
  ],
  granitemoe: [
    {
      ...{ num_local_experts: 4, num_experts_per_tok: 2, logits_scaling: 4, residual_multiplier: 0.5 },
      ...{ attention_multiplier: 0.25, embedding_multiplier: 3 },
    },
    {
      ...{ bias: { ...noBias, feedForward: false }, experts: { numExperts: 4, expertsPerToken: 2 } },
      ...{ logitScale: 0.25, residualScale: 0.5, attentionScale: 0.25, embeddingScale: 3 },
    },
    ["0.block_sparse_moe.router.layer.weight", "1.block_sparse_moe.input_linear.weight"],
  ],
  granitemoeshared: [
    {
      ...{ num_local_experts: 4, num_experts_per_tok: 2, shared_intermediate_size: 10, logits_scaling: 4 },
      ...{ residual_multiplier: 0.5, attention_multiplier: 0.25, embedding_multiplier: 3 },
    },
    {
      bias: { ...noBias, feedForward: false },
      experts: { numExperts: 4, expertsPerToken: 2, shared: { hiddenDim: 10 } },
      ...{ logitScale: 0.25, residualScale: 0.5, attentionScale: 0.25, embeddingScale: 3 },
    },
    [
      ...["0.block_sparse_moe.router.layer.weight", "1.block_sparse_moe.input_linear.weight"],
      ...["0.shared_mlp.input_linear.weight", "1.shared_mlp.output_linear.weight"],
    ],
  ],
  ernie4_5_moe: [
    {
      ...{
        moe_num_experts: 5,
        moe_k: 2,
        moe_intermediate_size: 6,
        moe_num_shared_experts: 2,
        use_bias: false,
      },
      ...{ moe_layer_start_index: 1, moe_layer_end_index: -1, moe_layer_interval: 1, rope_theta: 500000 },
      ...{ moe_gate: "topk", moe_use_aux_free: true, moe_capacity: [64, 64, 64] },
    },
    {
      ...{ ropeBase: 500000, ropeLayout: "interleaved" },
      experts: {
        ...{ numExperts: 5, expertsPerToken: 2, hiddenDim: 6, shared: { hiddenDim: 12 } },
        ...{ router: { choiceBias: true }, layers: [false, true] },
      },
    },
    [
      ...["0.mlp.gate_proj.weight", "1.mlp.gate.weight", "1.mlp.experts.4.up_proj.weight"],
      ...["1.mlp.moe_statics.e_score_correction_bias", "1.mlp.shared_experts.down_proj.weight"],
    ],
  ],
  minimax_m2: [
    {
      ...{ num_local_experts: 4, num_experts_per_tok: 2, head_dim: 6, rotary_dim: 4, rope_theta: 5000000 },
      ...{ use_qk_norm: true, qk_norm_type: "per_layer", use_routing_bias: true, scoring_func: "sigmoid" },
      ...{ shared_intermediate_size: 0, attn_type_list: [1, 1], use_mtp: true, num_mtp_modules: 3 },
    },
    {
      ...{ headDim: 6, ropeDim: 4, ropeBase: 5000000, qkNorm: "heads" },
      experts: {
        ...{ numExperts: 4, expertsPerToken: 2 },
        router: { scores: "sigmoid", choiceBias: true },
      },
    },
    [
      ...[
        "0.self_attn.q_norm.weight",
        "1.block_sparse_moe.gate.weight",
        "0.block_sparse_moe.experts.3.w1.weight",
      ],
      ...["1.block_sparse_moe.e_score_correction_bias", "1.block_sparse_moe.experts.0.w2.weight"],
    ],
  ],
  glm4_moe: [
    {
      ...expertFields,
      n_group: 4,
      topk_group: 2,
      routed_scaling_factor: 1.5,
      use_qk_norm: true,
      attention_bias: true,
    },
    {
      ...{ bias: { queryKeyValue: true }, qkNorm: true, ropeDim: 2 },
      experts: {
        ...{ ...expertConfig, normTopKProb: true, layers: [false, true] },
        router: { scores: "sigmoid", choiceBias: true, groups: { count: 4, chosen: 2, best: 2 }, scale: 1.5 },
      },
    },
    ["0.mlp.up_proj.weight", "1.mlp.gate.e_score_correction_bias", "1.mlp.shared_experts.up_proj.weight"],
  ],
  dots1: [
    {
      ...expertFields,
      first_k_dense_replace: 1,
      norm_topk_prob: true,
      scoring_func: "noaux_tc",
      sliding_window: null,
    },
    {
      ...{ bias: noBias, qkNorm: true },
      experts: {
        ...{ ...expertConfig, normTopKProb: true, layers: [false, true] },
        router: { scores: "sigmoid", choiceBias: true },
      },
    },
    ["0.mlp.up_proj.weight", "1.self_attn.k_norm.weight", "1.mlp.gate.e_score_correction_bias"],
  ],
  deepseek_v2: [
    {
      ...{ ...expertFields, ...latentFields, rope_scaling: yarn, n_group: 4, topk_group: 2 },
      ...{ first_k_dense_replace: 1, topk_method: "group_limited_greedy", routed_scaling_factor: 16 },
    },
    {
      ...{ bias: noBias, latent, ropeLayout: "interleaved" },
      ropeScaling: {
        ...{ type: "yarn", factor: 4, originalLength: 16, truncate: true, mscale: 0.7, mscaleAllDim: 0.7 },
      },
      attentionScale: expect.closeTo(6 ** -0.5 * (0.07 * Math.log(4) + 1) ** 2, 12) as number,
      experts: {
        ...{ ...expertConfig, normTopKProb: false, layers: [false, true] },
        router: { groups: { count: 4, chosen: 2, best: 1 }, scale: 16 },
      },
    },
    ["0.self_attn.q_proj.weight", "0.self_attn.kv_b_proj.weight", "1.mlp.shared_experts.up_proj.weight"],
  ],
  deepseek_v32: [
    {
      ...{
        ...expertFields,
        ...latentFields,
        q_lora_rank: 10,
        n_group: 4,
        topk_group: 2,
        first_k_dense_replace: 1,
      },
      ...{ index_n_heads: 3, index_head_dim: 4, index_topk: 5, scoring_func: "sigmoid" },
      ...{ topk_method: "noaux_tc", moe_layer_freq: 1, num_nextn_predict_layers: 1, ep_size: 1 },
      rope_scaling: { ...yarn, mscale: 1, mscale_all_dim: 1 },
    },
    {
      ...{ bias: noBias, latent: { ...latent, queryRank: 10 }, ropeLayout: "interleaved" },
      indexer: { numHeads: 3, headDim: 4, topK: 5 },
      ropeScaling: {
        ...{ type: "yarn", factor: 4, originalLength: 16, truncate: true, mscale: 1, mscaleAllDim: 1 },
      },
      attentionScale: expect.closeTo(6 ** -0.5 * (0.1 * Math.log(4) + 1) ** 2, 12) as number,
      experts: {
        ...{ ...expertConfig, normTopKProb: true, layers: [false, true] },
        router: { scores: "sigmoid", choiceBias: true, groups: { count: 4, chosen: 2, best: 2 }, scale: 2.5 },
      },
    },
    [
      ...["0.self_attn.indexer.wq_b.weight", "1.self_attn.indexer.wk.weight"],
      ...["0.self_attn.indexer.k_norm.bias", "1.self_attn.indexer.weights_proj.weight"],
      ...["0.mlp.up_proj.weight", "1.mlp.gate.e_score_correction_bias"],
    ],
  ],
  glm4_moe_lite: [
    {
      ...{
        ...expertFields,
        ...latentFields,
        q_lora_rank: 10,
        n_group: 1,
        topk_group: 1,
        routed_scaling_factor: 1.8,
      },
      ...{ mlp_layer_types: ["dense", "sparse"], rope_interleave: true, num_nextn_predict_layers: 1 },
    },
    {
      ...{ bias: noBias, latent: { ...latent, queryRank: 10 }, ropeLayout: "interleaved" },
      experts: {
        ...{ ...expertConfig, normTopKProb: true, layers: [false, true] },
        router: { scores: "sigmoid", choiceBias: true, scale: 1.8 },
      },
    },
    ["0.self_attn.kv_b_proj.weight", "0.mlp.up_proj.weight", "1.mlp.gate.e_score_correction_bias"],
  ],
  youtu: [
    {
      ...latentFields,
      q_lora_rank: 10,
      rope_interleave: true,
      embedding_initializer_range: 0.04,
      head_dim: 2,
    },
    { bias: noBias, latent: { ...latent, queryRank: 10 }, ropeLayout: "interleaved" },
    ["0.self_attn.q_b_proj.weight", "1.self_attn.kv_a_proj_with_mqa.weight", "1.mlp.up_proj.weight"],
  ],
  hunyuan_v1_dense: [
    {
      use_qk_norm: true,
      head_dim: 6,
      rope_scaling: { type: "dynamic", alpha: 1000, factor: 1, beta_fast: 32 },
    },
    {
      ...{ bias: noBias, headDim: 6, qkNorm: true, qkNormPlace: "afterRope" },
      ropeBase: 10000 * 1000 ** (6 / 4),
    },
    ["0.self_attn.query_layernorm.weight", "1.self_attn.key_layernorm.weight", "1.mlp.up_proj.weight"],
  ],
};

const file = { name: "config.json", fn: "load" };
const casesByType = Object.entries(cases).map(([type, parts]) => [type, ...parts] as const);

test.each(casesByType)(
  "%s: published fields are read, and the tensors of published files are written",
  (type, caseFields, config, names) => {
    const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(type))!;
    const fields = configFields({ ...sizes, ...caseFields }, file);
    const readConfig = {
      ...readFields(architecture.config(), fields),
      stopIds: [],
    } as unknown as DecoderConfig;
    expect(readConfig).toEqual({ ...baseConfig, ...config, stopIds: [] });
    fields.finish(new Set(architecture.ignored?.split(" ")));
    const written = writeStored(architecture.tensors(readConfig, true), decoder(readConfig).init(1)).map(
      ({ name }) => name,
    );
    for (const name of names) expect(written).toContain(`model.layers.${name}`);
  },
);

test.each(casesByType)("%s: an exported model is loaded with the same logits", async (type, caseFields) => {
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(type))!;
  const config = {
    ...readFields(architecture.config(), configFields({ ...sizes, ...caseFields }, file)),
    stopIds: [],
  } as unknown as DecoderConfig;
  const { files, ...out } = memoryFolder();
  const params = decoder(config).init(1);
  await exportModel({ config, params }, { to: "hf", out });
  const json = await files.find(({ name }) => name === "config.json")!.text();
  // GLM 4.7 Flash has the architecture of DeepSeek V3, and is exported as such.
  expect(JSON.parse(json)).toHaveProperty("model_type", type === "glm4_moe_lite" ? "deepseek_v3" : type);
  const loaded = await load(files);
  expect(tensorsOf(loaded.params).length).toBe(tensorsOf(params).length);
  const ids = [3, 1, 4, 1, 5, 9];
  expect(loaded.apply(loaded.params, ids).data).toEqual(decoder(config).apply(params, ids).data);
});

/** Reads the fields of a case, with some added or replaced. */
function readCase(type: string, more: object): Partial<DecoderConfig> {
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(type))!;
  const fields = configFields({ ...sizes, ...cases[type]![0], ...more }, file);
  const config = readFields(architecture.config(), fields);
  fields.finish(new Set(architecture.ignored?.split(" ")));
  return config;
}
const readV32 = (more: object) => readCase("deepseek_v32", more);

test("DeepSeek V3.2: mlp_layer_types takes precedence over first_k_dense_replace", () => {
  expect(readV32({ mlp_layer_types: ["sparse", "dense"] }).experts?.layers).toEqual([true, false]);
  expect(readV32({ mlp_layer_types: ["sparse", "sparse"] }).experts).not.toHaveProperty("layers");
});

test.each([
  [{ quantization_config: { quant_method: "fp8" } }, /quantization_config.*expected no such field/],
  [{ q_lora_rank: null }, /q_lora_rank` is null, expected an integer.*index queries/],
  [{ index_topk: 0 }, /index_topk` is 0/],
  [{ index_head_dim: 1 }, /index_head_dim` is 1, expected at least qk_rope_head_dim = 2/],
  [
    { layer_types: ["full_attention", "full_attention"] },
    /layer_types.*each deepseek_sparse_attention\.\nFix: qkv does not implement `layer_types: /,
  ],
  [
    { mlp_layer_types: ["dense"] },
    /mlp_layer_types.*a list of 2, each dense or sparse\.\nFix: correct the field, or download/,
  ],
  [{ rope_interleave: false }, /rope_interleave` is false/],
])("DeepSeek V3.2: an error names the invalid field of %j", (more, message) => {
  expect(() => readV32(more)).toThrow(message);
});

test.each([
  [
    "minimax_m2",
    { attn_type_list: [1, 0] },
    /attn_type_list` is \[1, 0\], expected a list of 2, each 1\.\nFix: qkv does not implement `attn_type_list: \[1, 0\]`/,
  ],
  ["minimax_m2", { rotary_dim: 8 }, /rotary_dim` is 8, expected an even number, at most 6/],
  ["minimax_m2", { qk_norm_type: "per_head" }, /qk_norm_type` is "per_head"/],
  [
    "minimax_m2",
    { quantization_config: { quant_method: "fp8" } },
    /quantization_config.*expected no such field/,
  ],
  ["ernie4_5_moe", { use_bias: true }, /use_bias` is true/],
  ["ernie4_5_moe", { moe_norm_min: 0.1 }, /moe_norm_min` is 0.1/],
  ["ernie4_5_moe", { moe_gate: "top2" }, /moe_gate` is "top2"/],
  ["granitemoeshared", { shared_intermediate_size: -1 }, /shared_intermediate_size` is -1/],
])("%s: an error names the invalid field of %j", (type, more, message) => {
  expect(() => readCase(type, more)).toThrow(message);
});

test("Qwen2 MoE: every decoder_sparse_step-th layer has experts, except those in mlp_only_layers", () => {
  const changes = { num_hidden_layers: 6, decoder_sparse_step: 2, mlp_only_layers: [3] };
  const { experts } = readCase("qwen2_moe", changes);
  expect(experts!.layers).toEqual([false, true, false, false, false, true]);
});

test("MiniMax M2: partial_rotary_factor takes precedence over rotary_dim; without both, all dimensions rotate", () => {
  expect(readCase("minimax_m2", { partial_rotary_factor: 1 })).not.toHaveProperty("ropeDim");
  expect(readCase("minimax_m2", { rotary_dim: null })).not.toHaveProperty("ropeDim");
});

test("Granite MoE: shared_intermediate_size 0 means no shared expert", () => {
  const { experts } = readCase("granitemoeshared", { shared_intermediate_size: 0 });
  expect(experts).toEqual({ numExperts: 4, expertsPerToken: 2 });
});

test.each<[object, readonly number[]]>([
  [{ moe_layer_start_index: 2, moe_layer_end_index: 5 }, [2, 3, 4, 5]],
  [{ moe_layer_start_index: 1, moe_layer_interval: 3 }, [2, 5]],
  [{ moe_layer_start_index: 2, moe_layer_interval: 4 }, [3, 7]],
  [{ moe_layer_start_index: 4, moe_layer_end_index: 5, moe_layer_interval: 6 }, [5]],
])("ERNIE 4.5: %j is read as experts in layers %j, and writing preserves them", (more, layers) => {
  const config = readCase("ernie4_5_moe", { num_hidden_layers: 8, ...more });
  expect(config.experts!.layers!.flatMap((has, i) => (has ? [i] : []))).toEqual(layers);
  const { config: entries } = architectures.find(({ modelTypes }) => modelTypes.includes("ernie4_5_moe"))!;
  const written = writeFields(entries(), config as DecoderConfig);
  expect(readFields(entries(), configFields(written, file))).toEqual(config);
});
