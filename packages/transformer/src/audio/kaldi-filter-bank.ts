import {
  concat,
  js,
  log,
  matmul,
  maximum,
  mean,
  mul,
  reshape,
  slice,
  sub,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { frameWaveform } from "./frames.js";
import { melFilterBank } from "./mel-filter-bank.js";
import { powerSpectrum } from "./power-spectrum.js";
import { windowFunction, type WindowName } from "./window-function.js";

/** Options of Kaldi's features. */
export type KaldiOptions = { numMels: number; sampleRate: number; window: WindowName };

// Kaldi's defaults at 16 kHz: frames of 25 ms (400 samples) every 10 ms (160 samples).
const frameLength = 400;
const hopLength = 160;
const fftLength = 512;
const preemphasis = 0.97;
/** The distance from 1 to the next float32: Kaldi's floor before the logarithm. */
const floor = 2 ** -23;

/**
 * Kaldi's log mel filter bank features: the mean of each frame is subtracted, preemphasis is applied, and the window is
 * symmetric. Computed in float64.
 *
 * @returns `[frames, numMels]`
 */
export function kaldiFilterBank(fn: string, waveform: Float64Array, options: KaldiOptions): Tensor {
  const { numMels, sampleRate, window } = options;
  const dtype = "float64";
  return js().scope(() => {
    const framing = { frameLength, hopLength, center: false, padding: "constant" } as const;
    const frames = frameWaveform(fn, tensor(waveform, { dtype }), framing); // [1, F, frameLength]
    const centred = sub(frames, mean(frames, { axis: 2, keepDims: true }));
    // The predecessor of the first sample of a frame is that sample itself.
    const before = concat([slice(centred, 2, 0, 1), slice(centred, 2, 0, -1)], 2);
    const emphasized = sub(centred, mul(before, preemphasis));
    const windowed = mul(emphasized, windowFunction(window, frameLength, { periodic: false, dtype }));
    const numBins = fftLength / 2 + 1;
    const bank = melFilterBank({
      numBins,
      numMels,
      sampleRate,
      minFrequency: 20,
      melScale: "kaldi",
      norm: "none",
      triangularizeInMelSpace: true,
      dtype,
    });
    const power = reshape(powerSpectrum(windowed, fftLength), [frames.shape[1]!, numBins]);
    return log(maximum(matmul(power, bank), floor));
  });
}
