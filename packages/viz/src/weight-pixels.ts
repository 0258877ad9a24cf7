import { checks } from "@qkv/core";
import { checkData, checkLeast, checkSizes, type PictureData } from "./check-data.js";
import { maskReader, type MaskData } from "./mask-reader.js";
import { dark, light } from "./palette.js";

/** Pixels as `ImageData` needs them, not shared. Written without a type argument, which TypeScript before 5.7 refuses. */
type OwnBytes = ReturnType<typeof Uint8ClampedArray.of>;

/** Pixels as `ImageData` takes them: four bytes each, red, green, blue, opacity. */
export type WeightPixels = { data: OwnBytes; width: number; height: number };

/**
 * Weights as pixels, one for each cell, for maps of thousands of tokens: `new ImageData(p.data, p.width, p.height)` into
 * a canvas. From paper (0) to ink (`max`), as in {@link attentionMap}; masked cells are halfway to the color of hatches on
 * every other pixel of a diagonal, and weights below 0 go to gray (`min`).
 *
 * @param weights - `[T, S]`, one head, each 0 or more, unless `min` is given.
 * @param options - `theme`: `light` or `dark`, default `light`. `max`: the weight in full ink. Default: the largest. `min`:
 *   the weight below 0 in full gray. Default: weights below 0 are refused. `mask`: the keys that a query sees, in a shape that
 *   broadcasts to `[T, S]`. Default: a weight of exactly 0 counts as masked.
 * @throws {ShapeError} If the shape is different, or that of `mask` does not broadcast to it.
 * @throws {ArgumentError} If a number is not finite, or negative without `min`.
 *
 * @example
 * ```ts
 * import { weightPixels } from "@qkv/viz";
 *
 * const { data, width } = weightPixels({ data: [1, 0.5], shape: [1, 2] });
 * width; // => 2
 * [...data.slice(0, 4)]; // => [55, 37, 122, 255]
 * ```
 */
export function weightPixels(
  weights: PictureData,
  options: { theme?: "light" | "dark"; max?: number; min?: number; mask?: MaskData } = {},
): WeightPixels {
  const check = checks("weightPixels");
  checkData(check, weights, {
    argument: "weights",
    ranks: [2],
    expected: "[T, S], each axis 1 or more",
    fix: "give the weights of one head.",
  });
  const {
    theme: name = "light",
    max: givenMax,
    min,
    mask,
  } = check.options(options, ["theme", "max", "min", "mask"]);
  check.oneOf({ theme: name }, ["light", "dark"]);
  checkSizes(check, { max: givenMax });
  checkLeast(check, min);
  const { data } = weights;
  const [T, S] = weights.shape as [number, number];
  const masked = maskReader(check, weights, mask);
  const theme = name === "dark" ? dark : light;
  const [paper, ink, hatch, gray] = [theme.paper, theme.weight, theme.hatch, theme.cost].map(bytes);
  let max = givenMax ?? 0;
  if (givenMax === undefined) for (let i = 0; i < T * S; i++) max = Math.max(max, data[i]!);
  const fix = "pass weights, which come after softmax, or give `min` for those that a state implies.";
  const pixels = new Uint8ClampedArray(T * S * 4);
  for (let i = 0; i < T * S; i++) {
    const weight = data[i]!;
    const isMasked = masked(i);
    const onLine = isMasked && (Math.floor(i / S) + (i % S)) % 4 === 0;
    if (weight < 0 && min === undefined)
      check.each({ [`weights.data[${i}]`]: weight }, () => false, "a weight of 0 or more", fix);
    const full = weight < 0 ? min! : max || 1;
    const share = isMasked ? (onLine ? 0.5 : 0) : Math.min(1, weight / full);
    const color = onLine ? hatch : weight < 0 ? gray : ink;
    for (let c = 0; c < 3; c++) {
      pixels[4 * i + c] = paper![c]! + share * (color![c]! - paper![c]!);
    }
    pixels[4 * i + 3] = 255;
  }
  return { data: pixels, width: S, height: T };
}

const bytes = (hex: string) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
