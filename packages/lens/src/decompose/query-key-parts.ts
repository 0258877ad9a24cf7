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

/** Parts of the query or the key of one head at one position. They sum to what attention reads. */
export type VectorParts = {
  readonly sources: readonly PartSource[];
  /** `[P, D]`: a row for each source. */
  readonly vectors: Tensor;
};

/** A position in a text of a length: rotary embeddings that stretch depend on both. */
export type Place = { readonly position: number; readonly length: number };

/** A head of queries, and the head of keys that it reads. */
export type HeadOfSide = { readonly query: number; readonly key: number };

/**
 * Parts of one query or key: each part of the row that attention reads goes through the projection, the norm with its scale
 * frozen, the rotary embedding at its position, and the temperature. Biases of projections are parts of their own.
 *
 * @param parts - Parts of one row, `[1, 1, C]` each.
 */
export function vectorParts(
  side: Side,
  layer: AttentionLayer | LatentLayer,
  params: AttentionParams,
  parts: readonly ResidualPart[],
  head: HeadOfSide,
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

/** Rows through a map without its bias, and the bias as a row after them. */
function mapped({ weight, bias }: LinearParams, rows: Tensor): Tensor {
  const y = linear(rows, weight); // [P, 1, out]
  return bias ? concat([y, reshape(bias, [1, 1, bias.shape[0]!])], 0) : y;
}

/** Sources of parts, and of a bias after them. */
const withBias = (parts: readonly PartSource[], bias: boolean, name: string): readonly PartSource[] =>
  bias ? [...parts, { name, kind: "bias" }] : parts;

/** A rotation of rows `[P, H, 1, D]` at a place. A row of zeros at the end of the text tells its length. */
function rotated(
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
  const projected = mapped(params[side], rows); // [P, 1, heads · D]
  const x = reshape(projected, [projected.shape[0]!, numHeads, 1, D]);
  const normalize = (y: Tensor): Tensor => {
    if (!qkNorm) return y;
    const whole = sum(y, { axis: 0, keepDims: true }); // [1, heads, 1, D]
    const gainShape = qkNorm.gain?.(numHeads, D) ?? [D];
    const { dtype, device } = y;
    const factor = normFactor(whole, qkNorm.apply(whole, ones(gainShape, { dtype, device })));
    const gain = params[`${side}Norm`]?.weight;
    const byHead = gain && (gain.shape[0] === D ? gain : reshape(gain, [1, numHeads, 1, D]));
    return byHead && !qkNorm.gainless ? mul(mul(y, factor), byHead) : mul(y, factor);
  };
  const rotate = (y: Tensor) => rotated(rope && ((z, at) => rope.apply(z, at)), y, place);
  const ready = qkNorm?.afterRope ? normalize(rotate(x)) : rotate(normalize(x));
  const asked =
    side === "query" && queryScale ? queryScale.apply(ready, Int32Array.of(place.position)) : ready;
  const own = slice(asked, 1, head, head + 1);
  return {
    sources: withBias(parts, Boolean(params[side].bias), `${side}.bias`),
    vectors: reshape(own, [own.shape[0]!, D]),
  };
}

/** The two parts of a latent head side by side, so that one dot product sums both. */
function latentParts(
  side: Side,
  config: LatentLayer["config"],
  params: LatentParams,
  { parts, rows }: Rows,
  head: number,
  place: Place,
): VectorParts {
  const { numHeads: H, nopeDim, ropeDim, kvRank, rope, eps = 1e-6 } = config;
  const frozen = (low: Tensor, { weight }: { weight: Tensor }): Tensor => {
    const whole = sum(low, { axis: 0, keepDims: true });
    const { dtype, device } = whole;
    const normed = rmsNorm(whole, ones([whole.shape.at(-1)!], { dtype, device }), { eps });
    return mul(mul(low, normFactor(whole, normed)), weight);
  };
  const rotate = (y: Tensor) => rotated(rope && ((z, at) => rope.apply(z, at)), y, place);
  /** Rows `[P, 1, H · width]` of the head, `[P, 1, 1, width]`. */
  const ofHead = (y: Tensor, width: number) =>
    slice(reshape(y, [y.shape[0]!, H, 1, width]), 1, head, head + 1);
  if (side === "query") {
    const { queryDown, queryNorm, query } = params;
    const low = queryDown ? frozen(mapped(queryDown, rows), queryNorm!) : rows;
    const own = ofHead(linear(low, query.weight), nopeDim + ropeDim);
    const vectors = concat([slice(own, 3, 0, nopeDim), rotate(slice(own, 3, nopeDim))], 3);
    return {
      sources: withBias(parts, Boolean(queryDown?.bias), "query.bias"),
      vectors: reshape(vectors, [vectors.shape[0]!, nopeDim + ropeDim]),
    };
  }
  const both = mapped(params.latent, rows); // [P, 1, kvRank + ropeDim]
  const low = frozen(slice(both, 2, 0, kvRank), params.latentNorm);
  const own = ofHead(linear(low, params.key.weight), nopeDim);
  const shared = reshape(slice(both, 2, kvRank), [both.shape[0]!, 1, 1, ropeDim]);
  const vectors = concat([own, rotate(shared)], 3);
  return {
    sources: withBias(parts, Boolean(params.latent.bias), "key.bias"),
    vectors: reshape(vectors, [vectors.shape[0]!, nopeDim + ropeDim]),
  };
}
