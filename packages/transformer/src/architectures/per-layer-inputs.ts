import type { DecoderConfig } from "../models/decoder-config.js";
import type { ConfigEntry } from "./config-entry.js";
import { linear, norm, stored, type StoredTensor } from "./stored-tensor.js";

/** Width of per-layer embeddings, and number of rows of their table. */
export const perLayerInputs: ConfigEntry = {
  read(fields, { vocabSize }) {
    const rows = fields.countOr(vocabSize, "vocab_size_per_layer_input");
    // 0: no per-layer embeddings.
    if (fields.numberOr(undefined, "hidden_size_per_layer_input") === 0) return {};
    const dim = fields.countOr(undefined, "hidden_size_per_layer_input");
    if (dim === undefined) return {};
    return {
      perLayerEmbedding: { dim, ...(rows !== undefined && rows !== vocabSize && { vocabSize: rows }) },
    };
  },
  write: ({ perLayerEmbedding, vocabSize }) => ({
    hidden_size_per_layer_input: perLayerEmbedding?.dim ?? 0,
    vocab_size_per_layer_input: perLayerEmbedding?.vocabSize ?? vocabSize,
  }),
};

/** Tensors shared by all layers. */
export function perLayerTables({
  perLayerEmbedding,
  numLayers: L,
  embedDim: C,
  vocabSize,
}: DecoderConfig): StoredTensor[] {
  if (!perLayerEmbedding) return [];
  const { dim: P, vocabSize: rows = vocabSize } = perLayerEmbedding;
  return [
    stored("perLayer.embedding.weight", "model.embed_tokens_per_layer.weight", [rows, L * P], "table"),
    linear("perLayer.projection", "model.per_layer_model_projection", [L * P, C]),
    norm("perLayer.norm", "model.per_layer_projection_norm", P),
  ];
}

/** Tensors of one layer. */
export function perLayerProjections({ perLayerEmbedding, embedDim: C }: DecoderConfig): StoredTensor[] {
  if (!perLayerEmbedding) return [];
  const P = perLayerEmbedding.dim;
  return [
    linear("perLayer.gate", "per_layer_input_gate", [P, C]),
    linear("perLayer.projection", "per_layer_projection", [C, P]),
    norm("perLayer.norm", "post_per_layer_input_norm", C),
  ];
}
