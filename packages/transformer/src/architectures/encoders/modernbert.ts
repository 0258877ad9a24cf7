import { stacked } from "../../conversions/row-map.js";
import type { EncoderConfig } from "../../models/encoder.js";
import { activationField, layerTypesField, ropeFields, type ConfigFields } from "../config-fields.js";
import { each, fused, linear, norm, stored } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { layerCount } from "./encoder-parts.js";

/** ModernBERT: RoPE, gated feed-forward layers, pre-norm, and a bidirectional sliding window in most layers. */
export const modernbert: EncoderArchitecture = {
  modelTypes: ["modernbert"],
  prefixes: ["model."],
  embeddingName: "embeddings.tok_embeddings.weight",
  read(fields) {
    fields.mustBe("position_embedding_type", "absolute"); // the value in published files, although the model has RoPE
    const { vocabSize: V, embedDim: C, hiddenDim: F, ...more } = encoderConfig(fields);
    const config: EncoderConfig = { vocabSize: V, embedDim: C, hiddenDim: F, ...more };
    return {
      config,
      tensors: [
        stored("embedding.weight", "embeddings.tok_embeddings.weight", [V, C], "table"),
        norm("embeddingNorm", "embeddings.norm", C),
        each(config.numLayers, "layers", "layers", (i) => [
          ...(i === 0 ? [] : [norm("attentionNorm", "attn_norm", C)]),
          fused(["attention.query", "attention.key", "attention.value"], "attn.Wqkv", stacked([C, C, C]), C),
          linear("attention.output", "attn.Wo", [C, C]),
          norm("feedForwardNorm", "mlp_norm", C),
          fused(["feedForward.gate", "feedForward.up"], "mlp.Wi", stacked([F, F]), C),
          linear("feedForward.down", "mlp.Wo", [C, F]),
        ]),
        norm("finalNorm", "final_norm", C),
      ],
    };
  },
  heads(_, __, fields) {
    const head = {
      dense: "head.dense",
      activation: activationField(fields, "classifier_activation", "gelu"),
      norm: "head.norm",
      normEps: normEps(fields),
    };
    const pooling = fields.text("classifier_pooling", "cls");
    if (pooling !== "cls" && pooling !== "mean")
      return fields.unsupported("classifier_pooling", '"cls" or "mean"');
    return {
      maskedToken: { dense: head.dense, norm: head.norm, biases: ["decoder.bias"], biased: false },
      sequence: { ...head, output: "classifier", pooling },
      token: { ...head, output: "classifier" },
      span: { ...head, output: "classifier" },
    };
  },
  ignored: [
    "eos_token_id embedding_dropout mlp_dropout classifier_dropout initializer_cutoff_factor reference_compile ",
    "deterministic_flash_attn repad_logits_with_grad sparse_prediction sparse_pred_ignore_index ",
    "attention_bias mlp_bias norm_bias classifier_bias decoder_bias layer_norm_eps",
  ],
  ignoredTensors: /^decoder\.weight$|^classifier\.|^head\./,
};

const normEps = (fields: ConfigFields): number => fields.positive("norm_eps", 1e-5);

function encoderConfig(fields: ConfigFields): EncoderConfig {
  const numLayers = layerCount(fields, "num_hidden_layers");
  const period = fields.countOr(3, "global_attn_every_n_layers");
  const layerTypes =
    layerTypesField(fields, numLayers) ??
    Array.from({ length: numLayers }, (_, i) => (i % period === 0 ? "full" : "sliding"));
  // The window has half of `local_attention` on each side of a token, and the token itself.
  const window = 2 * Math.floor(fields.countOr(128, "local_attention") / 2) + 1;
  const isNested = fields.has("rope_parameters");
  const full = isNested
    ? ropeFields(fields, { base: 160_000 }).ropeBase
    : fields.positive("global_rope_theta", 160_000);
  const sliding = isNested
    ? ropeFields(fields, { kind: "sliding_attention", base: 10_000 }).ropeBase
    : fields.positive("local_rope_theta", 10_000);
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim: fields.count("hidden_size"),
    hiddenDim: fields.count("intermediate_size"),
    numLayers,
    numHeads: fields.count("num_attention_heads"),
    contextLength: fields.count("max_position_embeddings"),
    numTypes: 0,
    normEps: normEps(fields),
    activation: activationField(fields, "hidden_activation", "gelu"),
    positions: "rotary",
    ropeBase: full,
    slidingRopeBase: sliding,
    placement: "pre",
    firstLayerNorm: false,
    gated: true,
    bias: false,
    layerTypes,
    window,
  };
}
