import { ArgumentError, ShapeError } from "@qkv/core";
import { checkData, type Accepts, type PictureData } from "./check-data.js";

/** More would be a text of megabytes: elements draw them as pixels. */
export const mostCells = 100_000;
const ofMaps = {
  fn: "attentionMap",
  ranks: [2, 4],
  expected: "[T, S] or [B, H, T, S], each axis 1 or more",
};

/**
 * Checks weights at the public door and reads their numbers once: a tensor that is a view copies them each time.
 *
 * @throws {ShapeError} If they are not `[T, S]` or `[B, H, T, S]`.
 * @throws {ShapeError} If there are too many.
 * @throws {ArgumentError} If one is negative or not finite.
 */
export function checkWeights(
  weights: PictureData,
  { fn, ranks, expected }: Pick<Accepts, "fn" | "ranks" | "expected"> = ofMaps,
): {
  data: ArrayLike<number>;
  B: number;
  H: number;
  T: number;
  S: number;
} {
  checkData(weights, {
    fn,
    argument: "weights",
    ranks,
    expected,
    fix: "pass the weights as attentionWeights returns them, or one head of them.",
  });
  const { data } = weights;
  const [B, H, T, S] = (weights.shape.length === 4 ? weights.shape : [1, 1, ...weights.shape]) as [
    number,
    number,
    number,
    number,
  ];
  if (B * H * T * S > mostCells) {
    throw new ShapeError({
      fn,
      argument: "weights",
      received: weights.shape,
      expected: `${mostCells} cells or fewer`,
      fix: "draw one head, or a range of the queries and keys.",
    });
  }
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < 0) {
      throw new ArgumentError({
        fn,
        argument: `weights.data[${i}]`,
        received: data[i],
        expected: "a weight of 0 or more",
        fix: "pass weights, which come after softmax; scores come before it.",
      });
    }
  }
  return { data, B, H, T, S };
}

/** @throws {ArgumentError} If a number of the options is not above 0. */
export function checkPositive(argument: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return;
  throw new ArgumentError({
    fn: "attentionMap",
    argument,
    received: value,
    expected: "a number above 0",
    fix: "leave it out to have it chosen.",
  });
}
