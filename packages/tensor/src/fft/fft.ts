import { neg } from "../ops/neg.js";
import { dft, type Complex } from "./dft.js";
import { lineOf, partsOf, settledBoth, type FftOptions } from "./line.js";

/**
 * The discrete Fourier transform of complex numbers: `Σ x[j] · e^(−2πi jk/n)`.
 *
 * @param x - `real` and `imag`, of one shape.
 * @param options - `n`: default the length of the axis. `axis`: default the last. `norm`: default `"backward"`.
 * @returns `real` and `imag`, with n numbers on the axis.
 * @throws {ShapeError} If the parts differ in shape.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is not known.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { fft } from "@qkv/tensor/fft";
 *
 * fft({ real: tensor([1, 2]), imag: zeros([2]) }).real.toNested(); // => [3, -1]
 * ```
 */
export function fft(x: Complex, options?: FftOptions): Complex {
  const line = lineOf("fft", partsOf("fft", x), options, false);
  return settledBoth(dft(line.parts[0]!, line.parts[1]), line);
}

/**
 * The inverse of `fft`: `Σ x[k] · e^(2πi jk/n) / n`.
 *
 * @param x - `real` and `imag`, of one shape.
 * @param options - `n`: default the length of the axis. `axis`: default the last. `norm`: default `"backward"`.
 * @returns `real` and `imag`, with n numbers on the axis.
 * @throws {ShapeError} If the parts differ in shape.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is not known.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { ifft } from "@qkv/tensor/fft";
 *
 * ifft({ real: tensor([3, -1]), imag: zeros([2]) }).real.toNested(); // => [1, 2]
 * ```
 */
export function ifft(x: Complex, options?: FftOptions): Complex {
  const line = lineOf("ifft", partsOf("ifft", x), options, true);
  // The conjugate of the transform of the conjugate.
  const forward = dft(line.parts[0]!, neg(line.parts[1]!));
  return settledBoth({ real: forward.real, imag: neg(forward.imag) }, line);
}
