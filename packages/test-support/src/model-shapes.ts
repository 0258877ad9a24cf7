import fc from "fast-check";
import { readConfig } from "@qkv/cost";

/** Decoders of random sizes, with grouped heads. */
export const llamaConfig = fc
  .record({
    numKvHeads: fc.integer({ min: 1, max: 4 }),
    group: fc.integer({ min: 1, max: 4 }),
    headDim: fc.integer({ min: 1, max: 8 }).map((half) => 2 * half),
    hidden: fc.integer({ min: 1, max: 40 }),
    layers: fc.integer({ min: 1, max: 4 }),
    vocabulary: fc.integer({ min: 2, max: 50 }),
    window: fc.option(fc.integer({ min: 1, max: 20 })),
    tied: fc.boolean(),
  })
  .map(({ numKvHeads, group, headDim, hidden, layers, vocabulary, window, tied }) => ({
    model_type: "mistral",
    hidden_size: numKvHeads * group * headDim,
    num_attention_heads: numKvHeads * group,
    num_key_value_heads: numKvHeads,
    head_dim: headDim,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    sliding_window: window,
    tie_word_embeddings: tied,
  }));

/** GPT-2 of 124 million parameters. */
export const gpt2 = readConfig({
  model_type: "gpt2",
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  vocab_size: 50257,
});

/** The configuration of DeepSeek-V3, with latent attention and experts. */
export const deepseek = {
  model_type: "deepseek_v3",
  hidden_size: 7168,
  num_hidden_layers: 61,
  num_attention_heads: 128,
  q_lora_rank: 1536,
  kv_lora_rank: 512,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  intermediate_size: 18432,
  moe_intermediate_size: 2048,
  n_routed_experts: 256,
  n_shared_experts: 1,
  num_experts_per_tok: 8,
  first_k_dense_replace: 3,
  vocab_size: 129280,
};

/** The configuration of T5 small. */
export const t5 = {
  model_type: "t5",
  d_model: 512,
  num_layers: 6,
  num_heads: 8,
  d_kv: 64,
  d_ff: 2048,
  vocab_size: 32128,
};
