import { neg } from "../ops/neg.js";
import { dft, type Complex } from "./dft.js";
import { complexOutput, complexParts, transformInput, type FftOptions } from "./transform-input.js";

/**
 * The discrete Fourier transform of complex numbers: `Σ x[j] · e^(−2πi jk/n)`.
 *
 * @param x - `real` and `imag`, of one shape.
 * @param options - `n`: default the length of the axis. `axis`: default the last. `norm`: default `"backward"`.
 * @returns `real` and `imag`, with n numbers on the axis.
 * @throws {ShapeError} If the parts differ in shape.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
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
  const input = transformInput("fft", complexParts("fft", x), options, false);
  return complexOutput(dft(input.parts[0]!, input.parts[1]), input);
}

/**
 * The inverse of `fft`: `Σ x[k] · e^(2πi jk/n) / n`.
 *
 * @param x - `real` and `imag`, of one shape.
 * @param options - `n`: default the length of the axis. `axis`: default the last. `norm`: default `"backward"`.
 * @returns `real` and `imag`, with n numbers on the axis.
 * @throws {ShapeError} If the parts differ in shape.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
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
  const input = transformInput("ifft", complexParts("ifft", x), options, true);
  // The conjugate of the transform of the conjugate.
  const forward = dft(input.parts[0]!, neg(input.parts[1]!));
  return complexOutput({ real: forward.real, imag: neg(forward.imag) }, input);
}
