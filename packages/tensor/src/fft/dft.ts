import { sizeOf } from "@qkv/core";
import { run } from "../op.js";
import { add } from "../ops/add.js";
import { product } from "../ops/matmul.js";
import { mul } from "../ops/mul.js";
import { permuteOp } from "../ops/permute.js";
import { reshaped } from "../ops/reshape.js";
import { sub } from "../ops/sub.js";
import { tensorLike } from "../tensor-like.js";
import type { Tensor } from "../tensor.js";

/** Complex numbers: their real and their imaginary parts, of one shape. */
export type Complex = { real: Tensor; imag: Tensor };

/** Largest length of a transform that is computed as a matrix product. */
const maxProductLength = 32;

/**
 * The discrete Fourier transform along the last axis, `Σ x[j] · e^(−2πi jk/n)`; the input is real if `imag` is undefined. Cooley and
 * Tukey's algorithm (1965) factors the length down to short transforms, which are matrix products, so it runs on every device and
 * has a gradient. A prime length n takes O(n²).
 */
export function dft(real: Tensor, imag: Tensor | undefined): Complex {
  const n = real.shape.at(-1)!;
  const p = n <= maxProductLength ? n : largestFactor(n);
  if (p === n) return timesMatrix(real, imag, n);
  const m = n / p;
  // x[p · j1 + j0] as [j0, j1]: transforms of length m, multiplied by the twiddle factors e^(−2πi j0 k1 / n), then transforms over j0.
  const apart = (x: Tensor) => swapped(reshaped(x, [...x.shape.slice(0, -1), m, p]));
  const inner = dft(apart(real), imag && apart(imag));
  const twiddle = transformMatrix(p, m, n, real);
  const twisted = {
    real: sub(mul(inner.real, twiddle.real), mul(inner.imag, twiddle.imag)),
    imag: add(mul(inner.real, twiddle.imag), mul(inner.imag, twiddle.real)),
  };
  const joined = timesMatrix(swapped(twisted.real), swapped(twisted.imag), p);
  // The result is [k1, k0], with k = m · k0 + k1.
  const whole = (x: Tensor) => reshaped(swapped(x), real.shape);
  return { real: whole(joined.real), imag: whole(joined.imag) };
}

/** A transform as a product of rows and the matrix of the transform. */
function timesMatrix(real: Tensor, imag: Tensor | undefined, n: number): Complex {
  const matrix = transformMatrix(n, n, n, real);
  const rows = (x: Tensor, side: Tensor) =>
    reshaped(product(reshaped(x, [sizeOf(x.shape) / n, n]), side), x.shape);
  if (!imag) return { real: rows(real, matrix.real), imag: rows(real, matrix.imag) };
  return {
    real: sub(rows(real, matrix.real), rows(imag, matrix.imag)),
    imag: add(rows(real, matrix.imag), rows(imag, matrix.real)),
  };
}

/** The matrix `e^(−2πi jk/n)` for j < `rows` and k < `columns`. */
function transformMatrix(rows: number, columns: number, n: number, like: Tensor): Complex {
  const part = (of: (angle: number) => number): Tensor => {
    const make = (_: unknown, at: number) =>
      // jk modulo n, because small angles are more accurate.
      of((-2 * Math.PI * ((Math.floor(at / columns) * (at % columns)) % n)) / n);
    const length = rows * columns;
    const array =
      like.dtype === "float64" ? Float64Array.from({ length }, make) : Float32Array.from({ length }, make);
    return tensorLike(array, [rows, columns], like.dtype, like);
  };
  return { real: part(Math.cos), imag: part(Math.sin) };
}

/** The largest factor of n up to {@link maxProductLength}, or else the smallest factor. */
function largestFactor(n: number): number {
  for (let p = maxProductLength; p > 1; p--) if (n % p === 0) return p;
  for (let p = maxProductLength + 1; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}

function swapped(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  const axes = x.shape.map((_, axis) => (axis === last ? last - 1 : axis === last - 1 ? last : axis));
  return run(permuteOp, [x], { axes });
}
