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

/** Configuration of per-layer embeddings (PLE). */
export type PerLayerEmbeddingConfig = {
  /** P, the dimension of a per-layer embedding. */
  dim: number;
  /** Number of rows of the table. Ids beyond it, such as image tokens, use row 0. Default: the vocabulary size. */
  vocabSize?: number;
};

/** Params shared by all layers. */
export type PerLayerEmbeddingParams = {
  /** `[Vp, L · P]` */
  embedding: { weight: Tensor };
  /** `[L · P, C]` */
  projection: LinearParams;
  /** `[P]` */
  norm: NormParams;
};

/** Params of one layer. */
export type PerLayerInputParams = {
  /** `[P, C]` */
  gate: LinearParams;
  /** `[C, P]` */
  projection: LinearParams;
  /** `[C]` */
  norm: NormParams;
};

/** Per-layer embeddings: created from their configuration; the params are passed to each call. */
export type PerLayerEmbedding = {
  init(seed: number): PerLayerEmbeddingParams;
  initLayer(seed: number): PerLayerInputParams;
  /** Ids `[B, T]` and embeddings `[B, T, C]` to the input of each layer, `[B, T, P]`. */
  inputs(params: PerLayerEmbeddingParams, ids: Tensor, embedded: Tensor): Tensor[];
  /** Computes the addition to the residual, `[B, T, C]`, from rows `[B, T, C]` and the per-layer embedding. */
  apply(params: PerLayerInputParams, x: Tensor, input: Tensor): Tensor;
};

/**
 * Per-layer embeddings (PLE): a second table has an embedding of dimension P for each token and layer, which is added to a
 * projection of the model's embedding. After the layer, it is gated by the residual and added:
 * `norm(projection(activation(gate x) · input))`.
 *
 * @see "Gemma 3n" (2025), https://ai.google.dev/gemma/docs/gemma-3n
 */
export function perLayerEmbedding(config: {
  embedDim: number;
  dim: number;
  numLayers: number;
  /** Number of rows of the per-layer table, and of the model's vocabulary. */
  rows: { table: number; vocabulary: number };
  activation: Activation;
  norm: NormKind;
  eps: number;
  linear?: typeof linear;
}): PerLayerEmbedding {
  const { embedDim: C, dim: P, numLayers: L, norm: kind, eps, linear: project = linear } = config;
  const { table: V, vocabulary } = config.rows;
  const activate = activationFunction("decoder", config.activation);
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
      const perLayer = (x: Tensor) => reshape(x, [B, T, L, P]);
      const projected = mul(project(embedded, params.projection.weight, params.projection.bias), C ** -0.5);
      const tableRows = mul(
        perLayer(embedding(params.embedding.weight, V < vocabulary ? withinTable(ids, V) : ids)),
        Math.sqrt(P),
      );
      const layerInputs = mul(
        add(inputNorm.apply(params.norm, perLayer(projected)), tableRows),
        Math.SQRT1_2,
      );
      return Array.from({ length: L }, (_, i) => reshape(slice(layerInputs, 2, i, i + 1), [B, T, P]));
    },
    apply({ gate, projection, norm }, x, input) {
      const gated = mul(activate(project(x, gate.weight, gate.bias)), input); // [B, T, P]
      return outNorm.apply(norm, project(gated, projection.weight, projection.bias));
    },
  };
}

/** Ids for the table: ids beyond it become 0. */
function withinTable(ids: Tensor, rows: number): Tensor {
  return where(less(ids, rows), ids, zeros(ids.shape, { dtype: ids.dtype, device: ids.device }));
}
