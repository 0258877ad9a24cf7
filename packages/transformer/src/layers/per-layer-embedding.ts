import type { LinearParams } from "@qkv/attention";
import {
  add,
  embedding,
  less,
  linear,
  mul,
  randn,
  reshape,
  slice,
  splitSeed,
  where,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { activationFunction, type Activation } from "./activation.js";
import { norm, type NormKind, type NormParams } from "./norm.js";

/** Configuration of embeddings that each layer reads anew. */
export type PerLayerEmbeddingConfig = {
  /** P, the numbers of a token in one layer. */
  dim: number;
  /** Rows of the table. A token beyond them, as those of pictures are, reads row 0. Default: the model's vocabulary. */
  vocabSize?: number;
};

/** Weights of all layers together. */
export type PerLayerEmbeddingParams = {
  /** `[Vp, L · P]` */
  embedding: { weight: Tensor };
  /** `[L · P, C]` */
  projection: LinearParams;
  /** `[P]` */
  norm: NormParams;
};

/** Weights of one layer. */
export type PerLayerInputParams = {
  /** `[P, C]` */
  gate: LinearParams;
  /** `[C, P]` */
  projection: LinearParams;
  /** `[C]` */
  norm: NormParams;
};

/** Embeddings of each layer: made from their configuration; the params are passed to each call. */
export type PerLayerEmbedding = {
  init(seed: number): PerLayerEmbeddingParams;
  initLayer(seed: number): PerLayerInputParams;
  /** Ids `[B, T]` and embeddings `[B, T, C]` to the input of each layer, `[B, T, P]`. */
  inputs(params: PerLayerEmbeddingParams, ids: Tensor, embedded: Tensor): Tensor[];
  /** Rows `[B, T, C]` and the input of the layer to what is added to a residual, `[B, T, C]`. */
  apply(params: PerLayerInputParams, x: Tensor, input: Tensor): Tensor;
};

/**
 * Embeddings of each layer (PLE): a second table has P numbers of each token for each layer, which are added to a
 * projection of the model's embedding. After a layer they pass a gate that the residual opens,
 * `norm(projection(activation(gate x) · input))`.
 *
 * @see "Gemma 3n" (2025), https://ai.google.dev/gemma/docs/gemma-3n
 */
export function perLayerEmbedding(config: {
  embedDim: number;
  dim: number;
  numLayers: number;
  /** Rows of the table, and of the model's own. */
  rows: { own: number; model: number };
  activation: Activation;
  norm: NormKind;
  eps: number;
  linear?: typeof linear;
}): PerLayerEmbedding {
  const { embedDim: C, dim: P, numLayers: L, norm: kind, eps, linear: map = linear } = config;
  const { own: V, model } = config.rows;
  const bend = activationFunction("decoder", config.activation);
  const [inputNorm, outNorm] = [norm({ kind, embedDim: P, eps }), norm({ kind, embedDim: C, eps })];
  const random = (seed: number, out: number, inner: number): LinearParams => ({
    weight: mul(randn([out, inner], { seed }), inner ** -0.5),
  });
  return {
    init(seed) {
      const seeds = splitSeed(seed, ["embedding", "projection"]);
      return {
        embedding: { weight: mul(randn([V, L * P], { seed: seeds.embedding }), 0.02) },
        projection: random(seeds.projection, L * P, C),
        norm: inputNorm.init(),
      };
    },
    initLayer(seed) {
      const seeds = splitSeed(seed, ["gate", "projection"]);
      return {
        gate: random(seeds.gate, P, C),
        projection: random(seeds.projection, C, P),
        norm: outNorm.init(),
      };
    },
    inputs(params, ids, embedded) {
      const [B, T] = ids.shape as [number, number];
      const rows = (x: Tensor) => reshape(x, [B, T, L, P]);
      const projected = mul(map(embedded, params.projection.weight, params.projection.bias), C ** -0.5);
      const own = mul(
        rows(embedding(params.embedding.weight, V < model ? withinTable(ids, V) : ids)),
        Math.sqrt(P),
      );
      const all = mul(add(inputNorm.apply(params.norm, rows(projected)), own), Math.SQRT1_2);
      return Array.from({ length: L }, (_, i) => reshape(slice(all, 2, i, i + 1), [B, T, P]));
    },
    apply({ gate, projection, norm }, x, input) {
      const opened = mul(bend(map(x, gate.weight, gate.bias)), input); // [B, T, P]
      return outNorm.apply(norm, map(opened, projection.weight, projection.bias));
    },
  };
}

/** Ids of a table's rows: those beyond it are 0. */
function withinTable(ids: Tensor, rows: number): Tensor {
  return where(less(ids, rows), ids, zeros(ids.shape, { dtype: ids.dtype, device: ids.device }));
}
