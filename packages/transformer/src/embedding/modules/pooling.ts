import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  arange,
  cast,
  checkTensor,
  concat,
  div,
  equal,
  expandDims,
  greater,
  max,
  maximum,
  mul,
  ones,
  reshape,
  slice,
  sqrt,
  sum,
  where,
  type Tensor,
} from "@qkv/tensor";
import { meanPooling } from "../../models/mean-pooling.js";
import type { SentenceModule } from "../../models/sentence-config.js";

/** Pooling modes, in the order in which the vectors of several modes are concatenated. */
export const poolingModes = ["cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken"] as const;

/**
 * Pooling of the rows of a text: the first row (`cls`), the maximum per dimension, the mean, the sum divided by the
 * square root of the length, the mean weighted by position (from 1), or the last row.
 */
export type PoolingMode = (typeof poolingModes)[number];

/**
 * A pooling module: one vector per text. The vectors of several modes are concatenated.
 *
 * @param modes - One or several modes, concatenated in the order of {@link PoolingMode}.
 * @param options - `includePrompt`: false excludes the tokens of the prompt. Default true. `name`: default `pooling`.
 * @throws {ArgumentError} If a mode does not exist, or the list is empty.
 * @see "Sentence-BERT" (2019), arXiv:1908.10084, section 3; weighted by position: "SGPT" (2022), arXiv:2202.08904
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { poolingModule } from "@qkv/transformer";
 *
 * const rows = tensor([[[1, 2], [3, 4], [9, 9]]]);
 * const attentionMask = tensor([[1, 1, 0]]);
 * const pool = poolingModule(["mean", "cls"]);
 * pool.apply({ vectors: rows, attentionMask, promptLength: 0 }).toNested(); // => [[1, 2, 2, 3]]
 * ```
 */
export function poolingModule(
  modes: readonly PoolingMode[],
  options?: { includePrompt?: boolean; name?: string },
): SentenceModule {
  const check: Checks = checks("poolingModule");
  const { includePrompt = true, name = "pooling" } = check.options(options, ["includePrompt", "name"]);
  check.type({ includePrompt }, "boolean");
  check.list({ modes }, poolingModes.join(", "), (mode) => poolingModes.includes(mode as PoolingMode));
  check.each({ modes }, (list) => (list as unknown[]).length > 0, "one mode or more", 'give ["mean"].');
  return {
    name,
    apply({ vectors: rows, attentionMask, promptLength }) {
      const { shape } = checkTensor("poolingModule", "vectors", rows);
      if (shape.length !== 3) {
        const fix = "give the rows of a batch, as an encoder's `apply` returns them.";
        check.refuse({ argument: "vectors", received: shape, expected: "[B, T, C]", fix }, ShapeError);
      }
      const tokenMask = withoutPrompt(rows, attentionMask, includePrompt ? 0 : promptLength);
      const pooled = poolingModes
        .filter((mode) => modes.includes(mode))
        .map((mode) => pool[mode](rows, tokenMask));
      return pooled.length === 1 ? pooled[0]! : concat(pooled, 1);
    },
  };
}

/** `[B, T]`: 1 for tokens that are pooled, else 0. */
function withoutPrompt(rows: Tensor, attentionMask: Tensor | undefined, promptLength: number): Tensor {
  const [B, T] = rows.shape as [number, number, number];
  const { dtype, device } = rows;
  const tokenMask = attentionMask ? cast(attentionMask, dtype) : ones([B, T], { dtype, device });
  if (promptLength === 0) return tokenMask;
  return mul(tokenMask, cast(greater(positionsFromOne(rows), promptLength), dtype));
}

/** Positions of the tokens, from 1, `[1, T]`. */
function positionsFromOne({ shape, dtype, device }: Tensor): Tensor {
  return reshape(arange(shape[1]!, { start: 1, dtype, device }), [1, shape[1]!]);
}

const pool: Record<PoolingMode, (rows: Tensor, tokenMask: Tensor) => Tensor> = {
  cls: (rows) => reshape(slice(rows, 1, 0, 1), [rows.shape[0]!, rows.shape[2]!]),
  max: (rows, tokenMask) => max(where(greater(expandDims(tokenMask, 2), 0), rows, lowest), { axis: 1 }),
  mean: meanPooling,
  mean_sqrt_len: (rows, tokenMask) =>
    div(weighted(rows, tokenMask), sqrt(maximum(sum(tokenMask, { axis: 1, keepDims: true }), 1))),
  weightedmean(rows, tokenMask) {
    const weights = mul(tokenMask, positionsFromOne(rows));
    return div(weighted(rows, weights), maximum(sum(weights, { axis: 1, keepDims: true }), 1));
  },
  lasttoken(rows, tokenMask) {
    const positions = mul(tokenMask, positionsFromOne(rows));
    const last = equal(positions, max(positions, { axis: 1, keepDims: true }));
    return weighted(rows, mul(tokenMask, cast(last, rows.dtype)));
  },
};

/** Replaces padding before the maximum, as in sentence-transformers. */
const lowest = -1e9;

/** The weighted sum of rows, `[B, C]`. */
const weighted = (rows: Tensor, weights: Tensor): Tensor =>
  sum(mul(rows, expandDims(weights, 2)), { axis: 1 });
