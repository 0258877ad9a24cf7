import { add, checkGradient, mul, randn, slice, square, stack, sum, tensor, zeros } from "@qkv/tensor";
import { rfft } from "@qkv/tensor/fft";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { stft } from "./stft.js";
import { windowFunction } from "./window-function.js";

const dtype = "float64";
const tolerance = { rtol: 0, atol: 1e-10 };

test("property: the last frame equals the FFT of its samples times the window", () => {
  const sizes = fc.record({
    fftLength: fc.integer({ min: 2, max: 24 }),
    hopLength: fc.integer({ min: 1, max: 30 }),
    extra: fc.integer({ min: 0, max: 40 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(sizes, ({ fftLength, hopLength, extra, seed }) => {
      const x = randn([fftLength + extra], { seed, dtype });
      const { real, imag } = stft(x, { fftLength, hopLength, center: false });
      const frames = 1 + Math.floor(extra / hopLength);
      expect(real.shape).toEqual([Math.floor(fftLength / 2) + 1, frames]);
      const last = (frames - 1) * hopLength;
      const window = windowFunction("hann", fftLength, { dtype });
      const expected = rfft(mul(slice(x, 0, last, last + fftLength), window));
      for (const [expectedFrame, spectrogram] of [
        [expected.real, real],
        [expected.imag, imag],
      ] as const)
        expect(stack([expectedFrame], 1)).toBeAllclose(slice(spectrogram, 1, frames - 1, frames), tolerance);
    }),
  );
});

test("each waveform of a batch has the same spectrum as by itself", () => {
  const x = randn([2, 3, 50], { seed: 1, dtype });
  const options = { fftLength: 8, hopLength: 3, normalized: true };
  const { real } = stft(x, options);
  const alone = stft(tensor(x.data.slice(4 * 50, 5 * 50)), options);
  expect(real.shape).toEqual([2, 3, 5, 17]);
  expect(alone.real).toBeAllclose(
    tensor(real.data.slice(4 * 5 * 17, 5 * 5 * 17), { shape: [5, 17] }),
    tolerance,
  );
});

test("golden: padding reflects the samples next to the ends, or is zeros", () => {
  const x = tensor([1, 2, 3, 4], { dtype });
  const window = windowFunction("boxcar", 4, { dtype });
  const sums = (padding: "reflect" | "constant") =>
    slice(stft(x, { fftLength: 4, hopLength: 2, window, padding }).real, 0, 0, 1).toNested();
  // Frames: 3 2 1 2, 1 2 3 4, 3 4 3 2; with zeros: 0 0 1 2, 1 2 3 4, 3 4 0 0.
  expect(sums("reflect")).toEqual([[8, 10, 12]]);
  expect(sums("constant")).toEqual([[3, 10, 7]]);
});

test("golden: a window shorter than its frame is centered in it", () => {
  const x = tensor([1, 2, 4, 8, 16], { dtype });
  const window = windowFunction("boxcar", 2, { dtype });
  const { real } = stft(x, { fftLength: 5, hopLength: 1, window, center: false });
  expect(real.data[0]).toBeCloseTo(6, 12); // the second and the third of five
});

test("gradients equal central differences, with overlapping frames and reflected ends", () => {
  const x = randn([13], { seed: 2, dtype });
  const weights = randn([3, 5], { seed: 3, dtype });
  expect(() =>
    checkGradient((z: typeof x) => {
      const { real, imag } = stft(z, { fftLength: 5, hopLength: 3 });
      return sum(mul(weights, add(square(real), mul(real, imag))));
    }, x),
  ).not.toThrow();
});

test("a waveform shorter than a frame, and a window longer than one, are refused", () => {
  expect(() => stft(zeros([3]), { fftLength: 8, hopLength: 2, center: false })).toThrow(
    /^stft: `waveform` has shape \[3\], expected 8 or more samples on the last axis/,
  );
  expect(() => stft(zeros([4]), { fftLength: 8, hopLength: 2 })).toThrow(/expected 5 or more samples/);
  expect(() => stft(zeros([9]), { fftLength: 4, hopLength: 2, window: zeros([5]) })).toThrow(
    /`window` is "float32 \[5\]".*at most fftLength = 4/,
  );
  expect(() => stft(zeros([9], { dtype: "int32" }), { fftLength: 4, hopLength: 2 })).toThrow(
    /`dtype` is "int32"/,
  );
});
