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

/** Up to this length a transform is one matrix product. */
const longestProduct = 32;

/**
 * The discrete Fourier transform along the last axis, `Σ x[j] · e^(−2πi jk/n)`, of real numbers where `imag` is left out: by
 * Cooley and Tukey's factors (1965) down to short ones, which are matrix products. So it runs, and has its gradient, on every
 * device; a length that is a large prime costs its square.
 */
export function dft(real: Tensor, imag: Tensor | undefined): Complex {
  const n = real.shape.at(-1)!;
  const p = n <= longestProduct ? n : largestFactor(n);
  if (p === n) return timesMatrix(real, imag, n);
  const m = n / p;
  // x[p · j1 + j0] as [j0, j1]: transforms of the length m, each times e^(−2πi j0 k1 / n) then joined over j0.
  const apart = (x: Tensor) => swapped(reshaped(x, [...x.shape.slice(0, -1), m, p]));
  const inner = dft(apart(real), imag && apart(imag));
  const twiddle = waves(p, m, n, real);
  const twisted = {
    real: sub(mul(inner.real, twiddle.real), mul(inner.imag, twiddle.imag)),
    imag: add(mul(inner.real, twiddle.imag), mul(inner.imag, twiddle.real)),
  };
  const joined = timesMatrix(swapped(twisted.real), swapped(twisted.imag), p);
  // [k1, k0], and k is m · k0 + k1.
  const whole = (x: Tensor) => reshaped(swapped(x), real.shape);
  return { real: whole(joined.real), imag: whole(joined.imag) };
}

/** Rows times the matrix of a transform. */
function timesMatrix(real: Tensor, imag: Tensor | undefined, n: number): Complex {
  const matrix = waves(n, n, n, real);
  const rows = (x: Tensor, side: Tensor) =>
    reshaped(product(reshaped(x, [sizeOf(x.shape) / n, n]), side), x.shape);
  if (!imag) return { real: rows(real, matrix.real), imag: rows(real, matrix.imag) };
  return {
    real: sub(rows(real, matrix.real), rows(imag, matrix.imag)),
    imag: add(rows(real, matrix.imag), rows(imag, matrix.real)),
  };
}

/** `e^(−2πi jk/n)` for j below `rows` and k below `columns`. */
function waves(rows: number, columns: number, n: number, like: Tensor): Complex {
  const part = (of: (angle: number) => number): Tensor => {
    const make = (_: unknown, at: number) =>
      // The product modulo n: a small angle keeps its digits.
      of((-2 * Math.PI * ((Math.floor(at / columns) * (at % columns)) % n)) / n);
    const length = rows * columns;
    const array =
      like.dtype === "float64" ? Float64Array.from({ length }, make) : Float32Array.from({ length }, make);
    return tensorLike(array, [rows, columns], like.dtype, like);
  };
  return { real: part(Math.cos), imag: part(Math.sin) };
}

/** The largest factor that is short, or the smallest of all. */
function largestFactor(n: number): number {
  for (let p = longestProduct; p > 1; p--) if (n % p === 0) return p;
  for (let p = longestProduct + 1; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}

function swapped(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  const axes = x.shape.map((_, axis) => (axis === last ? last - 1 : axis === last - 1 ? last : axis));
  return run(permuteOp, [x], { axes });
}
