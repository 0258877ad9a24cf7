import { checks, checkSameType, normalizeAxis, refuseShape, sizeOf } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { product } from "./matmul.js";
import { permuteOp } from "./permute.js";
import { reshaped } from "./reshape.js";

/**
 * Contracts two tensors: sums their products over pairs of axes, as a matrix product does over one pair.
 *
 * @param axes - A number of axes, the last ones of `a` and the first ones of `b`; or a list of axes of `a` and one of `b`, in pairs.
 *   Default 2.
 * @returns A tensor with the other axes of `a`, then those of `b`.
 * @throws {ShapeError} If the axes of a pair differ in length.
 *
 * @example
 * ```ts
 * import { ones, tensordot } from "@qkv/tensor";
 *
 * tensordot(ones([2, 3, 4]), ones([3, 4, 5])).shape; // => [2, 5]
 * tensordot(ones([2, 3]), ones([2, 4]), [[0], [0]]).shape; // => [3, 4]
 * ```
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  axes: number | readonly [ofA: readonly number[], ofB: readonly number[]] = 2,
): Tensor {
  const [left, right] = [checkTensor("tensordot", "a", a).shape, checkTensor("tensordot", "b", b).shape];
  checkSameType("tensordot", "b", b.dtype, a.dtype, "a");
  const check = checks("tensordot");
  const fix = "write how many, or two lists such as `[[0, 1], [1, 0]]`.";
  if (typeof axes === "number")
    check.whole({ axes }, { min: 0, max: Math.min(left.length, right.length), fix });
  const isPair = (value: unknown) => {
    if (!Array.isArray(value)) return typeof value === "number";
    const [axesOfA, axesOfB] = value as unknown[];
    return (
      value.length === 2 &&
      Array.isArray(axesOfA) &&
      Array.isArray(axesOfB) &&
      axesOfA.length === axesOfB.length
    );
  };
  check.each({ axes }, isPair, "a number of axes, or two lists of as many", fix);
  const [ofA, ofB] =
    typeof axes === "number"
      ? [
          left.slice(left.length - axes).map((_, i) => left.length - axes + i),
          right.slice(0, axes).map((_, i) => i),
        ]
      : [
          axes[0].map((axis) => normalizeAxis("tensordot", axis, left.length, "axes[0]")),
          axes[1].map((axis) => normalizeAxis("tensordot", axis, right.length, "axes[1]")),
        ];
  const summed = ofA.map((axis) => left[axis]!);
  if (
    new Set(ofA).size !== ofA.length ||
    new Set(ofB).size !== ofB.length ||
    ofB.some((axis, i) => right[axis] !== summed[i])
  )
    refuseShape(
      "tensordot",
      "b",
      right,
      `lengths ${summed.join(", ")} on its axes ${ofB.join(", ")}, each once`,
      fix,
    );
  const rest = (length: number, taken: readonly number[]) =>
    Array.from({ length }, (_, axis) => axis).filter((axis) => !taken.includes(axis));
  const [restA, restB] = [rest(left.length, ofA), rest(right.length, ofB)];
  const [rows, columns] = [restA.map((axis) => left[axis]!), restB.map((axis) => right[axis]!)];
  const first = reshaped(run(permuteOp, [a], { axes: [...restA, ...ofA] }), [sizeOf(rows), sizeOf(summed)]);
  const second = reshaped(run(permuteOp, [b], { axes: [...ofB, ...restB] }), [
    sizeOf(summed),
    sizeOf(columns),
  ]);
  return reshaped(product(first, second), [...rows, ...columns]);
}
