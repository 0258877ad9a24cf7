import fc from "fast-check";
import { expect, test } from "vitest";
import { melFilterBank } from "./mel-filter-bank.js";
import { hertzToMel, melToHertz, type MelScale } from "./mel-scale.js";

const scales = fc.constantFrom<MelScale>("slaney", "htk", "kaldi");

test("property: melToHertz inverts hertzToMel; 1000 Hz are 15 mels of Slaney and about 1000 of HTK", () => {
  fc.assert(
    fc.property(scales, fc.double({ min: 0, max: 20000, noNaN: true }), (scale, hertz) => {
      expect(melToHertz(hertzToMel(hertz, scale), scale)).toBeCloseTo(hertz, 6);
    }),
  );
  expect(hertzToMel(1000, "slaney")).toBeCloseTo(15, 12);
  expect(hertzToMel(1000, "htk")).toBeCloseTo(999.99, 2);
  // A factor of 6.4 above 1000 Hz adds 27 mels.
  expect(hertzToMel(6400, "slaney")).toBeCloseTo(42, 12);
});

test("property: filters of height 1 sum to 1 between the peaks of the first and the last filter", () => {
  fc.assert(
    fc.property(scales, fc.integer({ min: 2, max: 20 }), fc.boolean(), (melScale, numMels, inMels) => {
      const bank = melFilterBank({
        numBins: 257,
        numMels,
        melScale,
        norm: "none",
        triangularizeInMelSpace: inMels,
        dtype: "float64",
      });
      const rows = bank.toNested() as number[][];
      const peaks = [1, numMels].map((i) =>
        melToHertz((hertzToMel(8000, melScale) * i) / (numMels + 1), melScale),
      );
      rows.forEach((row, bin) => {
        const hertz = (8000 * bin) / 256;
        const sum = row.reduce((a, b) => a + b, 0);
        if (hertz > peaks[0]! && hertz < peaks[1]!) expect(sum).toBeCloseTo(1, 9);
        else expect(sum).toBeLessThanOrEqual(1 + 1e-9);
      });
    }),
  );
});

test("filters with Slaney's norm have area 1", () => {
  // With bins of 0.1 Hz, the sum approximates the integral.
  const bank = melFilterBank({ numBins: 80001, numMels: 8, dtype: "float64" });
  const sums = new Float64Array(8);
  bank.data.forEach((x, i) => (sums[i % 8]! += x * 0.1));
  sums.forEach((sum) => expect(sum).toBeCloseTo(1, 4));
});

test("filters above half the sample rate are refused", () => {
  expect(() => melFilterBank({ numBins: 5, numMels: 2, sampleRate: 8000, maxFrequency: 8000 })).toThrow(
    /^melFilterBank: `maxFrequency` is 8000, expected a finite number of Hz, above 0 and at most 4000/,
  );
  expect(() => melFilterBank({ numBins: 5 } as never)).toThrow(/`numMels` is undefined/);
});
