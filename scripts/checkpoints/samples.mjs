// A small model of each architecture: from conformance/data/hf if it has one, else from the fields in this file.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { ownData } from "../../conformance/reference-data.mjs";

const folder = new URL("../../conformance/data/hf/", import.meta.url);

const sizes = {
  ...{
    vocab_size: 64,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 4,
    num_attention_heads: 4,
  },
  ...{ num_key_value_heads: 2, max_position_embeddings: 64, eos_token_id: 2 },
};
const routed = { num_experts_per_tok: 2, moe_intermediate_size: 32 };
const gpt2Sizes = {
  vocab_size: 64,
  n_embd: 64,
  n_head: 4,
  n_layer: 4,
  n_positions: 64,
  n_ctx: 64,
  rotary_dim: 8,
};
const mamba2 = { mamba_n_heads: 8, mamba_d_head: 16, mamba_d_state: 8, mamba_n_groups: 1, mamba_d_conv: 4 };

/** Architectures whose norms have no bias. config.json has no field for it. */
const withoutNormBias = ["cohere", "mpt", "olmo"];
/** Architectures whose output projection has a bias. config.json has no field for it. */
const withOutputBias = ["codegen", "gptj", "phi"];

/** All fields of architectures that name the sizes differently, or have no `num_key_value_heads`. */
const complete = {
  biogpt: {
    ...{ vocab_size: 64, hidden_size: 64, intermediate_size: 128, num_hidden_layers: 4 },
    ...{ num_attention_heads: 4, max_position_embeddings: 64 },
  },
  codegen: gpt2Sizes,
  gptj: gpt2Sizes,
  gpt_neo: {
    ...{ vocab_size: 64, hidden_size: 64, num_layers: 4, num_heads: 4, max_position_embeddings: 64 },
    ...{ attention_types: [[["global", "local"], 2]], window_size: 8 },
  },
  mpt: {
    ...{ vocab_size: 64, d_model: 64, n_heads: 4, n_layers: 4, max_seq_len: 64 },
    attn_config: { alibi: true },
  },
};

const latent = {
  ...{ kv_lora_rank: 16, q_lora_rank: 24, qk_nope_head_dim: 16, qk_rope_head_dim: 8, v_head_dim: 16 },
};

/** Fields of an architecture besides `sizes`. */
const fieldsByType = {
  bamba: { ...mamba2, attn_layer_indices: [1, 3], tie_word_embeddings: false },
  deepseek_v2: {
    ...latent,
    ...{ ...routed, n_routed_experts: 4, n_shared_experts: 1, first_k_dense_replace: 1 },
  },
  dots1: { ...routed, n_routed_experts: 4, n_shared_experts: 1, first_k_dense_replace: 1 },
  ernie4_5_moe: { moe_num_experts: 4, moe_k: 2, moe_intermediate_size: 32, moe_num_shared_experts: 1 },
  glm4_moe: { ...routed, n_routed_experts: 4, n_shared_experts: 1, first_k_dense_replace: 1 },
  afmoe: { ...routed, num_experts: 4, num_shared_experts: 1, sliding_window: 8 },
  exaone_moe: { ...routed, num_experts: 4, num_shared_experts: 1, sliding_window: 8 },
  flex_olmo: { num_experts: 4, num_experts_per_tok: 2 },
  glm4_moe_lite: { ...latent, ...routed, n_routed_experts: 4, n_shared_experts: 1 },
  hunyuan_v1_moe: { num_experts: 4, moe_topk: 2 },
  ministral: { sliding_window: 8 },
  ministral3: {
    head_dim: 16,
    rope_parameters: {
      ...{ rope_type: "yarn", rope_theta: 1e6, factor: 4, original_max_position_embeddings: 16 },
      ...{ mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 },
    },
  },
  qwen3_5_moe_text: {
    ...{ ...routed, num_experts: 4, shared_expert_intermediate_size: 48, head_dim: 32 },
    full_attention_interval: 4,
    ...{
      linear_num_value_heads: 4,
      linear_num_key_heads: 2,
      linear_key_head_dim: 8,
      linear_value_head_dim: 8,
    },
  },
  solar_open: { ...routed, n_routed_experts: 4, n_shared_experts: 1 },
  youtu: latent,
  granitemoe: { num_experts_per_tok: 2, num_local_experts: 4, tie_word_embeddings: true },
  granitemoeshared: {
    ...{ num_experts_per_tok: 2, num_local_experts: 4, shared_intermediate_size: 48 },
    tie_word_embeddings: true,
  },
  jamba: {
    ...{ num_experts: 4, num_experts_per_tok: 2, attn_layer_period: 4, attn_layer_offset: 3 },
    ...{ expert_layer_period: 2, expert_layer_offset: 1, mamba_dt_rank: 8 },
  },
  lfm2_moe: {
    ...{ ...routed, num_experts: 4, num_dense_layers: 1 },
    layer_types: ["conv", "conv", "full_attention", "conv"],
  },
  minimax_m2: { num_experts_per_tok: 2, num_local_experts: 4, head_dim: 16, rotary_dim: 8 },
  olmoe: { num_experts: 4, num_experts_per_tok: 2 },
  qwen2_moe: { ...routed, num_experts: 4, shared_expert_intermediate_size: 48 },
};

/**
 * A folder of the reference data whose `model_type` is among `modelTypes`, with its config.json. Prefers the folder named
 * after the type: others are variants.
 */
function referenceFolder(modelTypes) {
  const found = readdirSync(folder).flatMap((name) => {
    const file = new URL(`${name}/config.json`, folder);
    if (!existsSync(file)) return [];
    const json = JSON.parse(readFileSync(file, "utf8"));
    return modelTypes.includes(json.model_type) ? [{ name, json }] : [];
  });
  const { name, json } =
    found.find((entry) => entry.name.replaceAll("-", "_") === entry.json.model_type) ?? found.at(-1) ?? {};
  return name === undefined ? undefined : { json, path: ownData.path(`hf/${name}`) };
}

/**
 * A small model of an architecture: from the reference data if it has one, else with random weights.
 *
 * @param {{ modelTypes: readonly string[], table?: any }} entry
 * @param {any} packages - Functions of the sources under test.
 * @returns {Promise<{ json: object, model: any }>}
 */
export async function sampleOf({ modelTypes, table }, packages) {
  const { load, decoder, readFields, configFields, canRepresent, zeros } = packages;
  const known = referenceFolder(modelTypes);
  if (known) return { json: known.json, model: await load(known.path) };
  const [type] = modelTypes;
  const json = { model_type: type, ...(complete[type] ?? { ...sizes, ...fieldsByType[type] }) };
  try {
    const fields = configFields(json, { name: "config.json", fn: "load" }).withDefaults(table.defaults ?? {});
    const config = { ...readFields(table.config(), fields), stopIds: [2] };
    const { init, apply } = decoder(config);
    const random = init(1);
    const tied = json.tie_word_embeddings ?? table.tied ?? false;
    const { weight } = random.embedding;
    const bias = withOutputBias.includes(type) && { bias: zeros([weight.shape[0]]) };
    const params = {
      ...(withoutNormBias.includes(type) ? withoutNormBiases(random) : random),
      ...(!tied && { output: { weight, ...bias } }),
    };
    if (!canRepresent(table, config, params)) throw new Error("its table does not write such weights");
    return { json, model: { config, params, apply, tokenizer: undefined } };
  } catch (error) {
    const more = `give a config.json of ${type} more fields in scripts/checkpoints/samples.mjs`;
    throw new Error(`no sample of ${type}: ${error.message}; ${more}`, { cause: error });
  }
}

/** The same params, with norms that only have a weight. */
const withoutNormBiases = ({ norm, layers, ...others }) => ({
  ...others,
  norm: { weight: norm.weight },
  layers: layers.map((layer) =>
    Object.fromEntries(
      Object.entries(layer).map(([name, value]) => [
        name,
        /Norm$/.test(name) ? { weight: value.weight } : value,
      ]),
    ),
  ),
});
