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

/** Scores by content and by distance, each on its own (DeBERTa). */
export type Disentangled = {
  /**
   * R: keys up to R positions before a query have a row of the table of distances each, and those up to R − 1 after it. Farther
   * ones share the rows at both ends. With `maxDistance`: rows on each side.
   */
  numDistances: number;
  /**
   * Makes rows of far distances wide: those up to R / 2 have a row each, the others by their logarithm up to this distance. Unit:
   * tokens. Default: each distance has a row.
   */
  maxDistance?: number;
  /** Products beside that of query and key: of a query and a distance (`c2p`), of a key and a distance (`p2c`). */
  terms: readonly ("c2p" | "p2c")[];
  /** True: the maps of keys and of queries map distances too (DeBERTa v3). Default false: distances have maps of their own. */
  sharedMaps?: boolean;
  /** True: a norm stands after the table of distances. Default false. */
  norm?: boolean;
};

/** The weights of attention, and maps of distances where it has its own. */
export type DisentangledParams = AttentionParams & {
  /** `[C, C]`, for `c2p`. */
  distanceKey?: LinearParams;
  /** `[C, C]`, for `p2c`. */
  distanceQuery?: LinearParams;
};

/** The same with the table of distances, `[2 R, C]`, which all layers share. */
type WithTable = DisentangledParams & { readonly distances: Tensor };

/** Factor of scores: they are sums of as many products. */
export const disentangledScale = ({ terms }: Disentangled, headDim: number): number =>
  (headDim * (1 + terms.length)) ** -0.5;

/**
 * Attention whose scores are sums: of query and key, of the query and the distance to the key, of the key and the distance to the
 * query. Distances are rows of a learned table, mapped as queries and keys are.
 *
 * @param attention - Attention of the layer, with {@link disentangledScale}.
 * @see "DeBERTa: Decoding-enhanced BERT with Disentangled Attention" (2020), arXiv:2006.03654, section 3.1; on buckets,
 *   "DeBERTaV3" (2021), arXiv:2111.09543
 */
export function disentangledAttention(
  config: Disentangled,
  { attention, map }: { attention: AttentionLayer; map: typeof linear },
): SequenceLayer<DisentangledParams> {
  const { terms, sharedMaps = false } = config;
  const { embedDim: C, numHeads: H, headDim: D, bias = false } = attention.config;
  const scale = disentangledScale(config, D);
  const [c2p, p2c] = [terms.includes("c2p"), terms.includes("p2c")];
  /** Products of `x`, `[B, H, T, D]`, with each row of the table, `[B, H, T, 2 R]`. */
  const products = (x: Tensor, distances: Tensor, { weight, bias }: LinearParams): Tensor => {
    const rows = reshape(map(distances, weight, bias), [distances.shape[0]!, H, D]);
    return mul(matmul(x, reshape(permute(rows, [1, 2, 0]), [1, H, D, distances.shape[0]!])), scale);
  };
  const distanceBias = (params: WithTable, query: Tensor, key: Tensor): ScoreMod => {
    const T = query.shape[2]!;
    // Rows of the table for each distance of query minus key, from 1 − T to T − 1: a short text reads few of them.
    const read = Array.from({ length: 2 * T - 1 }, (_, i) => distanceRow(config, i - T + 1));
    const first = read[0]!;
    const distances = slice(params.distances, 0, first, read.at(-1)! + 1);
    const queryProducts = c2p && products(query, distances, sharedMaps ? params.key : params.distanceKey!);
    const keyProducts = p2c && products(key, distances, sharedMaps ? params.query : params.distanceQuery!);
    const rows = tensor(
      read.map((row) => row - first),
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
      if (sharedMaps) return params;
      return {
        ...params,
        ...(c2p && { distanceKey: draw(seeds.distanceKey) }),
        ...(p2c && { distanceQuery: draw(seeds.distanceQuery) }),
      };
    },
    apply: (params, x, options) =>
      attention.apply(params, x, {
        ...options,
        contentBias: (query, key) => distanceBias(params as WithTable, query, key),
      }),
  };
}

/** The weights of a layer with the table of distances, which is one of all layers. */
export const withDistances = (params: DisentangledParams, distances: Tensor): DisentangledParams =>
  ({ ...params, distances }) as WithTable;

/** The row of the table for a distance, query minus key. */
function distanceRow({ numDistances: R, maxDistance }: Disentangled, distance: number): number {
  const step = maxDistance === undefined ? distance : logBucket(distance, R, maxDistance);
  return Math.min(Math.max(step + R, 0), 2 * R - 1);
}

/** Distances up to R / 2 as they are; the others by their logarithm, with their sign. */
function logBucket(distance: number, R: number, maxDistance: number): number {
  const exact = Math.floor(R / 2);
  const far = Math.abs(distance);
  if (far <= exact) return distance;
  const share = Math.log(far / exact) / Math.log((maxDistance - 1) / exact);
  return Math.sign(distance) * (Math.ceil(share * (exact - 1)) + exact);
}
