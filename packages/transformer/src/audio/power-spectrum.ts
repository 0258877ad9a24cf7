import { add, square, type Tensor } from "@qkv/tensor";
import { rfft } from "@qkv/tensor/fft";

/** The power spectrum of frames `[…, frameLength]`: `[…, fftLength / 2 + 1]`. Shorter frames get zeros at the end. */
export function powerSpectrum(frames: Tensor, fftLength: number): Tensor {
  const { real, imag } = rfft(frames, { n: fftLength });
  return add(square(real), square(imag));
}
