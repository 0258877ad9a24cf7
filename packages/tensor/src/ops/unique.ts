import { allocateArray } from "@qkv/core";
import { checkTensor } from "../op.js";
import { stableOrder } from "../stable-order.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";

/**
 * The distinct numbers of a tensor, sorted, with their counts and the index of each number of the tensor among them. Their number
 * depends on the data, which is read: on a remote device call `await x.read()` first. Each NaN is distinct, and NaN is last. It has
 * no gradient.
 *
 * @returns `values`, `[count]`, with the dtype of `x`; `inverse`, int32 with the shape of `x`: indices in `values`; `counts`, int32
 *   `[count]`.
 *
 * @example
 * ```ts
 * import { tensor, unique } from "@qkv/tensor";
 *
 * const { values, inverse, counts } = unique(tensor([3, 1, 3]));
 * values.toNested(); // => [1, 3]
 * inverse.toNested(); // => [1, 0, 1]
 * counts.toNested(); // => [1, 2]
 * ```
 */
export function unique(x: Tensor): { values: Tensor; inverse: Tensor; counts: Tensor } {
  const { data, shape, dtype } = checkTensor("unique", "x", x);
  const order = stableOrder(Float64Array.from(data), false);
  const inverse = new Int32Array(data.length);
  const [values, counts]: [number[], number[]] = [[], []];
  for (const at of order) {
    if (values.length === 0 || values.at(-1) !== data[at]) {
      values.push(data[at]!);
      counts.push(0);
    }
    counts[counts.length - 1]! += 1;
    inverse[at] = values.length - 1;
  }
  const different = allocateArray(dtype, values.length, "unique");
  different.set(values);
  return {
    values: tensorLike(different, [values.length], dtype, x),
    inverse: tensorLike(inverse, shape, "int32", x),
    counts: tensorLike(Int32Array.from(counts), [counts.length], "int32", x),
  };
}
