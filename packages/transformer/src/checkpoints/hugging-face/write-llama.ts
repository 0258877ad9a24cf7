import { refuse } from "@qkv/core";
import { mapTensors, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";

/** The two files of a checkpoint as Hugging Face lays it out. */
export type LlamaFiles = { "config.json": string; "model.safetensors": Uint8Array };

/**
 * A decoder as a checkpoint of Hugging Face's layout, which vLLM, llama.cpp's converter and `transformers` read: a
 * Llama, or a Qwen 3 where queries and keys are normalised. Ours is `load` of the folder.
 *
 * @throws {ArgumentError} If the decoder is not of that likeness: RMS norms before each part, SiLU-gated feed-forward
 *   layers, rotary positions in halves, no windows, caps or experts.
 *
 * @example
 * ```ts
 * import { decoder, writeLlama } from "@qkv/transformer";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [0],
 * };
 * const files = await writeLlama({ config, params: decoder(config).init(1) });
 * JSON.parse(files["config.json"]).num_key_value_heads; // => 1
 * ```
 */
export async function writeLlama({
  config,
  params,
}: {
  config: DecoderConfig;
  params: DecoderParams;
}): Promise<LlamaFiles> {
  const odd = Object.entries(likeness).find(([name, value]) => {
    const given = config[name as keyof DecoderConfig];
    return given !== undefined && given !== value;
  });
  if (odd ?? (config.layerTypes?.includes("sliding") || params.positions)) {
    const [name, value] = odd ?? ["layerTypes", "full"];
    refuse(
      "writeLlama",
      `config.${name}`,
      config[name as keyof DecoderConfig],
      value === undefined ? "nothing: Llama has none" : `${JSON.stringify(value)}, as in Llama`,
      "train a decoder of Llama's likeness, or keep the params with `writeSafetensors`.",
    );
  }
  const { embedDim, numHeads, headDim = embedDim / numHeads } = config;
  const fields = {
    architectures: [config.qkNorm ? "Qwen3ForCausalLM" : "LlamaForCausalLM"],
    model_type: config.qkNorm ? "qwen3" : "llama",
    vocab_size: config.vocabSize,
    hidden_size: embedDim,
    intermediate_size: config.hiddenDim,
    num_hidden_layers: config.numLayers,
    num_attention_heads: numHeads,
    num_key_value_heads: config.numKvHeads,
    head_dim: headDim,
    hidden_act: "silu",
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.normEps,
    rope_theta: config.ropeBase ?? 10000,
    tie_word_embeddings: params.output === undefined,
    attention_bias: false,
    mlp_bias: false,
    torch_dtype: "float32",
    eos_token_id: config.stopIds.length === 1 ? config.stopIds[0] : config.stopIds,
  };
  const tensors: Record<string, Tensor> = {
    "model.embed_tokens.weight": params.embedding.weight,
    "model.norm.weight": params.norm.weight,
    ...(params.output && { "lm_head.weight": params.output.weight }),
  };
  params.layers.forEach((layer, i) => {
    const feedForward = layer.feedForward as FeedForwardParams;
    const named = {
      input_layernorm: layer.attentionNorm,
      post_attention_layernorm: layer.feedForwardNorm,
      self_attn: {
        q_proj: layer.attention.query,
        k_proj: layer.attention.key,
        v_proj: layer.attention.value,
        o_proj: layer.attention.output,
        ...(config.qkNorm && { q_norm: layer.attention.queryNorm, k_norm: layer.attention.keyNorm }),
      },
      mlp: { gate_proj: feedForward.gate, up_proj: feedForward.up, down_proj: feedForward.down },
    };
    mapTensors(named, (x, path) => (tensors[`model.layers.${i}.${path}`] = x));
  });
  return {
    "config.json": `${JSON.stringify(fields, null, 2)}\n`,
    "model.safetensors": await writeSafetensors(tensors, { format: "pt" }),
  };
}

/** What a decoder may say of itself and still be a Llama. */
const likeness = {
  norm: "rms",
  placement: "pre",
  activation: "silu",
  gated: true,
  positions: "rotary",
  ropeLayout: "half",
  bias: undefined,
  experts: undefined,
  ropeDim: undefined,
  ropeScaling: undefined,
  attentionScale: undefined,
  attentionSoftcap: undefined,
  embeddingScale: undefined,
  logitSoftcap: undefined,
} as const satisfies Partial<Record<keyof DecoderConfig, unknown>>;
