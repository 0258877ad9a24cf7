import fc from "fast-check";
import { expect, test } from "vitest";
import { windowFunction } from "./window-function.js";

const dtype = "float64";

test("property: periodic Hann windows that overlap by half sum to 1", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (half) => {
      const window = windowFunction("hann", 2 * half, { dtype }).data;
      for (let i = 0; i < half; i++) expect(window[i]! + window[i + half]!).toBeCloseTo(1, 12);
    }),
  );
});

test("property: a symmetric window equals its reverse, and a periodic one is a symmetric one of one more sample without the last", () => {
  const name = fc.constantFrom("hann" as const, "hamming" as const, "povey" as const, "boxcar" as const);
  fc.assert(
    fc.property(name, fc.integer({ min: 2, max: 100 }), (name, length) => {
      const symmetric = [...windowFunction(name, length, { periodic: false, dtype }).data];
      symmetric.toReversed().forEach((x, i) => expect(x).toBeCloseTo(symmetric[i]!, 12));
      const periodic = [...windowFunction(name, length - 1, { dtype }).data];
      if (length > 2) periodic.forEach((x, i) => expect(x).toBeCloseTo(symmetric[i]!, 12));
    }),
  );
});

test("golden: Hamming begins with 0.08, the second of five samples of Povey is 0.5^0.85, and a window of one sample is 1", () => {
  expect(windowFunction("hamming", 5, { periodic: false }).data[0]).toBeCloseTo(0.08, 6);
  expect(windowFunction("povey", 5, { periodic: false }).data[1]).toBeCloseTo(0.5 ** 0.85, 6);
  expect(windowFunction("hann", 1).toNested()).toEqual([1]);
});

test("unknown windows and windows of 0 samples are refused", () => {
  expect(() => windowFunction("kaiser" as never, 4)).toThrow(/^windowFunction: `name` is "kaiser"/);
  expect(() => windowFunction("hann", 0)).toThrow(/`length` is 0, expected an integer number of samples/);
});
