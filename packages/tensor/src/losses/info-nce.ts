import { checkFits, checkOptions, checks, refuseShape } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { concat } from "../ops/concat.js";
import { crossEntropy } from "../ops/cross-entropy.js";
import { div } from "../ops/div.js";
import { matmul } from "../ops/matmul.js";
import { normalize } from "../ops/normalize.js";
import { transpose } from "../ops/transpose.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, type LossOptions } from "./reduce-losses.js";

/** Options of the contrastive loss. */
export type InfoNceOptions = LossOptions & {
  /** Divides the cosines: a smaller one gives more weight to hard negatives. Default 0.07. */
  temperature?: number;
  /** Further negative keys, `[M, D]`. Default: none. */
  negatives?: Tensor;
};

/**
 * The contrastive loss InfoNCE: the cross-entropy of classifying a query's own key among the keys of all queries, with the cosines
 * divided by a temperature as logits. CLIP's loss is the mean of two, the second with queries and keys swapped.
 *
 * @param queries - `[N, D]`, N of 1 or more.
 * @param keys - `[N, D]`: key n belongs to query n.
 * @param options - `temperature`: above 0, default 0.07. `negatives`: default none. `reduction`: default `"mean"`.
 * @returns One number `[]`, in nats, or `[N]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 * @see "Representation Learning with Contrastive Predictive Coding" (2018), arXiv:1807.03748
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { infoNce } from "@qkv/tensor/losses";
 *
 * const pairs = tensor([[1, 0], [0, 1]]);
 * infoNce(pairs, pairs, { temperature: 1 }).toNested(); // => 0.3133
 * ```
 */
export function infoNce(queries: Tensor, keys: Tensor, options?: InfoNceOptions): Tensor {
  const names = ["temperature", "negatives", "reduction"] as const;
  const { temperature = 0.07, negatives, reduction } = checkOptions("infoNce", options, names);
  checks("infoNce").finite({ temperature }, { above: 0 });
  checkSameShape("infoNce", { queries }, { keys });
  const [N, D] = queries.shape;
  if (queries.shape.length !== 2 || !N)
    refuseShape(
      "infoNce",
      "queries",
      queries.shape,
      "[pairs, features]",
      "`reshape` it to one vector a row.",
    );
  if (negatives !== undefined) {
    const [M = 0] = floatTensor("infoNce", "negatives", negatives).shape;
    const wanted = { dtype: queries.dtype, shape: [M, D!] };
    checkFits(
      "infoNce",
      "negatives",
      negatives,
      wanted,
      `as queries are [${N}, ${D}]`,
      "give one vector a row.",
    );
  }
  const all = normalize(negatives ? concat([keys, negatives], 0) : keys);
  const logits = div(matmul(normalize(queries), transpose(all)), temperature);
  const targets = tensorLike(
    Int32Array.from({ length: N }, (_, n) => n),
    [N],
    "int32",
    queries,
  );
  return crossEntropy(logits, targets, reduction ? { reduction } : {});
}
