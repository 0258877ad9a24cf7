import { checkDType, checkFits, checkOptions, checks, type DType } from "@qkv/core";
import { checkTensor } from "../op.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";
import { cast } from "./cast.js";
import { equal } from "./equal.js";
import { reshaped } from "./reshape.js";

/**
 * A one-hot row for each id: 1 at index `id`, 0 elsewhere. An id out of range gives a row of zeros.
 *
 * @param ids - int32 `[…]`
 * @param numClasses - 1 or more.
 * @param options - `dtype`: default float32.
 * @returns `[…, numClasses]`
 * @throws {ArgumentError} If the ids are not int32.
 *
 * @example
 * ```ts
 * import { oneHot, tensor } from "@qkv/tensor";
 *
 * oneHot(tensor([2, 0], { dtype: "int32" }), 3).toNested(); // => [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export function oneHot(ids: Tensor, numClasses: number, options?: { dtype?: DType }): Tensor {
  const { dtype = "float32" } = checkOptions("oneHot", options, ["dtype"]);
  const { shape } = checkTensor("oneHot", "ids", ids);
  const fix = 'make them with `tensor(values, { dtype: "int32" })` or `cast`.';
  checkFits("oneHot", "ids", ids, { dtype: "int32", shape }, "a class for each place", fix);
  checks("oneHot").whole({ numClasses }, { min: 1 });
  checkDType("oneHot", dtype);
  const classes = Int32Array.from({ length: numClasses }, (_, k) => k);
  return cast(equal(reshaped(ids, [...shape, 1]), tensorLike(classes, [numClasses], "int32", ids)), dtype);
}
