import { checks } from "@qkv/core";
import { checkData, type PictureData } from "./check-data.js";
import { px } from "./picture.js";

/** Cells of about the same weight: their opacity, from 0 to 1, and the path that fills them. */
export type WeightShade = { opacity: number; path: string };

const steps = 8;

/**
 * Weights as a few paths instead of many cells, for maps so small that no single cell can be read: thumbnails of heads.
 * Cells below a sixteenth of `max` are left out.
 *
 * @param weights - `[T, S]`, one head, each 0 or more.
 * @param options - `size`: the side of the whole map in pixels. `max`: the weight in full ink, default 1. `x`, `y`: the
 *   upper left corner, default 0.
 * @throws {ShapeError} If the shape is different.
 * @throws {ArgumentError} If a number is not finite, or a size not above 0.
 *
 * @example
 * ```ts
 * import { weightShades } from "@qkv/viz";
 *
 * weightShades({ data: [1, 0, 0.5, 0.5], shape: [2, 2] }, { size: 2 }).map(({ opacity }) => opacity); // => [0.5, 1]
 * ```
 */
export function weightShades(
  weights: PictureData,
  options: { size: number; max?: number; x?: number; y?: number },
): WeightShade[] {
  const check = checks("weightShades");
  const { size, max = 1, x = 0, y = 0 } = check.options(options, ["size", "max", "x", "y"]);
  check.finite({ size, max }, { above: 0 });
  check.finite({ x, y });
  checkData(check, weights, {
    argument: "weights",
    ranks: [2],
    expected: "[T, S], each axis 1 or more",
    fix: "give the weights of one head.",
  });
  const { data, shape } = weights;
  const [T, S] = shape as [number, number];
  const [width, height] = [size / S, size / T];
  const paths: string[] = new Array(steps + 1).fill("");
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const step = Math.round(Math.min(1, data[t * S + s]! / max) * steps);
      if (step > 0) {
        paths[step] +=
          `M${px(x + s * width)} ${px(y + t * height)}h${px(width)}v${px(height)}h-${px(width)}z`;
      }
    }
  }
  return paths.flatMap((path, step) => (path ? [{ opacity: step / steps, path }] : []));
}
