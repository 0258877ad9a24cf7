import { checks, isPacked } from "@qkv/core";
import {
  denseSegment,
  floatKeyValues,
  positionsAfter,
  type Cache,
  type KeyValues,
  type Mask,
} from "@qkv/attention-contract";
import {
  broadcastTo,
  cast,
  concat,
  einsum,
  isTensor,
  linear,
  mul,
  ones,
  permute,
  randn,
  reshape,
  rmsNorm,
  slice,
  splitSeed,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { checkMask } from "../mask.js";
import type { Positions } from "../positions/places-of.js";
import type { Rope } from "../positions/rope.js";
import { attendTraced, checkParams, checkTrace, recordHeads, type Trace } from "./attend-heads.js";
import { checkWide } from "./check-wide.js";
import type { LinearParams } from "./grouped-query.js";
import { joinedMasks } from "./joined-masks.js";
import { latentIndexer, type LatentIndexerConfig, type LatentIndexerParams } from "./latent-indexer.js";

/** Configuration of a layer of multi-head latent attention. */
export type LatentConfig = {
  /** C, the width of the model. */
  embedDim: number;
  /** H, the number of heads. */
  numHeads: number;
  /** r, the width of the latent that keys and values of all heads are made from. */
  kvRank: number;
  /** Width of a latent for queries. Default: queries are projected from x directly. */
  queryRank?: number;
  /** Numbers of a head's query and key without positions. */
  nopeDim: number;
  /** Numbers of a head's query, and of the key that all heads share, that the rotary embedding rotates. */
  ropeDim: number;
  /** Numbers of a head's value. */
  valueDim: number;
  /** `rope({ headDim: ropeDim, layout: "interleaved" })` for DeepSeek's weights. Default: no rotary embedding. */
  rope?: Rope;
  /** Default: every query sees every key. */
  mask?: Mask;
  /** Default: `1 / √(nopeDim + ropeDim)`. DeepSeek's checkpoints with YaRN multiply it by mscale². */
  scale?: number;
  /** Added to the mean square of the norms of the latents. Default 1e-6. */
  eps?: number;
  /** True: the maps from x to latents, and the output map, add a bias. Default false. */
  bias?: boolean;
  /** Dropout rate of the weights, from 0 to below 1, for calls with `dropoutSeed` (training). Default 0. */
  dropout?: number;
  /** Selects the keys that each query reads (DSA, DeepSeek-V3.2). Requires `queryRank`. Default: all visible keys. */
  indexer?: LatentIndexerConfig;
  /**
   * Computes projections. Default: `linear` of @qkv/tensor. With weights of another kind, such as those of 8 bits, keys and
   * values are made from the latents with a cache too.
   */
  linear?: typeof linear;
};

type Projection = LinearParams;
type Norm = { weight: Tensor };

/** The weights of a layer of multi-head latent attention. Rows of a projection are heads one after the other. */
export type LatentParams = {
  /** `[queryRank, C]`, in a layer with a latent for queries. */
  queryDown?: Projection;
  /** `[queryRank]`, in a layer with a latent for queries. */
  queryNorm?: Norm;
  /** `[H · (nopeDim + ropeDim), queryRank or C]` */
  query: Projection;
  /** `[kvRank + ropeDim, C]`: the latent, then the shared rotary key. */
  latent: Projection;
  /** `[kvRank]` */
  latentNorm: Norm;
  /** `[H · nopeDim, kvRank]` */
  key: Projection;
  /** `[H · valueDim, kvRank]` */
  value: Projection;
  /** `[C, H · valueDim]` */
  output: Projection;
  /** In a layer with an indexer. */
  indexer?: LatentIndexerParams;
};

export type LatentApplyOptions = {
  /** Latents of earlier tokens; this call's are appended. Default: no cache. */
  cache?: Cache;
  /** Layer of the cache. Default 0. */
  layer?: number;
  /** Positions of the tokens. Default: after the tokens that the cache has seen. */
  positions?: Positions;
  /** Another mask for this call, which is combined with the layer's mask, such as `padding(lengths)`. Default: none. */
  mask?: Mask;
  /** Seed of the layer's `dropout`, for training: pass another one at each step. Default: no dropout. */
  dropoutSeed?: number;
  /** Collects traced tensors. Default: nothing is traced. */
  trace?: Trace;
};

/** Queries and latents of a call. */
type Projected = {
  readonly unrotated: Tensor;
  readonly rotated: Tensor;
  readonly absorbed: () => Tensor;
  readonly latents: KeyValues;
  readonly mask: Mask | undefined;
  readonly trace: Trace | undefined;
  readonly dropoutSeed: number | undefined;
};

/** A layer of multi-head latent attention: created from its configuration. It holds no weights: params are passed to each call. */
export type LatentLayer = {
  readonly config: LatentConfig;
  /** Random weights: normal with variance 1 / fan-in; gains 1. */
  init(seed: number): LatentParams;
  /** `[B, T, C]` to `[B, T, C]`: `absorbed` with a cache, `naive` without. Both give the same numbers. */
  apply(params: LatentParams, x: Tensor, options?: LatentApplyOptions): Tensor;
  /** The form that computes keys and values of every head from the latents: fewer operations for many queries. */
  naive(params: LatentParams, x: Tensor, options?: LatentApplyOptions): Tensor;
  /**
   * The form in which queries attend to the latents directly, as to one key-value head of size kvRank + ropeDim: fewer bytes for few
   * queries.
   */
  absorbed(params: LatentParams, x: Tensor, options?: LatentApplyOptions): Tensor;
};

/**
 * Multi-head latent attention (MLA): keys and values of all heads are linear maps of one latent of `kvRank` numbers a
 * token, and a cache holds the latent and one rotary key instead of `2 · H · D` numbers. Since the map to keys is
 * linear, it can be moved to the query: `q · (W c) = (Wᵀ q) · c`. Decoding then reads latents in place.
 *
 * A cache gets the key `[B, 1, T, kvRank + ropeDim]`, latent then rotary part, the value `[B, 1, T, kvRank]`, and the
 * absorbed queries `[B, H, T, kvRank + ropeDim]`. A score by which it evicts needs the layer's scale, which is that of
 * `nopeDim + ropeDim` numbers: `h2o({ mask: causal(), scale: 1 / Math.sqrt(nopeDim + ropeDim) })`.
 *
 * With an `indexer`, a cached key ends with the token's index key, `[B, 1, T, kvRank + ropeDim + indexer.headDim]`; absorbed
 * queries have zeros there. The choice has no gradient, so the indexer's weights have none either.
 *
 * @throws {ArgumentError} If a size is not an integer of at least 1, or an option is unknown.
 * @see "DeepSeek-V2" (2024), arXiv:2405.04434, section 2.1; the indexer: "DeepSeek-V3.2" (2025), arXiv:2512.02556
 *
 * @example
 * ```ts
 * import { causal, latent } from "@qkv/attention";
 * import { randn } from "@qkv/tensor";
 *
 * const sizes = { embedDim: 16, numHeads: 4, kvRank: 8, nopeDim: 4, ropeDim: 2, valueDim: 4 };
 * const layer = latent({ ...sizes, mask: causal() });
 * const [params, x] = [layer.init(1), randn([1, 3, 16], { seed: 2 })];
 * const [naive, absorbed] = [layer.naive(params, x), layer.absorbed(params, x)];
 * Math.abs(naive.data[5]! - absorbed.data[5]!) < 1e-5; // => true
 * ```
 */
export function latent(config: LatentConfig): LatentLayer {
  const check = checks("latent");
  const {
    embedDim: C,
    numHeads: H,
    kvRank,
    queryRank,
    nopeDim,
    ropeDim,
    valueDim,
    rope,
    mask,
    scale = 1 / Math.sqrt(nopeDim + ropeDim),
    eps = 1e-6,
    bias = false,
    dropout = 0,
    indexer: indexerConfig,
    linear: map = linear,
  } = check.options(config, configNames, "config");
  check.whole({ embedDim: C, numHeads: H, kvRank, nopeDim, ropeDim, valueDim }, { min: 1 });
  if (queryRank !== undefined) check.whole({ queryRank }, { min: 1 });
  if (mask !== undefined) checkMask("latent", "mask", mask);
  check.finite({ scale, eps });
  check.finite({ dropout }, { min: 0, below: 1, fix: "0.1 drops one weight of ten." });
  check.type({ bias }, "boolean");
  check.type({ linear: map }, "function");
  const joinMask = joinedMasks(mask);
  const indexer =
    indexerConfig === undefined
      ? undefined
      : latentIndexer(indexerConfig, { embedDim: C, queryRank, linear: map });
  const attend = (query: Tensor, keyValues: KeyValues, { mask, trace, dropoutSeed: seed }: Projected) =>
    attendTraced(
      query,
      keyValues,
      {
        ...{ scale, ...(mask && { mask }) },
        ...(dropout > 0 && seed !== undefined && { dropout: { rate: dropout, seed } }),
      },
      trace,
    );

  /** Rows `[B, T, heads · width]` to `[B, heads, T, width]`. */
  const split = (rows: Tensor, heads: number) => {
    const [B, T, width] = rows.shape as [number, number, number];
    return permute(reshape(rows, [B, T, heads, width / heads]), [0, 2, 1, 3]);
  };
  const mapped = ({ weight, bias }: Projection, x: Tensor) => map(x, weight, bias);
  const rotate = (x: Tensor, positions: Positions) => rope?.apply(x, positions) ?? x;

  /** The weight of a projection, `[H, width, kvRank]`; a 16-bit weight is cast to float32, since `einsum` has no 16-bit operands. */
  const perHead = ({ weight }: Projection, width: number) =>
    reshape(isPacked(weight.dtype) ? cast(weight, "float32") : weight, [H, width, kvRank]);

  /** Projects x to queries, in two parts and in absorbed form, and to the latents of all tokens as one key-value head. */
  const project = (params: LatentParams, x: Tensor, options: LatentApplyOptions | undefined): Projected => {
    checkWide(x, C);
    const low = ["queryDown", "queryNorm"] as const;
    const names = ["query", "latent", "latentNorm", "key", "value", "output"] as const;
    checkParams("apply", params, queryRank === undefined ? names : [...low, ...names]);
    const call = applying.options(options, callOptions);
    const { cache, layer = 0, positions, mask: callMask, trace, dropoutSeed } = call;
    checkTrace(applying, trace);
    if (cache?.unrotatedKeys) refuseUnrotated();
    const tokenPositions = positions ?? positionsAfter(cache, x.shape[1]!);
    const source =
      queryRank === undefined ? x : rmsNorm(mapped(params.queryDown!, x), params.queryNorm!.weight, { eps });
    const query = split(mapped(params.query, source), H); // [B, H, T, nopeDim + ropeDim]
    const rows = split(mapped(params.latent, x), 1); // [B, 1, T, kvRank + ropeDim]
    const normed = rmsNorm(slice(rows, 3, 0, kvRank), params.latentNorm.weight, { eps });
    const index = indexer?.rows(params.indexer, x, source, tokenPositions);
    const key = concat(
      [normed, rotate(slice(rows, 3, kvRank), tokenPositions), ...(index ? [index.key] : [])],
      3,
    );
    const value = slice(key, 3, 0, kvRank); // a view: a cache of latents holds it once
    const unrotated = slice(query, 3, 0, nopeDim); // [B, H, T, nopeDim]
    const rotated = rotate(slice(query, 3, nopeDim), tokenPositions); // [B, H, T, ropeDim]
    /** `[B, H, T, kvRank + ropeDim]`, and zeros for the index keys. */
    const absorbed = () => {
      const parts = [einsum("bhtd,hdr->bhtr", unrotated, perHead(params.key, nopeDim)), rotated];
      if (!indexer) return concat(parts, 3);
      const { dtype, device } = rotated;
      const [B, , T] = rotated.shape as [number, number, number];
      return concat([...parts, zeros([B, H, T, indexer.headDim], { dtype, device })], 3);
    };
    const projected = { unrotated, rotated, absorbed, trace, dropoutSeed };
    const maskFor = (latents: KeyValues) => {
      const mask = joinMask(callMask);
      return indexer && index ? indexer.choose(index, latents, mask, H) : mask;
    };
    if (!cache) {
      const latents: KeyValues = { key: [key], value: [value], positions: { start: 0 } };
      return { ...projected, latents, mask: maskFor(latents) };
    }
    if (!isTensor(params.key.weight)) {
      const latents = cache.update(layer, key, value);
      return { ...projected, latents, mask: maskFor(latents) };
    }
    const absorbedQuery = absorbed(); // the cache needs it for eviction scores
    const latents = cache.update(layer, key, value, absorbedQuery);
    return { ...projected, absorbed: () => absorbedQuery, latents, mask: maskFor(latents) };
  };
  const join = (params: LatentParams, heads: Tensor) => {
    const [B, , T] = heads.shape as [number, number, number];
    return mapped(params.output, reshape(permute(heads, [0, 2, 1, 3]), [B, T, H * valueDim]));
  };
  const layer: LatentLayer = {
    config,
    init(seed) {
      const names = ["queryDown", "query", "latent", "key", "value", "output"] as const;
      const seeds = splitSeed(seed, indexer ? [...names, "indexer"] : names) as Record<string, number>;
      const biased = ["queryDown", "latent", "output"];
      const make = (name: (typeof names)[number], out: number, inner: number): Projection => ({
        weight: mul(randn([out, inner], { seed: seeds[name]! }), 1 / Math.sqrt(inner)),
        ...(bias && biased.includes(name) && { bias: zeros([out]) }),
      });
      return {
        ...(queryRank !== undefined && {
          queryDown: make("queryDown", queryRank, C),
          queryNorm: { weight: ones([queryRank]) },
        }),
        query: make("query", H * (nopeDim + ropeDim), queryRank ?? C),
        latent: make("latent", kvRank + ropeDim, C),
        latentNorm: { weight: ones([kvRank]) },
        key: make("key", H * nopeDim, kvRank),
        value: make("value", H * valueDim, kvRank),
        output: make("output", C, H * valueDim),
        ...(indexer && { indexer: indexer.init(seeds["indexer"]!) }),
      };
    },
    apply(params, x, options) {
      const absorbs = options?.cache && isTensor(params?.key?.weight);
      return (absorbs ? layer.absorbed : layer.naive)(params, x, options);
    },
    naive(params, x, options) {
      const call = project(params, x, options);
      const { unrotated, rotated, latents } = call;
      const B = x.shape[0]!;
      const stored = concat(
        floatKeyValues(latents).key.map((segment) => denseSegment(segment, B)),
        2,
      ); // [B, 1, S, kvRank + ropeDim], and index keys
      const S = stored.shape[2]!;
      const rows = reshape(slice(stored, 3, 0, kvRank), [B, S, kvRank]);
      const shared = broadcastTo(slice(stored, 3, kvRank, kvRank + ropeDim), [B, H, S, ropeDim]);
      const key = concat([split(mapped(params.key, rows), H), shared], 3);
      const value = split(mapped(params.value, rows), H);
      const keyValues = { key: [key], value: [value], positions: latents.positions };
      const heads = attend(concat([unrotated, rotated], 3), keyValues, call);
      return join(params, recordHeads(call.trace, heads));
    },
    absorbed(params, x, options) {
      const call = project(params, x, options);
      const averaged = attend(call.absorbed(), call.latents, call); // weighted means of latents, [B, H, T, kvRank]
      const heads = einsum("bhtr,hdr->bhtd", averaged, perHead(params.value, valueDim));
      return join(params, recordHeads(call.trace, heads));
    },
  };
  return layer;
}

function refuseUnrotated(): never {
  return applying.refuse({
    argument: "cache",
    received: "a cache of unrotated keys",
    expected: "one of keys as they are: only the last ropeDim numbers of a latent key are rotated",
    fix: "make the cache without `unrotatedKeys`.",
  });
}

const applying = /* @__PURE__ */ checks("apply");
const configNames = [
  "embedDim",
  "numHeads",
  "kvRank",
  "queryRank",
  "nopeDim",
  "ropeDim",
  "valueDim",
  "rope",
  "mask",
  "scale",
  "eps",
  "bias",
  "dropout",
  "indexer",
  "linear",
] as const;
const callOptions = ["cache", "layer", "positions", "mask", "dropoutSeed", "trace"] as const;
