import type { AttentionLayer, LatentParams } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
import { cast, slice, tensor, type Tensor } from "@qkv/tensor";
import type { LensModel } from "../lens-model.js";
import { attentionOfHead, type HeadPlace } from "./head-place.js";
import { svdOfProduct, type Columns } from "./small-svd.js";

/** The singular value decomposition of the OV matrix of a head. */
export type SingularVectors = {
  /** Singular values `[D]`, the largest first. */
  readonly values: Tensor;
  /** `[D, C]`: directions that the head writes to the residual stream. */
  readonly written: Tensor;
  /** `[D, C]`: directions of the normalized stream that it reads. */
  readonly read: Tensor;
};

/**
 * Singular vectors of the OV matrix of a head, `W_O W_V`: pairs of a direction that the head reads from the tokens that it
 * attends to, and a direction that it writes. Multiplied by the unembedding, a direction ranks tokens.
 *
 * Latent attention (MLA) projects its latent to values: there, `read` has directions of the latent, `[D, kvRank]`.
 *
 * @throws {ArgumentError} If the model has no such head.
 * @see Millidge & Black, "The Singular Value Decompositions of Transformer Weight Matrices are Highly Interpretable" (2022),
 *   https://www.lesswrong.com/posts/mkbGjzxD8d8XqKHzA
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { singularVectors } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const { values, read } = singularVectors({ config, params: init(1), apply }, { layer: 0, head: 1 });
 * values.shape; // => [4]
 * read.shape; // => [4, 8]
 * ```
 */
export function singularVectors(model: LensModel, place: HeadPlace): SingularVectors {
  const { layer, head } = check.options(place, ["layer", "head"], "place");
  const { attentionLayer, params } = attentionOfHead(check, model, layer, head);
  const { numHeads } = attentionLayer.config;
  const { value, output } = params.attention as unknown as LatentParams;
  const grouped = (attentionLayer as AttentionLayer).config;
  const isLatent = "kvRank" in attentionLayer.config;
  const D = isLatent ? (attentionLayer as { config: { valueDim: number } }).config.valueDim : grouped.headDim;
  const group = isLatent ? head : Math.floor((head * grouped.numKvHeads) / numHeads);
  const valueWeight = slice(value.weight, 0, group * D, group * D + D); // [D, C]
  const column = head % (output.weight.shape[1]! / D);
  const out = slice(output.weight, 1, column * D, column * D + D); // [C, D]
  const { values, left, right } = svdOfProduct(matrixColumns(out), matrixRows(valueWeight));
  const { dtype } = model.params.norm.weight;
  const matrix = (columns: Columns) =>
    tensor(
      columns.flatMap((column) => [...column]),
      {
        shape: [columns.length, columns[0]!.length],
        dtype: dtype as "float32",
      },
    );
  return {
    values: tensor([...values], { dtype: dtype as "float32" }),
    written: matrix(left),
    read: matrix(right),
  };
}

/** Rows of a matrix `[n, m]`, in float64. */
function matrixRows(x: Tensor): Columns {
  const [n, m] = x.shape as [number, number];
  const { data } = cast(x, "float64");
  return Array.from({ length: n }, (_, i) =>
    Float64Array.from(data.slice(i * m, (i + 1) * m) as Float64Array),
  );
}

/** Columns of a matrix `[n, m]`, in float64. */
function matrixColumns(x: Tensor): Columns {
  const rows = matrixRows(x);
  return Array.from({ length: x.shape[1]! }, (_, j) => Float64Array.from(rows, (row) => row[j]!));
}

const check: Checks = /* @__PURE__ */ checks("singularVectors");
