import { scoreMod, type AttentionLayer, type AttentionParams, type LinearParams } from "@qkv/attention";
import { lookup, type ScoreMod } from "@qkv/attention-contract";
import {
  matmul,
  mul,
  permute,
  randn,
  reshape,
  slice,
  splitSeed,
  tensor,
  zeros,
  type linear,
  type Tensor,
} from "@qkv/tensor";
import type { SequenceLayer } from "./transformer-layer.js";

/** Configuration of disentangled attention (DeBERTa): scores from content and from relative position, separately. */
export type Disentangled = {
  /**
   * R: each distance from R positions before a query to R − 1 after it has a relative position embedding. Larger
   * distances share those at both ends. With `maxDistance`: number of embeddings on each side.
   */
  numDistances: number;
  /**
   * Log buckets: distances up to R / 2 have an embedding each, larger ones by their logarithm up to this distance. Unit:
   * tokens. Default: one embedding per distance.
   */
  maxDistance?: number;
  /** Score terms besides query–key: query–position (`c2p`, content-to-position) and key–position (`p2c`). */
  terms: readonly ("c2p" | "p2c")[];
  /** True: relative positions share the key and query projections (DeBERTa v3). Default false: they have their own. */
  sharedProjections?: boolean;
  /** True: the relative position embeddings are normalized. Default false. */
  norm?: boolean;
};

/** Params of attention, with projections of relative positions unless they are shared. */
export type DisentangledParams = AttentionParams & {
  /** `[C, C]`, for `c2p`. */
  distanceKey?: LinearParams;
  /** `[C, C]`, for `p2c`. */
  distanceQuery?: LinearParams;
};

/** Params with the relative position embeddings, `[2 R, C]`, which all layers share. */
type WithTable = DisentangledParams & { readonly distances: Tensor };

/** Scale of scores: 1 / √(D · number of terms). */
export const disentangledScale = ({ terms }: Disentangled, headDim: number): number =>
  (headDim * (1 + terms.length)) ** -0.5;

/**
 * Attention whose scores are sums of the terms query–key, query–relative position and key–relative position.
 * Relative positions have learned embeddings, which are projected like queries and keys.
 *
 * @param attention - The attention layer, created with {@link disentangledScale}.
 * @see "DeBERTa: Decoding-enhanced BERT with Disentangled Attention" (2020), arXiv:2006.03654, section 3.1; on buckets,
 *   "DeBERTaV3" (2021), arXiv:2111.09543
 */
export function disentangledAttention(
  config: Disentangled,
  { attention, map }: { attention: AttentionLayer; map: typeof linear },
): SequenceLayer<DisentangledParams> {
  const { terms, sharedProjections = false } = config;
  const { embedDim: C, numHeads: H, headDim: D, bias = false } = attention.config;
  const scale = disentangledScale(config, D);
  const [hasC2p, hasP2c] = [terms.includes("c2p"), terms.includes("p2c")];
  /** Products of `x`, `[B, H, T, D]`, with each relative position embedding, `[B, H, T, 2 R]`. */
  const products = (x: Tensor, distances: Tensor, { weight, bias }: LinearParams): Tensor => {
    const rows = reshape(map(distances, weight, bias), [distances.shape[0]!, H, D]);
    return mul(matmul(x, reshape(permute(rows, [1, 2, 0]), [1, H, D, distances.shape[0]!])), scale);
  };
  const distanceBias = (params: WithTable, query: Tensor, key: Tensor): ScoreMod => {
    const T = query.shape[2]!;
    // Embedding index for each distance (query minus key) from 1 − T to T − 1. A short text uses only some of them.
    const embeddingRows = Array.from({ length: 2 * T - 1 }, (_, i) => distanceRow(config, i - T + 1));
    const first = embeddingRows[0]!;
    const distances = slice(params.distances, 0, first, embeddingRows.at(-1)! + 1);
    const queryProducts =
      hasC2p && products(query, distances, sharedProjections ? params.key : params.distanceKey!);
    const keyProducts =
      hasP2c && products(key, distances, sharedProjections ? params.query : params.distanceQuery!);
    const rows = tensor(
      embeddingRows.map((row) => row - first),
      { dtype: query.dtype, device: query.device },
    );
    return scoreMod(
      (score, at) => {
        const row = lookup(rows, at.query.sub(at.key).add(T - 1));
        const withQueries = queryProducts
          ? score.add(lookup(queryProducts, at.batch, at.head, at.query, row))
          : score;
        return keyProducts
          ? withQueries.add(lookup(keyProducts, at.batch, at.head, at.key, row))
          : withQueries;
      },
      `disentangled(${terms.join(", ")})`,
    );
  };
  return {
    init(seed) {
      const params = attention.init(seed);
      const seeds = splitSeed(splitSeed(seed, 2)[1]!, ["distanceKey", "distanceQuery"]);
      const draw = (seed: number): LinearParams => ({
        weight: mul(randn([C, C], { seed }), C ** -0.5),
        ...(bias && { bias: zeros([C]) }),
      });
      if (sharedProjections) return params;
      return {
        ...params,
        ...(hasC2p && { distanceKey: draw(seeds.distanceKey) }),
        ...(hasP2c && { distanceQuery: draw(seeds.distanceQuery) }),
      };
    },
    apply: (params, x, options) =>
      attention.apply(params, x, {
        ...options,
        contentBias: (query, key) => distanceBias(params as WithTable, query, key),
      }),
  };
}

/** The params of a layer with the relative position embeddings, which all layers share. */
export const withDistances = (params: DisentangledParams, distances: Tensor): DisentangledParams =>
  ({ ...params, distances }) as WithTable;

/** The embedding index of a distance, query minus key. */
function distanceRow({ numDistances: R, maxDistance }: Disentangled, distance: number): number {
  const bucket = maxDistance === undefined ? distance : logBucket(distance, R, maxDistance);
  return Math.min(Math.max(bucket + R, 0), 2 * R - 1);
}

/** The bucket of a distance: distances up to R / 2 unchanged, the others by their logarithm, with their sign. */
function logBucket(distance: number, R: number, maxDistance: number): number {
  const exact = Math.floor(R / 2); // distances with a bucket each
  const size = Math.abs(distance);
  if (size <= exact) return distance;
  const fraction = Math.log(size / exact) / Math.log((maxDistance - 1) / exact);
  return Math.sign(distance) * (Math.ceil(fraction * (exact - 1)) + exact);
}
