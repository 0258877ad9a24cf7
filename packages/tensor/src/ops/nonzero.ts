import { checkTensor } from "../op.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";

/**
 * The indices of all numbers other than 0, in row-major order. Their count depends on the numbers, which are read: on a remote device
 * call `await x.read()` first. It has no gradient.
 *
 * @returns int32, `[count, axes]`: one row of indices for each number.
 *
 * @example
 * ```ts
 * import { nonzero, tensor } from "@qkv/tensor";
 *
 * nonzero(tensor([[0, 5], [7, 0]])).toNested(); // => [[0, 1], [1, 0]]
 * ```
 */
export function nonzero(x: Tensor): Tensor {
  const { shape } = checkTensor("nonzero", "x", x);
  const places: number[] = [];
  x.data.forEach((value, i) => {
    if (value === 0) return;
    let rest = i;
    const place = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    places.push(...place);
  });
  const count = shape.length === 0 ? Number(x.data[0] !== 0) : places.length / shape.length;
  return tensorLike(Int32Array.from(places), [count, shape.length], "int32", x);
}
