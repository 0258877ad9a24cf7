import type { EncoderConfig } from "../../models/encoder.js";
import { activationField, type ConfigFields } from "../config-fields.js";
import { linear, norm, rowsFrom, stored, type StoredTensor } from "../stored-tensor.js";

const biased = { bias: true };
const maxLayers = 10_000;

/** Sizes of an encoder from BERT's fields. */
export function bertSizes(fields: ConfigFields): EncoderConfig {
  return {
    vocabSize: fields.count("vocab_size"),
    embedDim: fields.count("hidden_size"),
    hiddenDim: fields.count("intermediate_size"),
    numLayers: layerCount(fields, "num_hidden_layers"),
    numHeads: fields.count("num_attention_heads"),
    contextLength: fields.count("max_position_embeddings"),
    numTypes: 0,
    normEps: fields.positive("layer_norm_eps", 1e-12),
    activation: activationField(fields, "hidden_act", "gelu"),
  };
}

/** Number of layers. It is limited, because layers are allocated before their tensors are found in the file. */
export function layerCount(fields: ConfigFields, name: string): number {
  const count = fields.count(name);
  return count > maxLayers ? fields.refuse(name, `at most ${maxLayers} layers`) : count;
}

/** Number of token types (segments). */
export const typeCount = (fields: ConfigFields): number => fields.countOr(2, "type_vocab_size");

/** Fields that have the same only supported value in BERT and related models. */
export function checkBertFields(fields: ConfigFields): void {
  fields.mustBe("position_embedding_type", "absolute");
  fields.mustBe("is_decoder", false);
}

/** Ignored fields of BERT and related models. */
export const bertIgnored =
  "eos_token_id hidden_dropout_prob attention_probs_dropout_prob directionality pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type";

/**
 * Number of position embeddings before the first position, in RoBERTa and related models: positions start after the id of
 * the padding token.
 */
export function firstPosition(fields: ConfigFields): number {
  const [rows, padId] = [fields.count("max_position_embeddings"), fields.number("pad_token_id", 1)];
  if (Number.isInteger(padId) && padId >= 0 && padId < rows - 1) return padId + 1;
  return fields.refuse("pad_token_id", `a token id below max_position_embeddings - 1 = ${rows - 1}`);
}

/**
 * Token, position and type embeddings, and their norm.
 *
 * @param first - Number of unused position embeddings at the start. Default 0.
 */
export function bertEmbeddings(config: EncoderConfig, first = 0): StoredTensor[] {
  const { vocabSize: V, embedDim: C, embeddingRank: E = C, contextLength: T, numTypes } = config;
  const { positions: kind = "learned", embeddingNorm = true } = config;
  const positions = ["positions.weight", "embeddings.position_embeddings.weight"] as const;
  const positionTable = () =>
    first === 0 ? stored(...positions, [T, E]) : rowsFrom(...positions, first, [T, E]);
  return [
    stored("embedding.weight", "embeddings.word_embeddings.weight", [V, E], "table"),
    ...(kind === "learned" ? [positionTable()] : []),
    ...(numTypes > 0
      ? [stored("types.weight", "embeddings.token_type_embeddings.weight", [numTypes, E])]
      : []),
    ...(embeddingNorm ? [norm("embeddingNorm", "embeddings.LayerNorm", E, biased)] : []),
  ];
}

/** Names of the projections and norms of a layer. */
export type EncoderLayerNames = Readonly<
  Record<"query" | "key" | "value" | "output" | "attentionNorm" | "up" | "down" | "feedForwardNorm", string>
>;

/** Names in BERT. */
export const bertLayerNames: EncoderLayerNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  output: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  up: "intermediate.dense",
  down: "output.dense",
  feedForwardNorm: "output.LayerNorm",
};

/** Names in BERT with pre-norm, whose norms have other names. */
export const prenormLayerNames = (attentionNorm: string, feedForwardNorm: string): EncoderLayerNames => ({
  ...bertLayerNames,
  attentionNorm,
  feedForwardNorm,
});

type LayerSizes = Pick<EncoderConfig, "embedDim" | "hiddenDim">;

/** Projections and norms of a layer, with biases. */
export const encoderLayer = (sizes: LayerSizes, names: EncoderLayerNames): StoredTensor[] => [
  ...(["query", "key", "value"] as const).map((part) =>
    linear(`attention.${part}`, names[part], [sizes.embedDim, sizes.embedDim], biased),
  ),
  ...afterAttentionHeads(sizes, names),
];

/** Tensors of a layer after the attention heads: output projection, feed-forward layer and norms. */
export const afterAttentionHeads = (
  { embedDim: C, hiddenDim: F }: LayerSizes,
  names: EncoderLayerNames,
): StoredTensor[] => [
  linear("attention.output", names.output, [C, C], biased),
  norm("attentionNorm", names.attentionNorm, C, biased),
  linear("feedForward.up", names.up, [F, C], biased),
  linear("feedForward.down", names.down, [C, F], biased),
  norm("feedForwardNorm", names.feedForwardNorm, C, biased),
];
