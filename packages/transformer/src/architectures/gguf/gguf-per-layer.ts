import { tensor, take, type Tensor } from "@qkv/tensor";
import { asFloats } from "../../conversions/as-floats.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { ConfigEntry } from "../config-entry.js";
import { linear, norm, paramAt, stored, type StoredTensor } from "../stored-tensor.js";

/** Width of per-layer embeddings; 0: none. Their table has a row for each token of the vocabulary. */
export const ggufPerLayerInputs: ConfigEntry = {
  read(fields) {
    const name = "embedding_length_per_layer_input";
    return (fields.numberOr(undefined, name) ?? 0) === 0
      ? {}
      : { perLayerEmbedding: { dim: fields.count(name) } };
  },
  write: ({ perLayerEmbedding }) => ({
    embedding_length_per_layer_input: perLayerEmbedding?.dim ?? 0,
  }),
};

/** The per-layer embedding matrix extended to the whole vocabulary. Tokens outside the params' matrix use its first row, which is repeated in the file. */
const extendedTable =
  (param: string, name: string, [rows, width]: readonly [rows: number, width: number]): StoredTensor =>
  (at) => ({
    read: stored(param, name, [rows, width], "table")(at).read,
    write(params) {
      const x = paramAt(params, at.param + param) as Tensor;
      const paramRow = (row: number) => (row < x.shape[0]! ? row : 0);
      const fileRows = (first: number, end: number) => {
        const indices = Int32Array.from({ length: end - first }, (_, i) => paramRow(first + i));
        return asFloats(take(x, 0, tensor(indices, { device: x.device })));
      };
      return [{ name: at.name + name, shape: [rows, width], rows: fileRows }];
    },
  });

/** Tensors shared by all layers. */
export function ggufPerLayerTables({
  perLayerEmbedding,
  numLayers: L,
  embedDim: C,
  vocabSize: V,
}: DecoderConfig): StoredTensor[] {
  if (!perLayerEmbedding) return [];
  const P = perLayerEmbedding.dim;
  return [
    extendedTable("perLayer.embedding.weight", "per_layer_token_embd.weight", [V, L * P]),
    linear("perLayer.projection", "per_layer_model_proj", [L * P, C]),
    norm("perLayer.norm", "per_layer_proj_norm", P),
  ];
}

/** Tensors of one layer. */
export function ggufPerLayerProjections({ perLayerEmbedding, embedDim: C }: DecoderConfig): StoredTensor[] {
  if (!perLayerEmbedding) return [];
  const P = perLayerEmbedding.dim;
  return [
    linear("perLayer.gate", "inp_gate", [P, C]),
    linear("perLayer.projection", "proj", [C, P]),
    norm("perLayer.norm", "post_norm", C),
  ];
}
