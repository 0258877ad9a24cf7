import { ShapeError, type Checks } from "@qkv/core";
import { checkData, type Accepts, type PictureData } from "./check-data.js";

/** Limit that keeps the SVG below a few megabytes. Elements draw larger maps as pixels. */
export const maxCells = 100_000;

/** Limits of the weights of a picture. */
type WeightLimits = Partial<Pick<Accepts, "ranks" | "expected" | "fix">> & {
  /** The weight in full gray. Default: weights are 0 or more. */
  min?: number | undefined;
  /** Cells at most. Default {@link maxCells}. */
  limit?: number;
};
const mapShapes = {
  ranks: [2, 4],
  expected: "[T, S] or [B, H, T, S], each axis 1 or more",
};

/**
 * Checks the weights of a public function and reads their numbers once: `data` of a tensor that is a view copies at each read.
 *
 * @throws {ShapeError} If they are not `[T, S]` or `[B, H, T, S]`.
 * @throws {ShapeError} If there are too many.
 * @throws {ArgumentError} If one is not finite, or negative where no `min` is given.
 */
export function checkWeights(
  check: Checks,
  weights: PictureData,
  { ranks, expected, fix, min, limit = maxCells }: WeightLimits = {},
): {
  data: ArrayLike<number>;
  B: number;
  H: number;
  T: number;
  S: number;
} {
  checkData(check, weights, {
    argument: "weights",
    ranks: ranks ?? mapShapes.ranks,
    expected: expected ?? mapShapes.expected,
    fix: fix ?? "pass the weights as attentionWeights returns them, or one head of them.",
  });
  const { data } = weights;
  const [B, H, T, S] = (weights.shape.length === 4 ? weights.shape : [1, 1, ...weights.shape]) as [
    number,
    number,
    number,
    number,
  ];
  if (B * H * T * S > limit) {
    const fix = "draw one head, or a range of the queries and keys.";
    const expected = `${limit} cells or fewer`;
    check.refuse({ argument: "weights", received: weights.shape, expected, fix }, ShapeError);
  }
  if (min !== undefined) return { data, B, H, T, S };
  const origin = "pass weights, which come after softmax; scores come before it.";
  for (let i = 0; i < data.length; i++)
    if (data[i]! < 0)
      check.each({ [`weights.data[${i}]`]: data[i] }, () => false, "a weight of 0 or more", origin);
  return { data, B, H, T, S };
}
