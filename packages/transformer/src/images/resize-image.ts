import type { RgbImage } from "./raw-image.js";

/** Resampling filters, with the names of Pillow. */
export type Resampling = (typeof resamplings)[number];

/** Resampling filters by Pillow's constant, which configurations contain. */
export const resamplings = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] as const;

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** A filter: the weight of a pixel by its distance from the center, and the support, beyond which it is 0. */
const filters: Readonly<
  Record<Exclude<Resampling, "nearest">, { support: number; weight: (x: number) => number }>
> = {
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys' cubic with a = -0.5.
  bicubic: {
    support: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  hamming: {
    support: 1,
    weight: (x) => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x)) : 0),
  },
};

/** The first source pixel of a result pixel, and the weights from there on, in fixed point with 22 fractional bits. */
type Contribution = { readonly first: number; readonly weights: Int32Array };

/** Fractional bits of the weights, as in Pillow. */
const precision = 22;

/** Contributions to each of `to` pixels. If an axis shrinks, the filter is widened by the same factor (antialiasing). */
function contributions(from: number, to: number, kind: Exclude<Resampling, "nearest">): Contribution[] {
  const { support: filterSupport, weight } = filters[kind];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = filterSupport * stretch;
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, j) =>
      weight((j + first - center + 0.5) / stretch),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    const fixedPoint = (x: number) => Math.trunc(x * 2 ** precision + (x < 0 ? -0.5 : 0.5));
    return { first, weights: Int32Array.from(weights, (x) => fixedPoint(total === 0 ? x : x / total)) };
  });
}

/** Resizes one axis to `to` pixels: weighted sums of pixels along the axis, rounded to bytes. */
function convolve(
  { data, width, height }: RgbImage,
  axis: "width" | "height",
  to: number,
  kind: Exclude<Resampling, "nearest">,
): RgbImage {
  const contributionsAt = contributions(axis === "width" ? width : height, to, kind);
  const result = { width: axis === "width" ? to : width, height: axis === "height" ? to : height };
  const out = new Uint8Array(3 * result.width * result.height);
  const stride = axis === "width" ? 3 : 3 * width;
  const half = 2 ** (precision - 1);
  let at = 0;
  for (let y = 0; y < result.height; y++)
    for (let x = 0; x < result.width; x++) {
      const { first, weights } = contributionsAt[axis === "width" ? x : y]!;
      const start = axis === "width" ? 3 * (y * width + first) : 3 * (first * width + x);
      for (let c = 0; c < 3; c++) {
        let sum = half;
        for (let j = 0; j < weights.length; j++) sum += weights[j]! * data[start + j * stride + c]!;
        out[at++] = Math.min(255, Math.max(0, Math.floor(sum / 2 ** precision)));
      }
    }
  return { data: out, ...result };
}

/**
 * Resizes an image as in Pillow: first the width, then the height, each rounded to bytes, with a filter that is widened
 * when an axis shrinks (antialiasing).
 */
export function resizeImage(
  image: RgbImage,
  { width, height }: { readonly width: number; readonly height: number },
  kind: Resampling,
): RgbImage {
  if (kind === "nearest") return nearest(image, width, height);
  const resizedWidth = width === image.width ? image : convolve(image, "width", width, kind);
  return height === image.height ? resizedWidth : convolve(resizedWidth, "height", height, kind);
}

/**
 * The source pixel of each of `to` pixels. Pillow adds the step of an axis up in float64 rather than multiply it, so that some
 * pixels have the neighbor of the nearest.
 */
function nearestPixels(from: number, to: number): Int32Array {
  const step = from / to;
  let at = step / 2;
  return Int32Array.from({ length: to }, () => {
    const pixel = Math.min(from - 1, Math.trunc(at));
    at += step;
    return pixel;
  });
}

function nearest(image: RgbImage, width: number, height: number): RgbImage {
  const out = new Uint8Array(3 * width * height);
  const [columns, rows] = [nearestPixels(image.width, width), nearestPixels(image.height, height)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = rows[y]! * image.width + columns[x]!;
      out.set(image.data.subarray(3 * from, 3 * from + 3), 3 * (y * width + x));
    }
  return { data: out, width, height };
}
