import { checkFits, checkOptions, checks, normalizeAxis } from "@qkv/core";
import { checkTensor } from "../op.js";
import { add } from "../ops/add.js";
import { equal } from "../ops/equal.js";
import { mul } from "../ops/mul.js";
import { relu } from "../ops/relu.js";
import { rsqrt } from "../ops/rsqrt.js";
import { sub } from "../ops/sub.js";
import { sum } from "../ops/sum.js";
import { where } from "../ops/where.js";
import type { Tensor } from "../tensor.js";
import { checkSameShape, reduceLosses, type LossOptions } from "./reduce-losses.js";

/**
 * The cosine embedding loss of pairs of vectors: `1 − cosine` for pairs with target 1, which should be similar, and
 * `max(0, cosine − margin)` for pairs with target -1.
 *
 * @param a - `[…, D]`
 * @param b - The shape and type of `a`.
 * @param target - int32 `[…]`, each 1 or -1.
 * @param options - `margin`: from -1 to 1, default 0. `reduction`: default `"mean"`.
 * @returns One number `[]`, or `[…]` for the reduction `"none"`.
 * @throws {ShapeError} If the shapes do not fit.
 * @throws {ArgumentError} If the vectors are not float32 or float64, the target is not int32, or an option is unknown.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { cosineEmbeddingLoss } from "@qkv/tensor/losses";
 *
 * const target = tensor([1, -1], { dtype: "int32" });
 * const [a, b] = [tensor([[1, 0], [1, 0]]), tensor([[0, 1], [2, 0]])];
 * cosineEmbeddingLoss(a, b, target, { margin: 0.5, reduction: "none" }).toNested(); // => [1, 0.5]
 * ```
 */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options?: LossOptions & { margin?: number },
): Tensor {
  const fn = "cosineEmbeddingLoss";
  const { margin = 0, reduction } = checkOptions(fn, options, ["margin", "reduction"]);
  checks(fn).finite({ margin }, { min: -1, max: 1 });
  checkSameShape(fn, { a }, { b });
  // As in PyTorch, eps avoids the norm of a zero vector, where it has no derivative.
  const axis = normalizeAxis(fn, -1, a.shape.length);
  const product = (x: Tensor, y: Tensor) => sum(mul(x, y), { axis });
  const [overA, overB] = [a, b].map((x) => rsqrt(add(product(x, x), 1e-12))) as [Tensor, Tensor];
  const cosine = mul(mul(product(a, b), overA), overB);
  const because = "a sign for each pair of vectors, which lie along the last axis";
  const fix = "give 1 for what belongs together and -1 for the rest.";
  checkFits(
    fn,
    "target",
    checkTensor(fn, "target", target),
    { dtype: "int32", shape: cosine.shape },
    because,
    fix,
  );
  const losses = where(equal(target, 1), sub(1, cosine), relu(sub(cosine, margin)));
  return reduceLosses(fn, losses, reduction);
}
