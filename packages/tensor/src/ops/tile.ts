import { checkIntegers, refuse } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { broadcastTo } from "./broadcast-to.js";
import { reshape } from "./reshape.js";

/**
 * Repeats a tensor along each axis, as numpy's `tile` and PyTorch's `Tensor.repeat`.
 *
 * @param repetitions - Repetitions along each axis, matched from the right; missing ones are 1.
 *
 * @example
 * ```ts
 * import { tensor, tile } from "@qkv/tensor";
 *
 * tile(tensor([1, 2]), [2]).toNested(); // => [1, 2, 1, 2]
 * tile(tensor([1, 2]), [2, 1]).toNested(); // => [[1, 2], [1, 2]]
 * ```
 */
export function tile(x: Tensor, repetitions: readonly number[]): Tensor {
  const { shape } = checkTensor("tile", "x", x);
  checkIntegers("tile", "repetitions", repetitions);
  if (!repetitions.every((times) => Number.isInteger(times) && times >= 0)) {
    refuse(
      "tile",
      "repetitions",
      repetitions.join(", "),
      "integers, 0 or more",
      "say how often along each axis, such as [2, 1].",
    );
  }
  const rank = Math.max(shape.length, repetitions.length);
  const ones = (list: readonly number[]) => [...new Array<number>(rank - list.length).fill(1), ...list];
  const [lengths, times] = [ones(shape), ones(repetitions)];
  // Each axis becomes two: repetitions and length.
  const apart = reshape(
    x,
    lengths.flatMap((length) => [1, length]),
  );
  const repeated = broadcastTo(
    apart,
    lengths.flatMap((length, axis) => [times[axis]!, length]),
  );
  return reshape(
    repeated,
    lengths.map((length, axis) => times[axis]! * length),
  );
}
