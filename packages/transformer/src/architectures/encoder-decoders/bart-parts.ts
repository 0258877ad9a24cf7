import type { EncoderDecoderConfig } from "../../models/encoder-decoder.js";
import { activationField, activationNames, stopIdsField, type ConfigFields } from "../config-fields.js";
import { layerCount } from "../encoders/encoder-parts.js";
import {
  each,
  linear,
  norm,
  reshaped,
  rowsFrom,
  stored,
  under,
  type StoredTensor,
} from "../stored-tensor.js";
import type { EncoderDecoderFile } from "./encoder-decoder-architecture.js";

const biased = { bias: true };

/** Sizes and token ids from the fields of BART and related models. */
export function bartSizes(fields: ConfigFields): EncoderDecoderConfig {
  const C = fields.count("d_model");
  const tokenId = (name: string) => fields.numberOr(undefined, name);
  const beginsWithBos = fields.flag("force_bos_token_to_be_generated", false);
  const forcedBosId = tokenId("forced_bos_token_id") ?? (beginsWithBos ? tokenId("bos_token_id") : undefined);
  const forcedEosId = tokenId("forced_eos_token_id");
  const stopIds = stopIdsField(fields);
  fields.mustBe("is_decoder", false);
  fields.mustBe("add_bias_logits", false);
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim: C,
    hiddenDim: fields.count("decoder_ffn_dim"),
    numLayers: layerCount(fields, "decoder_layers"),
    numHeads: fields.count("decoder_attention_heads"),
    contextLength: fields.count("max_position_embeddings"),
    activation: activationField(fields, "activation_function", "gelu"),
    ...(fields.flag("scale_embedding", false) && { embeddingScale: Math.sqrt(C) }),
    startIds: [fields.number("decoder_start_token_id", stopIds[0] ?? 2)],
    stopIds,
    padId: fields.number("pad_token_id", 1),
    ...(forcedBosId !== undefined && { forcedBosId }),
    ...(forcedEosId !== undefined && { forcedEosId }),
    encoder: {
      hiddenDim: fields.count("encoder_ffn_dim"),
      numLayers: layerCount(fields, "encoder_layers"),
      numHeads: fields.count("encoder_attention_heads"),
    },
  };
}

/** Refuses other values of the fields that select an architecture in the first releases of transformers. */
export function checkBartFields(
  fields: ConfigFields,
  values: { normalize_before: boolean; normalize_embedding: boolean; static_position_embeddings: boolean },
): void {
  const allValues = { ...values, add_final_layer_norm: values.normalize_before };
  for (const [name, value] of Object.entries(allValues)) fields.mustBe(name, value);
}

/**
 * The tensors of encoder and decoder, each under its own prefix.
 *
 * @param firstRow - Number of unused rows at the start of the position embeddings. Default 2.
 */
export function bartStacks(config: EncoderDecoderConfig, firstRow = 2): StoredTensor[] {
  const { encoder = {}, embedDim: C } = config;
  return [
    under(
      "encoder",
      "encoder",
      stackTensors({ ...config, ...encoder, embedDim: C, vocabSize: config.vocabSize }, false, firstRow),
    ),
    under("decoder", "decoder", stackTensors(config, true, firstRow)),
  ];
}

/** Tensors of the encoder or the decoder. */
function stackTensors(config: EncoderDecoderConfig, isDecoder: boolean, firstRow: number): StoredTensor[] {
  const { embedDim: C, hiddenDim: F, numLayers, contextLength, positions = "learned" } = config;
  const attention = (param: string, name: string, normName: string) => [
    linear(`${param}.query`, `${name}.q_proj`, [C, C], biased),
    linear(`${param}.key`, `${name}.k_proj`, [C, C], biased),
    linear(`${param}.value`, `${name}.v_proj`, [C, C], biased),
    linear(`${param}.output`, `${name}.out_proj`, [C, C], biased),
    norm(`${param}Norm`, normName, C, biased),
  ];
  return [
    ...(positions === "learned"
      ? [
          firstRow === 0
            ? stored("positions.weight", "embed_positions.weight", [contextLength, C])
            : rowsFrom("positions.weight", "embed_positions.weight", firstRow, [contextLength, C]),
        ]
      : []),
    ...(config.embeddingNorm ? [norm("embeddingNorm", "layernorm_embedding", C, biased)] : []),
    each(numLayers, "layers", "layers", () => [
      ...attention("attention", "self_attn", "self_attn_layer_norm"),
      ...(isDecoder ? attention("crossAttention", "encoder_attn", "encoder_attn_layer_norm") : []),
      linear("feedForward.up", "fc1", [F, C], biased),
      linear("feedForward.down", "fc2", [C, F], biased),
      norm("feedForwardNorm", "final_layer_norm", C, biased),
    ]),
    ...(config.placement === "pre" ? [norm("norm", "layer_norm", C, biased)] : []),
  ];
}

/** The output projection: a matrix unless weights are tied, and a bias if the file has one. */
export function bartOutput(
  { vocabSize: V, embedDim: C }: EncoderDecoderConfig,
  { has }: EncoderDecoderFile,
  tied: boolean,
): StoredTensor[] {
  const bias = "final_logits_bias";
  return [
    ...(tied || !has("lm_head.weight") ? [] : [stored("output.weight", "lm_head.weight", [V, C], "matrix")]),
    ...(has(bias) ? [reshaped("output.bias", bias, { stored: [1, V], inParams: [V] })] : []),
  ];
}

/** Ignored fields of BART and related models. */
export const bartIgnored =
  "activation_dropout dropout encoder_layerdrop decoder_layerdrop init_std classif_dropout num_hidden_layers extra_pos_embeddings save_step normalize_embedding do_blenderbot_90_layernorm";

/** Names of the copies of the embedding matrix. */
export const bartCopies = /(^|\.)(shared|embed_tokens)\.weight$|^lm_head\.weight$/;

/** Writes the fields that {@link bartSizes} reads. */
export function bartFields(config: EncoderDecoderConfig): Readonly<Record<string, unknown>> {
  const { encoder = {}, forcedBosId, forcedEosId } = config;
  return {
    ...specialTokenFields(config),
    d_model: config.embedDim,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.contextLength,
    activation_function: activationNames[config.activation ?? "gelu"],
    scale_embedding: config.embeddingScale !== undefined,
    decoder_layers: config.numLayers,
    decoder_attention_heads: config.numHeads,
    decoder_ffn_dim: config.hiddenDim,
    encoder_layers: encoder.numLayers ?? config.numLayers,
    encoder_attention_heads: encoder.numHeads ?? config.numHeads,
    encoder_ffn_dim: encoder.hiddenDim ?? config.hiddenDim,
    ...(forcedBosId !== undefined && { forced_bos_token_id: forcedBosId }),
    ...(forcedEosId !== undefined && { forced_eos_token_id: forcedEosId }),
  };
}

/** Writes the fields of the start, stop and padding ids. */
export function specialTokenFields({
  startIds,
  stopIds,
  padId = 0,
}: EncoderDecoderConfig): Readonly<Record<string, unknown>> {
  return {
    decoder_start_token_id: startIds[0],
    ...(stopIds.length > 0 && { eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds }),
    pad_token_id: padId,
  };
}
