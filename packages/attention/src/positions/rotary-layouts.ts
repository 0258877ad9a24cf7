import { checks, ShapeError } from "@qkv/core";
import { checkTensor, take, tensor, type Tensor } from "@qkv/tensor";
import { checkRotary } from "./rotate-by-position.js";

/** Heads in the rows of a projection. */
export type RotaryHeads = {
  /** D, the size of one head. */
  headDim: number;
  /** Number of rotated numbers of a head. Default: all. */
  rotaryDim?: number;
};

/**
 * Rearranges the rows of a query or key projection trained with `interleaved` pairs (Meta's Llama, GPT-J) for `rope({
 * layout: "half" })`. Scores stay the same; value and output projections need no change.
 *
 * @param weight - `[H · D, …]`: the matrix `[H · D, C]`, or its bias `[H · D]`.
 * @throws {ShapeError} If the rows do not divide into heads.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { interleavedToHalf } from "@qkv/attention";
 *
 * interleavedToHalf(tensor([0, 1, 2, 3]), { headDim: 4 }).toNested(); // => [0, 2, 1, 3]
 * ```
 */
export function interleavedToHalf(weight: Tensor, heads: RotaryHeads): Tensor {
  return moveRows("interleavedToHalf", weight, heads, (row, r) =>
    row < r / 2 ? 2 * row : 2 * (row - r / 2) + 1,
  );
}

/**
 * Rearranges the rows of a query or key projection trained with `half` pairs (Llama checkpoints of Hugging Face,
 * GPT-NeoX) for `rope({ layout: "interleaved" })`. Scores stay the same; value and output projections need no change.
 *
 * @param weight - `[H · D, …]`: the matrix `[H · D, C]`, or its bias `[H · D]`.
 * @throws {ShapeError} If the rows do not divide into heads.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { halfToInterleaved } from "@qkv/attention";
 *
 * halfToInterleaved(tensor([0, 1, 2, 3]), { headDim: 4 }).toNested(); // => [0, 2, 1, 3]
 * halfToInterleaved(tensor([0, 1, 2, 3, 4, 5]), { headDim: 6 }).toNested(); // => [0, 3, 1, 4, 2, 5]
 * ```
 */
export function halfToInterleaved(weight: Tensor, heads: RotaryHeads): Tensor {
  return moveRows("halfToInterleaved", weight, heads, (row, r) =>
    row % 2 === 0 ? row / 2 : (row - 1) / 2 + r / 2,
  );
}

/** Takes each row of each head from where `from` says; rows that are not rotated stay. */
function moveRows(
  fn: string,
  weight: Tensor,
  heads: RotaryHeads,
  from: (row: number, rotaryDim: number) => number,
): Tensor {
  const check = checks(fn);
  const { headDim, rotaryDim = headDim } = check.options(heads, ["headDim", "rotaryDim"], "heads");
  checkRotary(fn, headDim, rotaryDim, 1);
  const rows = checkTensor(fn, "weight", weight).shape[0];
  if (rows === undefined || headDim === 0 || rows % headDim !== 0) {
    const expected = `[H · ${headDim}, …], as headDim is ${headDim}`;
    const fix = "give the projection of queries or keys, whose rows are heads one after the other.";
    return check.refuse({ argument: "weight", received: weight.shape, expected, fix }, ShapeError);
  }
  const places = Array.from({ length: rows }, (_, n) => {
    const row = n % headDim;
    return n - row + (row < rotaryDim ? from(row, rotaryDim) : row);
  });
  return take(weight, 0, tensor(places, { dtype: "int32", device: weight.device }));
}
