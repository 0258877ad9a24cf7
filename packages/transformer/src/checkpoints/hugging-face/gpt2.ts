import type { LinearParams } from "@qkv/attention";
import { fusedPerHead, stacked } from "../../conversions/row-map.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderLayerParams } from "../../models/decoder.js";
import { activationField, stopIdsField, type ConfigFields } from "../../architectures/config-fields.js";
import { mapSequentially, findPrefix, type Family } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

const ignored = /* @__PURE__ */ ignoredFields(
  "attn_pdrop embd_pdrop resid_pdrop reorder_and_upcast_attn n_special predict_special_tokens",
  "summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj",
  // Fields of BigCode models that affect the runtime, not the result.
  "attention_softmax_in_fp32 scale_attention_softmax_in_fp32 inference_runner validate_runner_input",
  "pre_allocate_kv_cache max_sequence_length max_batch_size runner_max_sequence_length pad_key_length",
);

/**
 * GPT-2, whose matrices are stored as `[in, out]`, with fused queries, keys and values; and BigCode's models
 * (StarCoder), which have one key-value head and matrices stored as `[out, in]`.
 */
export const gpt2: Family = {
  modelTypes: ["gpt2", "gpt_bigcode"],
  async read(type, fields, weights, storedAs) {
    const config = gpt2Config(type, fields);
    const tied = fields.flag("tie_word_embeddings", true);
    fields.finish(ignored);
    const { vocabSize: V, embedDim: C, hiddenDim: F, numHeads: H, numKvHeads: Hkv } = config;
    const D = C / H;
    // In GGUF files these matrices are already transposed.
    const withBias = { bias: true };
    const layout = { transposed: type === "gpt2" && storedAs !== "gguf", ...withBias };
    const map =
      type === "gpt_bigcode" && Hkv === H
        ? fusedPerHead({ numHeads: H, headDim: D })
        : stacked([C, Hkv * D, Hkv * D]);
    const prefix = findPrefix(weights, "wte.weight", ["transformer.", ""]);
    const embedding = { weight: await weights.table(`${prefix}wte.weight`, [V, C]) };
    const positions = { weight: await weights.tensor(`${prefix}wpe.weight`, [config.contextLength, C]) };
    const layers = await mapSequentially(config.numLayers, async (i): Promise<DecoderLayerParams> => {
      const path = `${prefix}h.${i}`;
      const attentionNorm = await weights.norm(`${path}.ln_1`, C, withBias);
      const fused = await weights.fused(`${path}.attn.c_attn`, map, C, layout);
      const [query, key, value] = fused as [LinearParams, LinearParams, LinearParams];
      const output = await weights.linear(`${path}.attn.c_proj`, C, C, layout);
      return {
        attentionNorm,
        attention: { query, key, value, output },
        feedForwardNorm: await weights.norm(`${path}.ln_2`, C, withBias),
        feedForward: {
          up: await weights.linear(`${path}.mlp.c_fc`, F, C, layout),
          down: await weights.linear(`${path}.mlp.c_proj`, C, F, layout),
        },
      };
    });
    const norm = await weights.norm(`${prefix}ln_f`, C, withBias);
    const output = tied ? undefined : { weight: await weights.matrix("lm_head.weight", [V, C]) };
    weights.finish(/attn\.(masked_)?bias$|^lm_head\.weight$/);
    const params = { embedding, positions, layers, norm, ...(output && { output }) };
    return { kind: "decoder", config, params };
  },
};

/** True for a module of GPT-2's layers, whose matrices are `Conv1D`: stored as `[in, out]`. */
export const isConv1D = (modelType: unknown, module: string): boolean =>
  modelType === "gpt2" && /(^|\.)h\.\d+\./.test(module);

function gpt2Config(type: string, fields: ConfigFields): DecoderConfig {
  const embedDim = fields.count("n_embd", "hidden_size");
  const numHeads = fields.count("n_head", "num_attention_heads");
  const single = type === "gpt_bigcode" && fields.flag("multi_query", true);
  fields.mustBe("scale_attn_by_inverse_layer_idx", false);
  fields.mustBe("scale_attn_weights", true);
  const numKvHeads = single ? 1 : numHeads;
  fields.mustEqual("num_key_value_heads", numKvHeads);
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim,
    hiddenDim: fields.countOr(4 * embedDim, "n_inner", "intermediate_size"),
    numLayers: fields.count("n_layer", "num_hidden_layers"),
    numHeads,
    numKvHeads,
    contextLength: fields.count("n_positions", "n_ctx", "max_position_embeddings"),
    stopIds: stopIdsField(fields),
    norm: "layer",
    normEps: fields.positive("layer_norm_epsilon", 1e-5),
    activation: activationField(
      fields,
      "activation_function",
      type === "gpt2" ? "gelu_new" : "gelu_pytorch_tanh",
    ),
    gated: false,
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    positions: "learned",
  };
}
