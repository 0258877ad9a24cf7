import { ArgumentError, ShapeError } from "@qkv/core";
import {
  checkTensor,
  linear,
  mul,
  permute,
  randn,
  reshape,
  zeros,
  type Cache,
  type Mask,
  type Tensor,
  type TraceName,
} from "@qkv/tensor";
import { attention, tracedAttention, type AttentionOptions } from "../attention.js";
import type { Positions, Rope } from "../positions/rope.js";

/** One projection: `y = x Wᵀ + b`. */
export type LinearParams = { weight: Tensor; bias?: Tensor };

/** The weights of an attention layer. Rows of a projection are heads one after the other, `h · D + d`. */
export type AttentionParams = {
  /** `[H · D, C]` */
  query: LinearParams;
  /** `[Hkv · D, C]` */
  key: LinearParams;
  /** `[Hkv · D, C]` */
  value: LinearParams;
  /** `[C, H · D]` */
  output: LinearParams;
};

/** What an attention layer is. */
export type GroupedQueryConfig = {
  /** C, the width of the model. */
  embedDim: number;
  /** H, the number of query heads. */
  numHeads: number;
  /** Hkv, the number of key-value heads, a divisor of H. */
  numKvHeads: number;
  /** D, the size of one head. Default: C / H. */
  headDim?: number;
  /** Whether projections add a bias. Default false. */
  bias?: boolean;
  /** Default: every query sees every key. */
  mask?: Mask;
  /** Default: positions are not known to the layer. */
  rope?: Rope;
  /** Default: 1 / √D. */
  scale?: number;
  /** Default: off. */
  softcap?: number;
};

/** Tensors by name, filled by a layer or model on the way; the names that are wanted are asked for. */
export type Trace = {
  readonly names: readonly TraceName[];
  /** Filled: `weights`, or `layers.0.attention.weights` under a path. */
  readonly tensors: Record<string, Tensor>;
  /** What stands before a name. */
  readonly path?: string;
};

export type ApplyOptions = {
  /** Keys and values of earlier tokens; this call's are appended. Default: the call stands alone. */
  cache?: Cache;
  /** Which layer of the cache. Default 0. */
  layer?: number;
  /** Where the tokens stand. Default: after what the cache has seen. */
  positions?: Positions;
  /** Where traced tensors go. Default: nothing is traced. */
  trace?: Trace;
};

/** A layer: made from its configuration, holding no weights. */
export type AttentionLayer = {
  readonly config: GroupedQueryConfig & { headDim: number };
  /** Random weights: normal with variance 1 / fan-in; biases 0. */
  init(seed: number): AttentionParams;
  /** `[B, T, C]` to `[B, T, C]`. */
  apply(params: AttentionParams, x: Tensor, options?: ApplyOptions): Tensor;
};

/**
 * Grouped-query attention: `H` query heads share `Hkv` key-value heads, `H / Hkv` neighbours to each. The cache
 * holds `Hkv` heads instead of `H`. With `Hkv = H` it is multi-head, with `Hkv = 1` multi-query attention.
 *
 * @throws {ArgumentError} If the sizes do not divide.
 * @see "GQA: Training Generalized Multi-Query Transformer Models" (2023), arXiv:2305.13245
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, groupedQuery } from "@qkv/attention";
 *
 * const layer = groupedQuery({ embedDim: 64, numHeads: 8, numKvHeads: 2, mask: causal() });
 * const params = layer.init(1);
 * params.key.weight.shape; // => [16, 64]
 * layer.apply(params, randn([1, 5, 64], { seed: 2 })).shape; // => [1, 5, 64]
 * ```
 */
export function groupedQuery(config: GroupedQueryConfig): AttentionLayer {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, mask, rope } = config;
  const D = config.headDim ?? C / H;
  checkSizes({ embedDim: C, numHeads: H, numKvHeads: Hkv, headDim: D });
  const attentionOptions: AttentionOptions = {
    ...(mask && { mask }),
    ...(config.scale !== undefined && { scale: config.scale }),
    ...(config.softcap !== undefined && { softcap: config.softcap }),
  };
  const project = ({ weight, bias }: LinearParams, x: Tensor, heads: number): Tensor => {
    const [B, T] = x.shape as [number, number];
    return permute(reshape(linear(x, weight, bias), [B, T, heads, D]), [0, 2, 1, 3]); // [B, heads, T, D]
  };
  return {
    config: { ...config, headDim: D },
    init(seed) {
      const make = (n: number, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed: seed * 4 + n }), 1 / Math.sqrt(inner)),
        ...(config.bias && { bias: zeros([out]) }),
      });
      return {
        query: make(0, H * D, C),
        key: make(1, Hkv * D, C),
        value: make(2, Hkv * D, C),
        output: make(3, C, H * D),
      };
    },
    apply(params, x, { cache, layer = 0, positions = { start: cache?.length ?? 0 }, trace } = {}) {
      if (checkTensor("apply", "x", x).shape.length !== 3 || x.shape[2] !== C) {
        throw new ShapeError({
          fn: "apply",
          argument: "x",
          received: x.shape,
          expected: `[B, T, ${C}], as embedDim is ${C}`,
          fix: "give batches of rows as wide as the layer.",
        });
      }
      const [B, T] = x.shape as [number, number, number];
      const projected = project(params.query, x, H);
      const projectedKey = project(params.key, x, Hkv);
      const query = rope ? rope.apply(projected, positions) : projected; // [B, H, T, D]
      const key = rope ? rope.apply(projectedKey, positions) : projectedKey; // [B, Hkv, T, D]
      const value = project(params.value, x, Hkv);
      const keyValues = cache
        ? cache.update(layer, key, value)
        : { key: [key], value: [value], positions: { start: 0 } };
      const mixed = trace
        ? traceInto(trace, tracedAttention(query, keyValues, attentionOptions, trace.names))
        : attention(query, keyValues, attentionOptions); // [B, H, T, D]
      const joined = reshape(permute(mixed, [0, 2, 1, 3]), [B, T, H * D]);
      return linear(joined, params.output.weight, params.output.bias);
    },
  };
}

function traceInto(
  { names, tensors, path }: Trace,
  traced: { output: Tensor } & Record<TraceName, Tensor>,
): Tensor {
  for (const name of names) tensors[path ? `${path}.${name}` : name] = traced[name];
  return traced.output;
}

function checkSizes(sizes: {
  embedDim: number;
  numHeads: number;
  numKvHeads: number;
  headDim: number;
}): void {
  const { embedDim, numHeads, numKvHeads, headDim } = sizes;
  const fail = (argument: keyof typeof sizes, expected: string, fix: string): never => {
    throw new ArgumentError({ fn: "groupedQuery", argument, received: sizes[argument], expected, fix });
  };
  for (const argument of ["embedDim", "numHeads", "numKvHeads"] as const) {
    if (!Number.isInteger(sizes[argument]) || sizes[argument] < 1)
      fail(argument, "a whole number, 1 or more", "count heads and numbers.");
  }
  if (numHeads % numKvHeads !== 0) {
    fail(
      "numKvHeads",
      `a divisor of numHeads = ${numHeads}`,
      "each key-value head serves the same number of query heads.",
    );
  }
  if (!Number.isInteger(headDim) || headDim < 1) {
    fail(
      "headDim",
      `a whole number, and embedDim = ${embedDim} divided by numHeads = ${numHeads} is none`,
      "choose numHeads to divide embedDim, or give headDim.",
    );
  }
}
