import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { js } from "../js-device.js";
import { linear } from "../ops/linear.js";
import { matmul } from "../ops/matmul.js";
import { reshape } from "../ops/reshape.js";
import { sum } from "../ops/sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { dequantizeWeight } from "./dequantize-weight.js";
import { quantizeWeight } from "./quantize-weight.js";
import { quantizedLinear } from "./quantized-linear.js";
import { isQuantized } from "./quantized-weight.js";

const size = fc.integer({ min: 1, max: 70 });

test("property: the rounding error of a quantized number is at most half of its scale", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), fc.constantFrom(4, 8), (outputs, inputs, seed, bits) => {
      const weight = randn([outputs, inputs], { seed });
      const quantized = quantizeWeight(weight, { bits: bits as 4 | 8 });
      const again = dequantizeWeight(quantized, inputs);
      expect(again.shape).toEqual([outputs, inputs]);
      const groups = quantized.scale.shape[1]!;
      again.data.forEach((value, i) => {
        const group = bits === 8 ? 0 : Math.floor((i % inputs) / 32);
        const scale = quantized.scale.data[Math.floor(i / inputs) * groups + group]!;
        expect(Math.abs(value - weight.data[i]!)).toBeLessThanOrEqual(scale * 0.5001);
      });
    }),
    { numRuns: 30 },
  );
});

test("property: quantizedLinear equals linear with the dequantized weight", () => {
  fc.assert(
    fc.property(size, size, size, fc.nat(1e6), fc.constantFrom(4, 8), (M, outputs, inputs, seed, bits) => {
      const quantized = quantizeWeight(randn([outputs, inputs], { seed }), { bits: bits as 4 | 8 });
      const [x, bias] = [randn([M, inputs], { seed: seed + 1 }), randn([outputs], { seed: seed + 2 })];
      const expected = linear(x, dequantizeWeight(quantized, inputs), bias).data;
      expect(quantizedLinear(x, quantized, bias).data).toBeAllclose(expected, { rtol: 0, atol: 5e-5 });
    }),
    { numRuns: 20 },
  );
});

test("property: int8 activations are rounded to the nearest of 127 levels per sign, and zeros stay zeros", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), (outputs, inputs, seed) => {
      const quantized = quantizeWeight(randn([outputs, inputs], { seed }));
      const x = randn([3, inputs], { seed: seed + 1 });
      const float = quantizedLinear(x, quantized).data;
      const weight = dequantizeWeight(quantized, inputs).data;
      quantizedLinear(x, quantized, undefined, { activations: "int8" }).data.forEach((y, i) => {
        const at = Math.floor(i / outputs) * inputs;
        const row = [...x.data].slice(at, at + inputs);
        const step = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 63;
        let bound = 0;
        for (let k = 0; k < inputs; k++) bound += (step / 2) * Math.abs(weight[(i % outputs) * inputs + k]!);
        expect(Math.abs(y - float[i]!)).toBeLessThanOrEqual(bound * 1.001 + 1e-5);
      });
    }),
    { numRuns: 20 },
  );
  const quantized = quantizeWeight(randn([4, 8], { seed: 1 }));
  expect(quantizedLinear(zeros([1, 8]), quantized, undefined, { activations: "int8" }).toNested()).toEqual([
    [0, 0, 0, 0],
  ]);
});

test("golden: the layout of panels, by hand", () => {
  // 9 outputs make two panels; output 8 is row 0 of the second. Five inputs make two steps of four.
  const weight = reshape(tensor(Array.from({ length: 45 }, (_, i) => (i === 44 ? 127 : 0))), [9, 5]);
  const { data, scale } = quantizeWeight(weight);
  expect(data.shape).toEqual([2, 2, 8, 4]);
  expect([...data.data].indexOf(127)).toBe(((1 * 2 + 1) * 8 + 0) * 4 + 0);
  expect(scale.data[8]).toBe(1);
  // Input 4 of 4 bits lies in the upper half of byte 0, 8 more than itself; zeros are 8 in both halves.
  const small = quantizeWeight(tensor([[0, 0, 0, 0, 7]]), { bits: 4 });
  expect(small.data.shape).toEqual([1, 4, 8, 4]);
  expect([small.data.data[0], small.data.data[1]]).toEqual([0xf8, 0x88]);
});

test("8 bits take a quarter of the bytes of float32, and 4 bits an eighth, plus scales", () => {
  const weight = randn([64, 256], { seed: 1 });
  const bytes = ({ data, scale }: { data: Tensor; scale: Tensor }) =>
    data.data.byteLength + scale.data.byteLength;
  expect(bytes(quantizeWeight(weight))).toBe(64 * 256 + 64 * 4);
  expect(bytes(quantizeWeight(weight, { bits: 4 }))).toBe((64 * 256) / 2 + 64 * 8 * 4);
});

test("the gradient of x uses the dequantized weight", () => {
  const quantized = quantizeWeight(randn([5, 6], { seed: 1 }));
  const x = randn([2, 6], { seed: 2 });
  const expected = matmul(
    tensor(new Array<number>(10).fill(1), { shape: [2, 5] }),
    dequantizeWeight(quantized, 6),
  );
  expect(grad((x: Tensor) => sum(quantizedLinear(x, quantized)))(x).data).toBeAllclose(expected.data, {
    rtol: 0,
    atol: 5e-6,
  });
});

test("invalid arguments are refused, with the fix", () => {
  const weight = randn([4, 6], { seed: 1 });
  const quantized = quantizeWeight(weight);
  expect([isQuantized(quantized), isQuantized(weight), isQuantized(undefined)]).toEqual([true, false, false]);
  expect(() => quantizeWeight(weight, { bits: 3 as 4 })).toThrow(/`bits` is 3, expected 4 or 8/);
  expect(() => quantizeWeight(reshape(weight, [24]))).toThrow(
    /`weight` has shape \[24\], expected \[out, in\]/,
  );
  expect(() => quantizeWeight(tensor([[1, NaN]]))).toThrow(/`weight\[0\]` is NaN, expected finite numbers/);
  expect(() => quantizedLinear(randn([2, 9], { seed: 1 }), quantized)).toThrow(
    /quantizedLinear: `weight` is "int8 \[1, 2, 8, 4\].*for 9 inputs\.\nFix: make it with `quantizeWeight/,
  );
  expect(() => quantizedLinear(randn([2, 6], { seed: 1, dtype: "float64" }), quantized)).toThrow(
    /`x` is "float64 \[2, 6\]", expected float32/,
  );
  const small = quantizeWeight(weight, { bits: 4 });
  expect(() => quantizedLinear(weight, small, undefined, { activations: "int8" })).toThrow(
    /`activations` is "int8", expected "float32", as the weight has 4 bits/,
  );
  expect(js().name).toBe("js");
});
