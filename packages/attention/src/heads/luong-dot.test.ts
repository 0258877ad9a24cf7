import { cast, checkGradient, mul, randn, reshape, sum, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention } from "../attention.js";
import { luongDot } from "./luong-dot.js";
import { causal } from "../masks/causal.js";

const size = fc.integer({ min: 1, max: 5 });

test("property: it equals attention with one head and scale 1; queries scaled by 1 / √C give transformer attention", () => {
  fc.assert(
    fc.property(size, size, size, fc.nat(1000), (T, S, C, seed) => {
      const query = randn([2, T, C], { seed });
      const [key, value] = [randn([2, S, C], { seed: seed + 1 }), randn([2, S, 3], { seed: seed + 2 })];
      const head = (x: Tensor) => reshape(x, [2, 1, x.shape[1]!, x.shape[2]!]);
      const output = luongDot(query, key, value);
      expect(output.shape).toEqual([2, T, 3]);
      expect(output.data).toEqual(attention(head(query), head(key), head(value), { scale: 1 }).data);
      const scaled = luongDot(mul(query, 1 / Math.sqrt(C)), key, value).data;
      expect(attention(head(query), head(key), head(value)).data).toBeAllclose(scaled, {
        rtol: 0,
        atol: 5e-6,
      });
    }),
  );
});

test("golden: by hand, with its weights, and under a mask", () => {
  const source = tensor([
    [
      [2, 0],
      [0, 2],
    ],
  ]);
  const tensors: Record<string, Tensor> = {};
  luongDot(tensor([[[1, 0]]]), source, source, { trace: { names: ["weights"], tensors } });
  expect(tensors["weights"]!.data[0]).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 1), 6);
  expect(luongDot(source, source, source, { mask: causal() }).data.slice(0, 2)).toEqual(
    Float32Array.of(2, 0),
  );
});

test("gradients of query, key and value equal central differences", () => {
  const x = cast(randn([1, 3, 2], { seed: 1 }), "float64");
  const dy = cast(randn([1, 3, 2], { seed: 2 }), "float64");
  checkGradient((x) => sum(mul(luongDot(x, x, x), dy)), x);
});

test("keys of another width, and heads, are refused with the fix", () => {
  const x = randn([1, 2, 3], { seed: 1 });
  expect(() => luongDot(x, randn([1, 2, 4], { seed: 1 }), x)).toThrow(
    /luongDot: `key` has shape \[1, 2, 4\], expected \[B, S, 3\].\nFix: give batches of rows/,
  );
  expect(() => luongDot(randn([1, 1, 2, 3], { seed: 1 }), x, x)).toThrow(
    /luongDot: `query` has shape \[1, 1, 2, 3\], expected \[B, T, C\]/,
  );
});
