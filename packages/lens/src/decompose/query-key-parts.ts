import type {
  AttentionLayer,
  AttentionParams,
  LatentLayer,
  LatentParams,
  LinearParams,
  Positions,
} from "@qkv/attention";
import { concat, linear, mul, ones, reshape, rmsNorm, slice, sum, zeros, type Tensor } from "@qkv/tensor";
import { normFactor } from "./norm-parts.js";
import type { PartSource, ResidualPart } from "./residual-part.js";

/** The two sides of a score. */
export type Side = "query" | "key";

/** Parts of the query or the key of one head at one position. They sum to that query or key. */
export type VectorParts = {
  readonly sources: readonly PartSource[];
  /** `[P, D]`: a row for each source. */
  readonly vectors: Tensor;
};

/** A position, and the length of its text: scaled rotary embeddings (dynamic NTK, LongRoPE) depend on both. Unit: tokens. */
export type Place = { readonly position: number; readonly length: number };

/** A query head, and the key head that it attends to. */
export type HeadPair = { readonly query: number; readonly key: number };

/**
 * Parts of one query or key: each part of attention's input row goes through the projection, the query-key norm with its scale
 * frozen, the rotary embedding at its position, and the scale of the query. The bias of the projection is one more part.
 *
 * @param parts - Parts of one row, `[1, 1, C]` each.
 */
export function vectorParts(
  side: Side,
  layer: AttentionLayer | LatentLayer,
  params: AttentionParams,
  parts: readonly ResidualPart[],
  head: HeadPair,
  place: Place,
): VectorParts {
  const rows = concat(
    parts.map(({ value }) => value),
    0,
  ); // [P, 1, C]
  return "kvRank" in layer.config
    ? latentParts(side, layer.config, params as unknown as LatentParams, { parts, rows }, head.query, place)
    : groupedParts(side, layer as AttentionLayer, params, { parts, rows }, head[side], place);
}

type Rows = { readonly parts: readonly ResidualPart[]; readonly rows: Tensor };

/** Projects rows without the bias, and appends the bias as one more row. */
function projectWithBias({ weight, bias }: LinearParams, rows: Tensor): Tensor {
  const y = linear(rows, weight); // [P, 1, out]
  return bias ? concat([y, reshape(bias, [1, 1, bias.shape[0]!])], 0) : y;
}

/** Sources of parts, and of the appended bias. */
const sourcesWithBias = (parts: readonly PartSource[], bias: boolean, name: string): readonly PartSource[] =>
  bias ? [...parts, { name, kind: "bias" }] : parts;

/** Rotates rows `[P, H, 1, D]` to a position. A row of zeros at the last position gives the rotary embedding the length of the text. */
function rotateAt(
  apply: ((x: Tensor, positions: Positions) => Tensor) | undefined,
  x: Tensor,
  { position, length }: Place,
): Tensor {
  if (!apply) return x;
  const { shape, dtype, device } = x;
  const end = zeros(shape, { dtype, device });
  return slice(apply(concat([x, end], 2), Int32Array.of(position, length - 1)), 2, 0, 1);
}

function groupedParts(
  side: Side,
  { config }: AttentionLayer,
  params: AttentionParams,
  { parts, rows }: Rows,
  head: number,
  place: Place,
): VectorParts {
  const { headDim: D, qkNorm, rope, queryScale } = config;
  const numHeads = side === "query" ? config.numHeads : config.numKvHeads;
  const projected = projectWithBias(params[side], rows); // [P, 1, heads · D]
  const x = reshape(projected, [projected.shape[0]!, numHeads, 1, D]);
  const normalize = (y: Tensor): Tensor => {
    if (!qkNorm) return y;
    const total = sum(y, { axis: 0, keepDims: true }); // [1, heads, 1, D]
    const gainShape = qkNorm.gain?.(numHeads, D) ?? [D];
    const { dtype, device } = y;
    const factor = normFactor(total, qkNorm.apply(total, ones(gainShape, { dtype, device })));
    const gain = params[`${side}Norm`]?.weight;
    const gainByHead = gain && (gain.shape[0] === D ? gain : reshape(gain, [1, numHeads, 1, D]));
    return gainByHead && !qkNorm.gainless ? mul(mul(y, factor), gainByHead) : mul(y, factor);
  };
  const rotate = (y: Tensor) => rotateAt(rope && ((z, at) => rope.apply(z, at)), y, place);
  const rotatedRows = qkNorm?.afterRope ? normalize(rotate(x)) : rotate(normalize(x));
  const scaledRows =
    side === "query" && queryScale
      ? queryScale.apply(rotatedRows, Int32Array.of(place.position))
      : rotatedRows;
  const headRows = slice(scaledRows, 1, head, head + 1);
  return {
    sources: sourcesWithBias(parts, Boolean(params[side].bias), `${side}.bias`),
    vectors: reshape(headRows, [headRows.shape[0]!, D]),
  };
}

/** Parts in a head of latent attention (MLA): its unrotated and rotated channels are concatenated, so one dot product sums both. */
function latentParts(
  side: Side,
  config: LatentLayer["config"],
  params: LatentParams,
  { parts, rows }: Rows,
  head: number,
  place: Place,
): VectorParts {
  const { numHeads: H, nopeDim, ropeDim, kvRank, rope, eps = 1e-6 } = config;
  const frozenRmsNorm = (latent: Tensor, { weight }: { weight: Tensor }): Tensor => {
    const total = sum(latent, { axis: 0, keepDims: true });
    const { dtype, device } = total;
    const normed = rmsNorm(total, ones([total.shape.at(-1)!], { dtype, device }), { eps });
    return mul(mul(latent, normFactor(total, normed)), weight);
  };
  const rotate = (y: Tensor) => rotateAt(rope && ((z, at) => rope.apply(z, at)), y, place);
  /** The head's channels: `[P, 1, H · width]` to `[P, 1, 1, width]`. */
  const sliceHead = (y: Tensor, width: number) =>
    slice(reshape(y, [y.shape[0]!, H, 1, width]), 1, head, head + 1);
  if (side === "query") {
    const { queryDown, queryNorm, query } = params;
    const latent = queryDown ? frozenRmsNorm(projectWithBias(queryDown, rows), queryNorm!) : rows;
    const headRows = sliceHead(linear(latent, query.weight), nopeDim + ropeDim);
    const vectors = concat([slice(headRows, 3, 0, nopeDim), rotate(slice(headRows, 3, nopeDim))], 3);
    return {
      sources: sourcesWithBias(parts, Boolean(queryDown?.bias), "query.bias"),
      vectors: reshape(vectors, [vectors.shape[0]!, nopeDim + ropeDim]),
    };
  }
  const downProjected = projectWithBias(params.latent, rows); // [P, 1, kvRank + ropeDim]
  const latent = frozenRmsNorm(slice(downProjected, 2, 0, kvRank), params.latentNorm);
  const headRows = sliceHead(linear(latent, params.key.weight), nopeDim);
  const sharedRopeRow = reshape(slice(downProjected, 2, kvRank), [downProjected.shape[0]!, 1, 1, ropeDim]);
  const vectors = concat([headRows, rotate(sharedRopeRow)], 3);
  return {
    sources: sourcesWithBias(parts, Boolean(params.latent.bias), "key.bias"),
    vectors: reshape(vectors, [vectors.shape[0]!, nopeDim + ropeDim]),
  };
}
