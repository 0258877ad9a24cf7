import { checkIntegers, normalizeAxis, refuseShape } from "@qkv/core";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { slice } from "./slice-and-pad.js";

/**
 * Splits a tensor along an axis into views.
 *
 * @param parts - Number of equal parts, as in numpy, or the length of each part.
 * @param axis - Default 0.
 * @throws {ShapeError} If the parts do not add up to the length of the axis.
 *
 * @example
 * ```ts
 * import { arange, split } from "@qkv/tensor";
 *
 * split(arange(6), 2).map((part) => part.toNested()); // => [[0, 1, 2], [3, 4, 5]]
 * split(arange(6), [1, 5]).map((part) => part.toNested()); // => [[0], [1, 2, 3, 4, 5]]
 * ```
 */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const { shape } = checkTensor("split", "x", x);
  const at = normalizeAxis("split", axis, shape.length);
  const whole = shape[at]!;
  if (typeof parts !== "number") checkIntegers("split", "parts", parts);
  const count = typeof parts === "number" ? parts : parts.length;
  const lengths =
    typeof parts !== "number"
      ? parts
      : Number.isInteger(count) && count > 0
        ? Array.from({ length: count }, () => whole / count)
        : [];
  const valid = lengths.every((length) => Number.isInteger(length) && length >= 0);
  if (!valid || lengths.length === 0 || lengths.reduce((sum, length) => sum + length, 0) !== whole) {
    refuseShape(
      "split",
      "parts",
      typeof parts === "number" ? `${parts} equal parts` : `lengths ${parts.join(", ")}`,
      `parts that make up axis ${at}, of length ${whole}`,
      "give a number that divides the length, or lengths whose sum it is.",
    );
  }
  let end = 0;
  return lengths.map((length) => slice(x, at, end, (end += length)));
}
