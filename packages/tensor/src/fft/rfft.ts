import { run } from "../op.js";
import { concat } from "../ops/concat.js";
import { flip } from "../ops/flip.js";
import { neg } from "../ops/neg.js";
import { sliceOp } from "../ops/slice-and-pad.js";
import type { Tensor } from "../tensor.js";
import { dft, type Complex } from "./dft.js";
import {
  complexOutput,
  complexParts,
  transformInput,
  transformOutput,
  type FftOptions,
} from "./transform-input.js";

const sliceLast = (x: Tensor, start: number, end: number): Tensor =>
  run(sliceOp, [x], { axis: x.shape.length - 1, start, end });

/**
 * The discrete Fourier transform of real numbers: the first `⌊n / 2⌋ + 1` numbers of the result, where `⌊ ⌋` rounds
 * down. The others are the conjugates of these in reverse order. The magnitudes of a spectrogram are
 * `sqrt(add(square(real), square(imag)))`.
 *
 * @param x - Real numbers.
 * @param options - `n`: default the length of the axis. `axis`: default the last. `norm`: default `"backward"`.
 * @returns `real` and `imag`, with `⌊n / 2⌋ + 1` numbers on the axis.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { rfft } from "@qkv/tensor/fft";
 *
 * rfft(tensor([1, 2, 3, 2])).real.toNested(); // => [8, -2, 0]
 * ```
 */
export function rfft(x: Tensor, options?: FftOptions): Complex {
  const input = transformInput("rfft", { x }, options, false);
  const { real, imag } = dft(input.parts[0]!, undefined);
  const half = Math.floor(input.n / 2) + 1;
  return complexOutput({ real: sliceLast(real, 0, half), imag: sliceLast(imag, 0, half) }, input);
}

/**
 * The inverse of `rfft`: real numbers from half of their transform. The imaginary parts of the first number, and for an even n of
 * the last one, are ignored.
 *
 * @param x - `real` and `imag`, of one shape, with `⌊n / 2⌋ + 1` numbers on the axis.
 * @param options - `n`: default 2 · (length of the axis − 1), which is even. `axis`: default the last. `norm`: default
 *   `"backward"`.
 * @returns n real numbers on the axis.
 * @throws {ShapeError} If the parts differ in shape.
 * @throws {ArgumentError} If the numbers are not float32 or float64, or an option is unknown.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { irfft } from "@qkv/tensor/fft";
 *
 * irfft({ real: tensor([8, -2, 0]), imag: zeros([3]) }).toNested(); // => [1, 2, 3, 2]
 * ```
 */
export function irfft(x: Complex, options?: FftOptions): Tensor {
  const defaultLength = (length: number) => Math.max(1, 2 * (length - 1));
  const inputLength = (n: number) => Math.floor(n / 2) + 1;
  const input = transformInput("irfft", complexParts("irfft", x), options, true, defaultLength, inputLength);
  const [first, second] = input.parts as [Tensor, Tensor];
  // The second half is the conjugate of the first, reversed.
  const reversed = (x: Tensor) => flip(sliceLast(x, 1, Math.ceil(input.n / 2)), -1);
  const full = {
    real: concat([first, reversed(first)], -1),
    imag: concat([second, neg(reversed(second))], -1),
  };
  return transformOutput(dft(full.real, neg(full.imag)).real, input);
}
