import { checks } from "@qkv/core";
import {
  denseSegment,
  floatKeyValues,
  keyPositions,
  storedPositions,
  type KeyValues,
  type Mask,
} from "@qkv/attention-contract";
import {
  add,
  concat,
  layerNorm,
  less,
  type linear,
  maximum,
  mul,
  ones,
  permute,
  randn,
  reshape,
  slice,
  splitSeed,
  take,
  tensor,
  where,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { and } from "../masks/and.js";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";
import { bestKeys } from "../sparse/best-keys.js";
import { seenRows } from "../sparse/seen-rows.js";
import { selectedKeys } from "../sparse/selected-keys.js";
import { checkMade, checkParams } from "./attend-heads.js";
import type { LinearParams } from "./grouped-query.js";

/** Configuration of the lightning indexer of a latent attention layer: a small attention that selects the keys for all heads. */
export type LatentIndexerConfig = {
  /** Number of index heads. They share one index key per token. */
  numHeads: number;
  /** Size of an index key and of an index query. */
  headDim: number;
  /** Number of keys that are selected for each query; all visible keys if there are not more. Unit: tokens. */
  topK: number;
  /** `rope({ headDim, rotaryDim: ropeDim })` for DeepSeek's weights. Default: no rotary embedding. */
  rope?: Rope;
};

/** The weights of an indexer. */
export type LatentIndexerParams = {
  /** `[numHeads · headDim, queryRank]`, of the latent for queries. */
  query: LinearParams;
  /** `[headDim, C]` */
  key: LinearParams;
  /** `[headDim]`, of the layer norm of index keys. */
  keyNorm: { weight: Tensor; bias?: Tensor };
  /** `[numHeads, C]`: a weight for each index head. */
  headWeights: LinearParams;
};

/** Index queries `[B, Hi, T, Di]`, weights of the index heads `[B, Hi, T]`, and index keys `[B, 1, T, Di]` of a call's tokens. */
export type IndexRows = { readonly query: Tensor; readonly weights: Tensor; readonly key: Tensor };

/** Added to the variance of an index key. */
const keyEps = 1e-6;

/**
 * Makes the indexer of a latent layer.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1, or an option is unknown.
 */
export function latentIndexer(
  config: LatentIndexerConfig,
  {
    embedDim: C,
    queryRank,
    linear: map,
  }: { embedDim: number; queryRank: number | undefined; linear: typeof linear },
) {
  const check = checks("latent");
  const names = ["numHeads", "headDim", "topK", "rope"] as const;
  const { numHeads: H, headDim: D, topK, rope } = check.options(config, names, "config.indexer");
  check.whole({ "indexer.numHeads": H, "indexer.headDim": D, "indexer.topK": topK }, { min: 1 });
  checkMade(check, { "indexer.rope": rope }, "apply", "rope({ headDim: 128, rotaryDim: 64 })");
  if (queryRank === undefined) {
    const fix = "give `queryRank`, or leave `indexer` out.";
    return check.refuse({
      ...{ argument: "queryRank", received: queryRank, fix },
      expected: "the width of the latent that index queries are made from, as the layer has an indexer",
    });
  }
  const project = ({ weight, bias }: LinearParams, x: Tensor) => map(x, weight, bias);
  const rotate = (x: Tensor, positions: Positions) => rope?.apply(x, positions) ?? x;
  return {
    headDim: D,
    init(seed: number): LatentIndexerParams {
      const seeds = splitSeed(seed, ["query", "key", "headWeights"]);
      const make = (name: keyof typeof seeds, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed: seeds[name] }), 1 / Math.sqrt(inner)),
      });
      return {
        query: make("query", H * D, queryRank),
        key: make("key", D, C),
        keyNorm: { weight: ones([D]), bias: zeros([D]) },
        headWeights: make("headWeights", H, C),
      };
    },
    /** @param queryLatents - Normalized latents for queries, `[B, T, queryRank]`. */
    rows(
      params: LatentIndexerParams | undefined,
      x: Tensor,
      queryLatents: Tensor,
      positions: Positions,
    ): IndexRows {
      if (!params) return refuseMissing();
      checkParams("apply", params, ["query", "key", "keyNorm", "headWeights"]);
      const [B, T] = x.shape as [number, number, number];
      const query = permute(reshape(project(params.query, queryLatents), [B, T, H, D]), [0, 2, 1, 3]);
      const { weight, bias } = params.keyNorm;
      const key = layerNorm(project(params.key, x), weight, bias, { eps: keyEps });
      return {
        query: rotate(query, positions),
        weights: permute(project(params.headWeights, x), [0, 2, 1]),
        key: rotate(reshape(key, [B, 1, T, D]), positions),
      };
    },
    /**
     * Combines the mask of a call with the selection of keys. If there are at most `topK` keys, the mask is returned unchanged.
     *
     * @param stored - Stored keys, whose last `headDim` numbers are the index key.
     * @param mask - The mask of the call, for `heads` heads.
     */
    choose(rows: IndexRows, stored: KeyValues, mask: Mask | undefined, heads: number): Mask | undefined {
      if (mask?.perHead) return refuseHeads(mask);
      const [B, , T] = rows.query.shape as [number, number, number];
      const keys = concat(
        floatKeyValues(stored).key.map((segment) => denseSegment(segment, B)),
        2,
      );
      const [, , S, width] = keys.shape as [number, number, number, number];
      if (S <= topK) return mask;
      const indices = bestKeys(
        rows.query,
        reshape(slice(keys, 3, width - D), [B, S, D]),
        rows.weights,
        topK,
        seenRows(stored, mask, { batches: B, heads, queries: T, device: keys.device }),
      );
      const storedKeyPositions = keyPositions(storedPositions(stored, B), S);
      const selected = selectedKeys(indicesToPositions(indices, storedKeyPositions));
      return mask ? and(mask, selected) : selected;
    },
  };
}

/**
 * Converts indices of stored keys to positions, −1 for none. It is computed on the device, without reading the indices.
 *
 * @param indices - Indices of stored keys, int32 `[B, T, topK]`.
 * @param keyPositions - Positions of the stored keys: one list for all sequences, or one per sequence.
 */
function indicesToPositions(indices: Tensor, keyPositions: readonly Int32Array[]): Tensor {
  const { device } = indices;
  const S = keyPositions[0]!.length;
  const like = { dtype: "int32", device } as const;
  const positions = tensor(
    keyPositions.flatMap((list) => [...list]),
    { ...like, shape: [keyPositions.length * S] },
  );
  const listStarts = tensor(
    keyPositions.map((_, b) => b * S),
    { ...like, shape: [keyPositions.length, 1, 1] },
  );
  return where(less(indices, 0), -1, take(positions, 0, add(maximum(indices, 0), listStarts)));
}

function refuseMissing(): never {
  return checks("apply").refuse({
    argument: "params.indexer",
    received: undefined,
    expected: "{ query, key, keyNorm, headWeights }, as the layer has an indexer",
    fix: "take the params of `layer.init(seed)`, or load the indexer with the other weights.",
  });
}

function refuseHeads({ name }: Mask): never {
  return checks("apply").refuse({
    argument: "mask",
    received: name,
    expected: "a mask that is the same for all heads, as the indexer chooses keys for all of them",
    fix: "leave out the part that looks at the head.",
  });
}
