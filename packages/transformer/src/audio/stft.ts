import { checkFits, checks } from "@qkv/core";
import { checkTensor, moveAxis, mul, pad, reshape, type Tensor } from "@qkv/tensor";
import { rfft, type Complex } from "@qkv/tensor/fft";
import { frameWaveform } from "./frames.js";
import { windowFunction } from "./window-function.js";

/** Options of {@link stft}. */
export type StftOptions = {
  /** Frame length and FFT length. Unit: samples. */
  fftLength: number;
  /** Distance between frames. Unit: samples. */
  hopLength: number;
  /** `[windowLength]`, at most fftLength; a shorter window is centered in the frame. Default: periodic `hann` of fftLength. */
  window?: Tensor;
  /** True (default): frame i is centered at sample `i · hopLength`. False: it begins there. */
  center?: boolean;
  /** Padding at both ends of centered frames: reflected samples (`reflect`, default) or zeros (`constant`). */
  padding?: "reflect" | "constant";
  /** True: divided by √fftLength. Default false. */
  normalized?: boolean;
};

/**
 * The short-time Fourier transform: the spectrum of each of the overlapping frames of a waveform, as `torch.stft`. The transform
 * and its gradient run on the device of the waveform.
 *
 * @param waveform - `[…, L]`, float32 or float64.
 * @param options - `fftLength` and `hopLength` are required.
 * @returns `real` and `imag`, `[…, fftLength / 2 + 1, frames]`; the power is `add(square(real), square(imag))`.
 * @throws {ShapeError} If the waveform is shorter than a frame, or the window longer.
 * @throws {ArgumentError} If an option is unknown or out of range.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { stft } from "@qkv/transformer/audio";
 *
 * const second = tensor(Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i / 8)));
 * stft(second, { fftLength: 400, hopLength: 160 }).real.shape; // => [201, 101]
 * ```
 */
export function stft(waveform: Tensor, options: StftOptions): Complex {
  const check = checks("stft");
  const { shape, dtype, device } = checkTensor("stft", "waveform", waveform);
  check.oneOf({ dtype }, ["float32", "float64"], 'use `cast(waveform, "float32")`.');
  const {
    fftLength,
    hopLength,
    window,
    center = true,
    padding = "reflect",
    normalized = false,
  } = check.options(options, ["fftLength", "hopLength", "window", "center", "padding", "normalized"]);
  check.whole({ fftLength, hopLength }, { min: 1, unit: "samples" });
  check.type({ center, normalized }, "boolean");
  check.oneOf({ padding }, ["reflect", "constant"]);
  const float = dtype as "float32" | "float64";
  const unpadded = window
    ? checkTensor("stft", "window", window)
    : windowFunction("hann", fftLength, { dtype: float, device });
  const length = Math.min(unpadded.shape[0] ?? 0, fftLength);
  checkFits(
    "stft",
    "window",
    unpadded,
    { dtype, shape: [length] },
    `at most fftLength = ${fftLength}`,
    "make it with `windowFunction`.",
  );
  const before = Math.floor((fftLength - length) / 2);
  const frameWindow = length === fftLength ? unpadded : pad(unpadded, 0, before, fftLength - length - before);
  const frames = frameWaveform("stft", waveform, { frameLength: fftLength, hopLength, center, padding });
  const norm = normalized ? "ortho" : "backward";
  const spectra = rfft(mul(frames, frameWindow), { norm }); // [N, frames, bins]
  const binsFirst = (part: Tensor): Tensor => {
    const [, count, bins] = part.shape as [number, number, number];
    return reshape(moveAxis(part, 1, 2), [...shape.slice(0, -1), bins, count]);
  };
  return { real: binsFirst(spectra.real), imag: binsFirst(spectra.imag) };
}
