import type { EncoderDecoderConfig } from "../../models/encoder-decoder.js";
import type { LayerStackConfig } from "../../models/layer-stack.js";
import { activationField, activationNames, stopIdsField, type ConfigFields } from "../config-fields.js";
import { layerCount } from "../encoders/encoder-parts.js";
import { each, linear, norm, stored, under, type StoredTensor } from "../stored-tensor.js";
import { specialTokenFields } from "./bart-parts.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** T5, T5 1.1 (gated), mT5, and UMT5, which has relative position biases in every layer. */
export const t5: EncoderDecoderArchitecture = {
  modelTypes: ["t5", "mt5", "umt5"],
  prefixes: [],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read(fields, file) {
    const config = readConfig(fields, file.type);
    const { vocabSize: V, embedDim: C, encoder = {} } = config;
    return {
      config,
      tensors: [
        stored("embedding.weight", file.embeddingName, [V, C], "table"),
        under("encoder", "encoder", stackTensors({ ...config, ...encoder, embedDim: C }, false)),
        under("decoder", "decoder", stackTensors(config, true)),
      ],
      // A file without an output projection has tied weights, even if its configuration states otherwise.
      output: file.has("lm_head.weight") ? [stored("output.weight", "lm_head.weight", [V, C], "matrix")] : [],
    };
  },
  write({ relativeBias, headDim, encoder = {}, ...config }) {
    const activation = activationNames[config.activation ?? "gelu"];
    const gelu = activation === "gelu_pytorch_tanh" ? "gelu" : activation;
    return {
      ...specialTokenFields(config),
      vocab_size: config.vocabSize,
      d_model: config.embedDim,
      d_kv: headDim,
      d_ff: config.hiddenDim,
      num_heads: config.numHeads,
      num_layers: encoder.numLayers ?? config.numLayers,
      num_decoder_layers: config.numLayers,
      n_positions: config.contextLength,
      layer_norm_epsilon: config.normEps,
      feed_forward_proj: config.gated ? `gated-${gelu}` : activation,
      relative_attention_num_buckets: relativeBias?.numBuckets,
      relative_attention_max_distance: relativeBias?.maxDistance,
      tie_word_embeddings: config.logitScale !== undefined,
    };
  },
  classes: {
    t5: "T5ForConditionalGeneration",
    mt5: "MT5ForConditionalGeneration",
    umt5: "UMT5ForConditionalGeneration",
  },
  ignored: ["dropout_rate", "scalable_attention"],
  ignoredTensors:
    /(^|\.)(shared|embed_tokens)\.weight$|^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
};

function readConfig(fields: ConfigFields, type: string): EncoderDecoderConfig {
  const numLayers = layerCount(fields, "num_layers");
  const isT5 = type === "t5";
  const C = fields.count("d_model");
  const { activation, gated } = feedForwardFields(fields, isT5 ? "relu" : "gated-gelu");
  const tied = fields.flag("tie_word_embeddings", isT5);
  const scalesLogits = fields.flag("scale_decoder_outputs", tied);
  const padId = fields.number("pad_token_id", 0);
  fields.mustBe("is_decoder", false);
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim: C,
    hiddenDim: fields.count("d_ff"),
    numLayers: fields.has("num_decoder_layers") ? layerCount(fields, "num_decoder_layers") : numLayers,
    numHeads: fields.count("num_heads"),
    headDim: fields.countOr(64, "d_kv"),
    contextLength: fields.countOr(512, "n_positions"),
    norm: "rms",
    normEps: fields.positive("layer_norm_epsilon", 1e-6),
    placement: "pre",
    activation,
    gated,
    bias: false,
    attentionScale: 1,
    positions: "relative",
    relativeBias: {
      numBuckets: fields.countOr(32, "relative_attention_num_buckets"),
      maxDistance: fields.countOr(128, "relative_attention_max_distance"),
      ...(type === "umt5" && { perLayer: true }),
    },
    ...(scalesLogits && { logitScale: 1 / Math.sqrt(C) }),
    startIds: [fields.number("decoder_start_token_id", padId)],
    stopIds: fields.has("eos_token_id") ? stopIdsField(fields) : [1],
    padId,
    encoder: { numLayers },
  };
}

/** `feed_forward_proj`: `gated-gelu` is the tanh approximation of GELU; other values are an activation, with or without the prefix `gated-`. */
function feedForwardFields(
  fields: ConfigFields,
  fallback: string,
): Pick<Required<LayerStackConfig>, "activation" | "gated"> {
  const name = fields.text("feed_forward_proj", fallback);
  const gated = name.startsWith("gated-");
  const activationName = name === "gated-gelu" ? "gelu_new" : name.replace(/^gated-/, "");
  fields.mustEqual("dense_act_fn", activationName);
  fields.mustEqual("is_gated_act", gated);
  const activation = activationField(
    fields.withDefaults({ dense_act_fn: activationName }),
    "dense_act_fn",
    activationName,
  );
  return { activation, gated };
}

type StackConfig = Pick<
  LayerStackConfig,
  "embedDim" | "hiddenDim" | "numLayers" | "numHeads" | "headDim" | "gated"
> &
  Pick<EncoderDecoderConfig, "relativeBias">;

/** Tensors of the encoder or the decoder. */
function stackTensors(config: StackConfig, isDecoder: boolean): StoredTensor[] {
  const {
    embedDim: C,
    hiddenDim: F,
    numLayers,
    numHeads: H,
    headDim: D = C / H,
    gated,
    relativeBias,
  } = config;
  const attention = (param: string, layer: number, name: string) =>
    under("", `layer.${layer}`, [
      linear(`${param}.query`, `${name}.q`, [H * D, C]),
      linear(`${param}.key`, `${name}.k`, [H * D, C]),
      linear(`${param}.value`, `${name}.v`, [H * D, C]),
      linear(`${param}.output`, `${name}.o`, [C, H * D]),
      norm(`${param}Norm`, "layer_norm", C),
    ]);
  const { numBuckets, perLayer = false } = relativeBias!;
  return [
    each(perLayer ? numLayers : 1, "relativeBias", "block", () => [
      stored("weight", "layer.0.SelfAttention.relative_attention_bias.weight", [numBuckets, H]),
    ]),
    each(numLayers, "layers", "block", () => [
      attention("attention", 0, "SelfAttention"),
      ...(isDecoder ? [attention("crossAttention", 1, "EncDecAttention")] : []),
      under("", `layer.${isDecoder ? 2 : 1}`, [
        ...(gated
          ? [
              linear("feedForward.gate", "DenseReluDense.wi_0", [F, C]),
              linear("feedForward.up", "DenseReluDense.wi_1", [F, C]),
            ]
          : [linear("feedForward.up", "DenseReluDense.wi", [F, C])]),
        linear("feedForward.down", "DenseReluDense.wo", [C, F]),
        norm("feedForwardNorm", "layer_norm", C),
      ]),
    ]),
    norm("norm", "final_layer_norm", C),
  ];
}
