import { expect, test } from "vitest";
import { format } from "./format.js";

test("golden: one line per row with aligned columns, as NumPy prints arrays", () => {
  const data = Float32Array.of(1, -2.5, 30, 0.125);
  expect(format({ data, shape: [2, 2], dtype: "float32" })).toBe("[[    1,  -2.5],\n [   30, 0.125]]");
  expect(format({ data, shape: [2, 1, 2], dtype: "float32" })).toBe(
    "[[[    1,  -2.5]],\n\n [[   30, 0.125]]]",
  );
  expect(format({ data: Float32Array.of(7), shape: [], dtype: "float32" })).toBe("7");
  expect(format({ data: new Float32Array(0), shape: [0], dtype: "float32" })).toBe("[]");
});

test("golden: four decimals, four digits for small numbers, true and false for bools, numbers for 16-bit patterns", () => {
  const data = Float64Array.of(1234.56789, 0.000123456, NaN);
  expect(format({ data, shape: [3], dtype: "float64" })).toBe("[1234.5679, 0.0001235,       NaN]");
  expect(format({ data: Uint8Array.of(1, 0), shape: [2], dtype: "bool" })).toBe("[ true, false]");
  expect(format({ data: Uint16Array.of(0x3e00, 0xc000), shape: [2], dtype: "float16" })).toBe("[1.5,  -2]");
});

test("with more than 1,000 elements, three at each end of a long axis are shown", () => {
  const data = Float32Array.from({ length: 1001 }, (_, i) => i);
  expect(format({ data, shape: [1001], dtype: "float32" })).toBe("[   0,    1,    2, ...,  998,  999, 1000]");
  const few = data.subarray(0, 1000);
  expect(format({ data: few, shape: [1000], dtype: "float32" }).split(",")).toHaveLength(1000);
});
