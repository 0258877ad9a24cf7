import { expect, test } from "vitest";
import { forwardQuantity, tolerance } from "./tolerance.js";

test("one float16 tensor makes a float16 case; otherwise the reference's dtype decides", () => {
  expect(forwardQuantity("float32", ["float32", "int64"])).toBe("forward float32");
  expect(forwardQuantity("float32", ["float16"])).toBe("forward float16");
  expect(forwardQuantity("float64", ["float64"])).toBe("forward float64");
  expect(forwardQuantity("float32", ["float64"])).toBe("forward float32");
});

test("the limits equal those in the data's README", () => {
  const host = (quantity: Parameters<typeof tolerance>[0]) => tolerance(quantity, "host");
  const gpu = (quantity: Parameters<typeof tolerance>[0]) => tolerance(quantity, "gpu");
  expect([host("forward float32"), gpu("forward float32")]).toEqual([2e-5, 1e-4]);
  expect([host("forward float64"), gpu("forward float64")]).toEqual([1e-9, 1e-9]);
  expect([host("forward float16"), gpu("forward float16")]).toEqual([4e-3, 4e-3]);
  expect([host("gradient"), gpu("gradient")]).toEqual([5e-5, 2e-4]);
  expect([host("logits"), gpu("logits")]).toEqual([1e-4, 1e-3]);
  expect([host("embedding"), gpu("embedding")]).toEqual([1e-5, 1e-4]);
  expect([host("audio features"), gpu("audio features")]).toEqual([1e-4, 1e-4]);
});
